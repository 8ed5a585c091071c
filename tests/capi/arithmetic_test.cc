// The scalar functions against golden's second models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "capi/macloom.h"
#include "tests/golden/slow_accumulator.h"
#include "tests/golden/slow_requantize.h"

namespace macloom {
namespace {

using testing::SlowAccumulator;

constexpr uint64_t kArithmeticSeed = 20261128;
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();

int64_t RandomOfBits(Rng& rng, int bits) {
  const int64_t value = static_cast<int64_t>(rng.Next()) >> (64 - bits);
  return rng.Bernoulli(0.2) ? (value < 0 ? -1 : 1) * (kInt64Max >> (64 - bits)) : value;
}

TEST(CArithmeticTest, AccumulateEqualsSecondModelForEveryWidthAndPolicy) {
  Rng rng(kArithmeticSeed);
  for (int width = 8; width <= 64; ++width) {
    int64_t events = 0;
    for (int i = 0; i < 200; ++i) {
      const bool saturates = rng.Bernoulli(0.5);
      const int64_t start = RandomOfBits(rng, width);
      const int64_t sum = RandomOfBits(rng, width);
      SlowAccumulator slow{width, saturates ? ir::Overflow::kSaturate : ir::Overflow::kWrap, start};
      slow.Step(sum);
      int64_t result = 0;
      int32_t is_event = -1;
      ASSERT_EQ(macloom_accumulate(width, saturates, start, sum, &result, &is_event), MACLOOM_OK)
          << macloom_last_error();
      ASSERT_TRUE(result == slow.value) << width << " bits: " << start << " + " << sum;
      ASSERT_EQ(is_event, slow.num_events);
      events += is_event;
    }
    EXPECT_GT(events, 10) << width;
  }
}

TEST(CArithmeticTest, MacRowEqualsSecondModelInEveryStepSize) {
  Rng rng(kArithmeticSeed);
  int64_t total_events = 0;
  for (int i = 0; i < 2000; ++i) {
    const int width = static_cast<int>(rng.UniformInt(8, 63));
    const bool saturates = rng.Bernoulli(0.5);
    const auto size = static_cast<size_t>(rng.UniformInt(1, 40));
    const auto step = static_cast<int32_t>(rng.UniformInt(1, 45));
    const int64_t start = RandomOfBits(rng, width);
    std::vector<int8_t> a(size), w(size);
    for (size_t k = 0; k < size; ++k) {
      a[k] = static_cast<int8_t>(rng.UniformInt(-128, 127));
      w[k] = static_cast<int8_t>(rng.Bernoulli(0.7) ? a[k] : rng.UniformInt(-128, 127));
    }
    SlowAccumulator slow{width, saturates ? ir::Overflow::kSaturate : ir::Overflow::kWrap, start};
    for (size_t first = 0; first < size; first += static_cast<size_t>(step)) {
      int64_t sum = 0;
      for (size_t k = first; k < std::min(size, first + static_cast<size_t>(step)); ++k) {
        sum += int64_t{a[k]} * w[k];
      }
      slow.Step(sum);
    }
    int64_t result = 0;
    int64_t num_events = -1;
    ASSERT_EQ(macloom_mac_row(width, saturates, step, start, a.data(), w.data(), size, &result,
                              &num_events),
              MACLOOM_OK)
        << macloom_last_error();
    ASSERT_TRUE(result == slow.value) << i;
    ASSERT_EQ(num_events, slow.num_events) << i;
    total_events += num_events;
  }
  EXPECT_GT(total_events, 500);
}

TEST(CArithmeticTest, ExactMacRowHasNoEvents) {
  const std::vector<int8_t> low(65536, -128);
  int64_t result = 0;
  int64_t num_events = -1;
  const int64_t start = (int64_t{1} << 62) - 1;
  ASSERT_EQ(macloom_mac_row(MACLOOM_EXACT_BITS, MACLOOM_WRAP, 1, start, low.data(), low.data(),
                            low.size(), &result, &num_events),
            MACLOOM_OK);
  EXPECT_EQ(result, start + (int64_t{1} << 30));
  EXPECT_EQ(num_events, 0);
}

TEST(CArithmeticTest, RequantizeEqualsSecondModel) {
  Rng rng(kArithmeticSeed);
  constexpr ir::RequantizationKind kKinds[] = {ir::RequantizationKind::kShift,
                                               ir::RequantizationKind::kMultiplierDouble,
                                               ir::RequantizationKind::kMultiplierSingle};
  for (int i = 0; i < 30000; ++i) {
    const int kind = i % 3;
    const bool is_shift = kind == MACLOOM_REQUANTIZE_SHIFT;
    const int64_t x = RandomOfBits(rng, static_cast<int>(rng.UniformInt(2, is_shift ? 62 : 32)));
    ir::FixedPointMultiplier pair;
    if (!is_shift) {
      pair.multiplier =
          static_cast<int32_t>(rng.UniformInt(int64_t{1} << 30, (int64_t{1} << 31) - 1));
    }
    pair.shift = static_cast<int32_t>(is_shift ? rng.UniformInt(0, 31) : rng.UniformInt(-31, 7));
    const auto zero_point = static_cast<int32_t>(rng.UniformInt(-128, 127));
    // Mostly wide clamps, so that roundings are seen.
    const int32_t clamp = rng.Bernoulli(0.8) ? std::numeric_limits<int32_t>::max() : 127;
    const int64_t wanted = std::clamp<int64_t>(
        testing::SlowRound(x, kKinds[kind], pair, 1) + zero_point, -int64_t{clamp} - 1, clamp);
    int32_t code = 0;
    ASSERT_EQ(macloom_requantize(kind, x, pair.multiplier, pair.shift, zero_point, -clamp - 1,
                                 clamp, &code),
              MACLOOM_OK)
        << macloom_last_error();
    ASSERT_EQ(code, wanted) << "kind " << kind << ", x " << x << ", multiplier " << pair.multiplier
                            << ", shift " << pair.shift;
  }
}

TEST(CArithmeticTest, DoubleAndSingleRoundingDiffer) {
  // docs/numerics.md section 4: m = 2^31 - 1, sh = -1, x = 3.
  int32_t double_code = 0, single_code = 0;
  constexpr int32_t kMultiplier = 2147483647;
  ASSERT_EQ(
      macloom_requantize(MACLOOM_REQUANTIZE_DOUBLE, 3, kMultiplier, -1, 0, -128, 127, &double_code),
      MACLOOM_OK);
  ASSERT_EQ(
      macloom_requantize(MACLOOM_REQUANTIZE_SINGLE, 3, kMultiplier, -1, 0, -128, 127, &single_code),
      MACLOOM_OK);
  EXPECT_EQ(double_code, 2);
  EXPECT_EQ(single_code, 1);
}

TEST(CArithmeticTest, MeanEqualsSecondModel) {
  Rng rng(kArithmeticSeed);
  for (int i = 0; i < 5000; ++i) {
    const int64_t x = RandomOfBits(rng, static_cast<int>(rng.UniformInt(2, 30)));
    const auto n = static_cast<int32_t>(rng.UniformInt(1, 200));
    int32_t code = 0;
    ASSERT_EQ(macloom_requantize_mean(x, n, -1000000000, 1000000000, &code), MACLOOM_OK);
    ASSERT_EQ(code, testing::SlowRound(x, ir::RequantizationKind::kMean, {}, n)) << x << "/" << n;
  }
  int32_t code = 0;
  ASSERT_EQ(macloom_requantize_mean(-5, 2, -2, 127, &code), MACLOOM_OK);  // Tie: -2.5 to -3.
  EXPECT_EQ(code, -2);
}

TEST(CArithmeticTest, BadArgumentsAreNamed) {
  const int8_t a[1] = {1};
  int64_t wide = 77;
  int64_t events = 77;
  int32_t code = 77;
  const auto expect = [](int status, const char* text) {
    EXPECT_EQ(status, MACLOOM_INVALID_INPUT);
    EXPECT_STREQ(macloom_last_error(), text);
  };
  expect(macloom_accumulate(7, 0, 0, 0, &wide, &code), "width_bits is 7; accepted are 8 to 64");
  expect(macloom_accumulate(8, 2, 0, 0, &wide, &code), "overflow is 2; accepted are 0 to 1");
  expect(macloom_accumulate(8, 0, 128, 0, &wide, &code),
         "accumulator is 128; accepted are -128 to 127");
  expect(macloom_accumulate(8, 0, 0, 0, nullptr, &code), "result is NULL");
  expect(macloom_accumulate(8, 0, 0, 0, &wide, nullptr), "is_event is NULL");
  expect(macloom_mac_row(65, 0, 1, 0, a, a, 1, &wide, &events),
         "width_bits is 65; accepted are 8 to 64");
  expect(macloom_mac_row(8, 0, 0, 0, a, a, 1, &wide, &events),
         "products_per_step is 0; accepted are 1 to 65536");
  expect(macloom_mac_row(8, 0, 1, 0, a, a, 0, &wide, &events),
         "num_products is 0; accepted are 1 to 65536");
  expect(macloom_mac_row(8, 0, 1, 0, a, a, ~size_t{0}, &wide, &events),
         "num_products is 18446744073709551615; accepted are 1 to 65536");
  expect(macloom_mac_row(8, 0, 1, -129, a, a, 1, &wide, &events),
         "start is -129; accepted are -128 to 127");
  expect(macloom_mac_row(64, 0, 1, kInt64Max, a, a, 1, &wide, &events),
         "start is 9223372036854775807; accepted are -4611686018427387904 to 4611686018427387903");
  expect(macloom_mac_row(8, 0, 1, 0, nullptr, a, 1, &wide, &events), "activations is NULL");
  expect(macloom_mac_row(8, 0, 1, 0, a, nullptr, 1, &wide, &events), "weights is NULL");
  expect(macloom_mac_row(8, 0, 1, 0, a, a, 1, nullptr, &events), "result is NULL");
  expect(macloom_mac_row(8, 0, 1, 0, a, a, 1, &wide, nullptr), "num_events is NULL");
  expect(macloom_requantize(3, 0, 0, 0, 0, -128, 127, &code), "kind is 3; accepted are 0 to 2");
  expect(macloom_requantize(0, 0, 5, 0, 0, -128, 127, &code), "multiplier is 5; accepted is 0");
  expect(macloom_requantize(0, 0, 0, 32, 0, -128, 127, &code), "shift is 32; accepted are 0 to 31");
  expect(macloom_requantize(0, int64_t{1} << 61, 0, 1, 0, -128, 127, &code),
         "x is 2305843009213693952; accepted are -2305843009213693952 to 2305843009213693951");
  expect(macloom_requantize(1, int64_t{1} << 31, 1 << 30, 0, 0, -128, 127, &code),
         "x is 2147483648; accepted are -2147483648 to 2147483647");
  expect(macloom_requantize(1, 0, 5, 0, 0, -128, 127, &code),
         "multiplier is 5; accepted are 1073741824 to 2147483647");
  expect(macloom_requantize(2, 0, 0, 8, 0, -128, 127, &code), "shift is 8; accepted are -31 to 7");
  expect(macloom_requantize(1, 0, 0, 0, 0, 5, 4, &code),
         "clamp_min is 5; accepted are -2147483648 to 4");
  expect(macloom_requantize(1, 0, 0, 0, 0, -128, 127, nullptr), "code is NULL");
  expect(macloom_requantize_mean(0, 0, -128, 127, &code),
         "num_positions is 0; accepted are 1 to 2147483647");
  expect(macloom_requantize_mean(kInt64Max, 1, -128, 127, &code),
         "x is 9223372036854775807; accepted are -2305843009213693952 to 2305843009213693951");
  expect(macloom_requantize_mean(0, 1, 1, 0, &code),
         "clamp_min is 1; accepted are -2147483648 to 0");
  expect(macloom_requantize_mean(0, 1, -128, 127, nullptr), "code is NULL");
  EXPECT_EQ(wide, 77);
  EXPECT_EQ(events, 77);
  EXPECT_EQ(code, 77);
}

}  // namespace
}  // namespace macloom
