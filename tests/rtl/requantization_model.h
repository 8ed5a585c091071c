// Requantization and addition by their formulas (docs/numerics.md) in exact 128-bit arithmetic.
#pragma once

#include <algorithm>
#include <cstdint>

namespace macloom::testing {

using Wide = __int128;

/// floor(a / b), b > 0.
inline Wide FloorDivide(Wide a, Wide b) {
  const Wide quotient = a / b;
  return a % b != 0 && a < 0 ? quotient - 1 : quotient;
}

/// a / 2^n to the nearest integer, ties away from zero.
inline Wide NearestAway(Wide a, int n) {
  const Wide unit = Wide{1} << n;
  const Wide magnitude = a < 0 ? -a : a;
  const Wide rounded = (2 * magnitude + unit) / (2 * unit);
  return a < 0 ? -rounded : rounded;
}

enum RequantMode { kDoubleRounding, kSingleRounding, kMean };

struct RequantInput {
  int64_t x = 0;
  int mode = 0;
  int64_t multiplier = 0;
  int shift = 0, mean_half = 0, zero = 0, low = -128, high = 127;
};

struct RequantOutput {
  int y = 0;
  bool is_low = false, is_high = false;
};

inline RequantOutput Requantized(const RequantInput& in) {
  Wide value = 0;
  if (in.mode == kDoubleRounding) {
    // Exact product with the positive shift, halves rounded up, then the division by 2^-shift.
    const Wide product = Wide{in.x} * in.multiplier * (Wide{1} << std::max(in.shift, 0));
    const Wide high = FloorDivide(product + (Wide{1} << 30), Wide{1} << 31);
    // The second stage is 32 bits wide; beyond, the clamp decides in any case.
    const Wide limit = Wide{1} << 31;
    const Wide held = high >= limit ? limit - 1 : high < -limit ? -limit : high;
    value = NearestAway(held, std::max(-in.shift, 0)) + in.zero;
  } else if (in.mode == kSingleRounding) {
    const Wide unit = Wide{1} << (31 - in.shift);
    value = FloorDivide(Wide{in.x} * in.multiplier + unit / 2, unit) + in.zero;
  } else {
    const Wide magnitude = in.x < 0 ? -Wide{in.x} : Wide{in.x};
    const Wide mean = FloorDivide((magnitude + in.mean_half) * in.multiplier, Wide{1} << in.shift);
    value = in.x < 0 ? -mean : mean;
  }
  RequantOutput out;
  out.is_low = value < in.low;
  out.is_high = value > in.high;
  out.y = static_cast<int>(out.is_low ? Wide{in.low} : out.is_high ? Wide{in.high} : value);
  return out;
}

/// Operand b of an addition as TFLite scales it: (q - z) * 2^20, multiplied, rounded; shift <= 0.
inline int64_t ScaledOperand(int64_t difference, int64_t multiplier, int shift, int mode) {
  const Wide product = Wide{difference} * (1 << 20) * multiplier;
  if (mode == kSingleRounding) {
    const Wide unit = Wide{1} << (31 - shift);
    return static_cast<int64_t>(FloorDivide(product + unit / 2, unit));
  }
  return static_cast<int64_t>(
      NearestAway(FloorDivide(product + (Wide{1} << 30), Wide{1} << 31), -shift));
}

/// The sum of an addition: operand a has the larger scale, 2^19 of its units.
inline int64_t AdditionSum(int64_t a, int64_t b, int64_t multiplier, int shift, int mode) {
  return a * (1 << 19) + ScaledOperand(b, multiplier, shift, mode);
}

}  // namespace macloom::testing
