// Channel ranges of neighbouring layers made alike before they are quantized.
#pragma once

#include <vector>

#include "train/qat/model.h"

namespace macloom::train {

/// Moves a gain per channel from every ReLU layer to the next layer with weights:
///   w1[c] / s_c, b1[c] / s_c, y[c] / s_c, w2[:, c] * s_c;
/// ReLU is positively homogeneous, so the network stays the same function. With d the deviation of
/// log2(largest magnitude) of a channel from its layer's mean, log2 s_c = (d_w1 + d_y - d_w2) / 3
/// is the least squares choice for the three ranges; ten rounds over all layers. One range per
/// tensor then loses less (after Nagel et al., "Data-free quantization through weight
/// equalization", arXiv 1906.04721, which balances the weights alone).
/// @param outputs  every layer's output on calibration clips (ForwardFloat()); scaled along.
void EqualizeChannels(Model& folded, std::vector<Tensor>& outputs);

}  // namespace macloom::train
