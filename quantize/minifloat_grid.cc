#include "quantize/minifloat_grid.h"

#include <algorithm>
#include <cmath>

namespace macloom::quantize {
namespace {

constexpr int kMaxExponent = 100;
constexpr int kNumSmallerScales = 8;

/// |v| to a multiple of 2^max(floor(log2 |v|) - M, lsb), ties to even; exponent unlimited above.
double RoundedMagnitude(const ir::NumberFormat& format, double v) {
  const double magnitude = std::fabs(v);
  if (magnitude == 0) return 0;
  const int quantum =
      std::max(std::ilogb(magnitude) - format.mantissa_bits, format.LeastExponent());
  // The default rounding mode is to nearest, ties to even.
  return std::ldexp(std::nearbyint(std::ldexp(magnitude, -quantum)), quantum);
}

double LargestValue(const ir::NumberFormat& format) {
  const int hidden = 1 << format.mantissa_bits;
  const int code = format.MaxFiniteCode();
  const int exponent = code / hidden;
  return exponent == 0 ? std::ldexp(code, format.LeastExponent())
                       : std::ldexp(hidden + code % hidden, exponent - 1 + format.LeastExponent());
}

}  // namespace

double NearestValue(const MinifloatGrid& grid, double value) {
  const double magnitude = std::min(
      RoundedMagnitude(grid.format, std::ldexp(value, -grid.exponent)), LargestValue(grid.format));
  return std::copysign(std::ldexp(magnitude, grid.exponent), value);
}

int32_t CodeOf(const MinifloatGrid& grid, double value) {
  const ir::NumberFormat& format = grid.format;
  const double magnitude = std::ldexp(std::fabs(NearestValue(grid, value)), -grid.exponent);
  const int least = format.LeastExponent();
  // e = quantum - lsb + 1 with the hidden bit, which the significand contains.
  const int quantum =
      magnitude == 0 ? least : std::max(std::ilogb(magnitude) - format.mantissa_bits, least);
  const int32_t code = ((quantum - least) << format.mantissa_bits) +
                       static_cast<int32_t>(std::ldexp(magnitude, -quantum));
  return std::signbit(value) ? code | static_cast<int32_t>(format.SignBit()) : code;
}

double MeanSquareError(const MinifloatGrid& grid, std::span<const float> values) {
  double sum = 0;
  for (const float value : values) {
    const double error = value - NearestValue(grid, value);
    sum += error * error;
  }
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

int ScaleExponent(const Observation& observation, const ir::NumberFormat& format,
                  const RangeOptions& options) {
  const Limits limits = LimitsOf(observation, options);
  const double largest = std::max(limits.high, -limits.low);
  if (!(largest > 0)) return 0;
  const auto fits = [&](int exponent) {
    return RoundedMagnitude(format, std::ldexp(largest, -exponent)) <= LargestValue(format);
  };
  int exponent =
      std::clamp(std::ilogb(largest) - format.MaxExponent() - 1, -kMaxExponent, kMaxExponent);
  while (!fits(exponent) && exponent < kMaxExponent) ++exponent;
  if (options.method != RangeMethod::kMse) return exponent;
  int best = exponent;
  double least = MeanSquareError({format, best}, observation.values);
  for (int tried = exponent - 1; tried >= std::max(exponent - kNumSmallerScales, -kMaxExponent);
       --tried) {
    const double error = MeanSquareError({format, tried}, observation.values);
    if (error < least) least = error, best = tried;
  }
  return best;
}

}  // namespace macloom::quantize
