#include "sim/device.h"

namespace macloom::sim {

StepCounters& StepCounters::operator+=(const StepCounters& other) {
  arch::CycleCounts::operator+=(other);
  macs += other.macs;
  overflow_events += other.overflow_events;
  clamped_low += other.clamped_low;
  clamped_high += other.clamped_high;
  return *this;
}

}  // namespace macloom::sim
