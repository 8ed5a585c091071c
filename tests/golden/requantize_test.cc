#include "golden/reference/requantize.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/rng.h"
#include "tests/golden/slow_requantize.h"

namespace macloom::golden {
namespace {

using testing::PowerOfTwo;
using testing::RoundFraction;
using testing::SlowDouble;
using testing::SlowSingle;
using testing::Tie;

constexpr uint64_t kRequantizeSeed = 20261121;
constexpr int64_t kMinInt32 = std::numeric_limits<int32_t>::min();
constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();

std::vector<int64_t> CornerOperands() {
  std::vector<int64_t> operands;
  for (int bits = 0; bits < 32; ++bits) {
    for (int64_t delta = -2; delta <= 2; ++delta) {
      for (int64_t sign : {-1, 1}) {
        const int64_t x = sign * (int64_t{1} << bits) + delta;
        if (x >= kMinInt32 && x <= kMaxInt32) operands.push_back(x);
      }
    }
  }
  return operands;
}

const int32_t kCornerMultipliers[] = {0,          1 << 30,    (1 << 30) + 1, 1276901417,
                                      1610612736, 2147483646, 2147483647};

TEST(RequantizeTest, HighMultiplyTiesGoTowardPlusInfinity) {
  EXPECT_EQ(RoundingDoublingHighMultiply(1, 1 << 30), 1);    // 0.5 -> 1.
  EXPECT_EQ(RoundingDoublingHighMultiply(-1, 1 << 30), 0);   // -0.5 -> 0.
  EXPECT_EQ(RoundingDoublingHighMultiply(-3, 1 << 30), -1);  // -1.5 -> -1.
}

TEST(RequantizeTest, PowerOfTwoDivisionTiesGoAwayFromZero) {
  EXPECT_EQ(RoundingDivideByPowerOfTwo(1, 1), 1);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-1, 1), -1);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-3, 1), -2);
  EXPECT_EQ(RoundingDivideByPowerOfTwo(-5, 0), -5);
}

TEST(RequantizeTest, ShiftTiesGoTowardPlusInfinity) {
  EXPECT_EQ(RoundingShiftRight(1, 1), 1);
  EXPECT_EQ(RoundingShiftRight(-1, 1), 0);
  EXPECT_EQ(RoundingShiftRight(-3, 1), -1);
  EXPECT_EQ(RoundingShiftRight(-7, 0), -7);
}

TEST(RequantizeTest, MeanTiesGoAwayFromZero) {
  EXPECT_EQ(RoundingMean(1, 2), 1);
  EXPECT_EQ(RoundingMean(-1, 2), -1);
  EXPECT_EQ(RoundingMean(0, 2), 0);
  EXPECT_EQ(RoundingMean(-3, 2), -2);
}

TEST(RequantizeTest, EightBitDivisionsEqualExactFractionsExhaustively) {
  for (int64_t x = -128; x <= 127; ++x) {
    for (int s = 0; s <= 31; ++s) {
      ASSERT_EQ(RoundingShiftRight(x, s),
                static_cast<int64_t>(RoundFraction(x, PowerOfTwo(s), Tie::kTowardPlusInfinity)))
          << x << " >> " << s;
      ASSERT_EQ(RoundingDivideByPowerOfTwo(x, s),
                static_cast<int64_t>(RoundFraction(x, PowerOfTwo(s), Tie::kAwayFromZero)))
          << x << " / 2^" << s;
    }
    for (int64_t n = 1; n <= 256; ++n) {
      ASSERT_EQ(RoundingMean(x, n), static_cast<int64_t>(RoundFraction(x, n, Tie::kAwayFromZero)))
          << x << " / " << n;
    }
  }
}

// All codes that 64 and 125 positions of int8 can sum to.
TEST(RequantizeTest, PoolMeansEqualExactFractionsExhaustively) {
  for (int64_t n : {2, 4, 9, 25, 64, 125}) {
    for (int64_t x = -128 * n; x <= 127 * n; ++x) {
      ASSERT_EQ(RoundingMean(x, n), static_cast<int64_t>(RoundFraction(x, n, Tie::kAwayFromZero)));
    }
  }
}

TEST(RequantizeTest, EightBitOperandsWithEveryShiftEqualExactFractions) {
  for (int64_t x = -128; x <= 127; ++x) {
    for (int32_t multiplier : kCornerMultipliers) {
      for (int32_t shift = -31; shift <= 7; ++shift) {
        const ir::FixedPointMultiplier pair{multiplier, shift};
        ASSERT_EQ(ScaleWithDoubleRounding(x, pair), SlowDouble(x, pair))
            << x << " " << multiplier << " " << shift;
        ASSERT_EQ(ScaleWithSingleRounding(x, pair), SlowSingle(x, pair))
            << x << " " << multiplier << " " << shift;
      }
    }
  }
}

// Left shifts of 32-bit operands leave 32 bits here: nothing may be lost.
TEST(RequantizeTest, ThirtyTwoBitOperandsWithEveryShiftEqualExactFractions) {
  for (int64_t x : CornerOperands()) {
    for (int32_t multiplier : kCornerMultipliers) {
      for (int32_t shift = -31; shift <= 7; ++shift) {
        const ir::FixedPointMultiplier pair{multiplier, shift};
        ASSERT_EQ(ScaleWithDoubleRounding(x, pair), SlowDouble(x, pair))
            << x << " " << multiplier << " " << shift;
        ASSERT_EQ(ScaleWithSingleRounding(x, pair), SlowSingle(x, pair))
            << x << " " << multiplier << " " << shift;
      }
    }
  }
}

TEST(RequantizeTest, RandomOperandsEqualExactFractions) {
  SCOPED_TRACE(kRequantizeSeed);
  Rng rng(kRequantizeSeed);
  for (int i = 0; i < 200000; ++i) {
    const int64_t x = rng.UniformInt(kMinInt32, kMaxInt32) >> rng.UniformInt(0, 31);
    const ir::FixedPointMultiplier pair{
        static_cast<int32_t>(rng.UniformInt(int64_t{1} << 30, kMaxInt32)),
        static_cast<int32_t>(rng.UniformInt(-31, 7))};
    ASSERT_EQ(ScaleWithDoubleRounding(x, pair), SlowDouble(x, pair)) << x << " " << pair.shift;
    ASSERT_EQ(ScaleWithSingleRounding(x, pair), SlowSingle(x, pair)) << x << " " << pair.shift;
    const int64_t wide = static_cast<int64_t>(rng.Next()) >> rng.UniformInt(2, 63);
    const int s = static_cast<int>(rng.UniformInt(0, 31));
    ASSERT_EQ(RoundingShiftRight(wide, s),
              static_cast<int64_t>(RoundFraction(wide, PowerOfTwo(s), Tie::kTowardPlusInfinity)));
    ASSERT_EQ(RoundingDivideByPowerOfTwo(wide, s),
              static_cast<int64_t>(RoundFraction(wide, PowerOfTwo(s), Tie::kAwayFromZero)));
    const int64_t n = rng.UniformInt(1, 70000);
    ASSERT_EQ(RoundingMean(wide, n),
              static_cast<int64_t>(RoundFraction(wide, n, Tie::kAwayFromZero)));
  }
}

TEST(RequantizeTest, DoubleAndSingleRoundingAreDifferentArithmetics) {
  // 3*m/2^32 = 1.5 - 3*2^-32: SRDHM first rounds up to 3, and 3/2 then is a tie away from zero.
  const ir::FixedPointMultiplier pair{2147483647, -1};
  EXPECT_EQ(ScaleWithDoubleRounding(3, pair), 2);
  EXPECT_EQ(ScaleWithSingleRounding(3, pair), 1);
}

TEST(RequantizeTest, ClampTellsWhichSideItChanged) {
  ir::Requantization requantization;
  requantization.clamp_min = -5;
  requantization.clamp_max = 9;
  for (int64_t value = -20; value <= 20; ++value) {
    const Requantized out = Clamp(value, requantization);
    EXPECT_EQ(out.code, value < -5 ? -5 : value > 9 ? 9 : value);
    EXPECT_EQ(out.is_clamped_low, value < -5);
    EXPECT_EQ(out.is_clamped_high, value > 9);
  }
}

TEST(RequantizeTest, AddsTheZeroPointAfterRoundingAndUsesTheChannelsPair) {
  ir::Requantization requantization;
  requantization.kind = ir::RequantizationKind::kShift;
  requantization.channels = {{0, 1}, {0, 2}};
  requantization.zero_point = 10;
  EXPECT_EQ(Requantize(-3, requantization, 0, 1).code, 9);  // -1.5 -> -1, + 10.
  EXPECT_EQ(Requantize(-3, requantization, 1, 1).code, 9);  // -0.75 -> -1, + 10.
  EXPECT_EQ(Requantize(5, requantization, 0, 1).code, 13);
  EXPECT_EQ(Requantize(5, requantization, 1, 1).code, 11);
}

}  // namespace
}  // namespace macloom::golden
