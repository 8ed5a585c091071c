// Random requantization parameters that spread the outputs over their range, with corner cases.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/rng.h"
#include "ir/accumulator_range.h"
#include "ir/graph.h"

namespace macloom::testing {

/// A random multiplier in [2^30, 2^31 - 1], both ends favoured.
inline int32_t RandomMultiplier(Rng& rng) {
  if (rng.Bernoulli(0.1)) return int32_t{1} << 30;
  if (rng.Bernoulli(0.1)) return 2147483647;
  return static_cast<int32_t>(rng.UniformInt(int64_t{1} << 30, 2147483647));
}

/// Parameters for an accumulator in `range` onto `num_codes` output codes.
///
/// Mostly such that the accumulator's range covers 0.5 to 32 times the codes (typical sums reach a
/// fraction of their range, so the outputs spread, and sometimes saturate); now and then multiplier
/// 0, shift 0, shift -31, or the largest left shift that stays inside 32 bits.
inline ir::FixedPointMultiplier RandomPair(Rng& rng, ir::RequantizationKind kind,
                                           const ir::AccumulatorRange& range, int64_t num_codes) {
  const double reach = std::max(
      {1.0, std::abs(static_cast<double>(range.low)), std::abs(static_cast<double>(range.high))});
  const double gain =
      std::exp2(rng.UniformDouble() * 6 - 1) * static_cast<double>(num_codes) / reach;
  if (kind == ir::RequantizationKind::kShift) {
    if (rng.Bernoulli(0.05)) return {0, 0};
    if (rng.Bernoulli(0.05)) return {0, 31};
    return {0, std::clamp(static_cast<int>(std::lround(-std::log2(gain))), 0, 31)};
  }
  const int max_left_shift = std::clamp(32 - range.RequiredBits(), 0, 7);
  switch (rng.UniformInt(0, 39)) {
    case 0:
      return {0, 0};
    case 1:
      return {RandomMultiplier(rng), 0};
    case 2:
      return {RandomMultiplier(rng), -31};
    case 3:
      return {RandomMultiplier(rng), max_left_shift};
    case 4:
      return {RandomMultiplier(rng), static_cast<int32_t>(rng.UniformInt(-31, max_left_shift))};
    default:
      break;
  }
  const int exponent =
      std::clamp(static_cast<int>(std::floor(std::log2(gain))) + 1, -31, max_left_shift);
  return {RandomMultiplier(rng), exponent};
}

/// The clamp of a fused activation: whole range, ReLU, or a narrow band around the zero point.
inline void SetRandomClamp(Rng& rng, const ir::NumberFormat& format, ir::Requantization& target) {
  target.clamp_min = static_cast<int32_t>(format.MinCode());
  target.clamp_max = static_cast<int32_t>(format.MaxCode());
  const int64_t middle = std::clamp<int64_t>(target.zero_point, format.MinCode(), format.MaxCode());
  switch (rng.UniformInt(0, 4)) {
    case 0:
      target.clamp_min = static_cast<int32_t>(middle);
      break;
    case 1:
      target.clamp_min = static_cast<int32_t>(rng.UniformInt(format.MinCode(), middle));
      target.clamp_max = static_cast<int32_t>(rng.UniformInt(middle, format.MaxCode()));
      break;
    default:
      break;
  }
}

}  // namespace macloom::testing
