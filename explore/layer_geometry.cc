#include "explore/layer_geometry.h"

#include <algorithm>

#include "golden/reference/operators.h"
#include "ir/shape_inference.h"

namespace macloom::explore {
namespace {

struct AxisClass {
  int64_t first_output = 0;
  std::vector<bool> is_inside;  // By tap.
};

/// The distinct sets of inside taps along one axis, in order of their first output.
std::vector<AxisClass> AxisClasses(int64_t num_outputs, int64_t size, int kernel, int stride,
                                   int dilation, int pad_before) {
  std::vector<AxisClass> classes;
  for (int64_t out = 0; out < num_outputs; ++out) {
    AxisClass axis{out, {}};
    for (int64_t tap = 0; tap < kernel; ++tap) {
      const int64_t at = out * stride + tap * dilation - pad_before;
      axis.is_inside.push_back(at >= 0 && at < size);
    }
    const bool is_known = std::any_of(classes.begin(), classes.end(), [&](const AxisClass& other) {
      return other.is_inside == axis.is_inside;
    });
    if (!is_known) classes.push_back(std::move(axis));
  }
  return classes;
}

ir::CodeRange FormatRange(const ir::TensorInfo& tensor) {
  return {tensor.format.MinCode(), tensor.format.MaxCode()};
}

}  // namespace

bool Accumulates(const ir::Node& node) {
  return ir::HasWeights(node.kind) || node.kind == ir::OperatorKind::kAveragePool2d;
}

LayerGeometry::LayerGeometry(const ir::Graph& graph, const ir::Node& node)
    : extent(golden::ExtentOf(graph, node)), num_channels(graph.tensor(node.output).shape.back()) {
  if (node.kind == ir::OperatorKind::kFullyConnected) {
    classes.push_back({0, 0, {true}});
    return;
  }
  if (ir::HasWeights(node.kind)) {
    pad_code = graph.tensor(node.inputs[0]).quantization.zero_point();
  }
  const ir::Shape& in = graph.tensor(node.inputs[0]).shape;
  const ir::Shape& out = graph.tensor(node.output).shape;
  const ir::Window& w = node.window;
  const auto rows = AxisClasses(out[0], in[0], w.kernel_h, w.stride_h, w.dilation_h, w.pad_top);
  const auto cols = AxisClasses(out[1], in[1], w.kernel_w, w.stride_w, w.dilation_w, w.pad_left);
  for (const AxisClass& row : rows) {
    for (const AxisClass& col : cols) {
      PaddingClass padding{row.first_output, col.first_output, {}};
      for (const bool is_row : row.is_inside) {
        for (const bool is_col : col.is_inside) padding.is_inside.push_back(is_row && is_col);
      }
      classes.push_back(std::move(padding));
    }
  }
}

std::vector<int64_t> LayerGeometry::Weights(const ir::Graph& graph, const ir::Node& node,
                                            int64_t channel) const {
  const int64_t count = extent.num_positions();
  if (!ir::HasWeights(node.kind)) return std::vector<int64_t>(static_cast<size_t>(count), 1);
  const std::vector<int64_t>& codes = graph.constant(node.weights).codes;
  const bool is_depthwise = node.kind == ir::OperatorKind::kDepthwiseConv2d;
  std::vector<int64_t> weights;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t index = is_depthwise ? i * num_channels + channel : channel * count + i;
    weights.push_back(codes[static_cast<size_t>(index)]);
  }
  return weights;
}

int64_t StartOf(const ir::Graph& graph, const ir::Node& node, int64_t channel) {
  return ir::HasWeights(node.kind) ? ir::AccumulatorStart(graph, node, channel) : 0;
}

std::vector<ir::CodeRange> ClampRanges(const ir::Graph& graph) {
  std::vector<ir::CodeRange> ranges;
  for (const ir::TensorInfo& tensor : graph.tensors) ranges.push_back(FormatRange(tensor));
  for (const ir::Node& node : graph.nodes) {
    const auto input = [&](size_t i) { return ranges[static_cast<size_t>(node.inputs[i])]; };
    ir::CodeRange& range = ranges[static_cast<size_t>(node.output)];
    const int64_t low = node.requantization.clamp_min, high = node.requantization.clamp_max;
    const bool is_mean = node.requantization.kind == ir::RequantizationKind::kMean;
    switch (node.kind) {
      case ir::OperatorKind::kSoftmax:
        break;
      case ir::OperatorKind::kReshape:
        range = input(0);
        break;
      case ir::OperatorKind::kPad: {
        const int64_t zero = graph.tensor(node.inputs[0]).quantization.zero_point();
        range = {std::min(input(0).min, zero), std::max(input(0).max, zero)};
        break;
      }
      case ir::OperatorKind::kConcatenation:
        range = input(0);
        for (size_t i = 1; i < node.inputs.size(); ++i) {
          range = {std::min(range.min, input(i).min), std::max(range.max, input(i).max)};
        }
        break;
      default:
        range = {low, high};
        if (node.kind == ir::OperatorKind::kMaxPool2d || is_mean) {
          range = {std::clamp(input(0).min, low, high), std::clamp(input(0).max, low, high)};
        }
    }
  }
  return ranges;
}

}  // namespace macloom::explore
