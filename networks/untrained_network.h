// A keyword spotting network of the usual shape that nobody trained: for runs without a model file.
#pragma once

#include <cstdint>

#include "ir/graph.h"

namespace macloom::networks {

/// The DS-CNN of MLPerf Tiny keyword spotting with pseudo-random int8 weights.
///
/// Input [49, 10, 1], scale 0.584702909, zero point 83. Then
///   CONV_2D 10x4, stride 2, pads 4/5/1/1, 64 channels -> [25, 5, 64]
///   4 x (DEPTHWISE_CONV_2D 3x3, pads 1; CONV_2D 1x1, 64 channels)
///   AVERAGE_POOL_2D 25x5 -> RESHAPE -> FULLY_CONNECTED 12 -> SOFTMAX.
/// Convolutions have RELU, output zero point -128, and a weight scale per channel; the fully
/// connected layer has one. Double rounding. 2,656,768 MACs, 22,604 weights and biases.
///
/// The quantization is plausible: layer by layer the network so far runs on seeded random inputs;
/// per channel, bias and weight scale give the sums a drawn mean and spread (as folded batch
/// normalisation does), and the output scale puts the 99.9 % quantile at the largest code. It
/// predicts nothing, and says so: is_untrained is true.
///
/// Equal seeds give equal digests. The arithmetic is integers and IEEE doubles with sqrt, frexp and
/// rounding only, so the C library does not matter; a compiler that fuses multiplications and
/// additions may give other, equally plausible scales. The graph passes ir::Verify().
ir::Graph MakeUntrainedKwsNetwork(uint64_t seed = 1);

}  // namespace macloom::networks
