// Number formats of tensor codes: what a stored integer means.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace macloom::ir {

enum class NumberFamily {
  kAffine,      ///< value = scale * (code - zero_point); scale and zero point live in Quantization.
  kFixedPoint,  ///< value = code * 2^-fraction_bits (Q format).
  kMinifloat,   ///< exponent_bits / mantissa_bits / bias; described only, nothing executes it yet.
  kFloat32,     ///< IEEE binary32; described only, nothing executes it yet.
};

/// Format of one code. Plain data; Validate() tells whether it is meaningful.
struct NumberFormat {
  NumberFamily family = NumberFamily::kAffine;
  int bits = 8;           ///< Width of a code, 2..16 for integer families.
  bool is_signed = true;  ///< Two's complement or unsigned; integer families only.
  int fraction_bits = 0;  ///< kFixedPoint only; may be negative or exceed `bits`.
  int exponent_bits = 0;  ///< kMinifloat only.
  int mantissa_bits = 0;  ///< kMinifloat only.
  int exponent_bias = 0;  ///< kMinifloat only.

  /// Smallest and largest code of an integer family, e.g. -128 and 127 for signed 8-bit.
  int64_t MinCode() const;
  int64_t MaxCode() const;
  bool IsInteger() const {
    return family == NumberFamily::kAffine || family == NumberFamily::kFixedPoint;
  }

  bool operator==(const NumberFormat&) const = default;

  static NumberFormat Int8() { return {}; }
};

/// Error unless the parameters are in range (integer families: bits 2..16).
Status Validate(const NumberFormat& format);

/// Short name, e.g. "int8", "uint4", "q1.6" (signed, 1 integer and 6 fraction bits), "e4m3".
std::string ToString(const NumberFormat& format);

}  // namespace macloom::ir
