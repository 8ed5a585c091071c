// The part of Verify() that concerns one node.
#pragma once

#include "ir/graph.h"

namespace macloom::ir {

/// Checks operands, window, shapes, requantization and accumulator of one node. Messages do not
/// name the node; Verify() does.
///
/// @pre node.inputs and node.output are valid tensor indices; tensors and constants are verified.
Status VerifyNode(const Graph& graph, const Node& node);
/// The part of it that holds for a network of any numbers: operands, window, shapes.
Status VerifyNodeShapes(const Graph& graph, const Node& node);

}  // namespace macloom::ir
