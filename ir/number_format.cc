#include "ir/number_format.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <regex>

#include "ir/network_names.h"

namespace macloom::ir {
namespace {

constexpr int kMinBias = -32, kMaxBias = 127;

Status ValidateMinifloat(const NumberFormat& format) {
  if (format.exponent_bits < 1 || format.exponent_bits > 8) {
    return InvalidInput(
        fmt::format("minifloat has {} exponent bits; accepted are 1 to 8", format.exponent_bits));
  }
  if (format.mantissa_bits < 0 || format.mantissa_bits > 10) {
    return InvalidInput(
        fmt::format("minifloat has {} mantissa bits; accepted are 0 to 10", format.mantissa_bits));
  }
  if (format.bits != 1 + format.exponent_bits + format.mantissa_bits) {
    return InvalidInput(
        fmt::format("minifloat has {} bits with {} exponent and {} mantissa bits; "
                    "accepted is {} (sign + exponent + mantissa)",
                    format.bits, format.exponent_bits, format.mantissa_bits,
                    1 + format.exponent_bits + format.mantissa_bits));
  }
  if (!format.is_signed) return InvalidInput("minifloat is unsigned; accepted are signed ones");
  if (format.exponent_bias < kMinBias || format.exponent_bias > kMaxBias) {
    return InvalidInput(fmt::format("minifloat has exponent bias {}; accepted are {} to {}",
                                    format.exponent_bias, kMinBias, kMaxBias));
  }
  if (format.specials == MinifloatSpecials::kIeee && format.mantissa_bits == 0) {
    return InvalidInput("minifloat has ieee specials and 0 mantissa bits; accepted are 1 to 10");
  }
  if (format.MaxFiniteCode() < 1) {
    return InvalidInput(
        fmt::format("minifloat e{}m{} has no finite value above 0; accepted are larger ones or "
                    "fewer specials",
                    format.exponent_bits, format.mantissa_bits));
  }
  return {};
}

std::string MinifloatName(const NumberFormat& format) {
  for (const NamedMinifloat& named : NamedMinifloats()) {
    if (named.format == format) return named.name;
  }
  std::string_view specials;
  for (const auto& [word, value] : kSpecialsNames) {
    if (value == format.specials) specials = word;
  }
  return fmt::format("e{}m{}b{}-{}", format.exponent_bits, format.mantissa_bits,
                     format.exponent_bias, specials);
}

}  // namespace

int64_t NumberFormat::MinCode() const {
  if (IsMinifloat()) return 0;
  MACLOOM_CHECK(IsInteger() && bits >= 1 && bits <= 63);
  return is_signed ? -(int64_t{1} << (bits - 1)) : 0;
}

int64_t NumberFormat::MaxCode() const {
  if (IsMinifloat()) return (int64_t{1} << bits) - 1;
  MACLOOM_CHECK(IsInteger() && bits >= 1 && bits <= 63);
  return is_signed ? (int64_t{1} << (bits - 1)) - 1 : (int64_t{1} << bits) - 1;
}

int32_t NumberFormat::MaxFiniteCode() const {
  MACLOOM_CHECK(IsMinifloat());
  const auto largest = static_cast<int32_t>(SignBit() - 1);
  switch (specials) {
    case MinifloatSpecials::kFinite:
      return largest;
    case MinifloatSpecials::kNan:
      return largest - 1;
    case MinifloatSpecials::kIeee:
      break;
  }
  return largest - (int32_t{1} << mantissa_bits);
}

int NumberFormat::MaxExponent() const {
  const int32_t code = MaxFiniteCode();
  const int field = code >> mantissa_bits;
  if (field > 0) return field - exponent_bias;
  // All finite values are subnormal: the leading one of the mantissa counts.
  int exponent = LeastExponent() - 1;
  for (int32_t rest = code; rest != 0; rest >>= 1) ++exponent;
  return exponent;
}

NumberFormat NumberFormat::Minifloat(int exponent_bits, int mantissa_bits, int exponent_bias,
                                     MinifloatSpecials specials) {
  NumberFormat format;
  format.family = NumberFamily::kMinifloat;
  format.bits = 1 + exponent_bits + mantissa_bits;
  format.exponent_bits = exponent_bits;
  format.mantissa_bits = mantissa_bits;
  format.exponent_bias = exponent_bias;
  format.specials = specials;
  return format;
}

std::span<const NamedMinifloat> NamedMinifloats() {
  static const std::array<NamedMinifloat, 9> kNamed = {
      {{"e4m3", NumberFormat::E4M3()},
       {"e5m2", NumberFormat::E5M2()},
       {"e3m4", NumberFormat::Minifloat(3, 4, 3, MinifloatSpecials::kFinite)},
       {"e2m5", NumberFormat::Minifloat(2, 5, 1, MinifloatSpecials::kFinite)},
       {"e3m2", NumberFormat::Minifloat(3, 2, 3, MinifloatSpecials::kFinite)},
       {"e2m3", NumberFormat::Minifloat(2, 3, 1, MinifloatSpecials::kFinite)},
       {"e2m1", NumberFormat::Minifloat(2, 1, 1, MinifloatSpecials::kFinite)},
       {"e5m10", NumberFormat::Minifloat(5, 10, 15, MinifloatSpecials::kIeee)},
       {"e8m7", NumberFormat::Minifloat(8, 7, 127, MinifloatSpecials::kIeee)}}};
  return kNamed;
}

Result<NumberFormat> ParseMinifloat(std::string_view name) {
  std::string lower;
  for (const char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::string accepted;
  for (const NamedMinifloat& named : NamedMinifloats()) {
    if (lower == named.name) return named.format;
    accepted += fmt::format("{}, ", named.name);
  }
  static const std::regex kPattern("e([0-9])m([0-9]{1,2})b(-?[0-9]{1,3})-(finite|nan|ieee)");
  std::smatch match;
  if (!std::regex_match(lower, match, kPattern)) {
    return InvalidInput(
        fmt::format("minifloat format is \"{}\"; accepted are {}and sizes, bias and specials as in "
                    "e4m3b11-finite (finite, nan or ieee)",
                    name, accepted));
  }
  MinifloatSpecials specials = MinifloatSpecials::kFinite;
  for (const auto& [word, value] : kSpecialsNames) {
    if (match[4].str() == word) specials = value;
  }
  const NumberFormat format = NumberFormat::Minifloat(
      std::stoi(match[1].str()), std::stoi(match[2].str()), std::stoi(match[3].str()), specials);
  const Status status = Validate(format);
  if (!status.ok()) {
    return InvalidInput(fmt::format("minifloat format \"{}\": {}", name, status.error().message));
  }
  return format;
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
  if (format.IsMinifloat()) return ValidateMinifloat(format);
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
      return MinifloatName(format);
    case NumberFamily::kFloat32:
      return "float32";
  }
  return "unknown";
}

}  // namespace macloom::ir
