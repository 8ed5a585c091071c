#include "base/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/rng.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::macloom::testing::TemporaryFolder;
using ::testing::HasSubstr;

std::vector<uint8_t> ContainerOf(const std::string& header, const std::string& data) {
  std::string text;
  for (int i = 0; i < 8; ++i) {
    text += static_cast<char>(static_cast<uint64_t>(header.size()) >> (8 * i) & 0xff);
  }
  text += header + data;
  return {text.begin(), text.end()};
}

std::string ErrorOf(const std::string& header, const std::string& data = "") {
  const Result<Safetensors> container = ParseSafetensors(ContainerOf(header, data));
  return container.ok() ? "accepted" : container.error().message;
}

Safetensors SmallContainer() {
  Safetensors container;
  container.metadata = {{"graph", "{\"a\": \"\\n\"}"}, {"caf\xc3\xa9", ""}};
  container.tensors["codes"] = {"I8", {3}, {1, 2, 255}};
  container.tensors["bias"] = {"I64", {1}, {1, 2, 3, 4, 5, 6, 7, 8}};
  container.tensors["none"] = {"F32", {2, 0}, {}};
  container.tensors["scalar"] = {"BF16", {}, {9, 8}};
  return container;
}

TEST(SafetensorsTest, RoundTripsThroughAFile) {
  const TemporaryFolder folder;
  const Safetensors container = SmallContainer();
  ASSERT_TRUE(WriteSafetensors(folder / "a.safetensors", container).ok());
  const Result<Safetensors> read = ReadSafetensors(folder / "a.safetensors");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, container);
}

TEST(SafetensorsTest, WritesAlignedTensorsAndStableBytes) {
  Safetensors container;
  container.metadata["k"] = "v";
  container.tensors["b"] = {"I8", {1}, {7}};
  container.tensors["a"] = {"I16", {1}, {5, 6}};
  const std::string header =
      R"({"__metadata__":{"k":"v"},"a":{"data_offsets":[0,2],"dtype":"I16","shape":[1]},)"
      R"("b":{"data_offsets":[2,3],"dtype":"I8","shape":[1]}})";
  const std::string padding((8 - header.size() % 8) % 8, ' ');
  EXPECT_EQ(*SerializeSafetensors(container), ContainerOf(header + padding, "\x05\x06\x07"));
}

TEST(SafetensorsTest, ReadsTensorsInAnyOrder) {
  const Result<Safetensors> read =
      ParseSafetensors(ContainerOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[2,3]},)"
                                   R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}} )",
                                   "xyz"));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->tensors.at("a").bytes, std::vector<uint8_t>{'z'});
  EXPECT_EQ(read->tensors.at("b").bytes, (std::vector<uint8_t>{'x', 'y'}));
}

TEST(SafetensorsTest, BadContainersAreNamed) {
  EXPECT_EQ(ParseSafetensors(std::vector<uint8_t>(7)).error().message,
            "not a .safetensors file: 7 bytes; accepted are at least 8");
  std::vector<uint8_t> beyond = ContainerOf("{}", "");
  beyond[0] = 3;
  EXPECT_THAT(ParseSafetensors(beyond).error().message, HasSubstr("its header has 3 bytes"));
  beyond.assign(8, 0xff);
  EXPECT_THAT(ParseSafetensors(beyond).error().message,
              HasSubstr("its header has 18446744073709551615 bytes; accepted are at most 0 here"));
  EXPECT_EQ(ErrorOf("{}"), "accepted");
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorOf("{"), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorOf(std::string(100000, '[')), HasSubstr("not a JSON object"));
  EXPECT_THAT(ErrorOf("{}", "x"), HasSubstr("data has 1 bytes, of which the tensors cover 0"));
  EXPECT_THAT(ErrorOf(R"({"__metadata__":1})"), HasSubstr("not an object of texts"));
  EXPECT_THAT(ErrorOf(R"({"__metadata__":{"a":1}})"), HasSubstr("\"a\" is not a text"));
}

TEST(SafetensorsTest, BadHeaderOverTheLimitIsRefused) {
  std::vector<uint8_t> large(8 + kMaxSafetensorsHeaderBytes + 1, ' ');
  const uint64_t size = large.size() - 8;
  for (int i = 0; i < 8; ++i) large[static_cast<size_t>(i)] = static_cast<uint8_t>(size >> (8 * i));
  EXPECT_THAT(ParseSafetensors(large).error().message,
              HasSubstr("its header has 16777217 bytes; accepted are at most 16777216"));
  Safetensors container;
  container.metadata["a"] = std::string(kMaxSafetensorsHeaderBytes, 'x');
  EXPECT_THAT(SerializeSafetensors(container).error().message,
              HasSubstr("accepted are at most 16777216"));
}

TEST(SafetensorsTest, BadTensorsAreNamed) {
  const auto one = [](const std::string& fields) { return "{\"t\":" + fields + "}"; };
  EXPECT_EQ(ErrorOf(one("1")), "safetensors tensor \"t\": is not an object");
  EXPECT_THAT(ErrorOf(one(R"({"dtype":"I8","shape":[0]})")), HasSubstr("lacks one of"));
  EXPECT_THAT(ErrorOf(one(R"({"dtype":"I8","shape":[0],"offsets":[0,0]})")),
              HasSubstr("has field \"offsets\""));
  EXPECT_THAT(ErrorOf(one(R"({"dtype":1,"shape":[0],"data_offsets":[0,0]})")),
              HasSubstr("dtype is not a text"));
  EXPECT_THAT(ErrorOf(one(R"({"dtype":"I4","shape":[0],"data_offsets":[0,0]})")),
              HasSubstr("dtype is I4; supported are"));
  for (const char* shape : {"1", "[-1]", "[1.0]", "[\"1\"]", "[9223372036854775808]"}) {
    EXPECT_THAT(
        ErrorOf(one(std::string(R"({"dtype":"I8","data_offsets":[0,1],"shape":)") + shape + "}"),
                "x"),
        HasSubstr("shape "))
        << shape;
  }
  for (const char* offsets : {"1", "[0]", "[0,0,1]", "[-1,0]", "[0,1.5]", "[1,0]", "[0,2]"}) {
    EXPECT_THAT(
        ErrorOf(one(std::string(R"({"dtype":"I8","shape":[1],"data_offsets":)") + offsets + "}"),
                "x"),
        HasSubstr("data_offsets "))
        << offsets;
  }
  for (const char* shape :
       {"[2]", "[]", "[0]", "[4294967296,4294967296]", "[0,9223372036854775807]"}) {
    EXPECT_THAT(
        ErrorOf(one(std::string(R"({"dtype":"I64","data_offsets":[0,1],"shape":)") + shape + "}"),
                "x"),
        HasSubstr("has 1 bytes, which is not what its shape"))
        << shape;
  }
}

TEST(SafetensorsTest, BadOverlapsAndGapsAreRefused) {
  const auto two = [](int first_end, int second_begin, int second_end) {
    return R"({"a":{"dtype":"U8","shape":[)" + std::to_string(first_end) +
           R"(],"data_offsets":[0,)" + std::to_string(first_end) +
           R"(]},"b":{"dtype":"U8","shape":[)" + std::to_string(second_end - second_begin) +
           R"(],"data_offsets":[)" + std::to_string(second_begin) + "," +
           std::to_string(second_end) + "]}}";
  };
  EXPECT_EQ(ErrorOf(two(2, 2, 4), "wxyz"), "accepted");
  EXPECT_EQ(
      ErrorOf(two(3, 2, 4), "wxyz"),
      "safetensors tensor \"b\": starts at offset 2; accepted is 3, where the tensor before it "
      "ends");
  EXPECT_THAT(ErrorOf(two(4, 0, 4), "wxyz"), HasSubstr("starts at offset 0; accepted is 4"));
  EXPECT_THAT(ErrorOf(two(1, 2, 4), "wxyz"), HasSubstr("starts at offset 2; accepted is 1"));
  EXPECT_THAT(ErrorOf(two(2, 2, 3), "wxyz"), HasSubstr("of which the tensors cover 3"));
}

TEST(SafetensorsTest, BadFileNamesThePath) {
  const TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "x", std::string_view("hello")).ok());
  EXPECT_THAT(ReadSafetensors(folder / "x").error().message,
              HasSubstr((folder / "x").string() + ": not a .safetensors file"));
}

TEST(SafetensorsTest, BadTruncationAtEveryByteIsRefused) {
  const std::vector<uint8_t> file = *SerializeSafetensors(SmallContainer());
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_FALSE(ParseSafetensors(std::span(file).first(size)).ok()) << size;
  }
}

TEST(SafetensorsTest, BadBitFlipsNeverCrash) {
  const std::vector<uint8_t> file = *SerializeSafetensors(SmallContainer());
  int num_refused = 0;
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::vector<uint8_t> flipped = file;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const Result<Safetensors> read = ParseSafetensors(flipped);
    num_refused += !read.ok();
    if (read.ok()) {
      EXPECT_TRUE(SerializeSafetensors(*read).ok());
    }
  }
  EXPECT_GT(num_refused, 1000);
}

}  // namespace
}  // namespace macloom
