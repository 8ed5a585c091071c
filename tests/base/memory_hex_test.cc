// $readmemh text: what is written reads back, what other tools write is read, the rest is refused.
#include "base/memory_hex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace macloom {
namespace {

using ::testing::HasSubstr;

TEST(MemoryHexTest, EveryWidthReadsBack) {
  for (int width = 1; width <= 64; ++width) {
    const int64_t high = width == 64 ? INT64_MAX : (int64_t{1} << (width - 1)) - 1;
    const std::vector<int64_t> values = {0, -1, high, -high - 1, high / 3};
    const auto words = ParseMemoryHex(RenderMemoryHex("title", values, width));
    ASSERT_TRUE(words.ok()) << words.error().message;
    ASSERT_EQ(words->size(), values.size());
    for (size_t i = 0; i < values.size(); ++i)
      EXPECT_EQ(HexValue((*words)[i], width, true), values[i]) << width;
  }
}

TEST(MemoryHexTest, TextHasOneWordPerLine) {
  EXPECT_EQ(RenderMemoryHex("w 2", std::vector<int64_t>{-1, 18}, 10), "// w 2\n3ff\n012\n");
}

TEST(MemoryHexTest, ReadsWhatSimulatorsWrite) {
  const auto words = ParseMemoryHex("// 0x00000000\nff 0_1\n/* two\nlines */ @2 xX\n");
  ASSERT_TRUE(words.ok()) << words.error().message;
  ASSERT_EQ(words->size(), 3u);
  EXPECT_EQ(HexValue((*words)[0], 8, true), -1);
  EXPECT_EQ(HexValue((*words)[0], 8, false), 255);
  EXPECT_EQ(HexValue((*words)[1], 8, true), 1);
  EXPECT_FALSE((*words)[1].is_unknown);
  EXPECT_TRUE((*words)[2].is_unknown);
}

TEST(MemoryHexTest, WiderWordsAreOtherNumbersUnlessTheyExtendTheSign) {
  const auto words = *ParseMemoryHex("fff0 00f0 7ff0 ffff bfff");
  EXPECT_EQ(HexValue(words[0], 8, true), -16);
  EXPECT_EQ(HexValue(words[1], 8, true), 240);
  EXPECT_EQ(HexValue(words[2], 8, true), 0x7ff0);
  EXPECT_EQ(HexValue(words[3], 14, true), -1) << "sign in the digits' spare bits";
  EXPECT_EQ(HexValue(words[4], 14, true), 0xbfff) << "neither sign nor zero there";
}

TEST(MemoryHexTest, BadTextIsRefusedWithItsLine) {
  const auto message = [](const char* text) {
    const auto words = ParseMemoryHex(text);
    return words.ok() ? std::string("accepted") : words.error().message;
  };
  EXPECT_THAT(message("00\n0g\n"), HasSubstr("line 2: `0g`"));
  EXPECT_THAT(message("00112233445566778"), HasSubstr("1 to 16 hexadecimal digits"));
  EXPECT_THAT(message("_"), HasSubstr("has no digits"));
  EXPECT_THAT(message("00 @5 00"), HasSubstr("address `@5`; accepted is @1"));
  EXPECT_THAT(message("00 /* open"), HasSubstr("has no end"));
  EXPECT_EQ(message(""), "accepted");
}

}  // namespace
}  // namespace macloom
