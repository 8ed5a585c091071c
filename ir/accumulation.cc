#include "ir/accumulation.h"

#include <fmt/format.h>

namespace macloom::ir {
namespace {

const char* OrderName(AccumulationOrder order) {
  switch (order) {
    case AccumulationOrder::kBlockTap:
      return "block-tap";
    case AccumulationOrder::kFlatTap:
      return "flat-tap";
    case AccumulationOrder::kTapSerial:
      return "tap-serial";
    case AccumulationOrder::kTapSerialColumn:
      return "tap-serial-column";
  }
  return "unknown order";
}

bool IsTapSerial(AccumulationOrder order) {
  return order == AccumulationOrder::kTapSerial || order == AccumulationOrder::kTapSerialColumn;
}

const char* PolicyName(Overflow overflow) {
  switch (overflow) {
    case Overflow::kWrap:
      return "wrap";
    case Overflow::kSaturate:
      return "saturate";
    case Overflow::kInfinity:
      return "infinity";
  }
  return "unknown policy";
}

Status CheckRange(const char* what, int value, int low, int high) {
  if (value >= low && value <= high) return {};
  return InvalidInput(fmt::format("{} are {}; accepted are {} to {}", what, value, low, high));
}

Status CheckKind(const Accumulation& a) {
  const bool is_float = a.kind == AccumulationKind::kFloat;
  if (is_float ? a.overflow == Overflow::kWrap : a.overflow == Overflow::kInfinity) {
    return InvalidInput(fmt::format("overflow policy is {}; accepted by {} accumulators are {}",
                                    PolicyName(a.overflow), is_float ? "float" : "integer",
                                    is_float ? "infinity and saturate" : "wrap and saturate"));
  }
  const bool is_fixed = a.kind == AccumulationKind::kFixedPoint;
  MACLOOM_RETURN_IF_ERROR(
      CheckRange("dropped bits of the accumulator", a.dropped_bits, 0, is_fixed ? 63 : 0));
  MACLOOM_RETURN_IF_ERROR(CheckRange("alignment bits of the accumulator", a.alignment_bits,
                                     Accumulation::kNoAlignment,
                                     is_fixed ? 127 : Accumulation::kNoAlignment));
  MACLOOM_RETURN_IF_ERROR(CheckRange("exponent bits of the accumulator", a.exponent_bits,
                                     is_float ? 2 : 0, is_float ? 8 : 0));
  MACLOOM_RETURN_IF_ERROR(CheckRange("mantissa bits of the accumulator", a.mantissa_bits,
                                     is_float ? 1 : 0, is_float ? 23 : 0));
  if (is_float && a.width_bits != 1 + a.exponent_bits + a.mantissa_bits) {
    return InvalidInput(fmt::format("float accumulator width is {} bits; accepted is {}",
                                    a.width_bits, 1 + a.exponent_bits + a.mantissa_bits));
  }
  if (!is_float && (a.width_bits < 8 || a.width_bits > 80)) {
    return InvalidInput(
        fmt::format("accumulator width is {} bits; accepted are 8 to 80", a.width_bits));
  }
  return {};
}

}  // namespace

Status Validate(const Accumulation& accumulation) {
  MACLOOM_RETURN_IF_ERROR(CheckKind(accumulation));
  constexpr int kMaxProductsPerStep = 1 << 16;
  if (accumulation.products_per_step < 1 || accumulation.products_per_step > kMaxProductsPerStep) {
    return InvalidInput(fmt::format("products per step is {}; accepted are 1 to {}",
                                    accumulation.products_per_step, kMaxProductsPerStep));
  }
  if (IsTapSerial(accumulation.order) && accumulation.products_per_step != 1) {
    return InvalidInput(
        fmt::format("products per step is {} with order {}, which adds one tap per "
                    "step; accepted is 1",
                    accumulation.products_per_step, OrderName(accumulation.order)));
  }
  return {};
}

Accumulation Accumulation::FixedPoint(int width_bits, Overflow overflow, int products_per_step,
                                      AccumulationOrder order, int dropped_bits,
                                      int alignment_bits) {
  Accumulation accumulation{width_bits, overflow, products_per_step, order};
  accumulation.kind = AccumulationKind::kFixedPoint;
  accumulation.dropped_bits = dropped_bits;
  accumulation.alignment_bits = alignment_bits;
  return accumulation;
}

Accumulation Accumulation::Float(int exponent_bits, int mantissa_bits, Overflow overflow,
                                 int products_per_step, AccumulationOrder order) {
  Accumulation accumulation{1 + exponent_bits + mantissa_bits, overflow, products_per_step, order};
  accumulation.kind = AccumulationKind::kFloat;
  accumulation.exponent_bits = exponent_bits;
  accumulation.mantissa_bits = mantissa_bits;
  return accumulation;
}

std::string ToString(const Accumulation& accumulation) {
  std::string text = fmt::format("{}-bit", accumulation.width_bits);
  if (accumulation.kind == AccumulationKind::kFixedPoint) {
    text += " fixed point";
    if (accumulation.dropped_bits > 0) text += fmt::format(" -{}", accumulation.dropped_bits);
    if (accumulation.alignment_bits >= 0) {
      text += fmt::format(" aligned to {}", accumulation.alignment_bits);
    }
  } else if (accumulation.kind == AccumulationKind::kFloat) {
    text += fmt::format(" float e{}m{}", accumulation.exponent_bits, accumulation.mantissa_bits);
  }
  return fmt::format("{} {}, {} per step, {}", text, PolicyName(accumulation.overflow),
                     accumulation.products_per_step, OrderName(accumulation.order));
}

}  // namespace macloom::ir
