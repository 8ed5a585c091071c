// Execution of float networks: obvious loops, what calibration and accuracy figures rest on.
#pragma once

#include <vector>

#include "ir/float_graph.h"

namespace macloom::quantize {

/// Values of one sample, row-major.
using FloatValues = std::vector<float>;

struct FloatTrace {
  std::vector<FloatValues> tensors;  ///< By TensorId; the graph's input included.
  /// By node index: op(x) + bias, before batch normalization and clamp, output shape. Nodes with
  /// weights only, and only if asked for.
  std::vector<FloatValues> sums;
};

/// Runs `graph` on one input.
///
///   y = clamp(batch_norm(op(x) + bias)); sums, batch normalization and softmax in double, in the
///   order of the weights; y rounded once to float32.
/// Padding is 0 for convolutions; pooling leaves outside positions out and does not count them.
/// @pre ir::Verify(graph) succeeds.
/// @return kInvalidInput if `input` has another number of values than the graph's input, or one
///         that is not finite.
Result<FloatTrace> RunFloat(const ir::FloatGraph& graph, const FloatValues& input,
                            bool keep_sums = false);

}  // namespace macloom::quantize
