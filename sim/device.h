// What executes a job: one interface for the descriptor-level model and the simulated RTL.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arch/cycle_counts.h"
#include "arch/job.h"

namespace macloom::sim {

/// Counters between two completions: differences of completion records. Cycles unless noted.
/// total = busy + stalls + idle holds in every RTL run and is checked there.
struct StepCounters : arch::CycleCounts {
  int64_t macs = 0;
  int64_t overflow_events = 0, clamped_low = 0, clamped_high = 0;
  StepCounters& operator+=(const StepCounters& other);
};

struct StepResult {
  uint32_t tag = 0;
  StepCounters counters;   ///< Cycle counts are 0 on devices without time.
  int64_t done_cycle = 0;  ///< Cycle of completion since start.
};

/// One sample through a device.
struct DeviceRun {
  std::vector<ir::TensorValue> tensors;  ///< By TensorId; empty shape = not produced on the device.
  std::vector<StepResult> steps;         ///< In completion order.
  StepCounters total;
};

/// How external memory behaves. Latency is from request to first beat.
struct MemoryTiming {
  int latency_cycles = 20;
  bool random_stalls = false;  ///< Random ready/valid gaps and extra latency, from `seed`.
  double stall_probability = 0.2;
  int max_extra_latency_cycles = 60;
  uint64_t seed = 1;
  static MemoryTiming Ideal() { return {}; }
  static MemoryTiming Random(uint64_t seed) {
    MemoryTiming timing;
    timing.random_stalls = true;
    timing.seed = seed;
    return timing;
  }
};

/// A write to the activation memory that a device observed (for naming the cycle of a mismatch).
struct WriteEvent {
  int64_t cycle = 0;
  uint32_t tag = 0;  ///< Step in progress.
};

class Device {
 public:
  virtual ~Device() = default;
  virtual std::string name() const = 0;
  /// Runs one sample. @return kCheckFailed if the device hangs, reports an error, or its counters
  /// do not close.
  virtual Result<DeviceRun> Run(const arch::Job& job, const ir::TensorValue& input) = 0;
  /// Last write to byte `lane` of activation word `address` before step `tag` completed, in the
  /// most recent Run(); cycle -1 if the device keeps no time.
  virtual WriteEvent LastWrite(int64_t address, int lane, uint32_t tag) const = 0;
  /// Cycle in which the most recent Run() ended, with an error too; -1 if the device keeps no time.
  virtual int64_t EndCycle() const { return -1; }
};

/// Makes the device of a configuration, e.g. MakeVerilatedDevice(), or one with a known fault.
using DeviceFactory = std::function<Result<std::unique_ptr<Device>>(const arch::HardwareConfig&,
                                                                    const MemoryTiming&)>;

}  // namespace macloom::sim
