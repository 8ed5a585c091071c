// Narrow multipliers: equal codes over the whole range by trying every accumulator.
#include "arch/lane_multiplier.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace macloom::arch {
namespace {

LaneRounding RandomRounding(Rng& rng) {
  LaneRounding rounding;
  rounding.is_double = rng.Bernoulli(0.5);
  rounding.zero_point = static_cast<int32_t>(rng.UniformInt(-128, 127));
  if (rng.Bernoulli(0.5)) rounding.clamp_min = rounding.zero_point;
  return rounding;
}

/// One code more on either side of the clamp: equal codes are then equal codes and equal clamps.
LaneRounding Counted(LaneRounding rounding) {
  --rounding.clamp_min;
  ++rounding.clamp_max;
  return rounding;
}

/// 255 * 2^-9 rounds to 0; twice rounded by the multiplier 2^23 it would be 1, which is clamped to
/// the same code but counted.
TEST(LaneMultiplierTest, ClampsWhereTheWideMultiplierClamps) {
  const LaneRounding rounding = {true, 7, -8, 7};
  const ir::FixedPointMultiplier wide = {0x7FFFFFFF, -9};
  EXPECT_NE(LaneCode(255, wide, 31, Counted(rounding)),
            LaneCode(255, {1 << 23, -8}, 24, Counted(rounding)));
  const auto narrow = NarrowMultiplier(wide, 24, rounding, {-256, 255});
  ASSERT_TRUE(narrow.has_value());
  for (int64_t x = -256; x <= 255; ++x) {
    EXPECT_EQ(LaneCode(x, wide, 31, Counted(rounding)), LaneCode(x, *narrow, 24, Counted(rounding)))
        << x;
  }
}

TEST(LaneMultiplierTest, AcceptedNarrowMultiplierGivesEveryCodeAndClamp) {
  constexpr uint64_t kSeed = 11;
  Rng rng(kSeed);
  int accepted = 0, refused = 0;
  for (int i = 0; i < 300; ++i) {
    const LaneRounding rounding = RandomRounding(rng);
    const int bits = static_cast<int>(rng.UniformInt(10, 24));
    const OperandRange range = {-rng.UniformInt(0, 60000), rng.UniformInt(0, 60000)};
    const ir::FixedPointMultiplier wide = {
        static_cast<int32_t>(rng.UniformInt(1 << 30, 0x7FFFFFFF)),
        static_cast<int32_t>(rng.UniformInt(-12, 2))};
    const auto narrow = NarrowMultiplier(wide, bits, rounding, range);
    int64_t different = 0;
    for (int64_t x = range.low; narrow && x <= range.high; ++x) {
      different +=
          LaneCode(x, wide, 31, Counted(rounding)) != LaneCode(x, *narrow, bits, Counted(rounding));
    }
    ASSERT_EQ(different, 0) << "seed " << kSeed << " case " << i;
    ++(narrow ? accepted : refused);
    if (narrow) {
      ASSERT_LT(narrow->multiplier, 1 << bits);
    }
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 20);
}

/// The thresholds decide as trying every accumulator does.
TEST(LaneMultiplierTest, RefusesExactlyWhereNoNearMultiplierGivesEveryCodeAndClamp) {
  Rng rng(12);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const LaneRounding rounding = RandomRounding(rng);
    constexpr int kBits = 10;
    const OperandRange range = {-rng.UniformInt(0, 3000), rng.UniformInt(0, 3000)};
    const ir::FixedPointMultiplier wide = {
        static_cast<int32_t>(rng.UniformInt(1 << 30, 0x7FFFFFFF)),
        static_cast<int32_t>(rng.UniformInt(-6, 0))};
    bool is_possible = false;
    const int32_t nearest = (wide.multiplier + (1 << 20)) >> 21;
    for (int32_t m = nearest - 3; m <= nearest + 3 && !is_possible; ++m) {
      // 2^10 and above are half of it with one shift more.
      const ir::FixedPointMultiplier pair = m < 1 << kBits
                                                ? ir::FixedPointMultiplier{m, wide.shift}
                                                : ir::FixedPointMultiplier{m / 2, wide.shift + 1};
      is_possible = true;
      for (int64_t x = range.low; x <= range.high && is_possible; ++x) {
        is_possible =
            LaneCode(x, wide, 31, Counted(rounding)) == LaneCode(x, pair, kBits, Counted(rounding));
      }
    }
    EXPECT_EQ(NarrowMultiplier(wide, kBits, rounding, range).has_value(), is_possible) << i;
    refused += !is_possible;
  }
  EXPECT_GT(refused, 20);
  EXPECT_LT(refused, 180);
}

TEST(LaneMultiplierTest, MeansAreExactOrRefused) {
  for (int64_t n = 1; n <= 400; ++n) {
    const auto wide = MeanMultiplier(n, 31);
    ASSERT_TRUE(wide.has_value()) << n;
    const bool is_power_of_two = (n & (n - 1)) == 0;
    EXPECT_EQ(MeanMultiplier(n, 0).has_value(), is_power_of_two) << n;
    const auto narrow = MeanMultiplier(n, 24);
    if (narrow) {
      EXPECT_LT(narrow->multiplier, 1 << 24);
    }
    for (int64_t mag = 0; mag <= 128 * n; mag += 1 + n / 50) {
      const int64_t x = mag + n / 2;
      ASSERT_EQ((x * wide->multiplier) >> wide->shift, x / n);
      if (narrow) {
        ASSERT_EQ((x * narrow->multiplier) >> narrow->shift, x / n);
      }
    }
  }
}

}  // namespace
}  // namespace macloom::arch
