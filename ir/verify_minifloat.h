// The part of Verify() that concerns minifloats.
#pragma once

#include <string>

#include "ir/graph.h"

namespace macloom::ir {

/// True if an input, the output or the weights of `node` are minifloats.
bool TouchesMinifloats(const Graph& graph, const Node& node);

/// Whether codes of `format` may be operands: at most 8 bits, at most 5 exponent bits, a bias of
/// -32 to 32 (docs/numerics.md section 9.1). @pre A minifloat.
Status CheckOperandFormat(const NumberFormat& format);

/// Formats, requantization and clamp of a node that TouchesMinifloats(). Messages do not name the
/// node. @pre Operands and shapes of the node are verified.
Status VerifyMinifloatNode(const Graph& graph, const Node& node);

}  // namespace macloom::ir
