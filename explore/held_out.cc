#include "explore/held_out.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/rng.h"
#include "explore/evaluation.h"
#include "explore/sweep.h"

namespace macloom::explore {

Split SplitSamples(size_t count, double fraction, uint64_t seed) {
  MACLOOM_CHECK(count >= 2 && fraction > 0 && fraction < 1);
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  Rng rng(seed);
  for (size_t i = count - 1; i > 0; --i) {
    std::swap(order[i], order[static_cast<size_t>(rng.UniformInt(0, static_cast<int64_t>(i)))]);
  }
  const auto wanted = static_cast<size_t>(std::lround(fraction * static_cast<double>(count)));
  const auto middle =
      order.begin() + static_cast<std::ptrdiff_t>(std::clamp<size_t>(wanted, 1, count - 1));
  Split split{{order.begin(), middle}, {middle, order.end()}};
  std::sort(split.choose.begin(), split.choose.end());
  std::sort(split.judge.begin(), split.judge.end());
  return split;
}

Status JudgeRecommendations(const ir::Graph& graph,
                            const std::vector<ir::Accumulation>& accumulation,
                            const std::vector<ir::TensorValue>& inputs,
                            const std::vector<int>& labels, AccumResult& result) {
  MACLOOM_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluation::Create(graph, inputs, labels));
  SweepPoint exact;
  MACLOOM_RETURN_IF_ERROR(evaluation.JudgeExact(exact));
  for (Recommendation& recommendation : result.recommendations) {
    if (recommendation.width_bits == 0) continue;
    HeldOut held_out;
    held_out.exact_accuracy = exact.accuracy;
    MACLOOM_ASSIGN_OR_RETURN(held_out.point,
                             RunSweepPoint(evaluation, accumulation, inputs, result.layers,
                                           recommendation.width_bits, recommendation.policy, -1));
    recommendation.held_out = std::move(held_out);
  }
  return {};
}

}  // namespace macloom::explore
