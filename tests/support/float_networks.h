// Small float networks for tests.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "ir/float_graph.h"

namespace macloom::testing {

/// Builds a float network node by node; constants are seeded values of [-1, 1).
class FloatNetworkBuilder {
 public:
  explicit FloatNetworkBuilder(ir::Shape input, uint64_t seed = 1) : random_(seed) {
    graph_.name = "small";
    graph_.tensors.push_back({"input", std::move(input)});
    graph_.input = 0;
    graph_.output = 0;
  }

  ir::ConstantId Constant(ir::Shape shape, std::vector<float> values) {
    const std::string name = "constant" + std::to_string(graph_.constants.size());
    graph_.constants.push_back({name, std::move(shape), std::move(values)});
    return static_cast<ir::ConstantId>(graph_.constants.size()) - 1;
  }
  ir::ConstantId RandomConstant(const ir::Shape& shape, double low = -1, double high = 1) {
    std::vector<float> values(static_cast<size_t>(ir::NumElements(shape)));
    for (float& value : values) {
      const double unit = static_cast<double>(random_.UniformInt(0, 1 << 20)) / (1 << 20);
      value = static_cast<float>(low + (high - low) * unit);
    }
    return Constant(shape, std::move(values));
  }

  /// Appends a node behind the last tensor (or `inputs`) with an output of `shape`.
  ir::FloatNode& Append(ir::OperatorKind kind, ir::Shape shape,
                        std::vector<ir::TensorId> inputs = {}) {
    if (inputs.empty()) inputs = {graph_.output};
    const std::string name = "node" + std::to_string(graph_.nodes.size());
    graph_.tensors.push_back({name, std::move(shape)});
    graph_.output = static_cast<ir::TensorId>(graph_.tensors.size()) - 1;
    ir::FloatNode& node = graph_.nodes.emplace_back();
    node.name = name;
    node.kind = kind;
    node.inputs = std::move(inputs);
    node.output = graph_.output;
    return node;
  }

  void AddBatchNorm(ir::FloatNode& node, int64_t channels) {
    node.batch_norm.gamma = RandomConstant({channels}, 0.25, 2);
    node.batch_norm.beta = RandomConstant({channels});
    node.batch_norm.mean = RandomConstant({channels});
    node.batch_norm.variance = RandomConstant({channels}, 0.125, 2);
    node.batch_norm.epsilon = 1e-3;
  }

  ir::TensorId last() const { return graph_.output; }
  const ir::FloatGraph& graph() const { return graph_; }
  ir::FloatGraph& graph() { return graph_; }

 private:
  Rng random_;
  ir::FloatGraph graph_;
};

/// 8x6x2 -> convolution 3x3 with batch normalization and ReLU, depthwise, ADD of a 1x1 convolution
/// to its input, largest of 2x2, mean, fully connected, softmax.
inline ir::FloatGraph SmallFloatNetwork(uint64_t seed = 1) {
  using enum ir::OperatorKind;
  FloatNetworkBuilder builder({8, 6, 2}, seed);
  const ir::Window same = {
      .kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_bottom = 1, .pad_left = 1, .pad_right = 1};
  const auto weighted = [&](ir::OperatorKind kind, ir::Shape out, ir::Shape weights,
                            int64_t channels) -> ir::FloatNode& {
    const ir::ConstantId w = builder.RandomConstant(weights);
    const ir::ConstantId b = builder.RandomConstant({channels});
    ir::FloatNode& node = builder.Append(kind, std::move(out));
    node.weights = w;
    node.bias = b;
    node.clamp_min = 0;
    return node;
  };
  ir::FloatNode& first = weighted(kConv2d, {8, 6, 4}, {4, 3, 3, 2}, 4);
  first.window = same;
  builder.AddBatchNorm(first, 4);
  weighted(kDepthwiseConv2d, {8, 6, 4}, {3, 3, 4}, 4).window = same;
  const ir::TensorId branch = builder.last();
  weighted(kConv2d, {8, 6, 4}, {4, 1, 1, 4}, 4).clamp_min = -std::numeric_limits<float>::infinity();
  builder.Append(kAdd, {8, 6, 4}, {branch, builder.last()}).clamp_min = 0;
  builder.Append(kMaxPool2d, {4, 3, 4}).window = {2, 2, 2, 2, 0, 0, 0, 0, 1, 1};
  builder.Append(kAveragePool2d, {1, 1, 4}).window = {4, 3, 1, 1, 0, 0, 0, 0, 1, 1};
  builder.Append(kReshape, {4});
  weighted(kFullyConnected, {3}, {3, 4}, 3).clamp_min = -std::numeric_limits<float>::infinity();
  builder.Append(kSoftmax, {3});
  builder.graph().class_labels = {"a", "b", "c"};
  return builder.graph();
}

}  // namespace macloom::testing
