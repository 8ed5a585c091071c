// A network in the operators that the accelerator has.
#pragma once

#include "ir/graph.h"

namespace macloom::arch {

/// Rewrites nodes one to one; tensors, names and order stay. Same values in every tensor and, in
/// the orders of accumulation that the compiler chooses, the same accumulator events.
///
///   dilation                                  -> kernel of (k-1)*d+1 with zero weights between
///   DEPTHWISE_CONV_2D, multiplier above 1     -> CONV_2D whose weights are zero but for the output
///   on several channels                          channel's own input channel
/// @return kUnsupported if the weights of a node would have more than 2^26 elements.
Result<ir::Graph> Canonical(const ir::Graph& graph);

}  // namespace macloom::arch
