#include "golden/reference/minifloat_accumulator.h"

#include <algorithm>

#include "base/check.h"

namespace macloom::golden {
namespace {

ir::NumberFormat FloatFormat(const ir::Accumulation& accumulation) {
  return ir::NumberFormat::Minifloat(accumulation.exponent_bits, accumulation.mantissa_bits,
                                     (1 << (accumulation.exponent_bits - 1)) - 1,
                                     ir::MinifloatSpecials::kIeee);
}

/// b / 2^bits to the nearest integer, ties to even.
__int128 RoundedShift(__int128 b, int bits) {
  const __int128 unit = __int128{1} << bits;
  const __int128 floor = b >> bits;
  const __int128 rest = b - floor * unit;
  const bool is_up = 2 * rest > unit || (2 * rest == unit && floor % 2 != 0);
  return is_up ? floor + 1 : floor;
}

__int128 LargestOf(int width_bits) { return (__int128{1} << (width_bits - 1)) - 1; }

bool Fits(int width_bits, __int128 value) {
  return value >= -LargestOf(width_bits) - 1 && value <= LargestOf(width_bits);
}

__int128 Wrapped(int width_bits, __int128 value) {
  const __int128 modulus = __int128{1} << width_bits;
  __int128 residue = value % modulus;
  if (residue < 0) residue += modulus;
  return residue >= modulus / 2 ? residue - modulus : residue;
}

/// The exact sum of the finite products on the grid p.
__int128 SumOf(std::span<const ProductTerm> products) {
  __int128 sum = 0;
  for (const ProductTerm& product : products) {
    if (product.float_class != FloatClass::kFinite) continue;
    const __int128 magnitude = static_cast<__int128>(product.significand) << product.steps;
    sum += product.is_negative ? -magnitude : magnitude;
  }
  return sum;
}

/// The same, low bits of every product cut; unit 2^(p + dropped_bits).
__int128 CutSumOf(std::span<const ProductTerm> products, const ir::Accumulation& accumulation) {
  int largest_steps = 0;
  for (const ProductTerm& product : products) {
    if (product.float_class == FloatClass::kFinite) {
      largest_steps = std::max(largest_steps, product.steps);
    }
  }
  const int dropped = accumulation.dropped_bits;
  const bool is_aligned = accumulation.alignment_bits != ir::Accumulation::kNoAlignment;
  const int grid =
      is_aligned ? std::max(dropped, largest_steps - accumulation.alignment_bits) : dropped;
  __int128 sum = 0;
  for (const ProductTerm& product : products) {
    if (product.float_class != FloatClass::kFinite) continue;
    const __int128 magnitude = static_cast<__int128>(product.significand) << product.steps;
    const __int128 kept = (magnitude >> grid) << (grid - dropped);
    sum += product.is_negative ? -kept : kept;
  }
  return sum;
}

}  // namespace

ProductTerm TermOf(const DecodedMinifloat& a, const DecodedMinifloat& w) {
  ProductTerm term{FloatClass::kFinite, a.is_negative != w.is_negative,
                   a.significand * w.significand, a.steps + w.steps};
  const auto is = [&](FloatClass wanted) {
    return a.float_class == wanted || w.float_class == wanted;
  };
  const auto is_zero = [](const DecodedMinifloat& x) {
    return x.float_class == FloatClass::kFinite && x.significand == 0;
  };
  if (is(FloatClass::kNan) || (is(FloatClass::kInfinity) && (is_zero(a) || is_zero(w)))) {
    term.float_class = FloatClass::kNan;
  } else if (is(FloatClass::kInfinity)) {
    term.float_class = FloatClass::kInfinity;
  }
  return term;
}

MinifloatAccumulator::MinifloatAccumulator(const ir::Accumulation& accumulation, int product_lsb,
                                           int64_t bias)
    : accumulation_(accumulation), product_lsb_(product_lsb) {
  MACLOOM_CHECK(accumulation.kind != ir::AccumulationKind::kInteger || accumulation.IsExact());
  MACLOOM_CHECK(HoldsStart(accumulation, product_lsb, bias));
  if (accumulation.kind == ir::AccumulationKind::kFloat) {
    float_format_ = FloatFormat(accumulation);
    const int64_t magnitude = RoundMagnitude(float_format_, ExactReal(bias, product_lsb)).code;
    float_code_ = bias < 0 && magnitude != 0 ? magnitude | float_format_.SignBit() : magnitude;
    return;
  }
  fixed_ = RoundedShift(bias, accumulation.dropped_bits);
  if (accumulation.kind == ir::AccumulationKind::kFixedPoint &&
      accumulation.overflow == ir::Overflow::kWrap) {
    fixed_ = Wrapped(accumulation.width_bits, fixed_);
  }
}

bool MinifloatAccumulator::HoldsStart(const ir::Accumulation& accumulation, int product_lsb,
                                      int64_t bias) {
  switch (accumulation.kind) {
    case ir::AccumulationKind::kFloat:
      return !RoundMagnitude(FloatFormat(accumulation), ExactReal(bias, product_lsb)).is_overflow;
    case ir::AccumulationKind::kFixedPoint:
      return accumulation.overflow == ir::Overflow::kWrap ||
             Fits(accumulation.width_bits, RoundedShift(bias, accumulation.dropped_bits));
    case ir::AccumulationKind::kInteger:
      break;
  }
  return true;
}

void MinifloatAccumulator::Step(std::span<const ProductTerm> products) {
  for (const ProductTerm& product : products) {
    const bool is_infinity = product.float_class == FloatClass::kInfinity;
    has_nan_ = has_nan_ || product.float_class == FloatClass::kNan;
    has_plus_infinity_ = has_plus_infinity_ || (is_infinity && !product.is_negative);
    has_minus_infinity_ = has_minus_infinity_ || (is_infinity && product.is_negative);
  }
  if (accumulation_.kind == ir::AccumulationKind::kFloat) {
    StepFloat(products);
  } else {
    StepFixed(products);
  }
}

void MinifloatAccumulator::StepFixed(std::span<const ProductTerm> products) {
  if (accumulation_.kind == ir::AccumulationKind::kInteger) {
    fixed_ += SumOf(products);
    return;
  }
  const int width_bits = accumulation_.width_bits;
  const __int128 exact = fixed_ + CutSumOf(products, accumulation_);
  if (Fits(width_bits, exact)) {
    fixed_ = exact;
    return;
  }
  ++num_events_;
  if (accumulation_.overflow == ir::Overflow::kWrap) {
    fixed_ = Wrapped(width_bits, exact);
  } else {
    fixed_ = exact < 0 ? -LargestOf(width_bits) - 1 : LargestOf(width_bits);
  }
}

void MinifloatAccumulator::StepFloat(std::span<const ProductTerm> products) {
  // An infinity or NaN, once in the register or among the products, is all that counts.
  if (has_nan_ || has_plus_infinity_ || has_minus_infinity_) return;
  const ExactReal exact =
      ValueOf(float_format_, float_code_).value + ExactReal(SumOf(products), product_lsb_);
  const Rounded rounded = RoundMagnitude(float_format_, exact);
  int64_t magnitude = rounded.code;
  if (rounded.is_overflow) {
    ++num_events_;
    magnitude = float_format_.MaxFiniteCode();
    if (accumulation_.overflow == ir::Overflow::kInfinity) {
      has_plus_infinity_ = !exact.IsNegative();
      has_minus_infinity_ = exact.IsNegative();
    }
  }
  float_code_ =
      exact.IsNegative() && magnitude != 0 ? magnitude | float_format_.SignBit() : magnitude;
}

ExtendedReal MinifloatAccumulator::value() const {
  if (has_nan_ || (has_plus_infinity_ && has_minus_infinity_)) {
    return {FloatClass::kNan, false, {}};
  }
  if (has_plus_infinity_ || has_minus_infinity_) {
    return {FloatClass::kInfinity, has_minus_infinity_, {}};
  }
  if (accumulation_.kind == ir::AccumulationKind::kFloat) {
    return ValueOf(float_format_, float_code_);
  }
  const ExactReal value(fixed_, product_lsb_ + accumulation_.dropped_bits);
  return {FloatClass::kFinite, value.IsNegative(), value};
}

int64_t MinifloatAccumulator::register_bits() const {
  if (accumulation_.kind != ir::AccumulationKind::kFloat) return static_cast<int64_t>(fixed_);
  const ExtendedReal real = value();
  switch (real.float_class) {
    case FloatClass::kNan:
      return NanCode(float_format_, false);
    case FloatClass::kInfinity:
      return (float_format_.MaxFiniteCode() + 1) |
             (real.is_negative ? float_format_.SignBit() : int64_t{0});
    case FloatClass::kFinite:
      break;
  }
  return float_code_;
}

}  // namespace macloom::golden
