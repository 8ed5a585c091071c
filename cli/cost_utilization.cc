#include <algorithm>

#include "cli/cost_options.h"
#include "flow/estimate.h"

namespace macloom::cli {

Result<double> Utilization(const ir::Graph& graph, arch::HardwareConfig config, bool& is_of_32x31) {
  for (is_of_32x31 = false;; is_of_32x31 = true) {
    arch::CompileOptions compile;
    compile.overflow = config.accumulator_policy == arch::AccumulatorPolicy::kSaturate
                           ? ir::Overflow::kSaturate
                           : ir::Overflow::kWrap;
    const Result<flow::Estimate> estimate = flow::EstimateNetwork(graph, config, compile, {});
    if (estimate.ok()) {
      return static_cast<double>(estimate->total.macs) /
             (static_cast<double>(config.rows * config.lanes) *
              static_cast<double>(estimate->total.counts.total_cycles));
    }
    if (is_of_32x31) return estimate.error();
    config.requant_kind = arch::RequantKind::k32x31;
    config.accumulator_bits = std::max(config.accumulator_bits, 24);
  }
}

}  // namespace macloom::cli
