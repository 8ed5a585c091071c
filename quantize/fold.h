// Batch normalization as part of the weights in front of it.
#pragma once

#include "ir/float_graph.h"

namespace macloom::quantize {

/// `graph` without batch normalization; what it computes is unchanged but for float32 rounding.
///
///   k_c = gamma_c / sqrt(variance_c + epsilon);  w' = w k_c;  b'_c = (b_c - mean_c) k_c + beta_c
/// computed in double and rounded once to float32; c = output channel. Constants that a node with
/// batch normalization uses are copied first, so that other users keep theirs; unused constants are
/// dropped.
/// @pre ir::Verify(graph) succeeds. @return kInvalidInput if a folded value leaves float32.
Result<ir::FloatGraph> FoldBatchNormalization(const ir::FloatGraph& graph);

/// Index of the output channel of element `i` of a weight tensor.
int64_t ChannelOfWeight(ir::OperatorKind kind, const ir::Shape& weights, int64_t i);

/// Removes constants that no node uses; keeps the order of the others.
void DropUnusedConstants(ir::FloatGraph& graph);

}  // namespace macloom::quantize
