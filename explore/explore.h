// The accumulator explorer: how many bits a network's accumulators need, and what fewer do.
#pragma once

#include <vector>

#include "arch/config.h"
#include "explore/adversarial.h"
#include "explore/recommend.h"
#include "explore/sweep.h"

namespace macloom::explore {

struct ExploreOptions {
  SweepOptions sweep;
  RecommendOptions recommend;
  bool has_sweep = true;        ///< Otherwise certificates and observations only.
  bool has_adversarial = true;  ///< Make and check the adversarial inputs.
  /// Above 0: only this part of the samples, drawn by `split_seed`, is observed and swept; the
  /// recommendations are judged on the others (explore/held_out.h).
  double choose_fraction = 0;
  uint64_t split_seed = 1;
};

/// The accumulation of every node on `config`, by node index, as the mapper decides it.
/// @return the compiler's error.
Result<std::vector<ir::Accumulation>> HardwareAccumulation(const ir::Graph& graph,
                                                           const arch::HardwareConfig& config);

/// Everything of AccumResult. Without samples only certificates and adversarial inputs.
/// @param adversarial  Set to the inputs of every channel and both proved ranges, unless null.
/// @return errors of the compiler and of golden; kInvalidInput for a wrong number of labels, or for
/// a split of fewer than 2 samples.
Result<AccumResult> Explore(const ir::Graph& graph, const arch::HardwareConfig& config,
                            const std::vector<ir::TensorValue>& inputs,
                            const std::vector<int>& labels, const ExploreOptions& options,
                            std::vector<AdversarialInput>* adversarial = nullptr);

/// docs/accumulator.md, "JSON".
std::string ToJsonText(const std::vector<AccumResult>& results);

}  // namespace macloom::explore
