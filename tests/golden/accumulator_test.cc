#include "golden/reference/accumulator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "base/rng.h"
#include "tests/golden/slow_accumulator.h"

namespace macloom::golden {
namespace {

using testing::PowerOfTwo;
using testing::SlowAccumulator;

constexpr uint64_t kAccumulatorSeed = 20261122;

int64_t RandomOfBits(Rng& rng, int bits) {
  const int64_t value = static_cast<int64_t>(rng.Next()) >> (64 - bits);
  const int64_t min = static_cast<int64_t>(-PowerOfTwo(bits - 1));
  const int64_t max = static_cast<int64_t>(PowerOfTwo(bits - 1) - 1);
  const int64_t corners[] = {min, max, 0, -1, 1};
  return rng.Bernoulli(0.3) ? corners[rng.UniformInt(0, 4)] : value;
}

TEST(AccumulatorTest, EqualsSecondModelForEveryWidthAndPolicy) {
  SCOPED_TRACE(kAccumulatorSeed);
  Rng rng(kAccumulatorSeed);
  for (int width = 8; width <= 64; ++width) {
    int64_t events = 0, quiet = 0;
    for (const ir::Overflow policy : {ir::Overflow::kWrap, ir::Overflow::kSaturate}) {
      for (int run = 0; run < 200; ++run) {
        const int64_t start = RandomOfBits(rng, width);
        Accumulator accumulator(width, policy, start);
        SlowAccumulator slow{width, policy, start};
        for (int step = 0; step < 20; ++step) {
          const int bits = static_cast<int>(rng.UniformInt(std::max(2, width - 6), width));
          const int64_t sum = RandomOfBits(rng, bits);
          accumulator.Step(sum);
          slow.Step(sum);
          ASSERT_EQ(accumulator.value(), static_cast<int64_t>(slow.value)) << "width " << width;
          ASSERT_EQ(accumulator.num_events(), slow.num_events) << "width " << width;
        }
        events += slow.num_events;
        quiet += 20 - slow.num_events;
      }
    }
    EXPECT_GT(events, 100) << "width " << width;
    EXPECT_GT(quiet, 100) << "width " << width;
  }
}

TEST(AccumulatorTest, EightBitStepsEqualSecondModelExhaustively) {
  for (const ir::Overflow policy : {ir::Overflow::kWrap, ir::Overflow::kSaturate}) {
    for (int64_t start = -128; start <= 127; ++start) {
      for (int64_t sum = -600; sum <= 600; ++sum) {
        Accumulator accumulator(8, policy, start);
        SlowAccumulator slow{8, policy, start};
        accumulator.Step(sum);
        slow.Step(sum);
        ASSERT_EQ(accumulator.value(), static_cast<int64_t>(slow.value)) << start << " " << sum;
        ASSERT_EQ(accumulator.num_events(), slow.num_events) << start << " " << sum;
      }
    }
  }
}

TEST(AccumulatorTest, WrapReducesTheStartValueWithoutAnEvent) {
  for (int64_t start = -1000; start <= 1000; ++start) {
    const Accumulator accumulator(8, ir::Overflow::kWrap, start);
    const SlowAccumulator slow{8, ir::Overflow::kWrap};
    ASSERT_EQ(accumulator.value(), static_cast<int64_t>(slow.Wrapped(start)));
    ASSERT_EQ(accumulator.num_events(), 0);
  }
}

TEST(AccumulatorTest, SaturationIsAppliedOncePerStepNotPerProduct) {
  Accumulator together(8, ir::Overflow::kSaturate, 100);
  together.Step(100 - 90);
  EXPECT_EQ(together.value(), 110);
  EXPECT_EQ(together.num_events(), 0);
  Accumulator apart(8, ir::Overflow::kSaturate, 100);
  apart.Step(100);
  apart.Step(-90);
  EXPECT_EQ(apart.value(), 37);
  EXPECT_EQ(apart.num_events(), 1);
}

TEST(AccumulatorTest, HoldsExactlyItsRange) {
  EXPECT_TRUE(Accumulator::Holds(8, -128) && Accumulator::Holds(8, 127));
  EXPECT_FALSE(Accumulator::Holds(8, -129) || Accumulator::Holds(8, 128));
  EXPECT_TRUE(Accumulator::Holds(64, INT64_MIN) && Accumulator::Holds(64, INT64_MAX));
}

}  // namespace
}  // namespace macloom::golden
