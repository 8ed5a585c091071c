// Constants, shapes, padding, pooling: nodes that move or choose codes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "importers/onnx/converter.h"

namespace macloom::importers::onnx {

Result<Value> Converter::ConvertConstant(const FileNode& node) {
  const auto found = node.attributes.find("value");
  if (found == node.attributes.end() || found->second.tensor.values.empty()) {
    return Unsupported("has no attribute 'value' with a tensor; supported is that form");
  }
  return Of(ConstantValue{found->second.tensor.shape, found->second.tensor.values, {}, {}, 0});
}

Result<Value> Converter::ConvertIdentity(const FileNode& node) { return Operand(node, 0); }

Result<Value> Converter::ConvertReshape(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const Value operand, Operand(node, 0));
  if (operand.constant != nullptr) {
    return Unsupported("reshapes a constant; supported are activations");
  }
  ActivationValue value = operand.activation;
  const int64_t count = ir::NumElements(value.shape);
  if (node.type == "Flatten") {
    if (Number(node, "axis", 1) != 1) return Unsupported("axis is not 1; supported is 1");
  } else {
    MACLOOM_ASSIGN_OR_RETURN(const auto shape, Constant(node, 1));
    std::vector<double> wanted = shape->values;
    double known = 1;
    for (const double d : wanted) known *= d > 0 ? d : 1;
    for (double& d : wanted) {
      if (d == -1) d = static_cast<double>(count) / known;
    }
    const bool is_vector =
        wanted.size() == 2 && wanted[0] == 1 && wanted[1] == static_cast<double>(count);
    if (!is_vector) {
      return Unsupported(fmt::format("reshapes to {} axes; supported is flattening to 1x{}",
                                     wanted.size(), count));
    }
  }
  if (value.shape.size() == 1) return Of(std::move(value));
  if (value.has_padding()) return Unsupported("flattens what Pad made; supported is Pad, Conv");
  if (value.image.empty()) value.image = value.shape;
  value.shape = {count};
  return Of(std::move(value));
}

Result<Value> Converter::ConvertTranspose(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const auto constant, Constant(node, 0));
  const bool is_matrix = constant->shape.size() == 2;
  const auto perm = node.attributes.find("perm");
  const bool is_swap =
      perm == node.attributes.end() || perm->second.numbers == std::vector<int64_t>{1, 0};
  if (!is_matrix || !is_swap) {
    return Unsupported("transposes more than a constant matrix; supported is perm 1, 0");
  }
  const int64_t rows = constant->shape[0];
  const int64_t columns = constant->shape[1];
  const auto transposed = [&](const std::vector<double>& from) {
    std::vector<double> to(from.size());
    for (int64_t r = 0; r < rows && !from.empty(); ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        to[static_cast<size_t>(c * rows + r)] = from[static_cast<size_t>(r * columns + c)];
      }
    }
    return to;
  };
  return Of(ConstantValue{{columns, rows},
                          transposed(constant->values),
                          transposed(constant->codes),
                          transposed(constant->scales),
                          constant->code_bits});
}

Result<Value> Converter::ConvertShapeOf(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const ActivationValue value, Activation(node, 0));
  ConstantValue shape;
  shape.values = {1};
  for (const int64_t d : value.shape) shape.values.push_back(static_cast<double>(d));
  shape.shape = {static_cast<int64_t>(shape.values.size())};
  return Of(std::move(shape));
}

Result<Value> Converter::ConvertGather(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const auto list, Constant(node, 0));
  MACLOOM_ASSIGN_OR_RETURN(const double index, Scalar(node, 1));
  const double count = static_cast<double>(list->values.size());
  if (list->shape.size() != 1 || !(index >= -count && index < count) ||
      index != std::floor(index)) {
    return Unsupported("gathers something else than one element of a constant list");
  }
  const auto at = static_cast<size_t>(index < 0 ? index + count : index);
  return Of(ConstantValue{{}, {list->values[at]}, {}, {}, 0});
}

Result<Value> Converter::ConvertUnsqueeze(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const auto constant, Constant(node, 0));
  if (constant->values.size() != 1) {
    return Unsupported("unsqueezes more than one element; supported is a scalar");
  }
  return Of(ConstantValue{{1}, constant->values, {}, {}, 0});
}

Result<Value> Converter::ConvertConcat(const FileNode& node) {
  ConstantValue list;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    MACLOOM_ASSIGN_OR_RETURN(const auto part, Constant(node, i));
    if (part->shape.size() != 1) return Unsupported("joins more than lists of numbers");
    list.values.insert(list.values.end(), part->values.begin(), part->values.end());
  }
  list.shape = {static_cast<int64_t>(list.values.size())};
  return Of(std::move(list));
}

Result<Value> Converter::ConvertPad(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, Codes(node, 0));
  double scale = 0;
  MACLOOM_ASSIGN_OR_RETURN(value.tensor, builder_.TensorOf(value, &scale, false));
  if (Text(node, "mode", "constant") != "constant") {
    return Unsupported(fmt::format("mode is {}; supported is constant",
                                   Printable(Text(node, "mode", "constant"))));
  }
  double filled = Number(node, "value", 0);
  if (HasOperand(node, 2)) {
    MACLOOM_ASSIGN_OR_RETURN(filled, Scalar(node, 2));
  }
  if (filled != 0) return Unsupported(fmt::format("pads with {}; supported is 0", filled));
  std::vector<double> pads;
  if (HasOperand(node, 1)) {
    MACLOOM_ASSIGN_OR_RETURN(const auto operand, Constant(node, 1));
    pads = operand->values;
  } else if (const auto found = node.attributes.find("pads"); found != node.attributes.end()) {
    for (const int64_t pad : found->second.numbers) pads.push_back(static_cast<double>(pad));
  }
  const size_t rank = value.shape.size() + 1;
  if (pads.size() != 2 * rank || rank < 3) {
    return InvalidInput(fmt::format("has {} pads for an input of {} axes; accepted are {}",
                                    pads.size(), rank, 2 * rank));
  }
  constexpr double kMaxPad = 4096;
  for (size_t i = 0; i < pads.size(); ++i) {
    const bool is_image_axis = i % rank >= 2;
    if (pads[i] >= 0 && pads[i] <= (is_image_axis ? kMaxPad : 0) &&
        pads[i] == std::floor(pads[i])) {
      continue;
    }
    return Unsupported(fmt::format("pad {} is {}; supported are 0 to {} on image axes, else 0", i,
                                   pads[i], kMaxPad));
  }
  const auto at = [&](size_t i) { return static_cast<int>(pads[i]); };
  value.pad_left += at(rank - 1);
  value.pad_right += at(2 * rank - 1);
  value.shape.back() += at(rank - 1) + at(2 * rank - 1);
  if (rank == 4) {
    value.pad_top += at(2);
    value.pad_bottom += at(6);
    value.shape[1] += at(2) + at(6);
  }
  constexpr int64_t kMaxPadded = int64_t{1} << 24;
  if (ir::NumElements(value.shape) > kMaxPadded) {
    return Unsupported(fmt::format("pads to {}; supported are at most {} elements",
                                   ir::ToString(value.shape), kMaxPadded));
  }
  return Of(std::move(value));
}

Result<Value> Converter::ConvertMaxPool(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, Codes(node, 0));
  double scale = 0;
  MACLOOM_ASSIGN_OR_RETURN(value.tensor, builder_.TensorOf(value, &scale, true));
  value.pad_top = value.pad_bottom = value.pad_left = value.pad_right = 0;
  std::vector<int64_t> kernel(value.shape.begin() + 1, value.shape.end());
  if (node.type == "MaxPool") {
    MACLOOM_ASSIGN_OR_RETURN(kernel, Numbers(node, "kernel_shape", kernel.size(), 0, 1, 65535));
  }
  ir::Node pool;
  pool.kind = ir::OperatorKind::kMaxPool2d;
  pool.inputs = {value.tensor};
  MACLOOM_ASSIGN_OR_RETURN(pool.window, ReadWindow(node, value, kernel));
  MACLOOM_ASSIGN_OR_RETURN(const ir::Shape shape,
                           WindowedShape(value, pool.window, value.shape[0]));
  return Of(builder_.AddMoving(std::move(pool), value, shape, node.outputs[0]));
}

Result<Value> Converter::ConvertAveragePool(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, Codes(node, 0));
  double scale = 0;
  MACLOOM_ASSIGN_OR_RETURN(const ir::TensorId tensor, builder_.TensorOf(value, &scale, true));
  value.pad_top = value.pad_bottom = value.pad_left = value.pad_right = 0;
  if (builder_.graph().tensor(tensor).quantization.zero_point() != 0) {
    return Unsupported("averages codes with a zero point; supported is zero point 0");
  }
  std::vector<int64_t> kernel(value.shape.begin() + 1, value.shape.end());
  if (node.type == "AveragePool") {
    MACLOOM_ASSIGN_OR_RETURN(kernel, Numbers(node, "kernel_shape", kernel.size(), 0, 1, 65535));
  }
  auto pool = std::make_shared<ir::Node>();
  pool->kind = ir::OperatorKind::kAveragePool2d;
  pool->inputs = {tensor};
  MACLOOM_ASSIGN_OR_RETURN(pool->window, ReadWindow(node, value, kernel));
  const ir::Window& window = pool->window;
  const bool is_padded =
      window.pad_top + window.pad_bottom + window.pad_left + window.pad_right != 0;
  if (is_padded && Number(node, "count_include_pad", 0) == 0) {
    return Unsupported("averages fewer positions at the border; supported is no padding");
  }
  ActivationValue result;
  MACLOOM_ASSIGN_OR_RETURN(result.shape, WindowedShape(value, window, value.shape[0]));
  const int64_t count = int64_t{window.kernel_h} * window.kernel_w;
  result.map.slope = {scale / static_cast<double>(count)};
  result.map.is_exact = scale == 1;
  result.map.div = count;
  result.open = std::move(pool);
  return Of(std::move(result));
}

Result<Value> Converter::ConvertSoftmax(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, Activation(node, 0));
  if (node.outputs[0] != file_.output) {
    return Unsupported("is not the network's last node; supported is a Softmax at its end");
  }
  value.is_host_side = true;
  return Of(std::move(value));
}

}  // namespace macloom::importers::onnx
