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

}  // namespace

Status Validate(const Accumulation& accumulation) {
  if (accumulation.width_bits < 8 || accumulation.width_bits > 80) {
    return InvalidInput(
        fmt::format("accumulator width is {} bits; accepted are 8 to 80", accumulation.width_bits));
  }
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

std::string ToString(const Accumulation& accumulation) {
  return fmt::format("{}-bit {}, {} per step, {}", accumulation.width_bits,
                     accumulation.overflow == Overflow::kWrap ? "wrap" : "saturate",
                     accumulation.products_per_step, OrderName(accumulation.order));
}

}  // namespace macloom::ir
