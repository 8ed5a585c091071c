#include "ir/requantization.h"

#include <fmt/format.h>

#include <cmath>

namespace macloom::ir {

Result<FixedPointMultiplier> QuantizeMultiplier(double real, Rounding rounding) {
  if (!std::isfinite(real) || real <= 0) {
    return InvalidInput(
        fmt::format("requantization scale is {}; accepted are finite values above 0", real));
  }
  int shift = 0;
  const double fraction = std::frexp(real, &shift);
  // 53 significant bits: fraction * 2^31 is exact, std::round rounds halves away from zero.
  int64_t multiplier = static_cast<int64_t>(std::round(fraction * 2147483648.0));
  if (multiplier == (int64_t{1} << 31)) {
    multiplier /= 2;
    ++shift;
  }
  if (shift < -31) return FixedPointMultiplier{0, 0};
  if (shift > 30) {
    if (rounding == Rounding::kSingle) return FixedPointMultiplier{2147483647, 30};
    return InvalidInput(fmt::format(
        "requantization scale is {}; accepted are values below 2^30 with double rounding", real));
  }
  return FixedPointMultiplier{static_cast<int32_t>(multiplier), shift};
}

std::string ToString(RequantizationKind kind) {
  switch (kind) {
    case RequantizationKind::kNone:
      return "none";
    case RequantizationKind::kShift:
      return "shift";
    case RequantizationKind::kMultiplierDouble:
      return "multiplier-double";
    case RequantizationKind::kMultiplierSingle:
      return "multiplier-single";
    case RequantizationKind::kMultiplyAddDivide:
      return "multiply-add-divide";
    case RequantizationKind::kToMinifloat:
      return "to-minifloat";
    case RequantizationKind::kMean:
      return "mean";
  }
  return "unknown";
}

}  // namespace macloom::ir
