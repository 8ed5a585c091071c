// Whole random graphs; every one passes ir::Verify().
#pragma once

#include <cstdio>

#include "stimulus/random_layer.h"

namespace macloom::stimulus {

/// Ends the program with Verify()'s message if `graph` is not a valid one.
ir::Graph Verified(ir::Graph graph);

/// A graph of one operator. ADD and CONCATENATION get their second operand from a 1x1 depthwise
/// convolution of the input, or, now and then, take the input twice.
ir::Graph RandomLayerGraph(Rng& rng, const LayerSpec& spec);

ir::Graph RandomConvGraph(Rng& rng, LayerSpec spec);
ir::Graph RandomDepthwiseGraph(Rng& rng, LayerSpec spec);
ir::Graph RandomFullyConnectedGraph(Rng& rng, LayerSpec spec);
ir::Graph RandomAveragePoolGraph(Rng& rng, LayerSpec spec);
ir::Graph RandomAddGraph(Rng& rng, LayerSpec spec);

/// A window that fits an image of height x width: kernel 1..5, stride 1..3, random padding.
ir::Window RandomWindow(Rng& rng, int64_t height, int64_t width);

/// Spreads the taps of `window` where the image leaves room.
void SetRandomDilation(Rng& rng, int64_t height, int64_t width, ir::Window& window);

/// Up to 3 pixels on each side.
ir::Window RandomPadding(Rng& rng);

/// Everything about a layer of `kind` drawn at random; small: at most 12 x 12 x 20 inputs.
LayerSpec RandomLayerSpec(Rng& rng, ir::OperatorKind kind);

struct ChainOptions {
  int num_layers = 4;           ///< Layers with windows; residual ADDs come on top.
  ir::Shape input = {9, 8, 3};  ///< Height, width, channels.
  double residual_probability = 0.3;
  bool has_classifier = true;  ///< End in RESHAPE, FULLY_CONNECTED and SOFTMAX.
  ir::RequantizationKind requantization = ir::RequantizationKind::kMultiplierDouble;
};

/// A few convolutions, depthwise convolutions, poolings and paddings in sequence, with residual
/// ADDs.
ir::Graph RandomChain(Rng& rng, const ChainOptions& options = {});

}  // namespace macloom::stimulus
