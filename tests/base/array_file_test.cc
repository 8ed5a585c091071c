#include "base/array_file.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ArrayFileTest : public ::testing::Test {
 protected:
  fs::path Path(const std::string& name) const { return folder_.path() / name; }

  fs::path Write(const std::string& name, const std::vector<uint8_t>& bytes) const {
    EXPECT_TRUE(WriteFileAtomically(Path(name), bytes).ok());
    return Path(name);
  }

  /// A zip archive, or the one entry as a gzip stream.
  fs::path WriteArchive(const std::string& name,
                        const std::vector<std::pair<std::string, std::vector<uint8_t>>>& entries,
                        bool is_gzip = false) const {
    archive* handle = archive_write_new();
    is_gzip ? archive_write_set_format_raw(handle) : archive_write_set_format_zip(handle);
    if (is_gzip) archive_write_add_filter_gzip(handle);
    EXPECT_EQ(archive_write_open_filename(handle, Path(name).c_str()), ARCHIVE_OK);
    for (const auto& [entry_name, bytes] : entries) {
      archive_entry* header = archive_entry_new();
      archive_entry_set_pathname(header, entry_name.c_str());
      archive_entry_set_filetype(header, AE_IFREG);
      archive_entry_set_size(header, static_cast<la_int64_t>(bytes.size()));
      EXPECT_EQ(archive_write_header(handle, header), ARCHIVE_OK);
      archive_write_data(handle, bytes.data(), bytes.size());
      archive_entry_free(header);
    }
    archive_write_free(handle);
    return Path(name);
  }

  static void ExpectFails(const fs::path& path, const std::string& member,
                          const std::string& message) {
    const auto array = ReadArray(path, member);
    ASSERT_FALSE(array.ok()) << path;
    EXPECT_THAT(array.error().message, HasSubstr(message));
    EXPECT_THAT(array.error().message, HasSubstr(path.filename().string()));
  }

  testing::TemporaryFolder folder_;
};

const std::vector<uint8_t> kIdx = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 2, 253, 254, 255};

TEST_F(ArrayFileTest, ReadsEveryKind) {
  const NpyArray first = FromInt8({2, 2}, std::vector<int8_t>{1, -2, 3, -4});
  const NpyArray second = FromInt32({1}, std::vector<int32_t>{70000});
  EXPECT_EQ(*ReadArray(Write("a.npy", SerializeNpy(first)), ""), first);
  const fs::path npz =
      WriteArchive("a.npz", {{"x.npy", SerializeNpy(first)}, {"y.npy", SerializeNpy(second)}});
  EXPECT_EQ(*ReadArray(npz, "x"), first);
  EXPECT_EQ(*ReadArray(npz, "y.npy"), second);
  EXPECT_EQ(*ReadArray(WriteArchive("one.npz", {{"y.npy", SerializeNpy(second)}}), ""), second);
  const NpyArray idx{"|u1", {2, 3}, {0, 1, 2, 253, 254, 255}};
  EXPECT_EQ(*ReadArray(Write("t10k-images-idx3-ubyte", kIdx), ""), idx);
  EXPECT_EQ(*ReadArray(WriteArchive("x-ubyte.gz", {{"x", kIdx}}, true), ""), idx);
}

TEST_F(ArrayFileTest, BadFiles) {
  const fs::path npz = WriteArchive(
      "a.npz",
      {{"x.npy", SerializeNpy(FromInt8({1}, std::vector<int8_t>{1}))}, {"y.npy", {'n', 'o'}}});
  ExpectFails(npz, "z", "no array z; it holds x, y");
  ExpectFails(npz, "", "which array?");
  ExpectFails(npz, "y", "a.npz");
  ExpectFails(Write("b.npz", {1, 2, 3}), "x", "not a readable .npz file");
  ExpectFails(Write("c.npy", {1, 2, 3}), "x", "has no members");
  ExpectFails(Write("d-ubyte", {1, 2, 3}), "", "two zero bytes");
  std::vector<uint8_t> bytes = kIdx;
  bytes[2] = 13;
  ExpectFails(Write("e-ubyte", bytes), "", "element type 13; accepted is 8");
  bytes = kIdx;
  bytes.pop_back();
  ExpectFails(Write("f-ubyte", bytes), "", "promises 2 sizes and 6 bytes");
  // Sizes whose product leaves 64 bits.
  bytes = {0, 0, 8, 4};
  bytes.insert(bytes.end(), 16, 0xff);
  ExpectFails(Write("g-ubyte", bytes), "", "promises");
  ExpectFails(Write("h-ubyte.gz", {0x1f, 0x8b, 8, 0, 1}), "", "h-ubyte.gz");
}

}  // namespace
}  // namespace macloom
