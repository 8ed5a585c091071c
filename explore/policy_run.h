// Accumulators that no RTL has: two registers, sorted products, one clamp at the end, dropped bits.
#pragma once

#include <vector>

#include "explore/accum_result.h"
#include "golden/reference/executor.h"
#include "golden/reference/summation.h"

namespace macloom::explore {

/// Steps whose sum the inner register of kTwoLevel holds.
inline constexpr int64_t kInnerSteps = 16;
inline constexpr int kOuterBits = 32;
inline constexpr int kMaxDroppedBits = 8;

struct PolicySetting {
  Policy policy = Policy::kSaturateAtEnd;
  int width_bits = 16;  ///< P, 2..62.
  int parameter = 0;    ///< As SweepPoint::parameter.
};

/// One window. `products` in hardware order, `step_ends` as in golden::StepOrder; sat_P clamps to
/// [-2^(P-1), 2^(P-1) - 1]; an event is one clamp that changes its value.
///   kSaturateAtEnd  sat_P(start + all products)
///   kTwoLevel       outer = sat_Q(start); for each tile of kInnerSteps steps: inner = 0, inner =
///                   sat_P(inner + step sum) step by step, then outer = sat_Q(outer + inner);
///                   Q = parameter
///   kSorted         acc = sat_P(start); then one product at a time, the largest remaining one of
///                   the sign opposite to acc's (0 counts as positive), of what remains if there is
///                   none: acc = sat_P(acc + product)
///   kDroppedBits    acc = sat_P(floor(start / 2^d)), acc = sat_P(acc + floor(step sum / 2^d)),
///                   result acc * 2^d; d = parameter
golden::WindowSum PolicySum(const PolicySetting& setting, int64_t start,
                            const std::vector<int64_t>& products,
                            const std::vector<int64_t>& step_ends);

struct PolicyBatch {
  std::vector<ir::TensorValue> outputs;
  std::vector<golden::LayerEvents> events;  ///< By node, summed over the samples.
};

/// Runs `graph` with every accumulator under `setting`; order and steps as `accumulation`.
/// @return golden's error for the first unfit input.
Result<PolicyBatch> RunPolicy(const ir::Graph& graph,
                              const std::vector<ir::Accumulation>& accumulation,
                              const PolicySetting& setting,
                              const std::vector<ir::TensorValue>& inputs);

}  // namespace macloom::explore
