// From values to minifloat codes and a scale: powers of two only.
#pragma once

#include <cstdint>
#include <span>

#include "quantize/range.h"

namespace macloom::quantize {

/// value = value of the code (docs/numerics.md section 9.1) * 2^exponent.
struct MinifloatGrid {
  ir::NumberFormat format;
  int exponent = 0;
};

/// Nearest value of the grid, ties to even, saturating at the largest finite one. @pre Not NaN.
double NearestValue(const MinifloatGrid& grid, double value);

/// The code of NearestValue(); the sign is kept, so that a negative value may become -0. Equals
/// golden::FromFloat() of value * 2^-exponent (test: tests/quantize/minifloat_test.cc).
int32_t CodeOf(const MinifloatGrid& grid, double value);

/// Mean of (value - NearestValue)^2; 0 without values.
double MeanSquareError(const MinifloatGrid& grid, std::span<const float> values);

/// Smallest scale exponent such that no value of `observation` exceeds the largest finite value
/// after rounding (min-max, percentile), or the one of least error among it and the 8 smaller ones
/// (MSE; the larger among equals). In -100..100; 0 if all values are 0.
int ScaleExponent(const Observation& observation, const ir::NumberFormat& format,
                  const RangeOptions& options);

}  // namespace macloom::quantize
