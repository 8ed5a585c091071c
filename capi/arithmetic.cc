// Single steps of the golden arithmetic, for test benches.
#include <fmt/format.h>

#include <limits>

#include "capi/boundary.h"
#include "golden/reference/accumulator.h"
#include "golden/reference/requantize.h"

namespace macloom::capi {
namespace {

Status Accumulate(int32_t width_bits, int32_t overflow, int64_t value, int64_t sum, int64_t* result,
                  int32_t* is_event) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(result, "result"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(is_event, "is_event"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(width_bits, 8, 64, "width_bits"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(overflow, MACLOOM_WRAP, MACLOOM_SATURATE, "overflow"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(value, golden::Accumulator::Min(width_bits),
                                     golden::Accumulator::Max(width_bits), "accumulator"));
  golden::Accumulator accumulator(
      width_bits, overflow == MACLOOM_SATURATE ? ir::Overflow::kSaturate : ir::Overflow::kWrap,
      value);
  accumulator.Step(sum);
  *result = accumulator.value();
  *is_event = accumulator.num_events() > 0;
  return {};
}

Status Requantize(int32_t kind, int64_t x, const ir::FixedPointMultiplier& pair, int32_t zero_point,
                  int32_t clamp_min, int32_t clamp_max, int32_t* code) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(code, "code"));
  MACLOOM_RETURN_IF_ERROR(
      CheckRange(kind, MACLOOM_REQUANTIZE_SHIFT, MACLOOM_REQUANTIZE_SINGLE, "kind"));
  if (kind == MACLOOM_REQUANTIZE_SHIFT) {
    MACLOOM_RETURN_IF_ERROR(CheckRange(x, -(int64_t{1} << 61), (int64_t{1} << 61) - 1, "x"));
    MACLOOM_RETURN_IF_ERROR(CheckRange(pair.multiplier, 0, 0, "multiplier"));
    MACLOOM_RETURN_IF_ERROR(CheckRange(pair.shift, 0, 31, "shift"));
  } else {
    MACLOOM_RETURN_IF_ERROR(CheckRange(x, std::numeric_limits<int32_t>::min(),
                                       std::numeric_limits<int32_t>::max(), "x"));
    if (pair.multiplier != 0) {
      MACLOOM_RETURN_IF_ERROR(CheckRange(pair.multiplier, int64_t{1} << 30,
                                         std::numeric_limits<int32_t>::max(), "multiplier"));
    }
    MACLOOM_RETURN_IF_ERROR(CheckRange(pair.shift, -31, 7, "shift"));
  }
  MACLOOM_RETURN_IF_ERROR(CheckRange(clamp_min, std::numeric_limits<int32_t>::min(), clamp_max,
                                     "clamp_min"));
  static constexpr ir::RequantizationKind kKinds[] = {ir::RequantizationKind::kShift,
                                                      ir::RequantizationKind::kMultiplierDouble,
                                                      ir::RequantizationKind::kMultiplierSingle};
  const ir::Requantization requantization = {
      .kind = kKinds[kind],
      .channels = {pair},
      .zero_point = zero_point,
      .clamp_min = clamp_min,
      .clamp_max = clamp_max};
  *code = golden::Requantize(x, requantization, 0, 1).code;
  return {};
}

}  // namespace
}  // namespace macloom::capi

extern "C" {

int macloom_accumulate(int32_t width_bits, int32_t overflow, int64_t accumulator, int64_t sum,
                       int64_t* result, int32_t* is_event) {
  return macloom::capi::AtBoundary([&] {
    return macloom::capi::Accumulate(width_bits, overflow, accumulator, sum, result, is_event);
  });
}

int macloom_requantize(int32_t kind, int64_t x, int32_t multiplier, int32_t shift,
                       int32_t zero_point, int32_t clamp_min, int32_t clamp_max, int32_t* code) {
  return macloom::capi::AtBoundary([&] {
    return macloom::capi::Requantize(kind, x, {multiplier, shift}, zero_point, clamp_min, clamp_max,
                                     code);
  });
}
}
