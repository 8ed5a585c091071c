#include "ir/float_graph.h"

#include <fmt/format.h>

#include <cmath>

#include "ir/shape_inference.h"
#include "ir/verify_node.h"
#include "ir/verify_structure.h"

namespace macloom::ir {
namespace {

/// Names, shapes and connections as an integer graph, whose shape rules then apply. Its constants
/// have shapes, but no codes.
Graph Skeleton(const FloatGraph& graph) {
  Graph skeleton;
  skeleton.name = graph.name;
  skeleton.origin = graph.origin;
  skeleton.licence = graph.licence;
  skeleton.class_labels = graph.class_labels;
  skeleton.input = graph.input;
  skeleton.output = graph.output;
  for (const FloatTensorInfo& tensor : graph.tensors) {
    skeleton.tensors.push_back({tensor.name, tensor.shape, {}, {}});
  }
  for (const FloatConstant& constant : graph.constants) {
    skeleton.constants.push_back({constant.name, constant.shape, {}, {}, {}});
  }
  for (const FloatNode& node : graph.nodes) {
    Node& copy = skeleton.nodes.emplace_back();
    copy.name = node.name;
    copy.kind = node.kind;
    copy.inputs = node.inputs;
    copy.output = node.output;
    copy.window = node.window;
    copy.weights = node.weights;
    copy.bias = node.bias;
    copy.depth_multiplier = node.depth_multiplier;
    copy.axis = node.axis;
  }
  return skeleton;
}

Status CheckElements(const FloatGraph& graph) {
  int64_t total = 0;
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    const std::string where = fmt::format("tensor {} \"{}\"", i, graph.tensors[i].name);
    MACLOOM_ASSIGN_OR_RETURN(const int64_t count, CheckedElements(graph.tensors[i].shape, where));
    total += count;
    if (total > kMaxTotalElements) {
      return InvalidInput(
          fmt::format("tensors have more than {} elements together; accepted are at most that many",
                      kMaxTotalElements));
    }
  }
  for (size_t i = 0; i < graph.constants.size(); ++i) {
    const FloatConstant& constant = graph.constants[i];
    const std::string where = fmt::format("constant {} \"{}\"", i, constant.name);
    MACLOOM_ASSIGN_OR_RETURN(const int64_t count, CheckedElements(constant.shape, where));
    if (static_cast<int64_t>(constant.values.size()) != count) {
      return InvalidInput(fmt::format("{}: has {} values; accepted are {} (shape {})", where,
                                      constant.values.size(), count, ToString(constant.shape)));
    }
    for (size_t k = 0; k < constant.values.size(); ++k) {
      if (std::isfinite(constant.values[k])) continue;
      return InvalidInput(fmt::format("{}: value {} is {}; accepted are finite values", where, k,
                                      constant.values[k]));
    }
  }
  return {};
}

Status CheckBatchNormalization(const FloatGraph& graph, const FloatNode& node) {
  const BatchNormalization& norm = node.batch_norm;
  const std::pair<const char*, ConstantId> parts[] = {
      {"gamma", norm.gamma}, {"beta", norm.beta}, {"mean", norm.mean}, {"variance", norm.variance}};
  int num_present = 0;
  for (const auto& [name, id] : parts) num_present += id == -1 ? 0 : 1;
  if (num_present == 0) return {};
  if (!HasWeights(node.kind)) {
    return InvalidInput("has a batch normalization; accepted is one behind weights");
  }
  const Shape channels = {
      graph.constant(node.weights).shape[node.kind == OperatorKind::kDepthwiseConv2d ? 2 : 0]};
  for (const auto& [name, id] : parts) {
    if (id < 0 || id >= static_cast<int>(graph.constants.size())) {
      return InvalidInput(
          fmt::format("batch normalization's {} is constant {}; accepted are 0 to {}", name, id,
                      static_cast<int>(graph.constants.size()) - 1));
    }
    if (graph.constant(id).shape != channels) {
      return InvalidInput(fmt::format("batch normalization's {} has shape {}; accepted is {}", name,
                                      ToString(graph.constant(id).shape), ToString(channels)));
    }
  }
  if (!std::isfinite(norm.epsilon) || norm.epsilon < 0) {
    return InvalidInput(fmt::format(
        "batch normalization's epsilon is {}; accepted are finite values from 0", norm.epsilon));
  }
  for (const float variance : graph.constant(norm.variance).values) {
    if (variance >= 0 && variance + norm.epsilon > 0) continue;
    return InvalidInput(fmt::format(
        "batch normalization's variance is {} and epsilon {}; accepted are variances from 0 whose "
        "sum with epsilon is above 0",
        variance, norm.epsilon));
  }
  return {};
}

Status CheckClamp(const FloatNode& node) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (!(node.clamp_min <= node.clamp_max) || node.clamp_min == kInfinity ||
      node.clamp_max == -kInfinity) {
    return InvalidInput(fmt::format("clamp is {} to {}; accepted are ascending limits",
                                    node.clamp_min, node.clamp_max));
  }
  const bool computes =
      HasWeights(node.kind) || IsPool(node.kind) || node.kind == OperatorKind::kAdd;
  if (computes || (std::isinf(node.clamp_min) && std::isinf(node.clamp_max))) return {};
  return InvalidInput(fmt::format("clamp is {} to {}; accepted is none where values only move",
                                  node.clamp_min, node.clamp_max));
}

std::string NodeText(const FloatGraph& graph, const FloatNode& node) {
  std::string inputs;
  for (const TensorId id : node.inputs)
    inputs += fmt::format("{}t{}", inputs.empty() ? "" : ",", id);
  std::string text =
      fmt::format("{} \"{}\" {} -> t{}", ToString(node.kind), node.name, inputs, node.output);
  if (HasWeights(node.kind)) {
    text +=
        fmt::format(" weights=c{} {}", node.weights, ToString(graph.constant(node.weights).shape));
    text += node.bias < 0 ? std::string(" bias=none") : fmt::format(" bias=c{}", node.bias);
  }
  if (HasWindow(node.kind)) {
    const Window& w = node.window;
    text += fmt::format(" kernel={}x{} stride={}x{} pad={},{},{},{}", w.kernel_h, w.kernel_w,
                        w.stride_h, w.stride_w, w.pad_top, w.pad_bottom, w.pad_left, w.pad_right);
    if (w.dilation_h != 1 || w.dilation_w != 1) {
      text += fmt::format(" dilation={}x{}", w.dilation_h, w.dilation_w);
    }
  }
  if (node.kind == OperatorKind::kDepthwiseConv2d) {
    text += fmt::format(" multiplier={}", node.depth_multiplier);
  }
  if (node.kind == OperatorKind::kConcatenation) text += fmt::format(" axis={}", node.axis);
  if (node.batch_norm.is_present()) {
    const BatchNormalization& norm = node.batch_norm;
    text += fmt::format(" batch_norm=c{},c{},c{},c{} epsilon={}", norm.gamma, norm.beta, norm.mean,
                        norm.variance, norm.epsilon);
  }
  if (!std::isinf(node.clamp_min) || !std::isinf(node.clamp_max)) {
    text += fmt::format(" clamp={}..{}", node.clamp_min, node.clamp_max);
  }
  if (HasWeights(node.kind)) text += fmt::format(" macs={}", NumMacs(graph, node));
  return text;
}

}  // namespace

Status Verify(const FloatGraph& graph) {
  const Graph skeleton = Skeleton(graph);
  MACLOOM_RETURN_IF_ERROR(CheckTexts(skeleton));
  MACLOOM_RETURN_IF_ERROR(CheckName(graph.front_end, "the graph's front end"));
  MACLOOM_RETURN_IF_ERROR(CheckElements(graph));
  return CheckNodes(skeleton, [&](const Node& shape_node) -> Status {
    const FloatNode& node = graph.nodes[static_cast<size_t>(&shape_node - skeleton.nodes.data())];
    MACLOOM_RETURN_IF_ERROR(VerifyNodeShapes(skeleton, shape_node));
    MACLOOM_RETURN_IF_ERROR(CheckBatchNormalization(graph, node));
    return CheckClamp(node);
  });
}

int64_t NumMacs(const FloatGraph& graph, const FloatNode& node) {
  if (!HasWeights(node.kind)) return 0;
  const int64_t num_weights = NumElements(graph.constant(node.weights).shape);
  if (node.kind == OperatorKind::kFullyConnected) return num_weights;
  const Shape& out = graph.tensor(node.output).shape;
  return out[0] * out[1] * num_weights;
}

std::string ToText(const FloatGraph& graph) {
  std::string text = fmt::format("float network \"{}\" input=t{} output=t{}\n", graph.name,
                                 graph.input, graph.output);
  if (!graph.origin.empty()) text += fmt::format("origin {}\n", graph.origin);
  if (!graph.licence.empty()) text += fmt::format("licence {}\n", graph.licence);
  if (!graph.front_end.empty()) text += fmt::format("front end {}\n", graph.front_end);
  if (!graph.class_labels.empty()) {
    text += "labels";
    for (const std::string& label : graph.class_labels) text += fmt::format(" \"{}\"", label);
    text += '\n';
  }
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    text +=
        fmt::format("t{} \"{}\" {}\n", i, graph.tensors[i].name, ToString(graph.tensors[i].shape));
  }
  for (size_t i = 0; i < graph.constants.size(); ++i) {
    text += fmt::format("c{} \"{}\" {}\n", i, graph.constants[i].name,
                        ToString(graph.constants[i].shape));
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    text += fmt::format("n{} {}\n", i, NodeText(graph, graph.nodes[i]));
  }
  return text;
}

}  // namespace macloom::ir
