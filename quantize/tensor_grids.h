// Grids of activation tensors, and of weights as far as they limit them.
#pragma once

#include <vector>

#include "quantize/prepare.h"

namespace macloom::quantize {

/// The codes of one activation tensor.
struct TensorGrid {
  int bits = 8;
  int fraction_bits = 0;  ///< Powers of two only: step = 2^-fraction_bits.
  Grid grid;
};

/// One grid per tensor, by TensorId. Tensors that share codes (MAX_POOL_2D, RESHAPE, CONCATENATION,
/// PAD, and affine AVERAGE_POOL_2D) share a grid that covers all of them.
///
/// With powers of two an output is never finer than its node's products, operands or sums: its
/// fraction bits fall until every shift is at least 0.
/// @param weight_fraction_bits  by node: the smallest of its weights; powers of two only.
std::vector<TensorGrid> ChooseTensorGrids(const PreparedNetwork& network,
                                          const std::vector<Observation>& observations,
                                          const std::vector<int>& weight_fraction_bits,
                                          const PostTrainingOptions& options);

}  // namespace macloom::quantize
