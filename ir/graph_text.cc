#include <fmt/format.h>

#include <algorithm>

#include "ir/graph.h"
#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

std::string QuantizationText(const Quantization& quantization) {
  std::string text;
  if (quantization.scales.size() == 1) {
    text += fmt::format(" scale={}", quantization.scales[0]);
  } else if (!quantization.scales.empty()) {
    const auto [low, high] =
        std::minmax_element(quantization.scales.begin(), quantization.scales.end());
    text += fmt::format(" scales={}..{} (axis {}, {})", *low, *high, quantization.axis,
                        quantization.scales.size());
  }
  if (quantization.zero_point() != 0) text += fmt::format(" zero={}", quantization.zero_point());
  return text;
}

std::string ConstantText(const Constant& constant) {
  return fmt::format("{} {}", ToString(constant.shape), ToString(constant.format));
}

std::string WindowText(const Window& window) {
  std::string text = fmt::format(" kernel={}x{} stride={}x{} pad={},{},{},{}", window.kernel_h,
                                 window.kernel_w, window.stride_h, window.stride_w, window.pad_top,
                                 window.pad_bottom, window.pad_left, window.pad_right);
  if (window.dilation_h != 1 || window.dilation_w != 1) {
    text += fmt::format(" dilation={}x{}", window.dilation_h, window.dilation_w);
  }
  return text;
}

std::string PairText(const FixedPointMultiplier& pair) {
  return fmt::format("{}@{}", pair.multiplier, pair.shift);
}

std::string RequantizationText(const Requantization& requantization) {
  if (requantization.kind == RequantizationKind::kNone) return "";
  std::string text = fmt::format(" requantize={}", ToString(requantization.kind));
  if (requantization.channels.size() == 1) {
    text += fmt::format(" {}", PairText(requantization.channels[0]));
  } else if (!requantization.channels.empty()) {
    const auto [low, high] =
        std::minmax_element(requantization.channels.begin(), requantization.channels.end(),
                            [](const auto& a, const auto& b) { return a.shift < b.shift; });
    text += fmt::format(" {} multipliers, shifts {}..{}", requantization.channels.size(),
                        low->shift, high->shift);
  }
  if (requantization.kind == RequantizationKind::kMultiplyAddDivide) {
    text += requantization.addends.size() == 1
                ? fmt::format(" add={}", requantization.addends[0])
                : fmt::format(" {} addends", requantization.addends.size());
    text += fmt::format(" divide={}", requantization.divisor);
  }
  text += fmt::format(" zero={} clamp={}..{}", requantization.zero_point, requantization.clamp_min,
                      requantization.clamp_max);
  return text;
}

std::string NodeText(const Graph& graph, const Node& node) {
  std::string inputs;
  for (TensorId id : node.inputs) inputs += fmt::format("{}t{}", inputs.empty() ? "" : ",", id);
  std::string text =
      fmt::format("{} \"{}\" {} -> t{}", ToString(node.kind), node.name, inputs, node.output);
  if (HasWeights(node.kind)) {
    text +=
        fmt::format(" weights=c{} {}", node.weights, ConstantText(graph.constant(node.weights)));
    text += node.bias < 0 ? std::string(" bias=none") : fmt::format(" bias=c{}", node.bias);
  }
  if (HasWindow(node.kind)) text += WindowText(node.window);
  if (node.kind == OperatorKind::kDepthwiseConv2d) {
    text += fmt::format(" multiplier={}", node.depth_multiplier);
  }
  if (node.kind == OperatorKind::kConcatenation) text += fmt::format(" axis={}", node.axis);
  if (node.kind == OperatorKind::kMaxPool2d) {
    text +=
        fmt::format(" clamp={}..{}", node.requantization.clamp_min, node.requantization.clamp_max);
  }
  if (node.kind == OperatorKind::kAdd) {
    text += fmt::format(" a={} b={} sum={}", PairText(node.add.input[0]),
                        PairText(node.add.input[1]), PairText(node.add.output));
  }
  if (node.kind == OperatorKind::kSoftmax) {
    text += fmt::format(" beta={}@{} diff_min={} rounding={}", node.softmax.input_multiplier,
                        node.softmax.input_left_shift, node.softmax.diff_min,
                        node.softmax.rounding == Rounding::kDouble ? "double" : "single");
  }
  text += RequantizationText(node.requantization);
  if (HasWeights(node.kind)) text += fmt::format(" macs={}", NumMacs(graph, node));
  if (const int bits = RequiredAccumulatorBits(graph, node); bits > 0) {
    text += fmt::format(" accumulator={}", bits);
  }
  if (node.required_accumulator_bits.has_value()) {
    text += fmt::format(" trained_for={}", *node.required_accumulator_bits);
  }
  return text;
}

}  // namespace

std::string ToText(const Graph& graph) {
  std::string text = fmt::format("network \"{}\" input=t{} output=t{}{}\n", graph.name, graph.input,
                                 graph.output, graph.is_untrained ? " UNTRAINED" : "");
  if (!graph.origin.empty()) text += fmt::format("origin {}\n", graph.origin);
  if (!graph.licence.empty()) text += fmt::format("licence {}\n", graph.licence);
  if (!graph.class_labels.empty()) {
    text += "labels";
    for (const std::string& label : graph.class_labels) text += fmt::format(" \"{}\"", label);
    text += '\n';
  }
  if (!graph.front_end.empty()) text += fmt::format("front_end {}\n", graph.front_end);
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    const TensorInfo& tensor = graph.tensors[i];
    text += fmt::format("t{} \"{}\" {} {}{}\n", i, tensor.name, ToString(tensor.shape),
                        ToString(tensor.format), QuantizationText(tensor.quantization));
  }
  for (size_t i = 0; i < graph.constants.size(); ++i) {
    const Constant& constant = graph.constants[i];
    text += fmt::format("c{} \"{}\" {}{}\n", i, constant.name, ConstantText(constant),
                        QuantizationText(constant.quantization));
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    text += fmt::format("n{} {}\n", i, NodeText(graph, graph.nodes[i]));
  }
  return text;
}

}  // namespace macloom::ir
