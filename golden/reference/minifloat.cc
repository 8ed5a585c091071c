#include "golden/reference/minifloat.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"

namespace macloom::golden {
namespace {

bool IsZero(const DecodedMinifloat& x) {
  return x.float_class == FloatClass::kFinite && x.significand == 0;
}

int64_t WithSign(const ir::NumberFormat& format, int64_t magnitude, bool is_negative) {
  return is_negative ? magnitude | format.SignBit() : magnitude;
}

/// Overflow or Inf under `conversion`.
Result<int64_t> TooLarge(const ir::NumberFormat& format, float value, Conversion conversion) {
  const bool is_negative = std::signbit(value);
  if (conversion == Conversion::kSaturating) {
    return WithSign(format, format.MaxFiniteCode(), is_negative);
  }
  switch (format.specials) {
    case ir::MinifloatSpecials::kIeee:
      // Exponent all ones, mantissa 0: the code after the largest finite one.
      return WithSign(format, format.MaxFiniteCode() + 1, is_negative);
    case ir::MinifloatSpecials::kNan:
      return NanCode(format, is_negative);
    case ir::MinifloatSpecials::kFinite:
      break;
  }
  return InvalidInput(
      fmt::format("value {} overflows {}, which has neither Inf nor NaN; accepted without "
                  "saturation are values that round to at most {}",
                  value, ir::ToString(format), ToFloat(format, format.MaxFiniteCode())));
}

}  // namespace

DecodedMinifloat Decode(const ir::NumberFormat& format, int64_t code) {
  MACLOOM_CHECK(format.IsMinifloat() && code >= format.MinCode() && code <= format.MaxCode());
  DecodedMinifloat decoded;
  decoded.is_negative = (code & format.SignBit()) != 0;
  const auto magnitude = static_cast<int>(code & (format.SignBit() - 1));
  const int hidden = 1 << format.mantissa_bits;
  const int exponent = magnitude / hidden;
  const int mantissa = magnitude % hidden;
  if (!format.IsFinite(code)) {
    const bool is_infinity = format.specials == ir::MinifloatSpecials::kIeee && mantissa == 0;
    decoded.float_class = is_infinity ? FloatClass::kInfinity : FloatClass::kNan;
    return decoded;
  }
  decoded.significand = exponent == 0 ? mantissa : hidden + mantissa;
  decoded.steps = exponent == 0 ? 0 : exponent - 1;
  return decoded;
}

ExtendedReal ValueOf(const ir::NumberFormat& format, int64_t code) {
  const DecodedMinifloat decoded = Decode(format, code);
  ExtendedReal real{decoded.float_class, decoded.is_negative, {}};
  if (decoded.float_class == FloatClass::kFinite) {
    const int signed_significand = decoded.is_negative ? -decoded.significand : decoded.significand;
    real.value = ExactReal(signed_significand, decoded.steps + format.LeastExponent());
  }
  return real;
}

ExtendedReal Product(const ir::NumberFormat& a_format, int64_t a, const ir::NumberFormat& b_format,
                     int64_t b) {
  const DecodedMinifloat x = Decode(a_format, a);
  const DecodedMinifloat y = Decode(b_format, b);
  ExtendedReal product;
  product.is_negative = x.is_negative != y.is_negative;
  const bool has_infinity =
      x.float_class == FloatClass::kInfinity || y.float_class == FloatClass::kInfinity;
  if (x.float_class == FloatClass::kNan || y.float_class == FloatClass::kNan ||
      (has_infinity && (IsZero(x) || IsZero(y)))) {
    product.float_class = FloatClass::kNan;
    return product;
  }
  if (has_infinity) {
    product.float_class = FloatClass::kInfinity;
    return product;
  }
  const int64_t magnitude = int64_t{x.significand} * y.significand;
  product.value =
      ExactReal(product.is_negative ? -magnitude : magnitude,
                x.steps + y.steps + a_format.LeastExponent() + b_format.LeastExponent());
  return product;
}

int CompareCodes(const ir::NumberFormat& format, int64_t a, int64_t b) {
  const auto key = [&](int64_t code) {
    MACLOOM_CHECK(Decode(format, code).float_class != FloatClass::kNan);
    return (code & format.SignBit()) != 0 ? -(code - format.SignBit()) - 1 : code;
  };
  const int64_t x = key(a);
  const int64_t y = key(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

Rounded RoundMagnitude(const ir::NumberFormat& format, const ExactReal& v) {
  if (v.IsZero()) return {};
  const int lsb = format.LeastExponent();
  const int quantum = std::max(v.Exponent() - format.mantissa_bits, lsb);
  const int64_t steps = quantum - lsb;
  Rounded rounded;
  // e = steps + 1 with the hidden bit, which the significand contains; subnormals have steps 0. A
  // significand rounded up to 2^(M+1) carries into e.
  rounded.code = (steps << format.mantissa_bits) + v.MagnitudeRoundedTo(quantum);
  rounded.is_overflow = rounded.code > format.MaxFiniteCode();
  return rounded;
}

int64_t NanCode(const ir::NumberFormat& format, bool is_negative) {
  MACLOOM_CHECK(format.specials != ir::MinifloatSpecials::kFinite);
  const int64_t all_ones = format.SignBit() - 1;
  const int64_t quiet_bit = int64_t{1} << format.mantissa_bits >> 1;
  const bool is_ieee = format.specials == ir::MinifloatSpecials::kIeee;
  return WithSign(format, is_ieee ? format.MaxFiniteCode() + 1 + quiet_bit : all_ones, is_negative);
}

Result<int64_t> FromFloat(const ir::NumberFormat& format, float value, Conversion conversion) {
  const bool is_negative = std::signbit(value);
  if (std::isnan(value)) {
    if (format.specials != ir::MinifloatSpecials::kFinite) return NanCode(format, is_negative);
    return InvalidInput(
        fmt::format("NaN has no code in {}; accepted are finite values", ir::ToString(format)));
  }
  if (std::isinf(value)) return TooLarge(format, value, conversion);
  int exponent = 0;
  const float fraction = std::frexp(value, &exponent);
  constexpr int kFractionBits = 24;
  const auto significand = static_cast<int64_t>(std::ldexp(fraction, kFractionBits));
  const Rounded rounded = RoundMagnitude(format, ExactReal(significand, exponent - kFractionBits));
  if (rounded.is_overflow) return TooLarge(format, value, conversion);
  return WithSign(format, rounded.code, is_negative);
}

float ToFloat(const ir::NumberFormat& format, int64_t code) {
  const DecodedMinifloat decoded = Decode(format, code);
  float magnitude = 0;
  switch (decoded.float_class) {
    case FloatClass::kFinite:
      magnitude = std::ldexp(static_cast<float>(decoded.significand),
                             decoded.steps + format.LeastExponent());
      break;
    case FloatClass::kInfinity:
      magnitude = std::numeric_limits<float>::infinity();
      break;
    case FloatClass::kNan:
      magnitude = std::numeric_limits<float>::quiet_NaN();
      break;
  }
  return std::copysign(magnitude, decoded.is_negative ? -1.0f : 1.0f);
}

}  // namespace macloom::golden
