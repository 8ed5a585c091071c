#include "golden/reference/minifloat_requantize.h"

#include <limits>

#include "base/check.h"

namespace macloom::golden {

Requantized RoundAndClamp(const ExtendedReal& v, const ir::NumberFormat& format,
                          const ir::Requantization& requantization) {
  MACLOOM_CHECK(v.float_class != FloatClass::kNan);
  const auto with_sign = [](int64_t magnitude, bool is_negative) {
    return is_negative ? -magnitude : magnitude;
  };
  // Code magnitudes rise with the values, also above the largest finite code.
  const int64_t magnitude = v.float_class == FloatClass::kInfinity
                                ? std::numeric_limits<int64_t>::max()
                                : RoundMagnitude(format, v.value).code;
  const int64_t rounded = with_sign(magnitude, v.is_negative);
  const auto limit = [&](int32_t code) {
    return with_sign(code & (format.SignBit() - 1), (code & format.SignBit()) != 0);
  };
  if (rounded < limit(requantization.clamp_min)) return {requantization.clamp_min, true, false};
  if (rounded > limit(requantization.clamp_max)) return {requantization.clamp_max, false, true};
  const int64_t sign = rounded < 0 ? format.SignBit() : 0;
  return {static_cast<int32_t>(sign | magnitude), false, false};
}

Requantized RequantizeToMinifloat(const ExtendedReal& accumulator, const ir::NumberFormat& format,
                                  const ir::Requantization& requantization, int64_t channel,
                                  int64_t num_positions) {
  ExtendedReal scaled = accumulator;
  if (requantization.kind == ir::RequantizationKind::kMean) {
    scaled.value = accumulator.value.DividedBy(static_cast<uint32_t>(num_positions));
  } else {
    MACLOOM_CHECK(requantization.kind == ir::RequantizationKind::kToMinifloat);
    scaled.value = accumulator.value.ScaledBy(requantization.ForChannel(channel).shift);
  }
  return RoundAndClamp(scaled, format, requantization);
}

}  // namespace macloom::golden
