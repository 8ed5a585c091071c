#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "golden/reference/fixed_point_math.h"
#include "golden/reference/operators.h"
#include "stimulus/random_graph.h"

namespace macloom::golden {
namespace {

constexpr uint64_t kSoftmaxSeed = 20261125;

// The second model: 32-bit registers, a sign-dependent nudge and truncating division instead of
// floors, bit masks instead of branches, wrap-around shifts instead of 64-bit products.
namespace peer {

int32_t HighMultiply(int32_t a, int32_t b) {
  const int32_t min = std::numeric_limits<int32_t>::min();
  if (a == min && b == min) return std::numeric_limits<int32_t>::max();
  const int64_t product = static_cast<int64_t>(a) * b;
  const int64_t nudge = product >= 0 ? (1 << 30) : 1 - (1 << 30);
  return static_cast<int32_t>((product + nudge) / (int64_t{1} << 31));
}

int32_t DivideByPowerOfTwo(int32_t x, int exponent) {
  const double exact = std::ldexp(static_cast<double>(x), -exponent);
  return static_cast<int32_t>(std::round(exact));  // Halves away from zero; exact in double.
}

int32_t ShiftLeftSaturating(int32_t x, int shift) {
  const double exact = std::ldexp(static_cast<double>(x), shift);
  return static_cast<int32_t>(std::clamp(exact, -2147483648.0, 2147483647.0));
}

int32_t Exp(int32_t a) {
  constexpr int32_t kQuarter = 1 << 24;
  const int32_t small = (a & (kQuarter - 1)) - kQuarter;
  const int32_t x = small * 32 + (1 << 28);
  const int32_t x2 = HighMultiply(x, x);
  const int32_t cubic =
      HighMultiply(DivideByPowerOfTwo(HighMultiply(x2, x2), 2) + HighMultiply(x2, x), 715827883);
  int32_t result = 1895147668 + HighMultiply(1895147668, x + DivideByPowerOfTwo(cubic + x2, 1));
  const int32_t remainder = small - a;
  const int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  for (int bit = 0; bit < 7; ++bit) {
    const int32_t mask = -((remainder >> (24 + bit)) & 1);
    result = (HighMultiply(result, factors[bit]) & mask) | (result & ~mask);
  }
  return a == 0 ? std::numeric_limits<int32_t>::max() : result;
}

std::vector<int32_t> Softmax(const std::vector<int32_t>& row, const ir::SoftmaxParameters& p) {
  const int32_t largest = *std::max_element(row.begin(), row.end());
  std::vector<int32_t> exponentials;
  int32_t sum = 0;
  for (int32_t code : row) {
    const int32_t difference = code - largest;
    if (difference < p.diff_min) {
      exponentials.push_back(-1);
      continue;
    }
    int32_t scaled = 0;
    if (p.rounding == ir::Rounding::kDouble) {
      scaled = HighMultiply(
          static_cast<int32_t>(static_cast<uint32_t>(difference) << p.input_left_shift),
          p.input_multiplier);
    } else {
      const int shift = 31 - p.input_left_shift;
      const int64_t product = static_cast<int64_t>(difference) * p.input_multiplier;
      scaled = static_cast<int32_t>((product + (int64_t{1} << (shift - 1))) >> shift);
    }
    exponentials.push_back(Exp(scaled));
    sum += DivideByPowerOfTwo(exponentials.back(), 12);
  }
  int headroom = 0;
  uint32_t normalised = static_cast<uint32_t>(sum);
  while ((normalised & 0x80000000u) == 0) normalised <<= 1, ++headroom;
  const int64_t fraction = static_cast<int64_t>(normalised) - 2147483648LL;
  const int64_t doubled = fraction + std::numeric_limits<int32_t>::max();
  const int32_t half_denominator = static_cast<int32_t>((doubled + (doubled >= 0 ? 1 : -1)) / 2);
  int32_t x = 1515870810 + HighMultiply(half_denominator, -1010580540);
  for (int i = 0; i < 3; ++i) {
    const int32_t error = (1 << 29) - HighMultiply(half_denominator, x);
    x += ShiftLeftSaturating(HighMultiply(x, error), 2);
  }
  const int32_t scale = ShiftLeftSaturating(x, 1);
  std::vector<int32_t> out;
  for (int32_t e : exponentials) {
    const int32_t value = e < 0 ? 0 : DivideByPowerOfTwo(HighMultiply(scale, e), 35 - headroom);
    out.push_back(std::clamp(value - 128, -128, 127));
  }
  return out;
}

}  // namespace peer

TEST(SoftmaxTest, EqualsSecondModelInBothRoundings) {
  SCOPED_TRACE(kSoftmaxSeed);
  Rng rng(kSoftmaxSeed);
  for (int round = 0; round < 400; ++round) {
    stimulus::LayerSpec spec;
    spec.kind = ir::OperatorKind::kSoftmax;
    spec.input = {rng.UniformInt(1, 3), rng.Bernoulli(0.05) ? 4095 : rng.UniformInt(1, 40)};
    spec.requantization = round % 2 == 0 ? ir::RequantizationKind::kMultiplierDouble
                                         : ir::RequantizationKind::kMultiplierSingle;
    ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
    // Derived limits only cut what rounds to 0 anyway; nearer ones show which side they are on.
    ir::SoftmaxParameters& softmax = graph.nodes[0].softmax;
    if (rng.Bernoulli(0.5)) {
      const int64_t lowest = std::max<int64_t>(softmax.diff_min, -20);
      softmax.diff_min = static_cast<int32_t>(rng.UniformInt(lowest, 0));
    }
    ASSERT_TRUE(ir::Verify(graph).ok());
    const ir::TensorValue input = stimulus::RandomInput(rng, graph);
    const auto trace = golden::Run(graph, input);
    ASSERT_TRUE(trace.ok());
    std::vector<int32_t> expected;
    for (int64_t r = 0; r < spec.input[0]; ++r) {
      const auto first = input.codes.begin() + r * spec.input[1];
      const auto row = peer::Softmax({first, first + spec.input[1]}, graph.nodes[0].softmax);
      expected.insert(expected.end(), row.begin(), row.end());
    }
    ASSERT_EQ(trace->tensors[static_cast<size_t>(graph.output)].codes, expected) << round;
    ASSERT_EQ(trace->events[0], LayerEvents{});
  }
}

// The polynomial's claim, apart from its bits. Its remainder is at most |x|^5/120 with |x| <= 1/8;
// a dozen roundings of at most 2^-31 each come on top.
TEST(SoftmaxTest, ExponentialIsCloseToTheRealOne) {
  const double bound = std::pow(0.125, 5) / 120 + 12 * 0x1p-31;
  for (int64_t a = -(int64_t{1} << 31) + 1; a < 0; a += 1000003) {
    const double exact = std::exp(static_cast<double>(a) * 0x1p-26);
    ASSERT_NEAR(static_cast<double>(ExpOfNonPositive(a)) * 0x1p-31, exact, bound) << a;
  }
  EXPECT_EQ(ExpOfNonPositive(0), 2147483647);
}

TEST(SoftmaxTest, ReciprocalIsCloseToTheRealOne) {
  for (int64_t sum = 1; sum < (int64_t{1} << 31); sum += sum / 1000 + 1) {
    const Reciprocal reciprocal = ReciprocalOf(sum);
    const double value = std::ldexp(static_cast<double>(reciprocal.mantissa_q0_31),
                                    -31 - reciprocal.num_bits_over_unit);
    const double exact = 1 / (static_cast<double>(sum) * 0x1p-19);
    ASSERT_NEAR(value / exact, 1.0, 0x1p-24) << sum;
  }
}

TEST(SoftmaxTest, SingleClassTakesTheWholeRange) {
  Rng rng(kSoftmaxSeed);
  stimulus::LayerSpec spec;
  spec.kind = ir::OperatorKind::kSoftmax;
  spec.input = {1};
  const ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
  for (int32_t code = -128; code <= 127; ++code) {
    const auto trace = golden::Run(graph, {{1}, {code}});
    ASSERT_TRUE(trace.ok());
    ASSERT_EQ(trace->tensors[1].codes, std::vector<int32_t>{127});
  }
}

}  // namespace
}  // namespace macloom::golden
