// Networks that reach what small random layers leave out of loom_accelerator and loom_core (m4l16).
#pragma once

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "stimulus/random_graph.h"

namespace macloom::testing {

/// One layer, per-channel multipliers.
inline ir::Graph LayerOf(Rng& rng, ir::OperatorKind kind, const ir::Shape& input, int64_t channels,
                         int kernel, int padding) {
  stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, kind);
  spec.input = input;
  spec.output_channels = channels;
  spec.depth_multiplier = 1;
  spec.window = {};
  spec.window.kernel_h = spec.window.kernel_w = kernel;
  spec.window.pad_top = spec.window.pad_bottom = padding;
  spec.window.pad_left = spec.window.pad_right = padding;
  spec.requantization = ir::RequantizationKind::kMultiplierDouble;
  spec.is_per_channel = true;
  return stimulus::RandomLayerGraph(rng, spec);
}

/// Appends a layer of 8-bit codes with a square window.
inline void Append(Rng& rng, ir::Graph& graph, ir::OperatorKind kind, int64_t channels, int kernel,
                   int padding) {
  stimulus::LayerSpec spec;
  spec.kind = kind;
  spec.output_channels = channels;
  spec.window = {kernel, kernel, 1, 1, padding, padding, padding, padding};
  stimulus::AppendLayer(rng, graph, spec, graph.output);
}

inline ir::Graph InputOf(const ir::Shape& shape) {
  stimulus::LayerSpec spec;
  spec.input = shape;
  return stimulus::StartGraph(spec);
}

/// A depthwise layer that gives its biases: every bit of a start value counts, in every lane.
inline ir::Graph BiasesOf(Rng& rng, const ir::Shape& input) {
  ir::Graph graph = InputOf(input);
  Append(rng, graph, ir::OperatorKind::kDepthwiseConv2d, 0, 1, 0);
  ir::Node& node = graph.nodes.back();
  std::ranges::fill(graph.constants[static_cast<size_t>(node.weights)].codes, 0);
  for (int64_t& bias : graph.constants[static_cast<size_t>(node.bias)].codes) {
    bias = rng.UniformInt(-128, 127);
  }
  node.requantization.zero_point = 0;
  std::ranges::fill(node.requantization.channels, stimulus::PairOf(1.0, node.requantization.kind));
  return stimulus::Verified(std::move(graph));
}

/// Layers whose weights do not fit the ring (512 rows): rows must be freed, in the right number,
/// while the layer runs, and after it.
inline std::vector<ir::Graph> RingNetworks(Rng& rng) {
  using enum ir::OperatorKind;
  // 12 blocks of 43 rows of weights.
  ir::Graph depthwise = InputOf({13, 13, 192});
  Append(rng, depthwise, kDepthwiseConv2d, 0, 13, 0);
  // 144 rows for the only group of the first layer, then 11 times 57 or more, read for three tiles
  // each.
  ir::Graph chain = InputOf({8, 8, 256});
  Append(rng, chain, kConv2d, 4, 3, 0);
  Append(rng, chain, kConv2d, 44, 15, 7);
  return {stimulus::Verified(std::move(depthwise)), stimulus::Verified(std::move(chain))};
}

/// Layers that reach the upper bits of addresses and counts, and all lanes of both parameter sets.
inline std::vector<ir::Graph> LargeNetworks(Rng& rng) {
  using enum ir::OperatorKind;
  std::vector<ir::Graph> graphs;
  for (int i = 0; i < 4; ++i) {
    graphs.push_back(LayerOf(rng, kDepthwiseConv2d, {14, 15, 47 + i}, 0, 3, 1));
  }
  graphs.push_back(LayerOf(rng, kConv2d, {17, 16, 3}, 72, 3, 1));
  graphs.push_back(LayerOf(rng, kAdd, {25, 31, 30}, 0, 1, 0));
  // More than 2^13 rows of weights in a group; more than 2^13 channels.
  graphs.push_back(LayerOf(rng, kConv2d, {1, 1, 144}, 8, 31, 15));
  graphs.push_back(LayerOf(rng, kFullyConnected, {1, 1, 16}, 8200, 1, 0));
  // 64 groups of four channels.
  graphs.push_back(LayerOf(rng, kFullyConnected, {1, 1, 16}, 256, 1, 0));
  graphs.push_back(BiasesOf(rng, {1, 2, 160}));
  std::ranges::move(RingNetworks(rng), std::back_inserter(graphs));
  return graphs;
}

}  // namespace macloom::testing
