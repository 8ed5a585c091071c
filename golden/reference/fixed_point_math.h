// Exponential and reciprocal in 32-bit fixed point, as SOFTMAX defines them.
#pragma once

#include <cstdint>

namespace macloom::golden {

// Qi.f: a 32-bit integer with i integer and f fraction bits (i + f = 31), value = raw * 2^-f.

/// exp(a) in Q0.31 for a in Q5.26, -32 < a <= 0; 2^31 - 1 for a = 0.
///
/// a = -(k/4 units) + b with b in [-1/4, 0): exp(b) by a polynomial of degree 4 around -1/8, then
/// one factor exp(-2^j) per set bit j = -2..4 of the remainder. Every product is SRDHM.
int64_t ExpOfNonPositive(int64_t a_q5_26);

/// 1 / sum as a mantissa and an exponent.
struct Reciprocal {
  int64_t mantissa_q0_31 = 0;  ///< Of 1 / (sum / 2^(integer bits of the leading one)).
  int num_bits_over_unit = 0;  ///< The leading one of `sum` has the weight 2^(this - 1).
};

/// Reciprocal of a sum in Q12.19 by three Newton-Raphson steps. @pre 0 < sum < 2^31.
Reciprocal ReciprocalOf(int64_t sum_q12_19);

}  // namespace macloom::golden
