#include "golden/reference/node_run.h"

namespace macloom::golden {

LayerEvents& LayerEvents::operator+=(const LayerEvents& other) {
  overflow_events += other.overflow_events;
  overflowed_outputs += other.overflowed_outputs;
  wrong_outputs += other.wrong_outputs;
  clamped_low += other.clamped_low;
  clamped_high += other.clamped_high;
  return *this;
}

void NodeRun::Append(const Requantized& requantized) {
  output.codes.push_back(requantized.code);
  events.clamped_low += requantized.is_clamped_low ? 1 : 0;
  events.clamped_high += requantized.is_clamped_high ? 1 : 0;
}

void NodeRun::Append(const WindowSum& sum, const ir::Requantization& requantization,
                     int64_t channel, int64_t num_positions) {
  accumulators.push_back(sum.accumulator);
  events.overflow_events += sum.num_events;
  events.overflowed_outputs += sum.num_events > 0 ? 1 : 0;
  events.wrong_outputs += sum.accumulator != sum.exact ? 1 : 0;
  Append(Requantize(sum.accumulator, requantization, channel, num_positions));
}

}  // namespace macloom::golden
