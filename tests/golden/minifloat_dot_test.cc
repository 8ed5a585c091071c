// Minifloat accumulators against MPFR: random, corner-weighted dot products of every kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "base/rng.h"
#include "golden/reference/minifloat_accumulator.h"
#include "ir/minifloat_range.h"
#include "tests/golden/slow_minifloat_sum.h"
#include "tests/support/setting.h"

namespace macloom::golden {
namespace {

using ir::Accumulation;
using ir::AccumulationOrder;
using ir::NumberFormat;
using ir::Overflow;
using testing::Big;
using testing::Setting;
using testing::SlowMinifloatSum;

constexpr AccumulationOrder kOrder = AccumulationOrder::kFlatTap;

std::vector<NumberFormat> Formats() {
  std::vector<NumberFormat> formats;
  for (const ir::NamedMinifloat& named : ir::NamedMinifloats()) {
    if (named.format.bits <= 8) formats.push_back(named.format);
  }
  formats.push_back(*ir::ParseMinifloat("e5m2b15-finite"));
  formats.push_back(*ir::ParseMinifloat("e4m3b11-finite"));
  return formats;
}

/// Zeros, subnormals, extremes, powers of two, anything; Inf and NaN only if asked for.
int64_t RandomCode(Rng& rng, const NumberFormat& format, bool has_specials) {
  const std::array<int64_t, 6> corners = {0,
                                          1,
                                          (int64_t{1} << format.mantissa_bits) - 1,
                                          int64_t{1} << format.mantissa_bits,
                                          format.MaxFiniteCode(),
                                          format.MaxFiniteCode() - 1};
  int64_t code = 0;
  do {
    code = rng.Bernoulli(0.3)
               ? corners[static_cast<size_t>(rng.UniformInt(0, std::ssize(corners) - 1))]
               : rng.UniformInt(0, format.SignBit() - 1);
  } while (!format.IsFinite(code) && !has_specials);
  return rng.Bernoulli(0.5) ? code : code | format.SignBit();
}

struct Drawn {
  NumberFormat a, w;
  Accumulation accumulation;
  int64_t bias = 0;
  bool has_specials = false;
};

Overflow RandomPolicy(Rng& rng, Overflow other) {
  return rng.Bernoulli(0.5) ? Overflow::kSaturate : other;
}

Drawn Draw(Rng& rng, ir::AccumulationKind kind) {
  const std::vector<NumberFormat> formats = Formats();
  const auto pick = [&] {
    return formats[static_cast<size_t>(rng.UniformInt(0, std::ssize(formats) - 1))];
  };
  Drawn drawn;
  drawn.a = pick();
  drawn.w = rng.Bernoulli(0.5) ? drawn.a : pick();
  const int products = static_cast<int>(rng.UniformInt(1, 17));
  const int exact_bits = ir::ExactAccumulatorBits(drawn.a, drawn.w, 16);
  if (kind == ir::AccumulationKind::kFixedPoint) {
    const int dropped =
        rng.Bernoulli(0.4) ? 0 : static_cast<int>(rng.UniformInt(0, std::min(exact_bits, 63)));
    const int alignment = rng.Bernoulli(0.4) ? -1 : static_cast<int>(rng.UniformInt(0, 24));
    const int width =
        static_cast<int>(rng.UniformInt(8, std::min(80, std::max(exact_bits - dropped + 2, 9))));
    drawn.accumulation = Accumulation::FixedPoint(width, RandomPolicy(rng, Overflow::kWrap),
                                                  products, kOrder, dropped, alignment);
  } else if (kind == ir::AccumulationKind::kFloat) {
    const Overflow policy = RandomPolicy(rng, Overflow::kInfinity);
    const std::array<std::pair<int, int>, 4> sizes = {
        {{5, 10},
         {8, 23},
         {8, 7},
         {static_cast<int>(rng.UniformInt(2, 8)), static_cast<int>(rng.UniformInt(1, 23))}}};
    const auto [exponent, mantissa] = sizes[static_cast<size_t>(rng.UniformInt(0, 3))];
    drawn.accumulation = Accumulation::Float(exponent, mantissa, policy, products, kOrder);
  } else {
    drawn.accumulation.products_per_step = products;
  }
  const int bias_bits = static_cast<int>(rng.UniformInt(0, 63));
  if (rng.Bernoulli(0.8) && bias_bits > 0) {
    drawn.bias = rng.UniformInt(-(int64_t{1} << (bias_bits - 1)), int64_t{1} << (bias_bits - 1));
  }
  drawn.has_specials = rng.Bernoulli(0.1);
  return drawn;
}

void ExpectEqual(const MinifloatAccumulator& accumulator, const SlowMinifloatSum& slow) {
  const ExtendedReal value = accumulator.value();
  ASSERT_EQ(value.float_class == FloatClass::kNan, slow.value().IsNan());
  ASSERT_EQ(value.float_class == FloatClass::kInfinity, slow.value().IsInfinity());
  ASSERT_EQ(accumulator.num_events(), slow.num_events());
  if (slow.value().IsNan()) return;
  ASSERT_EQ(value.is_negative, slow.value().HasSign());
  if (!slow.value().IsInfinity()) {
    ASSERT_EQ(value.value, slow.value().ToExact());
  }
}

/// The register's bits mean its value.
void ExpectBits(const Drawn& drawn, const MinifloatAccumulator& accumulator) {
  const ExtendedReal value = accumulator.value();
  if (drawn.accumulation.kind == ir::AccumulationKind::kFloat) {
    const Accumulation& contract = drawn.accumulation;
    const NumberFormat format = NumberFormat::Minifloat(
        contract.exponent_bits, contract.mantissa_bits, (1 << (contract.exponent_bits - 1)) - 1,
        ir::MinifloatSpecials::kIeee);
    ASSERT_EQ(ValueOf(format, accumulator.register_bits()), value);
  } else if (drawn.accumulation.width_bits < 64 && value.float_class == FloatClass::kFinite) {
    const int unit =
        drawn.a.LeastExponent() + drawn.w.LeastExponent() + drawn.accumulation.dropped_bits;
    ASSERT_EQ(ExactReal(accumulator.register_bits(), unit), value.value);
  }
}

/// Counts of what the random dot products met: a case that never occurs is not tested.
struct Met {
  int64_t events = 0, infinities = 0, nans = 0, inexact = 0, refused = 0;
};

Met RunDots(ir::AccumulationKind kind) {
  const int64_t count = Setting("MACLOOM_RANDOM_DOTS", 6000);
  const auto seed = static_cast<uint64_t>(Setting("MACLOOM_SEED", 20261121));
  Met met;
  for (int64_t n = 0; n < count; ++n) {
    Rng rng(seed + static_cast<uint64_t>(n));
    const Drawn drawn = Draw(rng, kind);
    SCOPED_TRACE("MACLOOM_SEED=" + std::to_string(seed + static_cast<uint64_t>(n)) + ": " +
                 ToString(drawn.a) + " x " + ToString(drawn.w) + ", " +
                 ToString(drawn.accumulation) + ", bias " + std::to_string(drawn.bias));
    SlowMinifloatSum slow(drawn.accumulation, drawn.a, drawn.w, drawn.bias);
    const int product_lsb = drawn.a.LeastExponent() + drawn.w.LeastExponent();
    const bool holds =
        MinifloatAccumulator::HoldsStart(drawn.accumulation, product_lsb, drawn.bias);
    EXPECT_EQ(holds, slow.does_hold_start());
    met.refused += holds ? 0 : 1;
    if (!holds || ::testing::Test::HasFailure()) continue;
    MinifloatAccumulator accumulator(drawn.accumulation, product_lsb, drawn.bias);
    const int64_t num_steps = rng.UniformInt(0, 6);
    for (int64_t step = 0; step < num_steps; ++step) {
      std::vector<std::pair<int64_t, int64_t>> codes;
      std::vector<ProductTerm> terms;
      for (int i = 0; i < drawn.accumulation.products_per_step; ++i) {
        codes.emplace_back(RandomCode(rng, drawn.a, drawn.has_specials),
                           RandomCode(rng, drawn.w, drawn.has_specials));
        terms.push_back(
            TermOf(Decode(drawn.a, codes.back().first), Decode(drawn.w, codes.back().second)));
        if (rng.Bernoulli(0.1)) break;  // A shorter step.
      }
      accumulator.Step(terms);
      slow.Step(codes);
      ExpectEqual(accumulator, slow);
      if (::testing::Test::HasFailure()) return met;
    }
    ExpectBits(drawn, accumulator);
    if (::testing::Test::HasFailure()) return met;
    met.events += accumulator.num_events();
    met.infinities += slow.value().IsInfinity() ? 1 : 0;
    met.nans += slow.value().IsNan() ? 1 : 0;
    met.inexact += slow.value() == slow.exact() ? 0 : 1;
  }
  return met;
}

TEST(MinifloatDotTest, ExactSumsEqualMpfr) {
  const Met met = RunDots(ir::AccumulationKind::kInteger);
  EXPECT_EQ(met.events, 0);
  EXPECT_GT(met.nans, 0);
}

TEST(MinifloatDotTest, FixedPointSumsEqualMpfr) {
  const Met met = RunDots(ir::AccumulationKind::kFixedPoint);
  EXPECT_GT(met.events, 100);
  EXPECT_GT(met.inexact, 100);
  EXPECT_GT(met.refused, 10);
  EXPECT_GT(met.nans, 0);
}

TEST(MinifloatDotTest, FloatSumsEqualMpfr) {
  const Met met = RunDots(ir::AccumulationKind::kFloat);
  EXPECT_GT(met.events, 100);
  EXPECT_GT(met.infinities, 100);
  EXPECT_GT(met.inexact, 100);
  EXPECT_GT(met.refused, 10);
  EXPECT_GT(met.nans, 0);
}

// Every pair of codes as one step: the product alone, rounded to the accumulator.
TEST(MinifloatDotTest, EveryPairOfCodesIsOneStep) {
  const std::vector<Accumulation> contracts = {
      Accumulation::Exact(), Accumulation::Float(5, 10, Overflow::kInfinity, 1, kOrder),
      Accumulation::Float(4, 3, Overflow::kSaturate, 1, kOrder),
      Accumulation::FixedPoint(24, Overflow::kSaturate, 1, kOrder, 6, 3)};
  for (const NumberFormat& a : Formats()) {
    for (const Accumulation& contract : contracts) {
      SCOPED_TRACE(ToString(a) + ", " + ToString(contract));
      for (int64_t x = 0; x <= a.MaxCode(); ++x) {
        for (int64_t y = x; y <= a.MaxCode(); ++y) {
          SlowMinifloatSum slow(contract, a, a, 0);
          slow.Step({{x, y}});
          for (const auto& [p, q] : {std::pair{x, y}, std::pair{y, x}}) {
            MinifloatAccumulator accumulator(contract, 2 * a.LeastExponent(), 0);
            const ProductTerm term = TermOf(Decode(a, p), Decode(a, q));
            accumulator.Step(std::span(&term, 1));
            ExpectEqual(accumulator, slow);
            if (HasFatalFailure()) FAIL() << x << " " << y;
          }
        }
      }
    }
  }
}

// Section 9.4: widths quoted there.
TEST(MinifloatDotTest, ExactWidths) {
  const NumberFormat e4m3 = NumberFormat::E4M3(), e5m2 = NumberFormat::E5M2();
  EXPECT_EQ(ir::ExactAccumulatorBits(e4m3, e4m3, 1), 37);
  EXPECT_EQ(ir::ExactAccumulatorBits(e4m3, e4m3, 576), 46);
  EXPECT_EQ(ir::ExactAccumulatorBits(e5m2, e5m2, 576), 74);
}

TEST(MinifloatDotTest, OneProductLeavesFp16AndInfinityStays) {
  const NumberFormat e4m3 = NumberFormat::E4M3();
  const ProductTerm largest = TermOf(Decode(e4m3, 0x7e), Decode(e4m3, 0x7e));
  const ProductTerm smallest = TermOf(Decode(e4m3, 0xfe), Decode(e4m3, 0x7e));
  for (const Overflow policy : {Overflow::kInfinity, Overflow::kSaturate}) {
    MinifloatAccumulator accumulator(Accumulation::Float(5, 10, policy, 1, kOrder), -18, 0);
    accumulator.Step(std::span(&largest, 1));
    EXPECT_EQ(accumulator.num_events(), 1);
    EXPECT_EQ(accumulator.register_bits(), policy == Overflow::kInfinity ? 0x7c00 : 0x7bff);
    accumulator.Step(std::span(&smallest, 1));
    EXPECT_EQ(accumulator.num_events(), policy == Overflow::kInfinity ? 1 : 2);
    EXPECT_EQ(accumulator.register_bits(), policy == Overflow::kInfinity ? 0x7c00 : 0xfbff);
  }
}

}  // namespace
}  // namespace macloom::golden
