// Minifloat codes: decoding, rounding, conversion, products and order.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "golden/reference/exact_real.h"
#include "ir/number_format.h"

namespace macloom::golden {

// Formulas: docs/numerics.md sections 9.1 to 9.3. Second model: tests/golden/minifloat_test.cc
// (MPFR).

enum class FloatClass { kFinite, kInfinity, kNan };

/// A code, taken apart: value = (is_negative ? -1 : 1) * significand * 2^(steps + lsb).
struct DecodedMinifloat {
  FloatClass float_class = FloatClass::kFinite;
  bool is_negative = false;  ///< The sign bit, of -0, Inf and NaN too.
  int significand = 0;       ///< m, 0..2^(M+1) - 1, hidden bit included.
  int steps = 0;             ///< t = max(e, 1) - 1.

  /// n = (is_negative ? -1 : 1) * significand * 2^steps. @pre Finite; steps + M < 62.
  int64_t grid_integer() const {
    const int64_t magnitude = int64_t{significand} << steps;
    return is_negative ? -magnitude : magnitude;
  }
};

/// @pre MinCode() <= code <= MaxCode(); `format` is valid.
DecodedMinifloat Decode(const ir::NumberFormat& format, int64_t code);

/// A real number, an infinity or NaN.
struct ExtendedReal {
  FloatClass float_class = FloatClass::kFinite;
  bool is_negative = false;  ///< Of zeros, Inf and NaN too; of finite values that of `value`.
  ExactReal value;           ///< 0 unless finite.
  bool operator==(const ExtendedReal&) const = default;
};

ExtendedReal ValueOf(const ir::NumberFormat& format, int64_t code);

/// The product of two codes, exact. NaN for NaN operands and for Inf * 0; signs multiply.
ExtendedReal Product(const ir::NumberFormat& a_format, int64_t a, const ir::NumberFormat& b_format,
                     int64_t b);

/// -1, 0, 1: the order of values with -0 below +0; Inf at the ends. @pre Neither code is NaN.
int CompareCodes(const ir::NumberFormat& format, int64_t a, int64_t b);

/// Rounding to nearest even, overflow decided afterwards.
struct Rounded {
  int64_t code = 0;          ///< Magnitude only, no sign bit; meaningless on overflow.
  bool is_overflow = false;  ///< |r| > the largest finite value.
  bool is_zero() const { return !is_overflow && code == 0; }
};

/// |v| rounded to a multiple of 2^max(floor(log2 |v|) - M, lsb), ties to even; exponent unlimited
/// above. @pre v is a multiple of 2^-255 or the quotient of one (ExactReal::DividedBy()).
Rounded RoundMagnitude(const ir::NumberFormat& format, const ExactReal& v);

/// What a conversion does with |r| > the largest finite value and with infinities.
enum class Conversion {
  kSaturating,     ///< The largest finite code.
  kNonSaturating,  ///< Inf, or NaN for formats without Inf.
};

/// Code of NaN: nan formats: all ones; ieee: the highest mantissa bit, e.g. 0x7f, 0x7e for e4m3 and
/// e5m2; with the sign bit if asked. @pre The format has NaN.
int64_t NanCode(const ir::NumberFormat& format, bool is_negative);

/// The code of a float32 value, sign kept, also of zeros, Inf and NaN.
///
/// @return kInvalidInput for NaN into a format without NaN, and, non-saturating, for overflow or
/// Inf
///         into a format without Inf and NaN.
Result<int64_t> FromFloat(const ir::NumberFormat& format, float value,
                          Conversion conversion = Conversion::kSaturating);

/// The value of a code as float32, exact. @pre Validate(format) succeeds.
float ToFloat(const ir::NumberFormat& format, int64_t code);

}  // namespace macloom::golden
