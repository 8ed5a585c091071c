#include "ir/number_format.h"

#include <fmt/format.h>

namespace macloom::ir {

int64_t NumberFormat::MinCode() const {
  MACLOOM_CHECK(IsInteger() && bits >= 1 && bits <= 63);
  return is_signed ? -(int64_t{1} << (bits - 1)) : 0;
}

int64_t NumberFormat::MaxCode() const {
  MACLOOM_CHECK(IsInteger() && bits >= 1 && bits <= 63);
  return is_signed ? (int64_t{1} << (bits - 1)) - 1 : (int64_t{1} << bits) - 1;
}

Status Validate(const NumberFormat& format) {
  if (format.IsInteger()) {
    if (format.bits < 2 || format.bits > 16) {
      return InvalidInput(
          fmt::format("integer format has {} bits; accepted are 2 to 16", format.bits));
    }
    constexpr int kMaxFractionBits = 64;
    if (format.family == NumberFamily::kFixedPoint &&
        (format.fraction_bits < -kMaxFractionBits || format.fraction_bits > kMaxFractionBits)) {
      return InvalidInput(
          fmt::format("fixed-point format has {} fraction bits; accepted are {} to {}",
                      format.fraction_bits, -kMaxFractionBits, kMaxFractionBits));
    }
    return {};
  }
  if (format.family == NumberFamily::kMinifloat) {
    if (format.exponent_bits < 1 || format.exponent_bits > 8) {
      return InvalidInput(
          fmt::format("minifloat has {} exponent bits; accepted are 1 to 8", format.exponent_bits));
    }
    if (format.mantissa_bits < 0 || format.mantissa_bits > 10) {
      return InvalidInput(fmt::format("minifloat has {} mantissa bits; accepted are 0 to 10",
                                      format.mantissa_bits));
    }
    if (format.bits != 1 + format.exponent_bits + format.mantissa_bits) {
      return InvalidInput(
          fmt::format("minifloat has {} bits with {} exponent and {} mantissa bits; "
                      "accepted is {} (sign + exponent + mantissa)",
                      format.bits, format.exponent_bits, format.mantissa_bits,
                      1 + format.exponent_bits + format.mantissa_bits));
    }
    if (format.exponent_bias < -256 || format.exponent_bias > 256) {
      return InvalidInput(fmt::format("minifloat has exponent bias {}; accepted are -256 to 256",
                                      format.exponent_bias));
    }
    return {};
  }
  if (format.bits != 32) {
    return InvalidInput(fmt::format("float32 format has {} bits; accepted is 32", format.bits));
  }
  return {};
}

std::string ToString(const NumberFormat& format) {
  switch (format.family) {
    case NumberFamily::kAffine:
      return fmt::format("{}int{}", format.is_signed ? "" : "u", format.bits);
    case NumberFamily::kFixedPoint: {
      const int integer_bits = format.bits - format.fraction_bits - (format.is_signed ? 1 : 0);
      return fmt::format("{}q{}.{}", format.is_signed ? "" : "u", integer_bits,
                         format.fraction_bits);
    }
    case NumberFamily::kMinifloat:
      return fmt::format("e{}m{}", format.exponent_bits, format.mantissa_bits);
    case NumberFamily::kFloat32:
      return "float32";
  }
  return "unknown";
}

}  // namespace macloom::ir
