// Widths chosen on some samples and judged on the others.
#pragma once

#include <cstdint>
#include <vector>

#include "explore/accum_result.h"
#include "ir/graph.h"

namespace macloom::explore {

/// Sample numbers, each part ascending.
struct Split {
  std::vector<size_t> choose, judge;
};

/// A seeded random part of round(fraction * count) samples, at least 1, and the others, at least 1.
/// @pre count >= 2 and 0 < fraction < 1 (MACLOOM_CHECK).
Split SplitSamples(size_t count, double fraction, uint64_t seed);

/// Sets `held_out` of every recommendation with a width: the whole network at that width and policy
/// on `inputs`, which must not be those the width was chosen on.
/// @return golden's errors for unfit inputs.
Status JudgeRecommendations(const ir::Graph& graph,
                            const std::vector<ir::Accumulation>& accumulation,
                            const std::vector<ir::TensorValue>& inputs,
                            const std::vector<int>& labels, AccumResult& result);

}  // namespace macloom::explore
