// scripts/fetch_models.sh against a copy of the source repository on disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/files.h"
#include "tests/support/data_pack.h"
#include "tests/support/temporary_folder.h"

namespace macloom::importers {
namespace {

using ::testing::HasSubstr;

struct ScriptRun {
  int status = -1;
  std::string output;
};

ScriptRun RunScript(const std::string& arguments) {
  const std::string command =
      "bash '" MACLOOM_SOURCE_DIR "/scripts/fetch_models.sh' " + arguments + " 2>&1";
  ScriptRun outcome;
  FILE* pipe = ::popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  if (pipe == nullptr) return outcome;
  for (int character = 0; (character = std::fgetc(pipe)) != EOF;) {
    outcome.output.push_back(static_cast<char>(character));
  }
  const int status = ::pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

bool HasCurl() { return std::system("command -v curl >/dev/null") == 0; }

/// Lays the pack's files out as the source repository has them; returns its file:// URL.
std::string MakeRepository(const std::filesystem::path& pack, const std::filesystem::path& root) {
  const std::pair<const char*, const char*> files[] = {
      {"benchmark/training/keyword_spotting/trained_models", "kws_ref_model.tflite"},
      {"benchmark/training/image_classification/trained_models", "pretrainedResnet_quant.tflite"},
      {"benchmark/training/anomaly_detection/trained_models", "ad01_int8.tflite"},
      {"benchmark/training/streaming_wakeword/trained_models", "str_ww_ref_model.tflite"},
      {".", "LICENSE.md"},
  };
  for (const auto& [folder, name] : files) {
    std::filesystem::create_directories(root / folder);
    std::filesystem::copy_file(pack / name, root / folder / name);
  }
  return "file://" + root.string();
}

TEST(FetchModelsTest, FetchesChecksAndThenHasNothingToDo) {
  MACLOOM_DATA_PACK(pack, "mlperf-tiny-models");
  if (!HasCurl()) GTEST_SKIP() << "curl is not installed";
  const macloom::testing::TemporaryFolder folder;
  const std::string url = MakeRepository(pack, folder / "repository");
  const std::string target = (folder / "deep/er/models").string();
  const ScriptRun first = RunScript("--from '" + url + "' '" + target + "'");
  EXPECT_EQ(first.status, 0) << first.output;
  for (const char* name : {"kws_ref_model.tflite", "pretrainedResnet_quant.tflite",
                           "ad01_int8.tflite", "str_ww_ref_model.tflite", "LICENSE.md"}) {
    const auto fetched = ReadFile(std::filesystem::path(target) / name);
    ASSERT_TRUE(fetched.ok()) << name;
    EXPECT_EQ(*fetched, ReadFile(pack / name).value()) << name;
  }
  // The source may be gone now; a damaged file is noticed, a complete folder needs nothing.
  EXPECT_EQ(RunScript("--from file:///nowhere '" + target + "'").status, 0);
  ASSERT_TRUE(WriteFileAtomically(std::filesystem::path(target) / "LICENSE.md", "other").ok());
  EXPECT_EQ(RunScript("--from file:///nowhere '" + target + "'").status, 3);
  EXPECT_EQ(RunScript("--from '" + url + "' '" + target + "'").status, 0);
  EXPECT_EQ(ReadFile(std::filesystem::path(target) / "LICENSE.md").value(),
            ReadFile(pack / "LICENSE.md").value());
}

TEST(FetchModelsBadTest, OfflineLeavesNothingBehind) {
  if (!HasCurl()) GTEST_SKIP() << "curl is not installed";
  const macloom::testing::TemporaryFolder folder;
  const ScriptRun outcome =
      RunScript("--from file:///nowhere '" + (folder / "models").string() + "'");
  EXPECT_EQ(outcome.status, 3);
  EXPECT_THAT(outcome.output, HasSubstr("could not fetch file:///nowhere/benchmark"));
  EXPECT_EQ(folder.NumEntries(), 0);
}

TEST(FetchModelsBadTest, RefusesAFileWithTheWrongDigest) {
  MACLOOM_DATA_PACK(pack, "mlperf-tiny-models");
  if (!HasCurl()) GTEST_SKIP() << "curl is not installed";
  const macloom::testing::TemporaryFolder folder;
  const std::string url = MakeRepository(pack, folder / "repository");
  ASSERT_TRUE(WriteFileAtomically(folder / "repository/LICENSE.md", "other terms").ok());
  const ScriptRun outcome =
      RunScript("--from '" + url + "' '" + (folder / "models").string() + "'");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.output, HasSubstr("LICENSE.md has the wrong sha256"));
  EXPECT_FALSE(std::filesystem::exists(folder / "models"));
  EXPECT_EQ(folder.NumEntries(), 1);
}

TEST(FetchModelsBadTest, RefusesWrongCommandLinesAndExplainsItself) {
  EXPECT_EQ(RunScript("--force").status, 2);
  EXPECT_EQ(RunScript("--from").status, 2);
  EXPECT_EQ(RunScript("one two").status, 2);
  EXPECT_EQ(RunScript("''").status, 2);
  const ScriptRun help = RunScript("-h");
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, HasSubstr("usage: fetch_models.sh"));
}

TEST(FetchModelsBadTest, ReportsAFolderThatCannotBeWritten) {
  MACLOOM_DATA_PACK(pack, "mlperf-tiny-models");
  if (!HasCurl()) GTEST_SKIP() << "curl is not installed";
  const macloom::testing::TemporaryFolder folder;
  const std::string url = MakeRepository(pack, folder / "repository");
  ASSERT_TRUE(WriteFileAtomically(folder / "file", "not a folder").ok());
  EXPECT_EQ(RunScript("--from '" + url + "' '" + (folder / "file").string() + "'").status, 74);
  EXPECT_EQ(RunScript("--from '" + url + "' '" + (folder / "file/models").string() + "'").status,
            74);
  EXPECT_EQ(folder.NumEntries(), 2);
}

}  // namespace
}  // namespace macloom::importers
