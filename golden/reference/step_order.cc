#include "golden/reference/step_order.h"

#include <algorithm>

#include "base/check.h"

namespace macloom::golden {
namespace {

void AppendStep(StepOrder& order, int64_t first, int64_t last) {
  for (int64_t position = first; position < last; ++position) order.positions.push_back(position);
  order.step_ends.push_back(static_cast<int64_t>(order.positions.size()));
}

}  // namespace

StepOrder MakeStepOrder(const ir::Accumulation& accumulation, const WindowExtent& extent) {
  const int64_t per_step = accumulation.products_per_step;
  const auto [kernel_h, kernel_w, num_channels] = extent;
  StepOrder order;
  switch (accumulation.order) {
    case ir::AccumulationOrder::kBlockTap:
      for (int64_t c = 0; c < num_channels; c += per_step) {
        const int64_t block = std::min(per_step, num_channels - c);
        for (int64_t ky = 0; ky < kernel_h; ++ky) {
          for (int64_t kx = 0; kx < kernel_w; ++kx) {
            const int64_t first = (ky * kernel_w + kx) * num_channels + c;
            AppendStep(order, first, first + block);
          }
        }
      }
      break;
    case ir::AccumulationOrder::kFlatTap:
      for (int64_t i = 0; i < extent.num_positions(); i += per_step) {
        AppendStep(order, i, std::min(i + per_step, extent.num_positions()));
      }
      break;
    case ir::AccumulationOrder::kTapSerial:
      MACLOOM_CHECK(num_channels == 1);
      for (int64_t tap = 0; tap < kernel_h * kernel_w; ++tap) AppendStep(order, tap, tap + 1);
      break;
    case ir::AccumulationOrder::kTapSerialColumn:
      MACLOOM_CHECK(num_channels == 1);
      for (int64_t kx = 0; kx < kernel_w; ++kx) {
        for (int64_t ky = 0; ky < kernel_h; ++ky) {
          AppendStep(order, ky * kernel_w + kx, ky * kernel_w + kx + 1);
        }
      }
      break;
  }
  MACLOOM_CHECK(static_cast<int64_t>(order.positions.size()) == extent.num_positions());
  return order;
}

}  // namespace macloom::golden
