// From accumulator to activation code: every rounding the networks use, in exact arithmetic.
#pragma once

#include <cstdint>

#include "ir/requantization.h"

namespace macloom::golden {

/// SRDHM: floor((a*b + 2^30) / 2^31), i.e. a*b / 2^31 to nearest, ties toward plus infinity.
/// @pre |a| < 2^62, |b| <= 2^31; the result fits 64 bits.
int64_t RoundingDoublingHighMultiply(int64_t a, int64_t b);

/// RDPOT: x / 2^exponent to nearest, ties away from zero. @pre 0 <= exponent <= 62.
int64_t RoundingDivideByPowerOfTwo(int64_t x, int exponent);

/// RDPOT(SRDHM(x * 2^max(sh, 0), m), max(-sh, 0)). The left shift loses no bit.
/// @pre x fits 32 bits; `pair` as in ir::FixedPointMultiplier, or with shift up to 31.
int64_t ScaleWithDoubleRounding(int64_t x, const ir::FixedPointMultiplier& pair);

/// floor((x*m + 2^(30-sh)) / 2^(31-sh)), i.e. x*m*2^(sh-31) to nearest, ties toward plus infinity;
/// for sh = 31, where nothing is left to round, x*m. @pre As ScaleWithDoubleRounding().
int64_t ScaleWithSingleRounding(int64_t x, const ir::FixedPointMultiplier& pair);

/// One of the two above. @pre `kind` is kMultiplierDouble or kMultiplierSingle.
int64_t Scale(int64_t x, const ir::FixedPointMultiplier& pair, ir::RequantizationKind kind);

/// floor((x + 2^(s-1)) / 2^s), ties toward plus infinity; s = 0: x. @pre 0 <= s <= 31.
int64_t RoundingShiftRight(int64_t x, int s);

/// floor((x*m + b) / d). @pre d >= 1; |x*m + b| < 2^62.
int64_t MultiplyAddDivide(int64_t x, int64_t m, int64_t b, int64_t d);

/// x / n to nearest, ties away from zero: x > 0 ? (x + n/2)/n : (x - n/2)/n with truncating
/// division. For odd n, n/2 is rounded down and no tie exists. @pre n > 0, |x| < 2^62.
int64_t RoundingMean(int64_t x, int64_t n);

/// An output code and whether the clamp changed it.
struct Requantized {
  int32_t code = 0;
  bool is_clamped_low = false;   ///< The value was below clamp_min.
  bool is_clamped_high = false;  ///< The value was above clamp_max.
};

/// clamp(value, clamp_min, clamp_max) of `requantization`.
Requantized Clamp(int64_t value, const ir::Requantization& requantization);

/// clamp(round(x) + zero_point) for output channel `channel`.
///
/// @param num_positions  kMean: positions of the window inside the image; ignored otherwise.
/// @pre kind is neither kNone nor kToMinifloat. Multiplier kinds: x fits 32 bits. kMean: zero_point
/// is 0.
Requantized Requantize(int64_t x, const ir::Requantization& requantization, int64_t channel,
                       int64_t num_positions);

}  // namespace macloom::golden
