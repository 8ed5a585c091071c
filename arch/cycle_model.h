// How long a compiled job takes: cycles per step and where they go, without data and without RTL.
#pragma once

#include <cstdint>
#include <vector>

#include "arch/cycle_counts.h"
#include "arch/job.h"

namespace macloom::arch {

/// External memory as the model sees it: the first beat of a read burst follows its accepted
/// address by `latency_cycles` plus a uniform 0..`max_extra_latency_cycles`; with
/// `stall_probability` a channel is not ready (a beat or response not valid) in a cycle.
struct MemoryModel {
  int latency_cycles = 20;           ///< At least 1.
  double stall_probability = 0;      ///< In [0, 1).
  int max_extra_latency_cycles = 0;  ///< At least 0.
  uint64_t seed = 1;                 ///< Of the stalls; without stalls nothing is random.
};

struct CycleEstimate {
  std::vector<CycleCounts> steps;  ///< By index into Job::steps; what the record of the step tells.
  CycleCounts total;               ///< Over all steps; write beats with the last record.
};

/// Predicts the counters of one run of `job`.
///
/// The state of every unit that decides about time (sequencer, DMA channels, weight ring,
/// parameter sets, feeders, im2col, drain, lanes) is advanced; no operand is touched, so the answer
/// holds for every input. Without stalls every counter of every step equals the RTL's
/// (tests/e2e/cycle_model_test.cc); with stalls it is one draw of the same distribution.
///
/// @return kInvalidInput for a memory outside the ranges above; kCheckFailed, naming step and
///         cycle, if the job waits for something that never comes.
Result<CycleEstimate> EstimateCycles(const Job& job, const MemoryModel& memory = {});

}  // namespace macloom::arch
