// A network in the operators that the accelerator has.
#pragma once

#include "ir/graph.h"

namespace macloom::arch {

/// Rewrites nodes one to one; tensors, names and order stay. Same values in every tensor and, in
/// the orders of accumulation that the compiler chooses, the same accumulator events.
///
///   dilation of a padded axis, or of        -> kernel of (k-1)*d+1, zero weights between the taps
///   DEPTHWISE_CONV_2D
///   DEPTHWISE_CONV_2D, multiplier above 1   -> CONV_2D whose weights are zero but for the output
///   on several channels                        channel's own input channel
///
/// Dilation without padding stays: CONV_2D reads every d-th pixel.
/// @return kUnsupported if the weights of a node would have more than 2^26 elements.
Result<ir::Graph> Canonical(const ir::Graph& graph);

}  // namespace macloom::arch
