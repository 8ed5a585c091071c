#include "stimulus/random_layer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/shape_inference.h"
#include "stimulus/random_requantization.h"

namespace macloom::stimulus {

ir::TensorId AddTensor(ir::Graph& graph, ir::Shape shape, const ir::NumberFormat& format,
                       int32_t zero_point, float scale) {
  ir::TensorInfo info{"t" + std::to_string(graph.tensors.size()), std::move(shape), format, {}};
  if (format.family == ir::NumberFamily::kAffine) info.quantization = {{scale}, {zero_point}, -1};
  graph.tensors.push_back(std::move(info));
  return static_cast<ir::TensorId>(graph.tensors.size()) - 1;
}

ir::Graph StartGraph(const LayerSpec& spec) {
  ir::Graph graph;
  graph.name = "random";
  graph.is_untrained = true;
  graph.input = AddTensor(graph, spec.input, spec.input_format, spec.input_zero_point);
  graph.output = graph.input;
  return graph;
}

ir::ConstantId AddConstant(ir::Graph& graph, ir::Shape shape, const ir::NumberFormat& format,
                           std::vector<int64_t> codes) {
  const ir::ConstantId id = static_cast<ir::ConstantId>(graph.constants.size());
  graph.constants.push_back(
      {"c" + std::to_string(id), std::move(shape), format, {}, std::move(codes)});
  return id;
}

std::vector<int64_t> RandomBiases(Rng& rng, int64_t count, int64_t max_sum) {
  const int64_t limit = std::min<int64_t>(max_sum / 4 + 1, int64_t{1} << 29);
  std::vector<int64_t> biases = RandomCodes(rng, CodeStyle::kUniform, count, -limit, limit);
  for (int64_t& bias : biases) {
    if (max_sum < (int64_t{1} << 27) && rng.Bernoulli(0.02)) {
      bias = (rng.Bernoulli(0.5) ? 1 : -1) * ((int64_t{1} << 30) - rng.UniformInt(0, 100));
    }
  }
  return biases;
}

void FillWeighted(Rng& rng, ir::Graph& graph, const LayerSpec& spec, ir::Node& node,
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

ir::FixedPointMultiplier PairOf(double real, ir::RequantizationKind kind) {
  return ir::QuantizeMultiplier(real, kind == ir::RequantizationKind::kMultiplierSingle
                                          ? ir::Rounding::kSingle
                                          : ir::Rounding::kDouble)
      .value();
}

ir::TensorId AppendLayer(Rng& rng, ir::Graph& graph, const LayerSpec& spec, ir::TensorId input,
                         ir::TensorId other) {
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

}  // namespace macloom::stimulus
