// Grids of a node's weights.
#pragma once

#include <vector>

#include "quantize/prepare.h"

namespace macloom::quantize {

/// Grids of one node's weights: one, or one per output channel.
struct WeightGrids {
  std::vector<Grid> grids;
  std::vector<int> fraction_bits;  ///< As many; powers of two only.

  size_t IndexOf(int64_t channel) const {
    return grids.size() == 1 ? 0 : static_cast<size_t>(channel);
  }
  const Grid& ForChannel(int64_t channel) const { return grids[IndexOf(channel)]; }
  /// The next coarser grid: 2 times (powers of two) or 2^(1/4) times the step.
  void Coarsen(size_t index);
};

/// Weights of node `n` as they are quantized: divided by the gain of the node's input.
std::vector<float> WeightsOf(const PreparedNetwork& network, size_t n);

/// Grids of WeightsOf(network, n) for the options' widths, ranges and scales.
/// @pre The node has weights.
WeightGrids ChooseWeightGrids(const PreparedNetwork& network, size_t n,
                              const PostTrainingOptions& options);

}  // namespace macloom::quantize
