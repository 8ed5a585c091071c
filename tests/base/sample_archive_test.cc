#include "base/sample_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/rng.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;
using ::macloom::testing::TemporaryFolder;
using ::testing::HasSubstr;

struct Entry {
  std::string name;
  std::string content;
  unsigned type = AE_IFREG;
};

void WriteTar(const fs::path& path, const std::vector<Entry>& entries, bool is_compressed = false) {
  archive* handle = archive_write_new();
  archive_write_set_format_ustar(handle);
  if (is_compressed) archive_write_add_filter_gzip(handle);
  ASSERT_EQ(archive_write_open_filename(handle, path.c_str()), ARCHIVE_OK);
  for (const Entry& entry : entries) {
    archive_entry* header = archive_entry_new();
    archive_entry_set_pathname(header, entry.name.c_str());
    archive_entry_set_filetype(header, entry.type);
    archive_entry_set_perm(header, 0644);
    if (entry.type == AE_IFLNK) archive_entry_set_symlink(header, "/etc/passwd");
    archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
    ASSERT_EQ(archive_write_header(handle, header), ARCHIVE_OK);
    if (!entry.content.empty()) {
      archive_write_data(handle, entry.content.data(), entry.content.size());
    }
    archive_entry_free(header);
  }
  archive_write_close(handle);
  archive_write_free(handle);
}

TEST(SampleArchiveTest, ReadsAFolderSortedByName) {
  const TemporaryFolder folder;
  for (const char* name : {"b.bin", "a.bin", "labels.csv"}) {
    ASSERT_TRUE(WriteFileAtomically(folder / name, std::string_view(name, 3)).ok());
  }
  fs::create_directory(folder / "sub.bin");
  const Result<std::vector<Sample>> samples = ReadSampleArchive(folder.path(), 3);
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_EQ(*samples,
            (std::vector<Sample>{{"a.bin", {'a', '.', 'b'}}, {"b.bin", {'b', '.', 'b'}}}));
}

TEST(SampleArchiveTest, ReadsATarSortedByName) {
  const TemporaryFolder folder;
  for (bool is_compressed : {false, true}) {
    WriteTar(folder / "s.tar", {{"d/", "", AE_IFDIR}, {"d/2.bin", "xy"}, {"d/1.bin", "zw"}},
             is_compressed);
    const Result<std::vector<Sample>> samples = ReadSampleArchive(folder / "s.tar", 2);
    ASSERT_TRUE(samples.ok()) << samples.error().message;
    EXPECT_EQ(*samples, (std::vector<Sample>{{"d/1.bin", {'z', 'w'}}, {"d/2.bin", {'x', 'y'}}}));
  }
}

TEST(SampleArchiveTest, BadSizesNameTheFile) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "a.bin", std::string_view("abcd")).ok());
  EXPECT_THAT(ReadSampleArchive(folder.path(), 3).error().message,
              HasSubstr("sample a.bin has 4 bytes; accepted are 3 bytes"));
  WriteTar(folder / "s.tar", {{"one", "abc"}, {"two", "ab"}});
  EXPECT_THAT(ReadSampleArchive(folder / "s.tar", 3).error().message,
              HasSubstr("s.tar: sample two has 2 bytes; accepted are 3 bytes"));
  EXPECT_THAT(ReadSampleArchive(folder.path(), 0).error().message,
              HasSubstr("sample size is 0 bytes; accepted are 1 to"));
}

TEST(SampleArchiveTest, BadArchivesAreNamed) {
  const TemporaryFolder folder;
  EXPECT_THAT(ReadSampleArchive(folder / "missing", 3).error().message,
              HasSubstr("no such file or folder"));
  EXPECT_THAT(ReadSampleArchive(folder.path(), 3).error().message,
              HasSubstr("holds no *.bin file"));
  ASSERT_TRUE(WriteFileAtomically(folder / "text", std::string(5000, 'x')).ok());
  EXPECT_THAT(ReadSampleArchive(folder / "text", 3).error().message,
              HasSubstr("not a readable tar archive"));
  WriteTar(folder / "empty.tar", {{"d/", "", AE_IFDIR}});
  EXPECT_THAT(ReadSampleArchive(folder / "empty.tar", 3).error().message,
              HasSubstr("the archive holds no file"));
  WriteTar(folder / "link.tar", {{"evil", "", AE_IFLNK}});
  EXPECT_THAT(ReadSampleArchive(folder / "link.tar", 3).error().message,
              HasSubstr("entry evil is not a regular file"));
  WriteTar(folder / "twice.tar", {{"a", "abc"}, {"a", "abc"}});
  EXPECT_THAT(ReadSampleArchive(folder / "twice.tar", 3).error().message,
              HasSubstr("two samples are named a"));
  WriteTar(folder / "two.tar", {{"a", std::string(10, 'x')}, {"b", std::string(10, 'x')}});
  EXPECT_THAT(ReadSampleArchive(folder / "two.tar", int64_t{1} << 30).error().message,
              HasSubstr("sample a has 10 bytes; accepted are 1073741824 bytes"));
}

TEST(SampleArchiveTest, BadTruncationAndBitFlipsNeverCrash) {
  const TemporaryFolder folder;
  WriteTar(folder / "s.tar", {{"a", std::string(600, 'x')}, {"b", std::string(600, 'y')}});
  const std::vector<uint8_t> file = *ReadFile(folder / "s.tar");
  const std::vector<Sample> whole = *ReadSampleArchive(folder / "s.tar", 600);
  for (size_t size : {0, 1, 511, 512, 513, 1111, 1112, 1535, 1537, 2048, 2500}) {
    ASSERT_TRUE(WriteFileAtomically(folder / "t.tar", std::span(file).first(size)).ok());
    const Result<std::vector<Sample>> samples = ReadSampleArchive(folder / "t.tar", 600);
    EXPECT_FALSE(samples.ok() && *samples == whole) << size;
  }
  Rng rng(11);
  for (int i = 0; i < 300; ++i) {
    std::vector<uint8_t> flipped = file;
    flipped[static_cast<size_t>(rng.UniformInt(0, 511))] ^=
        static_cast<uint8_t>(1 << rng.UniformInt(0, 7));
    ASSERT_TRUE(WriteFileAtomically(folder / "t.tar", flipped).ok());
    const Result<std::vector<Sample>> samples = ReadSampleArchive(folder / "t.tar", 600);
    if (samples.ok()) {
      for (const Sample& sample : *samples) EXPECT_EQ(sample.bytes.size(), 600u);
    }
  }
}

}  // namespace
}  // namespace macloom
