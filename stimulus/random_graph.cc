#include "stimulus/random_graph.h"

#include <cstdio>
#include <utility>

#include "base/check.h"
#include "ir/shape_inference.h"

namespace macloom::stimulus {

ir::Graph Verified(ir::Graph graph) {
  const Status status = ir::Verify(graph);
  if (!status.ok()) std::fprintf(stderr, "random graph: %s\n", status.error().message.c_str());
  MACLOOM_CHECK(status.ok());
  return graph;
}

ir::Graph RandomLayerGraph(Rng& rng, const LayerSpec& spec) {
  ir::Graph graph = StartGraph(spec);
  ir::TensorId other = -1;
  const bool is_concatenation = spec.kind == ir::OperatorKind::kConcatenation;
  if (spec.kind == ir::OperatorKind::kAdd || is_concatenation) {
    other = graph.input;
    if (spec.input.size() == 3 && !rng.Bernoulli(0.1)) {
      LayerSpec operand = spec;
      operand.kind = ir::OperatorKind::kDepthwiseConv2d;
      operand.window = {};
      operand.depth_multiplier = 1;
      operand.output_zero_point = static_cast<int32_t>(
          rng.UniformInt(spec.output_format.MinCode(), spec.output_format.MaxCode()));
      if (is_concatenation) {
        operand.output_format = spec.input_format;
        operand.output_zero_point = spec.input_zero_point;
      }
      other = AppendLayer(rng, graph, operand, graph.input);
    }
  }
  AppendLayer(rng, graph, spec, graph.input, other);
  return Verified(std::move(graph));
}

ir::Graph RandomConvGraph(Rng& rng, LayerSpec spec) {
  spec.kind = ir::OperatorKind::kConv2d;
  return RandomLayerGraph(rng, spec);
}

ir::Graph RandomDepthwiseGraph(Rng& rng, LayerSpec spec) {
  spec.kind = ir::OperatorKind::kDepthwiseConv2d;
  return RandomLayerGraph(rng, spec);
}

ir::Graph RandomFullyConnectedGraph(Rng& rng, LayerSpec spec) {
  spec.kind = ir::OperatorKind::kFullyConnected;
  return RandomLayerGraph(rng, spec);
}

ir::Graph RandomAveragePoolGraph(Rng& rng, LayerSpec spec) {
  spec.kind = ir::OperatorKind::kAveragePool2d;
  return RandomLayerGraph(rng, spec);
}

ir::Graph RandomAddGraph(Rng& rng, LayerSpec spec) {
  spec.kind = ir::OperatorKind::kAdd;
  return RandomLayerGraph(rng, spec);
}

ir::Window RandomWindow(Rng& rng, int64_t height, int64_t width) {
  const auto axis = [&](int64_t size, int& kernel, int& stride, int& before, int& after) {
    kernel = static_cast<int>(rng.UniformInt(1, 5));
    stride = static_cast<int>(rng.UniformInt(1, 3));
    before = rng.Bernoulli(0.5) ? 0 : static_cast<int>(rng.UniformInt(0, kernel - 1));
    after = rng.Bernoulli(0.5) ? before : static_cast<int>(rng.UniformInt(0, kernel - 1));
    if (kernel > size + before + after) kernel = 1, before = 0, after = 0;
  };
  ir::Window window;
  axis(height, window.kernel_h, window.stride_h, window.pad_top, window.pad_bottom);
  axis(width, window.kernel_w, window.stride_w, window.pad_left, window.pad_right);
  return window;
}

void SetRandomDilation(Rng& rng, int64_t height, int64_t width, ir::Window& window) {
  const auto axis = [&](int64_t size, int kernel, int& dilation) {
    const int wanted = static_cast<int>(rng.UniformInt(2, 4));
    if (int64_t{kernel - 1} * wanted + 1 <= size) dilation = wanted;
  };
  axis(height, window.kernel_h, window.dilation_h);
  axis(width, window.kernel_w, window.dilation_w);
}

ir::Window RandomPadding(Rng& rng) {
  ir::Window window;
  for (int* pad : {&window.pad_top, &window.pad_bottom, &window.pad_left, &window.pad_right}) {
    *pad = static_cast<int>(rng.UniformInt(0, 3));
  }
  return window;
}

LayerSpec RandomLayerSpec(Rng& rng, ir::OperatorKind kind) {
  LayerSpec spec;
  spec.kind = kind;
  spec.input = {rng.UniformInt(1, 12), rng.UniformInt(1, 12), rng.UniformInt(1, 20)};
  if (ir::HasWindow(kind)) spec.window = RandomWindow(rng, spec.input[0], spec.input[1]);
  if (kind == ir::OperatorKind::kPad) spec.window = RandomPadding(rng);
  if (ir::HasWindow(kind) && ir::HasWeights(kind) && rng.Bernoulli(0.2)) {
    SetRandomDilation(rng, spec.input[0], spec.input[1], spec.window);
  }
  spec.axis = static_cast<int>(rng.UniformInt(0, 2));
  spec.output_channels = rng.UniformInt(1, 20);
  spec.depth_multiplier = rng.Bernoulli(0.8) ? 1 : static_cast<int>(rng.UniformInt(2, 3));
  spec.input_zero_point = rng.Bernoulli(0.3) ? 0 : static_cast<int32_t>(rng.UniformInt(-128, 127));
  spec.output_zero_point = rng.Bernoulli(0.3) ? 0 : static_cast<int32_t>(rng.UniformInt(-128, 127));
  spec.has_bias = rng.Bernoulli(0.8);
  spec.is_per_channel = rng.Bernoulli(0.7);
  spec.weight_style = RandomStyle(rng);
  spec.requantization = rng.Bernoulli(0.5) ? ir::RequantizationKind::kMultiplierDouble
                                           : ir::RequantizationKind::kMultiplierSingle;
  return spec;
}

ir::Graph RandomChain(Rng& rng, const ChainOptions& options) {
  LayerSpec first;
  first.input = options.input;
  first.input_zero_point = static_cast<int32_t>(rng.UniformInt(-128, 127));
  ir::Graph graph = StartGraph(first);
  const auto layer = [&](ir::OperatorKind kind) {
    LayerSpec spec = RandomLayerSpec(rng, kind);
    const ir::Shape& shape = graph.tensor(graph.output).shape;
    if (ir::HasWindow(kind)) spec.window = RandomWindow(rng, shape[0], shape[1]);
    if (kind == ir::OperatorKind::kPad) spec.window = RandomPadding(rng);
    spec.requantization = options.requantization;
    return spec;
  };
  for (int i = 0; i < options.num_layers; ++i) {
    const ir::TensorId from = graph.output;
    if (rng.Bernoulli(options.residual_probability)) {
      LayerSpec spec = layer(ir::OperatorKind::kConv2d);
      spec.output_channels = graph.tensor(from).shape[2];
      spec.window = {3, 3, 1, 1, 1, 1, 1, 1};
      const ir::TensorId branch = AppendLayer(rng, graph, spec, from);
      AppendLayer(rng, graph, layer(ir::OperatorKind::kAdd), branch, from);
      continue;
    }
    constexpr ir::OperatorKind kKinds[] = {
        ir::OperatorKind::kConv2d,          ir::OperatorKind::kConv2d,
        ir::OperatorKind::kDepthwiseConv2d, ir::OperatorKind::kAveragePool2d,
        ir::OperatorKind::kMaxPool2d,       ir::OperatorKind::kPad};
    AppendLayer(rng, graph, layer(kKinds[rng.UniformInt(0, 5)]), from);
  }
  if (options.has_classifier) {
    AppendLayer(rng, graph, layer(ir::OperatorKind::kReshape), graph.output);
    AppendLayer(rng, graph, layer(ir::OperatorKind::kFullyConnected), graph.output);
    AppendLayer(rng, graph, layer(ir::OperatorKind::kSoftmax), graph.output);
  }
  return Verified(std::move(graph));
}

}  // namespace macloom::stimulus
