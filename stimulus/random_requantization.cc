#include "stimulus/random_requantization.h"

#include <algorithm>
#include <cmath>

namespace macloom::stimulus {

int32_t RandomMultiplier(Rng& rng) {
  if (rng.Bernoulli(0.1)) return int32_t{1} << 30;
  if (rng.Bernoulli(0.1)) return 2147483647;
  return static_cast<int32_t>(rng.UniformInt(int64_t{1} << 30, 2147483647));
}

ir::FixedPointMultiplier RandomPair(Rng& rng, ir::RequantizationKind kind,
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

void SetRandomClamp(Rng& rng, const ir::NumberFormat& format, ir::Requantization& target) {
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

}  // namespace macloom::stimulus
