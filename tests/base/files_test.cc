#include "base/files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;
using ::macloom::testing::TemporaryFolder;
using ::testing::HasSubstr;

constexpr uint8_t kBytes[] = {0, 255, 10, 13, 0};

TEST(FilesTest, WritesAndReadsBack) {
  const TemporaryFolder folder;
  const fs::path path = folder / "a";
  ASSERT_TRUE(WriteFileAtomically(path, std::span<const uint8_t>(kBytes)).ok());
  EXPECT_EQ(*ReadFile(path), std::vector<uint8_t>(std::begin(kBytes), std::end(kBytes)));
  ASSERT_TRUE(WriteFileAtomically(path, std::string_view("text\n")).ok());
  EXPECT_EQ(*ReadTextFile(path), "text\n");
  ASSERT_TRUE(WriteFileAtomically(path, std::string_view()).ok());
  EXPECT_EQ(*ReadTextFile(path), "");
  EXPECT_EQ(folder.NumEntries(), 1) << "a temporary file is left";
}

TEST(FilesTest, BadReadsNameThePath) {
  const TemporaryFolder folder;
  const Result<std::vector<uint8_t>> missing = ReadFile(folder / "missing");
  EXPECT_EQ(missing.error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(missing.error().message,
            "cannot read " + (folder / "missing").string() + ": no such file");
  EXPECT_THAT(ReadFile(folder.path()).error().message, HasSubstr("not a regular file"));
  EXPECT_THAT(ReadTextFile("/dev/zero").error().message, HasSubstr("not a regular file"));
  ASSERT_TRUE(WriteFileAtomically(folder / "five", std::string_view("12345")).ok());
  EXPECT_TRUE(ReadFile(folder / "five", 5).ok());
  EXPECT_THAT(ReadFile(folder / "five", 4).error().message,
              HasSubstr("it has 5 bytes; accepted are at most 4 bytes"));
}

TEST(FilesTest, BadWritesNameThePathAndTheReason) {
  const TemporaryFolder folder;
  const Status missing = WriteFileAtomically(folder / "no/such/file", std::string_view("x"));
  EXPECT_EQ(missing.error().kind, ErrorKind::kOutput);
  EXPECT_EQ(missing.error().message,
            "cannot write " + (folder / "no/such/file").string() + ": No such file or directory");
  EXPECT_THAT(WriteFileAtomically(folder.path(), std::string_view("x")).error().message,
              HasSubstr("is a directory"));
  EXPECT_THAT(WriteFileAtomically(folder / "a/", std::string_view("x")).error().message,
              HasSubstr("not a file name"));
  EXPECT_EQ(folder.NumEntries(), 0);
}

TEST(FilesTest, BadFullDiskKeepsTheOldFile) {
  const TemporaryFolder folder;
  const fs::path path = folder / "a";
  ASSERT_TRUE(WriteFileAtomically(path, std::string_view("old")).ok());
  // A file size limit fails a write in the middle, as a full disk does.
  struct rlimit old_limit;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old_limit), 0);
  struct rlimit limit = old_limit;
  limit.rlim_cur = 10000;
  auto* old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const Status large = WriteFileAtomically(path, std::string(100000, 'x'));
  const Status at_close = WriteFileAtomically(path, std::string(10001, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old_limit), 0);
  std::signal(SIGXFSZ, old_handler);
  for (const Status* status : {&large, &at_close}) {
    ASSERT_FALSE(status->ok());
    EXPECT_EQ(status->error().kind, ErrorKind::kOutput);
    EXPECT_THAT(status->error().message, HasSubstr("cannot write " + path.string() + ": File too"));
  }
  EXPECT_EQ(*ReadTextFile(path), "old");
  EXPECT_EQ(folder.NumEntries(), 1) << "a temporary file is left";
}

TEST(OutputDirectoryTest, AppearsOnCommit) {
  const TemporaryFolder folder;
  const fs::path target = folder / "out";
  {
    Result<OutputDirectory> directory = OutputDirectory::Create(target);
    ASSERT_TRUE(directory.ok()) << directory.error().message;
    ASSERT_TRUE(directory->Write("sub/b", std::string_view("B")).ok());
    ASSERT_TRUE(directory->Write("a", std::span<const uint8_t>(kBytes)).ok());
    EXPECT_FALSE(fs::exists(target));
    ASSERT_TRUE(directory->Commit().ok());
    EXPECT_EQ(directory->path(), target);
  }
  EXPECT_EQ(*ReadTextFile(target / "sub/b"), "B");
  EXPECT_EQ(ReadFile(target / "a")->size(), sizeof(kBytes));
  EXPECT_TRUE(fs::exists(target / OutputDirectory::kMarker));
  EXPECT_EQ(folder.NumEntries(), 1);
}

TEST(OutputDirectoryTest, VanishesWithoutCommit) {
  const TemporaryFolder folder;
  {
    Result<OutputDirectory> directory = OutputDirectory::Create(folder / "out");
    ASSERT_TRUE(directory->Write("a", std::string_view("A")).ok());
    EXPECT_EQ(folder.NumEntries(), 1);
  }
  EXPECT_EQ(folder.NumEntries(), 0);
}

TEST(OutputDirectoryTest, ReplacesAnEmptyFolderAndAnEarlierOutput) {
  const TemporaryFolder folder;
  const fs::path target = folder / "out";
  fs::create_directory(target);
  for (const char* name : {"first", "second"}) {
    Result<OutputDirectory> directory = OutputDirectory::Create(target / "");
    ASSERT_TRUE(directory.ok()) << directory.error().message;
    ASSERT_TRUE(directory->Write(name, std::string_view(name)).ok());
    ASSERT_TRUE(directory->Commit().ok());
    EXPECT_TRUE(fs::exists(target / name));
  }
  EXPECT_FALSE(fs::exists(target / "first"));
  EXPECT_EQ(folder.NumEntries(), 1);
}

TEST(OutputDirectoryTest, KeepsTheEarlierOutputUntilCommit) {
  const TemporaryFolder folder;
  const fs::path target = folder / "out";
  {
    Result<OutputDirectory> directory = OutputDirectory::Create(target);
    ASSERT_TRUE(directory->Write("a", std::string_view("first")).ok());
    ASSERT_TRUE(directory->Commit().ok());
  }
  {
    Result<OutputDirectory> directory = OutputDirectory::Create(target);
    ASSERT_TRUE(directory->Write("a", std::string_view("second")).ok());
  }
  EXPECT_EQ(*ReadTextFile(target / "a"), "first");
  EXPECT_EQ(folder.NumEntries(), 1);
}

TEST(OutputDirectoryTest, BadTargetsAreRefusedUntouched) {
  const TemporaryFolder folder;
  const fs::path foreign = folder / "foreign";
  fs::create_directory(foreign);
  ASSERT_TRUE(WriteFileAtomically(foreign / "thesis.txt", std::string_view("precious")).ok());
  const Result<OutputDirectory> refused = OutputDirectory::Create(foreign);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kOutput);
  EXPECT_THAT(refused.error().message, HasSubstr("was not written by macloom"));
  EXPECT_EQ(*ReadTextFile(foreign / "thesis.txt"), "precious");

  ASSERT_TRUE(WriteFileAtomically(folder / "file", std::string_view("x")).ok());
  EXPECT_THAT(OutputDirectory::Create(folder / "file").error().message,
              HasSubstr("exists and is not a folder"));
  // Not even through a link: the link would be replaced, not the folder.
  fs::create_directory_symlink(folder / "elsewhere", folder / "link");
  EXPECT_THAT(OutputDirectory::Create(folder / "link").error().message,
              HasSubstr("exists and is not a folder"));
  EXPECT_THAT(OutputDirectory::Create(folder / "no/out").error().message,
              HasSubstr("No such file or directory"));
  for (const char* name : {"", "..", ".", "/"}) {
    EXPECT_THAT(OutputDirectory::Create(name).error().message,
                HasSubstr("accepted is the name of a new folder"))
        << name;
  }
  EXPECT_EQ(folder.NumEntries(), 3);
}

TEST(OutputDirectoryTest, BadFilesInsideAreRefused) {
  const TemporaryFolder folder;
  Result<OutputDirectory> directory = OutputDirectory::Create(folder / "out");
  ASSERT_TRUE(directory->Write("a", std::string_view("A")).ok());
  EXPECT_EQ(directory->Write("a/b", std::string_view("B")).error().kind, ErrorKind::kOutput);
}

}  // namespace
}  // namespace macloom
