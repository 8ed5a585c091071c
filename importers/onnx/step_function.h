// Integer requantizations equal to a rounding of real numbers on a range of accumulators.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/result.h"

namespace macloom::importers::onnx {

/// x -> code, monotone in x, on the integers low..high.
struct StepFunction {
  std::function<int64_t(int64_t)> code_of;
  double slope = 0;   ///< code_of(x) is about slope * x + offset, before rounding and clamp.
  double offset = 0;  ///< Rounding constant included.
  int64_t low = 0;
  int64_t high = 0;
};

/// Multiplier and addend of one channel.
struct MultiplyAdd {
  int32_t multiplier = 0;
  int64_t addend = 0;
};

/// (m, b) with clamp(floor((m*x + b) / d), min, max) = code_of(x) for every x in low..high, or
/// nothing if no m near slope * d has one. Every threshold of the function is checked.
std::optional<MultiplyAdd> FitMultiplyAdd(const StepFunction& function, int64_t divisor,
                                          int64_t clamp_min, int64_t clamp_max);

}  // namespace macloom::importers::onnx
