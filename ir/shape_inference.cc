#include "ir/shape_inference.h"

#include <fmt/format.h>

namespace macloom::ir {
namespace {

Result<Shape> WindowShape(const Shape& in, const Window& window, int64_t channels) {
  auto height = OutputExtent(in[0], window.kernel_h, window.stride_h, window.dilation_h,
                             window.pad_top, window.pad_bottom);
  if (!height.ok()) return InvalidInput("along y: " + height.error().message);
  auto width = OutputExtent(in[1], window.kernel_w, window.stride_w, window.dilation_w,
                            window.pad_left, window.pad_right);
  if (!width.ok()) return InvalidInput("along x: " + width.error().message);
  return Shape{*height, *width, channels};
}

Status CheckWeightShape(const Shape& weights, const Shape& expected, const char* layout) {
  if (weights == expected) return {};
  return InvalidInput(fmt::format("weights have shape {}; accepted is {} ({})", ToString(weights),
                                  ToString(expected), layout));
}

Result<Shape> PaddedShape(const Shape& in, const Window& window) {
  const Window padding = {.pad_top = window.pad_top,
                          .pad_bottom = window.pad_bottom,
                          .pad_left = window.pad_left,
                          .pad_right = window.pad_right};
  if (!(window == padding)) return InvalidInput("kernel, stride and dilation must be 1");
  for (const int pad : {window.pad_top, window.pad_bottom, window.pad_left, window.pad_right}) {
    if (pad < 0 || pad > kMaxWindowExtent) {
      return InvalidInput(
          fmt::format("padding is {}; accepted are 0 to {}", pad, kMaxWindowExtent));
    }
  }
  return Shape{in[0] + window.pad_top + window.pad_bottom,
               in[1] + window.pad_left + window.pad_right, in[2]};
}

Result<Shape> ConcatenatedShape(const Graph& graph, const Node& node) {
  Shape out = graph.tensor(node.inputs[0]).shape;
  if (node.axis < 0 || node.axis >= static_cast<int>(out.size())) {
    return InvalidInput(fmt::format("axis is {}; accepted for shape {} are 0 to {}", node.axis,
                                    ToString(out), out.size() - 1));
  }
  const size_t axis = static_cast<size_t>(node.axis);
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const Shape& shape = graph.tensor(node.inputs[i]).shape;
    Shape expected = out;
    if (shape.size() == out.size()) expected[axis] = shape[axis];
    if (shape != expected) {
      return InvalidInput(fmt::format("input {} has shape {}; accepted is {} but for axis {}", i,
                                      ToString(shape), ToString(expected), node.axis));
    }
    out[axis] += shape[axis];
  }
  return out;
}

}  // namespace

bool HasWeights(OperatorKind kind) {
  return kind == OperatorKind::kConv2d || kind == OperatorKind::kDepthwiseConv2d ||
         kind == OperatorKind::kFullyConnected;
}

bool HasWindow(OperatorKind kind) {
  return kind == OperatorKind::kConv2d || kind == OperatorKind::kDepthwiseConv2d || IsPool(kind) ||
         kind == OperatorKind::kPad;
}

bool IsPool(OperatorKind kind) {
  return kind == OperatorKind::kAveragePool2d || kind == OperatorKind::kMaxPool2d;
}

int64_t NumOutputChannels(const Graph& graph, const Node& node) {
  MACLOOM_CHECK(HasWeights(node.kind));
  const Shape& shape = graph.constant(node.weights).shape;
  return node.kind == OperatorKind::kDepthwiseConv2d ? shape.back() : shape.front();
}

Result<int64_t> OutputExtent(int64_t in, int kernel, int stride, int dilation, int pad_before,
                             int pad_after) {
  if (in < 1 || in > kMaxElements) {
    return InvalidInput(fmt::format("input size is {}; accepted are 1 to {}", in, kMaxElements));
  }
  if (kernel < 1 || kernel > kMaxWindowExtent) {
    return InvalidInput(
        fmt::format("kernel size is {}; accepted are 1 to {}", kernel, kMaxWindowExtent));
  }
  if (stride < 1 || stride > kMaxWindowExtent) {
    return InvalidInput(
        fmt::format("stride is {}; accepted are 1 to {}", stride, kMaxWindowExtent));
  }
  if (dilation < 1 || dilation > kMaxWindowExtent) {
    return InvalidInput(
        fmt::format("dilation is {}; accepted are 1 to {}", dilation, kMaxWindowExtent));
  }
  const int64_t extent = int64_t{kernel - 1} * dilation + 1;
  for (int padding : {pad_before, pad_after}) {
    if (padding < 0 || padding >= extent) {
      return InvalidInput(fmt::format("padding is {}; accepted are 0 to {} (kernel extent - 1)",
                                      padding, extent - 1));
    }
  }
  const int64_t padded = in + pad_before + pad_after;
  if (extent > padded) {
    return InvalidInput(
        fmt::format("kernel extent {} exceeds the padded input size {}", extent, padded));
  }
  return (padded - extent) / stride + 1;
}

Result<Shape> OutputShape(const Graph& graph, const Node& node) {
  const Shape& in = graph.tensor(node.inputs[0]).shape;
  if (HasWindow(node.kind) && in.size() != 3) {
    return InvalidInput(fmt::format(
        "input has shape {}; accepted are three axes (height, width, channels)", ToString(in)));
  }
  const Window& window = node.window;
  switch (node.kind) {
    case OperatorKind::kConv2d: {
      const Shape& weights = graph.constant(node.weights).shape;
      const int64_t num_outputs = weights.empty() ? 0 : weights[0];
      MACLOOM_RETURN_IF_ERROR(CheckWeightShape(
          weights, {num_outputs, window.kernel_h, window.kernel_w, in[2]}, "OHWI"));
      return WindowShape(in, window, num_outputs);
    }
    case OperatorKind::kDepthwiseConv2d: {
      if (node.depth_multiplier < 1 || node.depth_multiplier > kMaxElements) {
        return InvalidInput(fmt::format("depth multiplier is {}; accepted are 1 to {}",
                                        node.depth_multiplier, kMaxElements));
      }
      const int64_t num_outputs = in[2] * node.depth_multiplier;
      MACLOOM_RETURN_IF_ERROR(CheckWeightShape(graph.constant(node.weights).shape,
                                               {window.kernel_h, window.kernel_w, num_outputs},
                                               "HWC"));
      return WindowShape(in, window, num_outputs);
    }
    case OperatorKind::kFullyConnected: {
      const Shape& weights = graph.constant(node.weights).shape;
      const int64_t num_outputs = weights.empty() ? 0 : weights[0];
      MACLOOM_RETURN_IF_ERROR(CheckWeightShape(weights, {num_outputs, NumElements(in)}, "OI"));
      return Shape{num_outputs};
    }
    case OperatorKind::kAveragePool2d:
    case OperatorKind::kMaxPool2d:
      if (window.dilation_h != 1 || window.dilation_w != 1) {
        return InvalidInput(fmt::format("dilation of pooling is {}x{}; accepted is 1x1",
                                        window.dilation_h, window.dilation_w));
      }
      return WindowShape(in, window, in[2]);
    case OperatorKind::kPad:
      return PaddedShape(in, window);
    case OperatorKind::kConcatenation:
      return ConcatenatedShape(graph, node);
    case OperatorKind::kAdd: {
      const Shape& other = graph.tensor(node.inputs[1]).shape;
      if (other != in) {
        return InvalidInput(fmt::format("operands have shapes {} and {}; accepted are equal shapes",
                                        ToString(in), ToString(other)));
      }
      return in;
    }
    case OperatorKind::kReshape: {
      const Shape& out = graph.tensor(node.output).shape;
      if (NumElements(out) != NumElements(in)) {
        return InvalidInput(
            fmt::format("reshapes {} ({} elements) to {} ({} elements); accepted are "
                        "equal element counts",
                        ToString(in), NumElements(in), ToString(out), NumElements(out)));
      }
      return out;
    }
    case OperatorKind::kSoftmax:
      return in;
  }
  return InvalidInput("unknown operator");
}

}  // namespace macloom::ir
