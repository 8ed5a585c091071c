// From values to a grid: scale and zero point, or fraction bits.
#pragma once

#include <cstdint>
#include <span>

#include "quantize/calibration.h"

namespace macloom::quantize {

enum class RangeMethod {
  kMinMax,      ///< Nothing is clipped.
  kMse,         ///< Least mean square error over the values, by search.
  kPercentile,  ///< `percentile` of the values on each side are not clipped.
};

struct RangeOptions {
  RangeMethod method = RangeMethod::kMinMax;
  double percentile = 99.9;  ///< Above 50, at most 100.
};

struct Limits {
  double low = 0, high = 0;  ///< low <= 0 <= high.
};

/// What is not clipped before a search: the extremes, or the percentiles.
Limits LimitsOf(const Observation& observation, const RangeOptions& options);

/// value = step (code - zero_point), codes low..high.
struct Grid {
  double step = 1;
  int32_t zero_point = 0;
  int32_t low = 0, high = 0;
};

/// Nearest code, floor(v / step + 1/2) + zero_point, clamped to the grid's codes.
int32_t CodeOf(const Grid& grid, double value);
/// Mean of (value - value of its code)^2; 0 without values.
double MeanSquareError(const Grid& grid, std::span<const float> values);

/// Largest n such that `values` fit signed codes of `bits` bits on the grid 2^-n (min-max,
/// percentile), or the n of least error among that one and the 8 finer ones (MSE); the coarser
/// among equals. In -30..30; 0 bits' worth of values (all 0) give bits - 1.
int FractionBits(const Observation& observation, int bits, const RangeOptions& options);

/// Asymmetric grid of 2^bits signed codes with a code for 0.
///
///   step = (high - low) / (2^bits - 1);  zero_point = code of low - round(low / step)
/// MSE: high and low shrunk to 20..100 % in steps of 2 %, in turn, twice.
Grid AffineGrid(const Observation& observation, int bits, const RangeOptions& options);

/// Symmetric grid without the smallest code: step = max |value| / (2^(bits-1) - 1).
/// MSE: that step times 20..100 % in steps of 2 %. All values 0: step 1.
Grid SymmetricGrid(std::span<const float> values, int bits, const RangeOptions& options);

/// An observation of `values` themselves, none left out.
Observation Observe(std::span<const float> values);

}  // namespace macloom::quantize
