// The integer network from chosen grids.
#pragma once

#include "quantize/tensor_grids.h"
#include "quantize/weight_grids.h"

namespace macloom::quantize {

/// Integer network of `network` on the given grids; the same tensors and nodes by index.
///
///   weights  floor(w / s_w + 1/2);  bias  floor(b / (s_in s_w) + 1/2);  clamps likewise on s_out
///   powers of two: shift = n_in + n_w - n_out; affine: docs/numerics.md sections 4.1, 4.2
/// A channel (or layer, if its weights share a grid) whose accumulator certificate exceeds
/// `accumulator_bits`, whose shift exceeds 31, or whose multiplier needs more than 32 bits gets
/// coarser weights until all fit.
/// @param weights  by node; empty grids for nodes without weights.
/// @return the graph, verified; kInvalidInput naming the node whose accumulator stays too wide.
Result<ir::Graph> Emit(const PreparedNetwork& network, const std::vector<TensorGrid>& tensors,
                       std::vector<WeightGrids> weights, const PostTrainingOptions& options);

}  // namespace macloom::quantize
