// Golden execution of a batch.
#pragma once

#include <optional>

#include "flow/samples.h"
#include "golden/reference/executor.h"

namespace macloom::flow {

struct RunResult {
  std::vector<golden::Trace> traces;  ///< One per sample; empty unless `keep_traces`.
  std::vector<ir::TensorValue> outputs;
  std::vector<int> predictions;             ///< Largest output, the smallest index among equals.
  std::vector<golden::LayerEvents> events;  ///< By node, summed over the samples.
  std::optional<int64_t> num_correct;       ///< With labels.
};

/// Which golden code executes; both give the same result.
enum class Executor { kFast, kReference };

/// Runs all samples with exact accumulators and progress on stderr.
Result<RunResult> RunBatch(const ir::Graph& graph, const Samples& samples,
                           const std::vector<int>& labels, bool keep_traces, Executor executor);

/// Probability of every class from an output: the values of a final SOFTMAX, otherwise
/// softmax(output), in binary64 on the values the codes stand for. For prints and thresholds.
std::vector<double> ClassScores(const ir::Graph& graph, const ir::TensorValue& output);

}  // namespace macloom::flow
