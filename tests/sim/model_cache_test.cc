#include "sim/model_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/sim/environment_variable.h"
#include "tests/support/temporary_folder.h"

namespace macloom::sim {
namespace {

namespace fs = std::filesystem;
using ::macloom::testing::EnvironmentVariable;
using ::macloom::testing::TemporaryFolder;
using ::testing::HasSubstr;

/// A folder of programs that is the whole PATH, and an empty cache.
class ModelCacheTest : public ::testing::Test {
 protected:
  ModelCacheTest()
      : path_("PATH", (folder_ / "bin").string()),
        cache_variable_("MACLOOM_CACHE_DIR", cache().string()) {
    fs::create_directory(folder_ / "bin");
  }

  fs::path cache() const { return folder_ / "cache"; }

  void AddProgram(const std::string& name, const std::string& body) {
    const fs::path path = folder_ / "bin" / name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    fs::permissions(path, fs::perms::owner_all);
  }

  /// A tool chain that counts its builds and makes a library of one line.
  void AddWorkingTools() {
    AddProgram("verilator", "case $1 in --version) echo V1;; --getenv) echo /none;; *) echo x >>" +
                                (folder_ / "builds").string() + ";; esac");
    AddProgram("make", "exit 0");
    AddProgram("g++", "for a; do last=$a; done; echo library > \"$last\"");
  }

  int NumBuilds() const {
    std::ifstream file(folder_ / "builds");
    int count = 0;
    for (std::string line; std::getline(file, line);) ++count;
    return count;
  }

  /// Entries with a library, whatever their name.
  int NumModels() const {
    int count = 0;
    if (!fs::exists(cache())) return 0;
    for (const auto& entry : fs::recursive_directory_iterator(cache())) {
      if (entry.path().filename() == "model.so") ++count;
    }
    return count;
  }

  /// Folders in the cache.
  int NumFolders() const {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(cache())) count += entry.is_directory();
    return count;
  }

  TemporaryFolder folder_;
  EnvironmentVariable path_, cache_variable_;
  const arch::HardwareConfig config_ = *arch::Preset("m4l16");
};

TEST_F(ModelCacheTest, BuildsOnceAndTakesItFromTheCacheAfterwards) {
  AddWorkingTools();
  const Result<fs::path> first = BuildModel(config_), second = BuildModel(config_);
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_TRUE(second.ok()) << second.error().message;
  EXPECT_EQ(*first, *second);
  EXPECT_TRUE(fs::exists(*first));
  EXPECT_EQ(NumBuilds(), 1);
  EXPECT_EQ(NumFolders(), 1) << "temporary folders are gone";
}

TEST_F(ModelCacheTest, BuildsAnewForAnotherConfigurationOrVerilator) {
  AddWorkingTools();
  const Result<fs::path> first = BuildModel(config_);
  const Result<fs::path> other = BuildModel(*arch::Preset("m8l16"));
  AddProgram("verilator", "case $1 in --version) echo V2;; --getenv) echo /none;; esac");
  const Result<fs::path> newer = BuildModel(config_);
  ASSERT_TRUE(first.ok() && other.ok() && newer.ok());
  EXPECT_NE(*first, *other);
  EXPECT_NE(*first, *newer);
}

TEST_F(ModelCacheTest, NamesThePackageOfAMissingTool) {
  for (const char* missing : {"verilator", "make", "g++"}) {
    AddWorkingTools();
    fs::remove(folder_ / "bin" / missing);
    const Result<fs::path> model = BuildModel(config_);
    ASSERT_FALSE(model.ok()) << missing;
    EXPECT_EQ(model.error().kind, ErrorKind::kToolMissing);
    EXPECT_THAT(model.error().message, HasSubstr(std::string("package ") + missing));
    EXPECT_EQ(NumModels(), 0);
  }
}

TEST_F(ModelCacheTest, ShowsTheLastLinesOfAFailureAndKeepsNothing) {
  AddWorkingTools();
  AddProgram("verilator",
             "case $1 in --version) echo V1;; *) echo '%Error: no such thing'; exit 7;; esac");
  const Result<fs::path> model = BuildModel(config_);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().kind, ErrorKind::kToolFailed);
  EXPECT_THAT(model.error().message, HasSubstr("status 7"));
  EXPECT_THAT(model.error().message, HasSubstr("%Error: no such thing"));
  EXPECT_EQ(NumFolders(), 0);
  AddWorkingTools();
  EXPECT_TRUE(BuildModel(config_).ok()) << "a failed build does not block the next one";
}

TEST_F(ModelCacheTest, TakesNothingFromABuildThatWasKilled) {
  AddWorkingTools();
  const fs::path started = folder_ / "started";
  AddProgram("g++", "for a; do last=$a; done; echo half > \"$last\"; echo > " + started.string() +
                        "; exec /bin/sleep 30");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    static_cast<void>(BuildModel(config_));
    ::_exit(0);
  }
  for (int i = 0; i < 1000 && !fs::exists(started); ++i) ::usleep(10000);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ASSERT_TRUE(fs::exists(started));
  AddWorkingTools();
  const Result<fs::path> model = BuildModel(config_);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(NumBuilds(), 2) << "the half-made library is not taken";
  std::string text;
  std::ifstream(*model) >> text;
  EXPECT_EQ(text, "library");
}

TEST_F(ModelCacheTest, BuildsOnceForTwoProcessesAtATime) {
  AddWorkingTools();
  AddProgram("make", "exec /bin/sleep 0.3");
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(BuildModel(config_).ok() ? 0 : 1);
  const Result<fs::path> model = BuildModel(config_);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(model.ok());
  EXPECT_EQ(status, 0);
  EXPECT_EQ(NumBuilds(), 1);
}

TEST_F(ModelCacheTest, SaysWhyTheCacheCannotBeWritten) {
  AddWorkingTools();
  std::ofstream(cache()) << "a file";
  const Result<fs::path> model = BuildModel(config_);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().kind, ErrorKind::kOutput);
  EXPECT_THAT(model.error().message, HasSubstr(cache().string()));
}

TEST(CacheDirectoryTest, FollowsTheEnvironment) {
  const EnvironmentVariable home("HOME", "/h");
  {
    const EnvironmentVariable own("MACLOOM_CACHE_DIR", ""), xdg("XDG_CACHE_HOME", "");
    EXPECT_EQ(CacheDirectory(), "/h/.cache/macloom");
  }
  const EnvironmentVariable xdg("XDG_CACHE_HOME", "/x");
  {
    const EnvironmentVariable own("MACLOOM_CACHE_DIR", "");
    EXPECT_EQ(CacheDirectory(), "/x/macloom");
  }
  const EnvironmentVariable own("MACLOOM_CACHE_DIR", "/own");
  EXPECT_EQ(CacheDirectory(), "/own");
}

}  // namespace
}  // namespace macloom::sim
