// Random minifloat networks of every operator the minifloat lanes have.
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include "base/rng.h"
#include "ir/graph.h"
#include "ir/shape_inference.h"

namespace macloom::testing {

/// Appends layers with random finite codes to a graph whose activations and weights have one
/// format.
class MinifloatNetwork {
 public:
  MinifloatNetwork(Rng& rng, const ir::NumberFormat& format, ir::Shape input)
      : rng_(rng), format_(format) {
    graph_.name = "minifloats";
    graph_.input = AddTensor(std::move(input));
    graph_.output = graph_.input;
  }

  /// A window layer with weights; `outputs` counts channels of a convolution.
  void AddConvolution(const ir::Window& window, int64_t outputs) {
    const int64_t channels = Last().shape[2];
    AddWeights(ir::OperatorKind::kConv2d, window,
               {outputs, window.kernel_h, window.kernel_w, channels}, outputs);
  }

  void AddDepthwise(const ir::Window& window, int multiplier = 1) {
    const int64_t outputs = Last().shape[2] * multiplier;
    AddWeights(ir::OperatorKind::kDepthwiseConv2d, window,
               {window.kernel_h, window.kernel_w, outputs}, outputs, multiplier);
  }

  void AddFullyConnected(int64_t outputs) {
    AddWeights(ir::OperatorKind::kFullyConnected, {}, {outputs, ir::NumElements(Last().shape)},
               outputs);
  }

  void AddAveragePool(const ir::Window& window, bool is_mean) {
    ir::Node node = NewNode(ir::OperatorKind::kAveragePool2d, window);
    node.requantization.kind =
        is_mean ? ir::RequantizationKind::kMean : ir::RequantizationKind::kToMinifloat;
    if (!is_mean) node.requantization.channels = {{0, RandomShift(4)}};
    Append(std::move(node));
  }

  void AddMaxPool(const ir::Window& window) {
    Append(NewNode(ir::OperatorKind::kMaxPool2d, window));
  }

  void AddPad(const ir::Window& window) {
    ir::Node node = NewNode(ir::OperatorKind::kPad, window);
    node.requantization.clamp_min = LargestNegative();
    node.requantization.clamp_max = format_.MaxFiniteCode();
    Append(std::move(node));
  }

  const ir::Graph& graph() const { return graph_; }

  /// Finite codes, -0 and extremes included.
  ir::TensorValue RandomInput() {
    ir::TensorValue value;
    value.shape = graph_.tensor(graph_.input).shape;
    for (int64_t i = 0; i < ir::NumElements(value.shape); ++i) {
      value.codes.push_back(static_cast<int32_t>(RandomCode()));
    }
    return value;
  }

 private:
  const ir::TensorInfo& Last() const { return graph_.tensor(graph_.output); }

  ir::TensorId AddTensor(ir::Shape shape) {
    ir::TensorInfo info;
    info.name = "t" + std::to_string(graph_.tensors.size());
    info.shape = std::move(shape);
    info.format = format_;
    info.quantization.scales = {1.0f};
    graph_.tensors.push_back(info);
    return static_cast<ir::TensorId>(graph_.tensors.size()) - 1;
  }

  int32_t LargestNegative() const {
    return static_cast<int32_t>(format_.SignBit() | format_.MaxFiniteCode());
  }

  int64_t RandomCode() {
    const int64_t largest = format_.MaxFiniteCode();
    const int64_t code = rng_.Bernoulli(0.1)    ? 0
                         : rng_.Bernoulli(0.03) ? largest
                                                : rng_.UniformInt(0, largest);
    return rng_.Bernoulli(0.5) ? code : code | format_.SignBit();
  }

  /// About what `num_products` random products need to fall into the range of the codes.
  int32_t RandomShift(int64_t num_products) {
    int shift = -format_.MaxExponent() + 2;
    for (; num_products > 1; num_products /= 4) --shift;
    return static_cast<int32_t>(shift + rng_.UniformInt(-5, 2));
  }

  ir::Node NewNode(ir::OperatorKind kind, const ir::Window& window) {
    ir::Node node;
    node.name = "n" + std::to_string(graph_.nodes.size());
    node.kind = kind;
    node.inputs = {graph_.output};
    node.window = window;
    node.requantization.clamp_min = rng_.Bernoulli(0.5) ? 0 : LargestNegative();
    node.requantization.clamp_max = format_.MaxFiniteCode();
    if (rng_.Bernoulli(0.3)) {
      node.requantization.clamp_max = static_cast<int32_t>(
          rng_.UniformInt(format_.MaxFiniteCode() / 2, format_.MaxFiniteCode()));
    }
    return node;
  }

  void AddWeights(ir::OperatorKind kind, const ir::Window& window, ir::Shape shape, int64_t outputs,
                  int multiplier = 1) {
    ir::Node node = NewNode(kind, window);
    node.depth_multiplier = multiplier;
    ir::Constant weights;
    weights.name = node.name + ".w";
    weights.format = format_;
    weights.shape = std::move(shape);
    const int64_t count = ir::NumElements(weights.shape);
    for (int64_t i = 0; i < count; ++i) weights.codes.push_back(RandomCode());
    node.weights = static_cast<ir::ConstantId>(graph_.constants.size());
    graph_.constants.push_back(weights);
    if (rng_.Bernoulli(0.7)) {
      ir::Constant bias;
      bias.name = node.name + ".b";
      bias.format.bits = 64;
      bias.shape = {outputs};
      const int most = 2 * (format_.MaxExponent() - format_.LeastExponent()) - 4;
      for (int64_t oc = 0; oc < outputs; ++oc) {
        const int64_t limit = int64_t{1} << rng_.UniformInt(0, std::min(most, 20));
        bias.codes.push_back(rng_.UniformInt(-limit, limit));
      }
      node.bias = static_cast<ir::ConstantId>(graph_.constants.size());
      graph_.constants.push_back(bias);
    }
    node.requantization.kind = ir::RequantizationKind::kToMinifloat;
    const bool is_per_channel = rng_.Bernoulli(0.5);
    for (int64_t c = 0; c < (is_per_channel ? outputs : 1); ++c) {
      node.requantization.channels.push_back({0, RandomShift(count / outputs)});
    }
    Append(std::move(node));
  }

  void Append(ir::Node node) {
    node.output = static_cast<ir::TensorId>(graph_.tensors.size());
    AddTensor({1});
    graph_.nodes.push_back(std::move(node));
    graph_.tensors.back().shape = *ir::OutputShape(graph_, graph_.nodes.back());
    graph_.output = graph_.nodes.back().output;
  }

  Rng& rng_;
  ir::NumberFormat format_;
  ir::Graph graph_;
};

}  // namespace macloom::testing
