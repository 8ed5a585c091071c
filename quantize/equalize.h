// Cross-layer equalization: channels of equal range without changing the function.
#pragma once

#include "ir/float_graph.h"

namespace macloom::quantize {

/// Equalizes the weight ranges of neighbouring layers (Nagel et al., "Data-Free Quantization
/// Through Weight Equalization and Bias Correction", 2019; AIMET's rules).
///
/// For two nodes with weights of which the second alone reads the first, channel i of the tensor
/// between them, r1 and r2 the largest |weight| at it:
///   s_i = sqrt(r1_i / r2_i);  w1_i /= s_i, b1_i /= s_i;  w2_i *= s_i
/// and for convolution, depthwise (multiplier 1), convolution:
///   s12_i = r1 / cbrt(r1 r2 r3),  s23_i = cbrt(r1 r2 r3) / r3
/// A channel with a range of 0 keeps its scale. The clamp between the layers must be none or from
/// 0; a finite upper limit is taken away first (ReLU6 becomes ReLU), which may change the function.
/// @pre ir::Verify(graph) succeeds; batch normalization is folded.
/// @return number of pairs and triples equalized.
int EqualizeCrossLayer(ir::FloatGraph& graph);

}  // namespace macloom::quantize
