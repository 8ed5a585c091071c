// Grids of activation tensors, and of weights as far as they limit them.
#pragma once

#include <vector>

#include "quantize/prepare.h"
#include "quantize/weight_grids.h"

namespace macloom::quantize {

/// The codes of one activation tensor.
struct TensorGrid {
  int bits = 8;
  int fraction_bits = 0;  ///< Powers of two only: step = 2^-fraction_bits.
  Grid grid;
};

/// By tensor: the first of the tensors that share its codes, by MAX_POOL_2D, RESHAPE,
/// CONCATENATION, PAD, and with affine scales AVERAGE_POOL_2D.
std::vector<size_t> GroupsOfEqualCodes(const ir::FloatGraph& graph, Scales scales);

/// One grid per tensor, by TensorId. Tensors that share codes (MAX_POOL_2D, RESHAPE, CONCATENATION,
/// PAD, and affine AVERAGE_POOL_2D) share a grid that covers all of them.
///
/// An output is never finer than its node's products, so that nothing is shifted left: its step
/// grows to the largest s_in s_w; with powers of two also to the operands of ADD and the sums of
/// AVERAGE_POOL_2D.
/// @param weights  by node; empty grids for nodes without weights.
std::vector<TensorGrid> ChooseTensorGrids(const PreparedNetwork& network,
                                          const std::vector<Observation>& observations,
                                          const std::vector<WeightGrids>& weights,
                                          const PostTrainingOptions& options);

}  // namespace macloom::quantize
