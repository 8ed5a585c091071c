#include "golden/reference/summation.h"

#include "golden/reference/accumulator.h"

namespace macloom::golden {
namespace {

constexpr int kExactBits = 64;

}  // namespace

Summation::Summation(const ir::Accumulation& accumulation, const WindowExtent& extent)
    : accumulation_(accumulation), extent_(extent) {
  if (accumulation.width_bits != kExactBits) order_ = MakeStepOrder(accumulation, extent);
}

WindowSum Summation::Run(int64_t start, Strided<int32_t> codes, Strided<int64_t> weights) const {
  WindowSum sum{0, start, 0};
  for (int64_t i = 0; i < extent_.num_positions(); ++i) sum.exact += codes[i] * weights[i];
  if (accumulation_.width_bits == kExactBits) {
    sum.accumulator = sum.exact;
    return sum;
  }
  Accumulator accumulator(accumulation_.width_bits, accumulation_.overflow, start);
  int64_t next = 0;
  for (const int64_t step_end : order_.step_ends) {
    int64_t step_sum = 0;
    for (; next < step_end; ++next) {
      const int64_t i = order_.positions[static_cast<size_t>(next)];
      step_sum += codes[i] * weights[i];
    }
    accumulator.Step(step_sum);
  }
  sum.accumulator = accumulator.value();
  sum.num_events = accumulator.num_events();
  return sum;
}

}  // namespace macloom::golden
