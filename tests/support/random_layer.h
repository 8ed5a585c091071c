// Single layers with random weights, biases and requantization, appended to a graph.
#pragma once

#include <string>
#include <utility>

#include "ir/shape_inference.h"
#include "tests/support/random_codes.h"
#include "tests/support/random_requantization.h"

namespace macloom::testing {

/// What is chosen about one layer; the rest is drawn.
struct LayerSpec {
  ir::OperatorKind kind = ir::OperatorKind::kConv2d;
  ir::Shape input = {6, 5, 3};
  int64_t output_channels = 4;  ///< CONV_2D and FULLY_CONNECTED.
  int depth_multiplier = 1;     ///< DEPTHWISE_CONV_2D.
  ir::Window window;            ///< CONV_2D, DEPTHWISE_CONV_2D, pooling, PAD.
  int axis = 0;                 ///< CONCATENATION.
  ir::NumberFormat input_format;
  ir::NumberFormat weight_format;
  ir::NumberFormat output_format;
  int32_t input_zero_point = 0;
  int32_t output_zero_point = 0;
  bool has_bias = true;
  bool is_per_channel = true;  ///< One multiplier per output channel rather than one per layer.
  CodeStyle weight_style = CodeStyle::kUniform;
  /// kMultiplierDouble, kMultiplierSingle or kShift; ADD and SOFTMAX take their rounding from it.
  ir::RequantizationKind requantization = ir::RequantizationKind::kMultiplierDouble;
};

inline ir::TensorId AddTensor(ir::Graph& graph, ir::Shape shape, const ir::NumberFormat& format,
                              int32_t zero_point, float scale = 0.05f) {
  ir::TensorInfo info{"t" + std::to_string(graph.tensors.size()), std::move(shape), format, {}};
  if (format.family == ir::NumberFamily::kAffine) info.quantization = {{scale}, {zero_point}, -1};
  graph.tensors.push_back(std::move(info));
  return static_cast<ir::TensorId>(graph.tensors.size()) - 1;
}

/// Starts a graph whose input tensor is `spec`'s.
inline ir::Graph StartGraph(const LayerSpec& spec) {
  ir::Graph graph;
  graph.name = "random";
  graph.is_untrained = true;
  graph.input = AddTensor(graph, spec.input, spec.input_format, spec.input_zero_point);
  graph.output = graph.input;
  return graph;
}

inline ir::ConstantId AddConstant(ir::Graph& graph, ir::Shape shape, const ir::NumberFormat& format,
                                  std::vector<int64_t> codes) {
  const ir::ConstantId id = static_cast<ir::ConstantId>(graph.constants.size());
  graph.constants.push_back(
      {"c" + std::to_string(id), std::move(shape), format, {}, std::move(codes)});
  return id;
}

/// Biases of the size of the sums; now and then one near 2^30, as dead channels have.
inline std::vector<int64_t> RandomBiases(Rng& rng, int64_t count, int64_t max_sum) {
  const int64_t limit = std::min<int64_t>(max_sum / 4 + 1, int64_t{1} << 29);
  std::vector<int64_t> biases = RandomCodes(rng, CodeStyle::kUniform, count, -limit, limit);
  for (int64_t& bias : biases) {
    if (max_sum < (int64_t{1} << 27) && rng.Bernoulli(0.02)) {
      bias = (rng.Bernoulli(0.5) ? 1 : -1) * ((int64_t{1} << 30) - rng.UniformInt(0, 100));
    }
  }
  return biases;
}

inline void FillWeighted(Rng& rng, ir::Graph& graph, const LayerSpec& spec, ir::Node& node,
                         const ir::Shape& input) {
  ir::Shape shape;
  int64_t num_outputs = spec.output_channels;
  if (spec.kind == ir::OperatorKind::kConv2d) {
    shape = {num_outputs, spec.window.kernel_h, spec.window.kernel_w, input[2]};
  } else if (spec.kind == ir::OperatorKind::kDepthwiseConv2d) {
    num_outputs = input[2] * spec.depth_multiplier;
    shape = {spec.window.kernel_h, spec.window.kernel_w, num_outputs};
  } else {
    shape = {num_outputs, ir::NumElements(input)};
  }
  const int64_t count = ir::NumElements(shape);
  const ir::NumberFormat& weights = spec.weight_format;
  node.weights =
      AddConstant(graph, shape, weights,
                  RandomCodes(rng, spec.weight_style, count, weights.MinCode(), weights.MaxCode()));
  if (!spec.has_bias) return;
  const int64_t max_sum = (count / num_outputs)
                          << (weights.bits + graph.tensor(node.inputs[0]).format.bits - 1);
  ir::NumberFormat bias_format;
  bias_format.bits = 64;
  node.bias =
      AddConstant(graph, {num_outputs}, bias_format, RandomBiases(rng, num_outputs, max_sum));
}

inline ir::FixedPointMultiplier PairOf(double real, ir::RequantizationKind kind) {
  return ir::QuantizeMultiplier(real, kind == ir::RequantizationKind::kMultiplierSingle
                                          ? ir::Rounding::kSingle
                                          : ir::Rounding::kDouble)
      .value();
}

/// Appends a layer that reads `input` and, for ADD and CONCATENATION, `other`; the graph's output
/// becomes its output.
inline ir::TensorId AppendLayer(Rng& rng, ir::Graph& graph, const LayerSpec& spec,
                                ir::TensorId input, ir::TensorId other = -1) {
  using ir::OperatorKind;
  const bool keeps_format =
      spec.kind == OperatorKind::kReshape || spec.kind == OperatorKind::kMaxPool2d ||
      spec.kind == OperatorKind::kPad || spec.kind == OperatorKind::kConcatenation;
  const ir::TensorInfo in = graph.tensor(input);
  ir::Node node;
  node.name = "n" + std::to_string(graph.nodes.size());
  node.kind = spec.kind;
  node.inputs = {input};
  if (spec.kind == OperatorKind::kAdd || spec.kind == OperatorKind::kConcatenation) {
    node.inputs.push_back(other);
  }
  node.axis = spec.axis;
  if (ir::HasWindow(spec.kind)) node.window = spec.window;
  if (spec.kind == OperatorKind::kDepthwiseConv2d) node.depth_multiplier = spec.depth_multiplier;
  ir::Requantization& requantization = node.requantization;
  if (ir::HasWeights(spec.kind)) FillWeighted(rng, graph, spec, node, in.shape);

  int32_t zero_point = keeps_format ? in.quantization.zero_point() : spec.output_zero_point;
  if (spec.kind == OperatorKind::kSoftmax) zero_point = -128;
  if (spec.kind == OperatorKind::kAveragePool2d) zero_point = in.quantization.zero_point();
  ir::Shape shape = {ir::NumElements(in.shape)};
  if (spec.kind != OperatorKind::kReshape) shape = ir::OutputShape(graph, node).value();
  node.output = AddTensor(graph, shape, keeps_format ? in.format : spec.output_format, zero_point);
  const ir::NumberFormat& format = graph.tensor(node.output).format;

  if (ir::HasWeights(spec.kind)) {
    requantization.kind = spec.requantization;
    requantization.zero_point = zero_point;
    const auto ranges = ir::AccumulatorRanges(graph, node, ir::InputCodeRange(graph, node));
    ir::AccumulatorRange hull = ranges[0];
    for (const ir::AccumulatorRange& range : ranges) {
      hull.low = std::min(hull.low, range.low);
      hull.high = std::max(hull.high, range.high);
    }
    const size_t num_pairs = spec.is_per_channel ? ranges.size() : 1;
    for (size_t c = 0; c < num_pairs; ++c) {
      requantization.channels.push_back(RandomPair(rng, requantization.kind,
                                                   spec.is_per_channel ? ranges[c] : hull,
                                                   format.MaxCode() - format.MinCode() + 1));
    }
  } else if (spec.kind == OperatorKind::kAveragePool2d) {
    const bool is_shift = spec.requantization == ir::RequantizationKind::kShift;
    requantization.kind = is_shift ? spec.requantization : ir::RequantizationKind::kMean;
    if (is_shift) requantization.channels = {{0, static_cast<int32_t>(rng.UniformInt(0, 6))}};
  } else if (spec.kind == OperatorKind::kAdd) {
    requantization.kind = spec.requantization;
    requantization.zero_point = zero_point;
    const double scales[2] = {std::exp2(rng.UniformDouble() * 4 - 6),
                              std::exp2(rng.UniformDouble() * 4 - 6)};
    const double twice = 2 * std::max(scales[0], scales[1]);
    const double output_scale = twice * std::exp2(rng.UniformDouble() * 3 - 2);
    if (spec.requantization == ir::RequantizationKind::kShift) {
      for (int i = 0; i < 2; ++i)
        node.add.input[i] = {0, static_cast<int32_t>(rng.UniformInt(0, 5))};
      node.add.output = {0, static_cast<int32_t>(rng.UniformInt(0, 7))};
    } else {
      for (int i = 0; i < 2; ++i) {
        node.add.input[i] = PairOf(scales[i] / twice, spec.requantization);
      }
      node.add.output = PairOf(twice / (1048576.0 * output_scale), spec.requantization);
    }
  } else if (spec.kind == OperatorKind::kSoftmax) {
    const bool is_single = spec.requantization == ir::RequantizationKind::kMultiplierSingle;
    const double limit = is_single ? 1073741823.0 : 2147483647.0;
    const double scale = std::exp2(rng.UniformDouble() * 8 - 7);
    const ir::FixedPointMultiplier pair =
        PairOf(std::min(scale * 67108864.0, limit), spec.requantization);
    node.softmax = {pair.multiplier, pair.shift,
                    static_cast<int32_t>(-((int64_t{31} << 26) >> pair.shift)),
                    is_single ? ir::Rounding::kSingle : ir::Rounding::kDouble};
  }
  if (requantization.kind != ir::RequantizationKind::kNone ||
      spec.kind == OperatorKind::kMaxPool2d) {
    SetRandomClamp(rng, format, requantization);
  }
  graph.output = node.output;
  graph.nodes.push_back(std::move(node));
  return graph.output;
}

}  // namespace macloom::testing
