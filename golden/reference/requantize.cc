#include "golden/reference/requantize.h"

#include <algorithm>

#include "base/check.h"
#include "golden/reference/accumulator.h"

namespace macloom::golden {
namespace {

// Right shift of a negative number is arithmetic since C++20: floor division by a power of two.
int64_t FloorShift(__int128 x, int shift) { return static_cast<int64_t>(x >> shift); }

constexpr int kMultiplierAccumulatorBits = 32;

}  // namespace

int64_t RoundingDoublingHighMultiply(int64_t a, int64_t b) {
  return FloorShift(static_cast<__int128>(a) * b + (__int128{1} << 30), 31);
}

int64_t RoundingDivideByPowerOfTwo(int64_t x, int exponent) {
  MACLOOM_CHECK(exponent >= 0 && exponent <= 62);
  const int64_t mask = (int64_t{1} << exponent) - 1;
  const int64_t remainder = x & mask;
  const int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

int64_t ScaleWithDoubleRounding(int64_t x, const ir::FixedPointMultiplier& pair) {
  MACLOOM_CHECK(Accumulator::Holds(kMultiplierAccumulatorBits, x));
  const int left = std::max(pair.shift, 0);
  const int right = std::max(-pair.shift, 0);
  return RoundingDivideByPowerOfTwo(
      RoundingDoublingHighMultiply(x * (int64_t{1} << left), pair.multiplier), right);
}

int64_t ScaleWithSingleRounding(int64_t x, const ir::FixedPointMultiplier& pair) {
  MACLOOM_CHECK(Accumulator::Holds(kMultiplierAccumulatorBits, x));
  const int total_shift = 31 - pair.shift;
  MACLOOM_CHECK(total_shift >= 0 && total_shift <= 62);
  const __int128 product = static_cast<__int128>(x) * pair.multiplier;
  const __int128 half = total_shift == 0 ? 0 : __int128{1} << (total_shift - 1);
  return FloorShift(product + half, total_shift);
}

int64_t Scale(int64_t x, const ir::FixedPointMultiplier& pair, ir::RequantizationKind kind) {
  if (kind == ir::RequantizationKind::kMultiplierDouble) return ScaleWithDoubleRounding(x, pair);
  MACLOOM_CHECK(kind == ir::RequantizationKind::kMultiplierSingle);
  return ScaleWithSingleRounding(x, pair);
}

int64_t RoundingShiftRight(int64_t x, int s) {
  MACLOOM_CHECK(s >= 0 && s <= 31);
  if (s == 0) return x;
  return FloorShift(static_cast<__int128>(x) + (__int128{1} << (s - 1)), s);
}

int64_t MultiplyAddDivide(int64_t x, int64_t m, int64_t b, int64_t d) {
  MACLOOM_CHECK(d > 0);
  const __int128 dividend = static_cast<__int128>(x) * m + b;
  // C division truncates: one less for a negative dividend with a remainder.
  const __int128 quotient = dividend / d;
  return static_cast<int64_t>(dividend % d < 0 ? quotient - 1 : quotient);
}

int64_t RoundingMean(int64_t x, int64_t n) {
  MACLOOM_CHECK(n > 0);
  return x > 0 ? (x + n / 2) / n : (x - n / 2) / n;
}

Requantized Clamp(int64_t value, const ir::Requantization& requantization) {
  const int64_t min = requantization.clamp_min;
  const int64_t max = requantization.clamp_max;
  return {static_cast<int32_t>(std::clamp(value, min, max)), value<min, value> max};
}

Requantized Requantize(int64_t x, const ir::Requantization& requantization, int64_t channel,
                       int64_t num_positions) {
  int64_t rounded = 0;
  switch (requantization.kind) {
    case ir::RequantizationKind::kShift:
      rounded = RoundingShiftRight(x, requantization.ForChannel(channel).shift);
      break;
    case ir::RequantizationKind::kMultiplierDouble:
    case ir::RequantizationKind::kMultiplierSingle:
      rounded = Scale(x, requantization.ForChannel(channel), requantization.kind);
      break;
    case ir::RequantizationKind::kMultiplyAddDivide:
      rounded = MultiplyAddDivide(x, requantization.ForChannel(channel).multiplier,
                                  requantization.AddendOf(channel), requantization.divisor);
      break;
    case ir::RequantizationKind::kMean:
      rounded = RoundingMean(x, num_positions);
      break;
    case ir::RequantizationKind::kToMinifloat:
    case ir::RequantizationKind::kNone:
      MACLOOM_CHECK(false);
  }
  return Clamp(rounded + requantization.zero_point, requantization);
}

}  // namespace macloom::golden
