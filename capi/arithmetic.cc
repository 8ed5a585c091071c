// Single steps of the golden arithmetic, for test benches.
#include <algorithm>
#include <limits>
#include <vector>

#include "capi/boundary.h"
#include "golden/reference/accumulator.h"
#include "golden/reference/requantize.h"
#include "golden/reference/summation.h"

namespace macloom::capi {
namespace {

constexpr int64_t kInt32Min = std::numeric_limits<int32_t>::min();
constexpr int64_t kInt32Max = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxProducts = 65536;
constexpr int32_t kWidestStartBits = 63;  // Exact sums must fit 64.

ir::Overflow OverflowOf(int32_t overflow) {
  return overflow == MACLOOM_SATURATE ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
}

Status CheckHolds(int width_bits, int64_t value, const char* argument) {
  return CheckRange(value, golden::Accumulator::Min(width_bits),
                    golden::Accumulator::Max(width_bits), argument);
}

Status Accumulate(int32_t width_bits, int32_t overflow, int64_t value, int64_t sum, int64_t* result,
                  int32_t* is_event) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(result, "result"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(is_event, "is_event"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(width_bits, 8, 64, "width_bits"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(overflow, MACLOOM_WRAP, MACLOOM_SATURATE, "overflow"));
  MACLOOM_RETURN_IF_ERROR(CheckHolds(width_bits, value, "accumulator"));
  golden::Accumulator accumulator(width_bits, OverflowOf(overflow), value);
  accumulator.Step(sum);
  *result = accumulator.value();
  *is_event = accumulator.num_events() > 0;
  return {};
}

Status MacRow(int32_t width_bits, int32_t overflow, int32_t products_per_step, int64_t start,
              const int8_t* activations, const int8_t* weights, size_t num_products,
              int64_t* result, int64_t* num_events) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(activations, "activations"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(weights, "weights"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(result, "result"));
  MACLOOM_RETURN_IF_ERROR(CheckPointer(num_events, "num_events"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(width_bits, 8, MACLOOM_EXACT_BITS, "width_bits"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(overflow, MACLOOM_WRAP, MACLOOM_SATURATE, "overflow"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(products_per_step, 1, kMaxProducts, "products_per_step"));
  MACLOOM_RETURN_IF_ERROR(CheckHolds(std::min(width_bits, kWidestStartBits), start, "start"));
  MACLOOM_RETURN_IF_ERROR(CheckSize(num_products, 1, kMaxProducts, "num_products"));
  const std::vector<int32_t> codes(activations, activations + num_products);
  const std::vector<int64_t> wide_weights(weights, weights + num_products);
  const golden::WindowSum sum =
      golden::Summation(
          {width_bits, OverflowOf(overflow), products_per_step, ir::AccumulationOrder::kFlatTap},
          {1, 1, static_cast<int64_t>(num_products)})
          .Run(start, {codes.data()}, {wide_weights.data()});
  *result = sum.accumulator;
  *num_events = sum.num_events;
  return {};
}

Status CheckMultiplier(const ir::FixedPointMultiplier& pair, int64_t x) {
  MACLOOM_RETURN_IF_ERROR(CheckRange(x, kInt32Min, kInt32Max, "x"));
  if (pair.multiplier != 0) {
    MACLOOM_RETURN_IF_ERROR(CheckRange(pair.multiplier, int64_t{1} << 30, kInt32Max, "multiplier"));
  }
  return CheckRange(pair.shift, -31, 7, "shift");
}

Status CheckShift(const ir::FixedPointMultiplier& pair, int64_t x) {
  MACLOOM_RETURN_IF_ERROR(CheckHolds(62, x, "x"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(pair.multiplier, 0, 0, "multiplier"));
  return CheckRange(pair.shift, 0, 31, "shift");
}

Status Requantize(int32_t kind, int64_t x, const ir::FixedPointMultiplier& pair, int32_t zero_point,
                  int32_t clamp_min, int32_t clamp_max, int32_t* code) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(code, "code"));
  MACLOOM_RETURN_IF_ERROR(
      CheckRange(kind, MACLOOM_REQUANTIZE_SHIFT, MACLOOM_REQUANTIZE_SINGLE, "kind"));
  MACLOOM_RETURN_IF_ERROR(kind == MACLOOM_REQUANTIZE_SHIFT ? CheckShift(pair, x)
                                                           : CheckMultiplier(pair, x));
  MACLOOM_RETURN_IF_ERROR(CheckRange(clamp_min, kInt32Min, clamp_max, "clamp_min"));
  static constexpr ir::RequantizationKind kKinds[] = {ir::RequantizationKind::kShift,
                                                      ir::RequantizationKind::kMultiplierDouble,
                                                      ir::RequantizationKind::kMultiplierSingle};
  *code =
      golden::Requantize(x, {kKinds[kind], {pair}, zero_point, clamp_min, clamp_max}, 0, 1).code;
  return {};
}

Status RequantizeMean(int64_t x, int32_t num_positions, int32_t clamp_min, int32_t clamp_max,
                      int32_t* code) {
  MACLOOM_RETURN_IF_ERROR(CheckPointer(code, "code"));
  MACLOOM_RETURN_IF_ERROR(CheckHolds(62, x, "x"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(num_positions, 1, kInt32Max, "num_positions"));
  MACLOOM_RETURN_IF_ERROR(CheckRange(clamp_min, kInt32Min, clamp_max, "clamp_min"));
  *code = golden::Requantize(x, {ir::RequantizationKind::kMean, {}, 0, clamp_min, clamp_max}, 0,
                             num_positions)
              .code;
  return {};
}

}  // namespace
}  // namespace macloom::capi

using macloom::capi::AtBoundary;

extern "C" {

int macloom_accumulate(int32_t width_bits, int32_t overflow, int64_t accumulator, int64_t sum,
                       int64_t* result, int32_t* is_event) {
  return AtBoundary([&] {
    return macloom::capi::Accumulate(width_bits, overflow, accumulator, sum, result, is_event);
  });
}

int macloom_mac_row(int32_t width_bits, int32_t overflow, int32_t products_per_step, int64_t start,
                    const int8_t* activations, const int8_t* weights, size_t num_products,
                    int64_t* result, int64_t* num_events) {
  return AtBoundary([&] {
    return macloom::capi::MacRow(width_bits, overflow, products_per_step, start, activations,
                                 weights, num_products, result, num_events);
  });
}

int macloom_requantize(int32_t kind, int64_t x, int32_t multiplier, int32_t shift,
                       int32_t zero_point, int32_t clamp_min, int32_t clamp_max, int32_t* code) {
  return AtBoundary([&] {
    return macloom::capi::Requantize(kind, x, {multiplier, shift}, zero_point, clamp_min, clamp_max,
                                     code);
  });
}

int macloom_requantize_mean(int64_t x, int32_t num_positions, int32_t clamp_min, int32_t clamp_max,
                            int32_t* code) {
  return AtBoundary(
      [&] { return macloom::capi::RequantizeMean(x, num_positions, clamp_min, clamp_max, code); });
}
}
