#include "importers/onnx/step_function.h"

#include <algorithm>
#include <cmath>

namespace macloom::importers::onnx {
namespace {

using Wide = __int128;

Wide FloorDivide(Wide a, Wide b) {
  const Wide quotient = a / b;
  return a % b < 0 ? quotient - 1 : quotient;
}

/// First x in low..high with code >= `code`, walking up (or down for a falling function); high + 1
/// if there is none. `at` maps a position 0..n-1 of the walk to x.
template <typename At>
int64_t FirstPosition(const StepFunction& function, At at, int64_t count, int64_t code) {
  int64_t first = 0;
  int64_t last = count;
  while (first < last) {
    const int64_t middle = first + (last - first) / 2;
    if (function.code_of(at(middle)) >= code) {
      last = middle;
    } else {
      first = middle + 1;
    }
  }
  return first;
}

}  // namespace

std::optional<MultiplyAdd> FitMultiplyAdd(const StepFunction& function, int64_t divisor,
                                          int64_t clamp_min, int64_t clamp_max) {
  const bool is_falling = function.slope < 0;
  const int64_t count = function.high - function.low + 1;
  const auto at = [&](int64_t position) {
    return is_falling ? function.high - position : function.low + position;
  };
  struct Threshold {
    int64_t x_before, x_from, code;  // Codes below `code` up to x_before, from x_from on not.
    bool has_before, has_from;
  };
  std::vector<Threshold> thresholds;
  for (int64_t code = clamp_min + 1; code <= clamp_max; ++code) {
    const int64_t position = FirstPosition(function, at, count, code);
    thresholds.push_back({position > 0 ? at(position - 1) : 0, position < count ? at(position) : 0,
                          code, position > 0, position < count});
  }
  const double ideal = function.slope * static_cast<double>(divisor);
  constexpr double kMaxMultiplier = 2147483647.0;
  if (!std::isfinite(ideal) || std::fabs(ideal) > kMaxMultiplier) return std::nullopt;
  const double ideal_addend = function.offset * static_cast<double>(divisor);
  constexpr double kMaxAddend = 2305843009213693952.0;  // 2^61
  const auto nearest = static_cast<int64_t>(std::llround(ideal));
  for (const int64_t distance : {0, 1, -1, 2, -2, 3, -3, 4, -4}) {
    const int64_t m = nearest + distance;
    if (m < INT32_MIN || m > INT32_MAX) continue;
    // m*x + b >= code*d at x_from, < code*d at x_before: an interval of b per threshold.
    Wide low = -static_cast<Wide>(kMaxAddend);
    Wide high = static_cast<Wide>(kMaxAddend);
    for (const Threshold& threshold : thresholds) {
      const Wide limit = static_cast<Wide>(threshold.code) * divisor;
      if (threshold.has_from) low = std::max(low, limit - static_cast<Wide>(m) * threshold.x_from);
      if (threshold.has_before) {
        high = std::min(high, limit - static_cast<Wide>(m) * threshold.x_before - 1);
      }
    }
    if (low > high) continue;
    const Wide wanted = std::fabs(ideal_addend) < kMaxAddend ? static_cast<Wide>(ideal_addend)
                                                             : FloorDivide(low + high, 2);
    return MultiplyAdd{static_cast<int32_t>(m),
                       static_cast<int64_t>(std::clamp(wanted, low, high))};
  }
  return std::nullopt;
}

}  // namespace macloom::importers::onnx
