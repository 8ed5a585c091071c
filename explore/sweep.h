// Width sweeps: what happens to a network when its accumulators get narrower.
#pragma once

#include <vector>

#include "explore/accum_result.h"
#include "explore/evaluation.h"

namespace macloom::explore {

inline constexpr int kMinSweepBits = 8, kMaxSweepBits = 32;

struct SweepOptions {
  int min_bits = kMinSweepBits, max_bits = kMaxSweepBits;
  bool has_layers = true;      ///< Also each layer alone, the others exact.
  int64_t policy_samples = 0;  ///< Samples of the policies without RTL; 0: none.
};

/// Clamps or wraps of one output of `layer`: the denominator of event rates. kSorted: one per
/// product and one for the start; kSaturateAtEnd: 1; kTwoLevel: steps, tiles and the start;
/// kDroppedBits: steps and the start; else the steps.
int64_t StepsPerOutput(const LayerCertificate& layer, Policy policy);

/// One point by a run of the body of `evaluation`: all layers at `width_bits` and `policy` (kWrap
/// or kSaturate), or only `node` and the others exact. `layers` get counts.
Result<SweepPoint> RunSweepPoint(const Evaluation& evaluation,
                                 const std::vector<ir::Accumulation>& accumulation,
                                 const std::vector<ir::TensorValue>& inputs,
                                 const std::vector<LayerCertificate>& layers, int width_bits,
                                 Policy policy, int node);

/// Fills sweep, layer_sweep, policy_sweep and saturating_inferences_per_second of `result`, whose
/// layers have been observed on the same `inputs`.
///
/// A width that no observed prefix or start value leaves is exact for these samples: the point is
/// filled in without a run. All other points run in golden/fast with the steps of `accumulation`. A
/// saturating accumulator narrower than a start value is not defined: the point carries golden's
/// refusal.
Status Sweep(const Evaluation& evaluation, const std::vector<ir::Accumulation>& accumulation,
             const std::vector<ir::TensorValue>& inputs, const SweepOptions& options,
             AccumResult& result);

}  // namespace macloom::explore
