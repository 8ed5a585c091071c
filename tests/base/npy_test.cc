#include "base/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/files.h"
#include "base/rng.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::macloom::testing::TemporaryFolder;
using ::testing::HasSubstr;

std::vector<uint8_t> FileOf(const std::string& header, const std::string& data, int version = 1) {
  std::string text = "\x93NUMPY";
  text += static_cast<char>(version);
  text += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    text += static_cast<char>(header.size() >> (8 * i) & 0xff);
  }
  text += header + data;
  return {text.begin(), text.end()};
}

std::string MessageOf(const std::string& header, const std::string& data) {
  const Result<NpyArray> array = ParseNpy(FileOf(header, data));
  return array.ok() ? "accepted" : array.error().message;
}

TEST(NpyTest, WritesWhatNumpyWrites) {
  // numpy.save of numpy.array([[1, -1, 2]], dtype=numpy.int8), byte for byte.
  std::string expected("\x93NUMPY\x01\x00\x76\x00", 10);
  expected += "{'descr': '|i1', 'fortran_order': False, 'shape': (1, 3), }";
  expected.append(127 - expected.size(), ' ');
  expected += "\n\x01\xff\x02";
  const int8_t values[] = {1, -1, 2};
  const std::vector<uint8_t> got = SerializeNpy(FromInt8({1, 3}, values));
  EXPECT_EQ(std::string(got.begin(), got.end()), expected);
}

TEST(NpyTest, RoundTripsEveryDtypeAndRank) {
  const TemporaryFolder folder;
  for (const char* dtype : {"|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<f4", "<f8"}) {
    for (const std::vector<int64_t>& shape :
         std::vector<std::vector<int64_t>>{{}, {3}, {0}, {2, 0, 3}, {2, 3, 4}}) {
      NpyArray array{dtype, shape, {}};
      array.bytes.resize(static_cast<size_t>(array.NumElements() * NpyItemBytes(dtype)), 0xa5);
      ASSERT_TRUE(WriteNpy(folder / "a.npy", array).ok());
      const Result<NpyArray> read = ReadNpy(folder / "a.npy");
      ASSERT_TRUE(read.ok()) << read.error().message;
      EXPECT_EQ(*read, array);
      EXPECT_EQ(SerializeNpy(array).size() % 64, array.bytes.size() % 64) << "unaligned data";
    }
  }
}

TEST(NpyTest, ReadsVersion2AndUnusualSpacing) {
  const std::string header = "{\"shape\":(2 ,), 'fortran_order':True,'descr' : '|u1'}";
  const Result<NpyArray> array = ParseNpy(FileOf(header, "\x01\xff", 2));
  ASSERT_TRUE(array.ok()) << array.error().message;
  EXPECT_EQ(*ToInt64(*array), (std::vector<int64_t>{1, 255}));
}

TEST(NpyTest, ConvertsExtremesToInt64) {
  const int32_t i32[] = {INT32_MIN, INT32_MAX};
  EXPECT_EQ(*ToInt64(FromInt32({2}, i32)), (std::vector<int64_t>{INT32_MIN, INT32_MAX}));
  const int64_t i64[] = {INT64_MIN, INT64_MAX};
  EXPECT_EQ(*ToInt64(FromInt64({2, 1}, i64)), (std::vector<int64_t>{INT64_MIN, INT64_MAX}));
  const int8_t i8[] = {-128, 127};
  EXPECT_EQ(*ToInt64(FromInt8({2}, i8)), (std::vector<int64_t>{-128, 127}));
  const std::vector<uint8_t> ones(4, 0xff);
  EXPECT_EQ(*ToInt64({"|u1", {4}, ones}), (std::vector<int64_t>{255, 255, 255, 255}));
  EXPECT_EQ(*ToInt64({"<i2", {2}, ones}), (std::vector<int64_t>{-1, -1}));
  EXPECT_EQ(*ToInt64({"<u2", {2}, ones}), (std::vector<int64_t>{65535, 65535}));
  EXPECT_EQ(*ToInt64({"<u4", {1}, ones}), (std::vector<int64_t>{4294967295}));
}

TEST(NpyTest, BadFloatsAreNotIntegers) {
  const Result<std::vector<int64_t>> values = ToInt64({"<f4", {1}, {0, 0, 0, 0}});
  EXPECT_THAT(values.error().message, HasSubstr("dtype <f4; accepted are integers"));
}

TEST(NpyTest, BadHeadersAreNamed) {
  const std::string good = "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }";
  EXPECT_EQ(MessageOf(good, "ab"), "accepted");
  EXPECT_EQ(MessageOf(good, "abc"),
            ".npy data has 3 bytes, which is not what its shape (2) and dtype |i1 need");
  EXPECT_THAT(MessageOf(good, "a"), HasSubstr("data has 1 bytes"));
  EXPECT_EQ(ParseNpy(std::vector<uint8_t>(20, 0)).error().message,
            "not a .npy file (it does not start with \\x93NUMPY and a version)");
  EXPECT_EQ(ParseNpy(FileOf(good, "ab", 4)).error().message,
            ".npy format version is 4; supported are 1 to 3");
  std::vector<uint8_t> long_header = FileOf(good, "ab");
  long_header[9] = 0xff;
  EXPECT_THAT(ParseNpy(long_header).error().message, HasSubstr("does not fit into the file of"));
  EXPECT_THAT(MessageOf("{'descr': '>i4', 'fortran_order': False, 'shape': (), }", "abcd"),
              HasSubstr("dtype is '>i4'; supported are |i1"));
  EXPECT_THAT(MessageOf("{'descr': '|i1', 'fortran_order': True, 'shape': (1, 2), }", "ab"),
              HasSubstr("Fortran order; supported is C order"));
  for (const char* damaged :
       {"", "{", "{}", "[]", "{'descr': [('a', '|i1')], 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '|i1', 'fortran_order': 0, 'shape': (2,), }",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (-2,), }",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (99999999999999999999,), }",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2 }",
        "{'descr': '|i1', 'fortran_order': False, 'shape': 2 }",
        "{'descr': '|i1, 'fortran_order': False, 'shape': (2,), }",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), } x",
        "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), 'more': 1 }"}) {
    EXPECT_THAT(MessageOf(damaged, "ab"), HasSubstr("header is damaged")) << damaged;
  }
}

TEST(NpyTest, BadHugeShapesAllocateNothing) {
  EXPECT_THAT(MessageOf("{'descr': '<f8', 'fortran_order': False, "
                        "'shape': (9223372036854775807, 9223372036854775807), }",
                        "12345678"),
              HasSubstr("is not what its shape"));
  // 2^32 * 2^32 elements wrap to 0 bytes in 64-bit arithmetic.
  EXPECT_THAT(MessageOf("{'descr': '|i1', 'fortran_order': False, "
                        "'shape': (4294967296, 4294967296), }",
                        ""),
              HasSubstr("is not what its shape"));
}

TEST(NpyTest, BadFileNamesThePath) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "x.npy", std::string_view("hello")).ok());
  EXPECT_THAT(ReadNpy(folder / "x.npy").error().message,
              HasSubstr((folder / "x.npy").string() + ": not a .npy file"));
  EXPECT_THAT(ReadNpy(folder / "y.npy").error().message, HasSubstr("no such file"));
}

TEST(NpyTest, BadTruncationAtEveryByteIsRefused) {
  const int32_t values[] = {1, 2, 3, 4, 5, 6};
  const std::vector<uint8_t> file = SerializeNpy(FromInt32({2, 3}, values));
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(ParseNpy(std::span(file).first(size)).ok()) << size;
  }
}

TEST(NpyTest, BadBitFlipsNeverCrash) {
  const int32_t values[] = {1, 2, 3, 4, 5, 6};
  const NpyArray array = FromInt32({2, 3}, values);
  const std::vector<uint8_t> file = SerializeNpy(array);
  int num_refused = 0;
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::vector<uint8_t> flipped = file;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const Result<NpyArray> read = ParseNpy(flipped);
    num_refused += !read.ok();
    if (read.ok()) {
      EXPECT_EQ(read->bytes.size(), static_cast<size_t>(read->NumElements()) *
                                        static_cast<size_t>(NpyItemBytes(read->dtype)));
    }
  }
  EXPECT_GT(num_refused, 300);
}

TEST(NpyDeathTest, WrongNumberOfValuesIsOurBug) {
  const int8_t values[] = {1, 2, 3};
  EXPECT_EXIT(FromInt8({2}, values), ::testing::ExitedWithCode(70), "internal error");
}

}  // namespace
}  // namespace macloom
