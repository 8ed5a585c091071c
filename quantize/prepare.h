// A float network as the integer network will be: same tensors, same nodes.
#pragma once

#include <string>
#include <vector>

#include "quantize/post_training.h"

namespace macloom::quantize {

struct PreparedNetwork {
  ir::FloatGraph graph;
  std::vector<double> gains;  ///< As QuantizedNetwork::gains.
  std::vector<std::string> notes;
};

/// Folds batch normalization and takes off a last SOFTMAX. With `are_means_shifts` a mean of n
/// positions, n no power of two, becomes a sum and a shift if only nodes with weights read it
/// (RESHAPE, MAX_POOL_2D and PAD between), and else a depthwise convolution of weights 1/n.
Result<PreparedNetwork> Prepare(const ir::FloatGraph& graph, bool are_means_shifts);

}  // namespace macloom::quantize
