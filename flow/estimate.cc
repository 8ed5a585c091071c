#include "flow/estimate.h"

#include <map>

namespace macloom::flow {

Result<Estimate> EstimateNetwork(const ir::Graph& graph, const arch::HardwareConfig& config,
                                 const arch::CompileOptions& compile,
                                 const arch::MemoryModel& memory) {
  Estimate estimate;
  MACLOOM_ASSIGN_OR_RETURN(estimate.job, arch::Compile(graph, config, compile));
  MACLOOM_ASSIGN_OR_RETURN(const arch::CycleEstimate cycles,
                           arch::EstimateCycles(estimate.job, memory));
  std::map<int, EstimateLayer> layers;
  for (size_t i = 0; i < estimate.job.steps.size(); ++i) {
    const arch::JobStep& step = estimate.job.steps[i];
    EstimateLayer& layer = step.node < 0 ? estimate.transfers : layers[step.node];
    layer.node = step.node;
    for (EstimateLayer* sum : {&layer, &estimate.total}) {
      sum->counts += cycles.steps[i];
      sum->macs += step.useful_macs;
      sum->ideal_cycles += step.ideal_cycles;
    }
  }
  for (const auto& [node, layer] : layers) estimate.layers.push_back(layer);
  estimate.total.counts = cycles.total;
  return estimate;
}

}  // namespace macloom::flow
