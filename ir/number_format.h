// Number formats of tensor codes: what a stored integer means.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace macloom::ir {

enum class NumberFamily {
  kAffine,      ///< value = scale * (code - zero_point); scale and zero point live in Quantization.
  kFixedPoint,  ///< value = (code - zero_point) * 2^-fraction_bits (Q format; zero point 0 as a
                ///< rule).
  kMinifloat,   ///< sign, exponent_bits, mantissa_bits; bias and specials (numerics.md section 9).
  kFloat32,     ///< IEEE binary32; described only, nothing executes it yet.
};

/// Which codes of a minifloat are not finite.
enum class MinifloatSpecials {
  kFinite,  ///< None.
  kNan,     ///< Exponent and mantissa all ones: NaN (OCP "FN").
  kIeee,    ///< Exponent all ones: Inf with mantissa 0, else NaN.
};

/// Format of one code. Plain data; Validate() tells whether it is meaningful.
struct NumberFormat {
  NumberFamily family = NumberFamily::kAffine;
  int bits = 8;           ///< Width of a code, 2..16 for integer families.
  bool is_signed = true;  ///< Two's complement or unsigned; true for kMinifloat.
  int fraction_bits = 0;  ///< kFixedPoint only; may be negative or exceed `bits`.
  int exponent_bits = 0;  ///< kMinifloat only.
  int mantissa_bits = 0;  ///< kMinifloat only.
  int exponent_bias = 0;  ///< kMinifloat only.
  MinifloatSpecials specials = MinifloatSpecials::kFinite;  ///< kMinifloat only.

  /// Smallest and largest code, e.g. -128 and 127 for signed 8-bit. Minifloat codes are unsigned: 0
  /// and 2^bits - 1, NaN included. @pre Not kFloat32.
  int64_t MinCode() const;
  int64_t MaxCode() const;
  bool IsInteger() const {
    return family == NumberFamily::kAffine || family == NumberFamily::kFixedPoint;
  }
  bool IsMinifloat() const { return family == NumberFamily::kMinifloat; }

  /// lsb = 1 - bias - mantissa_bits: the smallest subnormal is 2^lsb. @pre kMinifloat.
  int LeastExponent() const { return 1 - exponent_bias - mantissa_bits; }
  /// The sign bit of a code, 2^(bits - 1). @pre kMinifloat.
  int64_t SignBit() const { return int64_t{1} << (bits - 1); }
  /// Code of the largest finite value, e.g. 0x7e (448) for e4m3. @pre kMinifloat.
  int32_t MaxFiniteCode() const;
  /// False for the codes of Inf and NaN. @pre kMinifloat, MinCode() <= code <= MaxCode().
  bool IsFinite(int64_t code) const { return (code & (SignBit() - 1)) <= MaxFiniteCode(); }
  /// log2 of the largest finite value, rounded down. @pre kMinifloat.
  int MaxExponent() const;

  bool operator==(const NumberFormat&) const = default;

  static NumberFormat Int8() { return {}; }
  static NumberFormat Minifloat(int exponent_bits, int mantissa_bits, int exponent_bias,
                                MinifloatSpecials specials);
  static NumberFormat E4M3() { return Minifloat(4, 3, 7, MinifloatSpecials::kNan); }
  static NumberFormat E5M2() { return Minifloat(5, 2, 15, MinifloatSpecials::kIeee); }
};

/// A minifloat with a short name: the table of docs/numerics.md section 9.1.
struct NamedMinifloat {
  const char* name;
  NumberFormat format;
};
/// e4m3, e5m2, e3m4, e2m5, e3m2, e2m3, e2m1, e5m10 (FP16), e8m7 (bfloat16).
std::span<const NamedMinifloat> NamedMinifloats();

/// A minifloat by its ToString() name, in either case: a named one, or sizes, bias and specials
/// ("e4m3b11-finite"; specials finite, nan, ieee). @return kInvalidInput naming what is accepted.
Result<NumberFormat> ParseMinifloat(std::string_view name);

/// Error unless the parameters are in range: integer families 2..16 bits; minifloats 1..8 exponent
/// and 0..10 mantissa bits (ieee: at least 1), a bias of -32..127, and some finite value above 0.
Status Validate(const NumberFormat& format);

/// Short name, e.g. "int8", "uint4", "q1.6" (signed, 1 integer and 6 fraction bits), "e4m3", and
/// "e4m3b11-finite" for a minifloat that is not a named one.
std::string ToString(const NumberFormat& format);

}  // namespace macloom::ir
