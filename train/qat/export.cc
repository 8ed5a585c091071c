#include "train/qat/export.h"

#include <algorithm>
#include <cmath>

namespace macloom::train {
namespace {

constexpr int kMinAccumulatorBits = 8;  // The narrowest ir::Accumulation.

// Torch's weight order to the graph's: OIHW -> OHWI, depthwise [C, 1, H, W] -> HWC.
Tensor InGraphOrder(const Layer& layer, const Tensor& weight) {
  if (layer.kind == LayerKind::kConvolution) return weight.permute({0, 2, 3, 1}).contiguous();
  if (layer.kind == LayerKind::kDepthwise) return weight.squeeze(1).permute({1, 2, 0}).contiguous();
  return weight;
}

ir::OperatorKind OperatorOf(LayerKind kind) {
  switch (kind) {
    case LayerKind::kConvolution:
      return ir::OperatorKind::kConv2d;
    case LayerKind::kDepthwise:
      return ir::OperatorKind::kDepthwiseConv2d;
    case LayerKind::kPool:
      return ir::OperatorKind::kAveragePool2d;
    case LayerKind::kDense:
      return ir::OperatorKind::kFullyConnected;
  }
  MACLOOM_CHECK(false);
}

ir::Shape OutputShape(const Layer& layer) {
  return layer.kind == LayerKind::kDense ? ir::Shape{layer.out_channels()} : layer.output;
}

ir::NumberFormat FixedPoint(int bits, int fraction_bits) {
  ir::NumberFormat format;
  format.family = ir::NumberFamily::kFixedPoint;
  format.bits = bits;
  format.fraction_bits = fraction_bits;
  return format;
}

std::vector<int64_t> CodesOf(const Tensor& values, int fraction_bits) {
  std::vector<int64_t> codes;
  for (const double value : ToVector(values)) {
    const double code = std::ldexp(value, fraction_bits);
    MACLOOM_CHECK(code == std::floor(code));
    codes.push_back(static_cast<int64_t>(code));
  }
  return codes;
}

// Smallest accumulator no prefix of any order leaves, with the codes the producing layer's clamp
// lets through (docs/numerics.md section 3): b + x_max S+ - x_min S- above, b + x_min S+ - x_max S-
// below, x_min <= 0 <= x_max.
int CertifiedBits(const Layer& layer, const LayerFormat& format, const Grid& input,
                  const Tensor& weights, const Tensor& bias) {
  const auto low = static_cast<double>(input.min_code), high = static_cast<double>(input.max_code);
  double above = static_cast<double>(layer.input[0] * layer.input[1]) * high, below = 0;
  if (layer.has_weights()) {
    const Tensor codes = weights.flatten(1) * std::ldexp(1.0, format.weight.fraction_bits);
    const Tensor positive = codes.clamp_min(0).sum(1), negative = codes.clamp_max(0).neg().sum(1);
    const Tensor start = bias * std::ldexp(1.0, format.accumulator_fraction_bits);
    above = (start + positive * high - negative * low).max().item<double>();
    below = (start + positive * low - negative * high).min().item<double>();
  }
  int bits = 1;
  while (above > std::ldexp(1.0, bits - 1) - 1 || below < -std::ldexp(1.0, bits - 1)) ++bits;
  return bits;
}

}  // namespace

Result<ir::Graph> ExportFixedPoint(const Model& model, const Quantizing& qat,
                                   const Simulation& simulation, const Dataset& dataset,
                                   const std::string& name) {
  const Formats formats = FormatsOf(model, qat);
  ir::Graph graph;
  graph.name = name;
  graph.class_labels = dataset.class_labels;
  graph.origin = dataset.origin;
  graph.licence = dataset.licence;
  graph.front_end = dataset.front_end;
  graph.tensors.push_back(
      {"input", model.topology.input, FixedPoint(qat.input_bits, formats.input.fraction_bits), {}});
  graph.input = 0;
  Grid input = formats.input;
  for (size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.topology.layers[i];
    const LayerFormat& format = formats.layers[i];
    ir::Node node;
    node.name = layer.name;
    node.kind = OperatorOf(layer.kind);
    node.window = layer.window;
    node.inputs = {static_cast<int>(graph.tensors.size()) - 1};
    node.output = static_cast<int>(graph.tensors.size());
    if (layer.has_weights()) {
      const Tensor weight = InGraphOrder(layer, simulation.weights[i]);
      node.weights = static_cast<int>(graph.constants.size());
      graph.constants.push_back({layer.name + "/weights",
                                 weight.sizes().vec(),
                                 FixedPoint(qat.weight_bits, format.weight.fraction_bits),
                                 {},
                                 CodesOf(weight, format.weight.fraction_bits)});
      node.bias = static_cast<int>(graph.constants.size());
      graph.constants.push_back({layer.name + "/bias",
                                 {layer.out_channels()},
                                 FixedPoint(64, format.accumulator_fraction_bits),
                                 {},
                                 CodesOf(simulation.biases[i], format.accumulator_fraction_bits)});
    }
    node.requantization.kind = ir::RequantizationKind::kShift;
    node.requantization.channels = {{0, format.shift()}};
    const auto zero_point = static_cast<int32_t>(format.output.zero_point);
    node.requantization.zero_point = zero_point;
    node.requantization.clamp_min = static_cast<int32_t>(format.output.min_code) + zero_point;
    node.requantization.clamp_max = static_cast<int32_t>(format.output.max_code) + zero_point;
    const int bits = layer.kind == LayerKind::kDense ? qat.output_bits : qat.activation_bits;
    graph.tensors.push_back(
        {layer.name, OutputShape(layer), FixedPoint(bits, format.output.fraction_bits), {}});
    if (zero_point != 0) graph.tensors.back().quantization.zero_points = {zero_point};
    node.required_accumulator_bits =
        std::max(kMinAccumulatorBits,
                 CertifiedBits(layer, format, input, simulation.weights[i], simulation.biases[i]));
    graph.output = node.output;
    graph.nodes.push_back(node);
    input = format.output;
  }
  MACLOOM_RETURN_IF_ERROR(ir::Verify(graph));
  return graph;
}

ir::FloatGraph ExportFloat(Model& folded, const Dataset& dataset, const std::string& name) {
  ir::FloatGraph graph;
  graph.name = name;
  graph.class_labels = dataset.class_labels;
  graph.front_end = dataset.front_end;
  graph.origin = dataset.origin;
  graph.licence = dataset.licence;
  graph.tensors.push_back({"input", folded.topology.input});
  graph.input = 0;
  double pool_factor = 1;
  const auto add_constant = [&](const std::string& constant, const Tensor& tensor) {
    const Tensor plain = tensor.detach().to(at::kFloat).contiguous();
    const float* data = plain.data_ptr<float>();
    graph.constants.push_back(
        {constant, plain.sizes().vec(), std::vector<float>(data, data + plain.numel())});
    return static_cast<int>(graph.constants.size()) - 1;
  };
  for (size_t i = 0; i < folded.layers.size(); ++i) {
    const Layer& layer = folded.topology.layers[i];
    const LayerState& state = folded.layers[i];
    ir::FloatNode node;
    node.name = layer.name;
    node.kind = OperatorOf(layer.kind);
    node.window = layer.window;
    node.inputs = {static_cast<int>(graph.tensors.size()) - 1};
    node.output = static_cast<int>(graph.tensors.size());
    if (layer.has_weights()) {
      node.weights =
          add_constant(layer.name + "/weights", InGraphOrder(layer, state.weight) * pool_factor);
      node.bias = add_constant(layer.name + "/bias", state.bias);
      if (layer.has_relu()) node.clamp_min = 0;
    } else {
      pool_factor = static_cast<double>(layer.input[0] * layer.input[1]) *
                    std::ldexp(1.0, -layer.pool_shift());
    }
    graph.tensors.push_back({layer.name, OutputShape(layer)});
    graph.output = node.output;
    graph.nodes.push_back(node);
  }
  return graph;
}

}  // namespace macloom::train
