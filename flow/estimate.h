// estimate = compile + cycle model: cycles and stalls per layer without simulating anything.
#pragma once

#include <vector>

#include "arch/cycle_model.h"
#include "arch/job.h"

namespace macloom::flow {

/// One node of the network that runs on the accelerator, or a sum.
struct EstimateLayer {
  int node = -1;
  arch::CycleCounts counts;
  int64_t macs = 0;          ///< Padding positions counted.
  int64_t ideal_cycles = 0;  ///< MACs / (rows * lanes).
};

struct Estimate {
  arch::Job job;
  std::vector<EstimateLayer> layers;
  EstimateLayer transfers;  ///< Loads and stores.
  EstimateLayer total;
};

/// @return errors of the compiler and of arch::EstimateCycles().
Result<Estimate> EstimateNetwork(const ir::Graph& graph, const arch::HardwareConfig& config,
                                 const arch::CompileOptions& compile,
                                 const arch::MemoryModel& memory);

}  // namespace macloom::flow
