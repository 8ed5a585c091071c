#include "quantize/prepare.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "ir/shape_inference.h"
#include "quantize/fold.h"

namespace macloom::quantize {
namespace {

using ir::FloatNode;
using ir::OperatorKind;

Status DropLastSoftmax(PreparedNetwork& network) {
  ir::FloatGraph& graph = network.graph;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const FloatNode& node = graph.nodes[i];
    if (node.kind != OperatorKind::kSoftmax) continue;
    if (node.output != graph.output || i + 1 != graph.nodes.size() || i == 0) {
      return Unsupported(fmt::format(
          "node \"{}\" (SOFTMAX) is not the network's last; supported is a last one, which is "
          "taken off",
          node.name));
    }
    const ir::TensorId dropped = node.output;
    network.notes.push_back(fmt::format(
        "SOFTMAX \"{}\" taken off: the output is its input, with the same order of classes",
        node.name));
    graph.output = node.inputs[0];
    graph.nodes.pop_back();
    graph.tensors.erase(graph.tensors.begin() + dropped);
    for (FloatNode& other : graph.nodes) {
      for (ir::TensorId& id : other.inputs) id -= id > dropped ? 1 : 0;
      other.output -= other.output > dropped ? 1 : 0;
    }
    graph.input -= graph.input > dropped ? 1 : 0;
    graph.output -= graph.output > dropped ? 1 : 0;
  }
  return {};
}

/// Tensors that carry a pool's factor on, or nothing if one of their readers cannot undo it.
std::vector<ir::TensorId> CarriersOf(const ir::FloatGraph& graph, ir::TensorId pooled) {
  std::vector<ir::TensorId> carriers = {pooled};
  for (size_t k = 0; k < carriers.size(); ++k) {
    if (carriers[k] == graph.output) return {};
    for (const FloatNode& node : graph.nodes) {
      if (std::count(node.inputs.begin(), node.inputs.end(), carriers[k]) == 0) continue;
      if (ir::HasWeights(node.kind)) continue;
      if (node.kind != OperatorKind::kReshape && node.kind != OperatorKind::kMaxPool2d &&
          node.kind != OperatorKind::kPad) {
        return {};
      }
      carriers.push_back(node.output);
    }
  }
  return carriers;
}

void BecomeDepthwise(ir::FloatGraph& graph, FloatNode& node, unsigned num_taps) {
  const int64_t channels = graph.tensor(node.output).shape[2];
  const ir::Shape shape = {node.window.kernel_h, node.window.kernel_w, channels};
  graph.constants.push_back({node.name + ".weights", shape,
                             std::vector<float>(static_cast<size_t>(ir::NumElements(shape)),
                                                static_cast<float>(1.0 / num_taps))});
  node.kind = OperatorKind::kDepthwiseConv2d;
  node.weights = static_cast<ir::ConstantId>(graph.constants.size()) - 1;
  node.depth_multiplier = 1;
}

Status PrepareMeans(PreparedNetwork& network) {
  ir::FloatGraph& graph = network.graph;
  for (FloatNode& node : graph.nodes) {
    if (node.kind != OperatorKind::kAveragePool2d) continue;
    const ir::Window& window = node.window;
    if (window.pad_top + window.pad_bottom + window.pad_left + window.pad_right > 0) {
      return Unsupported(fmt::format(
          "node \"{}\" (AVERAGE_POOL_2D) has padding, so it divides by several counts; supported "
          "with powers of two is none (affine scales take it)",
          node.name));
    }
    const auto num_taps = static_cast<unsigned>(window.kernel_h * window.kernel_w);
    if (std::has_single_bit(num_taps)) continue;
    const std::vector<ir::TensorId> carriers = CarriersOf(graph, node.output);
    if (carriers.empty()) {
      network.notes.push_back(
          fmt::format("AVERAGE_POOL_2D \"{}\" becomes a depthwise convolution of weights 1/{}",
                      node.name, num_taps));
      BecomeDepthwise(graph, node, num_taps);
      continue;
    }
    const unsigned divisor = std::bit_ceil(num_taps);
    for (const ir::TensorId id : carriers) {
      network.gains[static_cast<size_t>(id)] = static_cast<double>(num_taps) / divisor;
    }
    network.notes.push_back(
        fmt::format("AVERAGE_POOL_2D \"{}\" divides its {} values by {}; the next weights make up "
                    "for it",
                    node.name, num_taps, divisor));
  }
  return {};
}

}  // namespace

Result<PreparedNetwork> Prepare(const ir::FloatGraph& graph, bool are_means_shifts) {
  PreparedNetwork network;
  MACLOOM_ASSIGN_OR_RETURN(network.graph, FoldBatchNormalization(graph));
  MACLOOM_RETURN_IF_ERROR(DropLastSoftmax(network));
  network.gains.assign(network.graph.tensors.size(), 1.0);
  if (are_means_shifts) MACLOOM_RETURN_IF_ERROR(PrepareMeans(network));
  return network;
}

}  // namespace macloom::quantize
