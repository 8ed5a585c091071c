// What the multipliers of an accelerator see while a network runs.
#pragma once

#include <cstdint>
#include <span>

#include "cost/operand_trace.h"
#include "ir/graph.h"

namespace macloom::flow {

/// Operands of `graph` on `inputs` for a unit of `spec`.
///
/// Each stream works through sums drawn at random: a CONV_2D or FULLY_CONNECTED layer by its share
/// of the MACs, a sample, an output position and a channel. A sum takes its taps in the order (kh,
/// kw, ic), `spec.lanes` per cycle, the last step filled up with weights of 0; padding is the code
/// of 0. A row has as many sums under way as accumulators, at neighbouring positions of one
/// channel, and keeps the weights while it goes through them. Depthwise layers are left out: they
/// use one lane per accumulator.
///
/// @pre `inputs` is not empty and fits the graph.
/// @return kUnsupported if no layer has signed codes of the unit's format; golden's errors.
Result<cost::OperandTrace> NetworkOperands(const ir::Graph& graph,
                                           std::span<const ir::TensorValue> inputs,
                                           const cost::MacSpec& spec, int cycles, uint64_t seed);

}  // namespace macloom::flow
