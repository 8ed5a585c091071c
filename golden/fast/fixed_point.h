// Scalar fixed-point functions for the tables of ADD and SOFTMAX (docs/numerics.md section 4).
#pragma once

#include <cstdint>

#include "ir/requantization.h"

namespace macloom::golden::fast {

/// MBQM(x, pair) under `rounding`. @pre x * 2^max(shift, 0) fits 32 bits; shift is -31..31.
int64_t ScaleByMultiplier(int64_t x, const ir::FixedPointMultiplier& pair, ir::Rounding rounding);

/// x / 2^exponent, ties away from zero. @pre 0 <= exponent <= 62, |x| < 2^62.
int64_t DivideByPowerOfTwo(int64_t x, int exponent);

/// exp(a) in Q0.31 for a in Q5.26, -32 < a <= 0.
int64_t Exponential(int64_t a);

/// round(mantissa * exponential / 2^(31 + shift)) of one softmax row.
struct RowScale {
  int64_t mantissa = 0;
  int shift = 0;
  /// Probability of an entry, 0..256, before the -128. @pre exponential is Exponential()'s.
  int64_t Apply(int64_t exponential) const;
};

/// 1 / sum for a sum in Q12.19. @pre 0 < sum < 2^31.
RowScale ReciprocalScale(int64_t sum);

}  // namespace macloom::golden::fast
