// Pooling, ADD, CONCATENATION, PAD, QUANTIZE, RESHAPE, SOFTMAX.
#include <fmt/format.h>

#include "importers/tflite/convert.h"
#include "importers/tflite/names.h"
#include "importers/tflite/quantization.h"
#include "importers/tflite/window.h"
#include "ir/shape_inference.h"

namespace macloom::importers::tflite {
namespace {

Status CheckSameQuantization(const ir::TensorInfo& input, const ir::TensorInfo& output) {
  const ir::Quantization& from = input.quantization;
  const ir::Quantization& to = output.quantization;
  if (from.scale() == to.scale() && from.zero_point() == to.zero_point()) return {};
  return Unsupported(
      fmt::format("input and output have different quantization (scale {} and {}, zero point {} "
                  "and {}); supported "
                  "are equal scales and zero points",
                  from.scale(), to.scale(), from.zero_point(), to.zero_point()));
}

Status CheckSameShape(const ir::TensorInfo& first, const ir::TensorInfo& second) {
  if (first.shape == second.shape) return {};
  return InvalidInput(fmt::format("'{}' has the shape {} and '{}' {}; accepted are equal shapes",
                                  first.name, ir::ToString(first.shape), second.name,
                                  ir::ToString(second.shape)));
}

}  // namespace

namespace {

/// Window and clamp of a pooling operator.
Status ConvertPool(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  const FileOptions& options = file_operator.options;
  MACLOOM_RETURN_IF_ERROR(CheckFeatureMap(input));
  MACLOOM_ASSIGN_OR_RETURN(node.window,
                           ResolveWindow(options, options.kernel_h, options.kernel_w, input.shape));
  MACLOOM_RETURN_IF_ERROR(CheckWindowOutput(node.window, input.shape, input.shape[2], output));
  MACLOOM_RETURN_IF_ERROR(CheckSameQuantization(input, output));
  return SetActivationClamp(options.activation, output.quantization, node.requantization);
}

}  // namespace

Status ConvertAveragePool2d(const FileOperator& file_operator, GraphBuilder& builder,
                            ir::Node& node) {
  // The mean of codes is already on the output's grid: no zero point is added.
  node.requantization.kind = ir::RequantizationKind::kMean;
  return ConvertPool(file_operator, builder, node);
}

Status ConvertMaxPool2d(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node) {
  return ConvertPool(file_operator, builder, node);
}

Status ConvertConcatenation(const FileOperator& file_operator, GraphBuilder& builder,
                            ir::Node& node) {
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  const FileOptions& options = file_operator.options;
  if (options.activation != kActivationNone) {
    return Unsupported(
        fmt::format("fused activation {}; supported is NONE", ActivationName(options.activation)));
  }
  for (const ir::TensorId id : node.inputs) {
    MACLOOM_RETURN_IF_ERROR(CheckSameQuantization(builder.graph().tensor(id), output));
  }
  // The file counts the batch axis.
  const int rank = static_cast<int>(output.shape.size()) + 1;
  const int axis = options.axis < 0 ? options.axis + rank : options.axis;
  if (axis < 1 || axis >= rank) {
    return Unsupported(fmt::format("axis is {}; supported for rank {} are 1 to {} and -{} to -1",
                                   options.axis, rank, rank - 1, rank - 1));
  }
  node.axis = axis - 1;
  return {};
}

Status ConvertPad(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  MACLOOM_RETURN_IF_ERROR(CheckFeatureMap(input));
  MACLOOM_RETURN_IF_ERROR(CheckSameQuantization(input, output));
  // [batch, height, width, channels][before, after]
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<int64_t> pads,
                           builder.Integers(file_operator.inputs[1], {4, 2}));
  for (size_t i = 0; i < pads.size(); ++i) {
    const bool is_spatial = i / 2 == 1 || i / 2 == 2;
    const int64_t most = is_spatial ? ir::kMaxWindowExtent : 0;
    if (pads[i] < 0 || pads[i] > most) {
      return Unsupported(fmt::format("padding {} axis {} is {}; supported are 0 to {}",
                                     i % 2 == 0 ? "before" : "after", i / 2, pads[i], most));
    }
  }
  node.window.pad_top = static_cast<int>(pads[2]);
  node.window.pad_bottom = static_cast<int>(pads[3]);
  node.window.pad_left = static_cast<int>(pads[4]);
  node.window.pad_right = static_cast<int>(pads[5]);
  return {};
}

Status ConvertQuantize(const FileOperator&, GraphBuilder& builder, ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  MACLOOM_RETURN_IF_ERROR(CheckFeatureMap(input));
  MACLOOM_RETURN_IF_ERROR(CheckSameShape(input, output));
  ir::Requantization& requantization = node.requantization;
  requantization.kind = builder.rounding() == ir::Rounding::kSingle
                            ? ir::RequantizationKind::kMultiplierSingle
                            : ir::RequantizationKind::kMultiplierDouble;
  requantization.zero_point = output.quantization.zero_point();
  MACLOOM_ASSIGN_OR_RETURN(const ir::FixedPointMultiplier pair,
                           ir::QuantizeMultiplier(double{input.quantization.scale()} /
                                                      double{output.quantization.scale()},
                                                  builder.rounding()));
  requantization.channels = {pair};
  MACLOOM_ASSIGN_OR_RETURN(node.weights, builder.AddUnitWeights(output.name, input.shape[2]));
  return SetActivationClamp(kActivationNone, output.quantization, requantization);
}

Status ConvertAdd(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node) {
  const ir::TensorInfo& first = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& second = builder.graph().tensor(node.inputs[1]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  if (first.shape != second.shape) {
    return Unsupported(
        fmt::format("operands have the shapes {} and {} (broadcasting); supported are equal shapes",
                    ir::ToString(first.shape), ir::ToString(second.shape)));
  }
  MACLOOM_RETURN_IF_ERROR(CheckSameShape(first, output));
  MACLOOM_ASSIGN_OR_RETURN(node.add,
                           AddParametersFor(first.quantization.scale(), second.quantization.scale(),
                                            output.quantization.scale(), builder.rounding()));
  node.requantization.kind = builder.rounding() == ir::Rounding::kSingle
                                 ? ir::RequantizationKind::kMultiplierSingle
                                 : ir::RequantizationKind::kMultiplierDouble;
  node.requantization.zero_point = output.quantization.zero_point();
  return SetActivationClamp(file_operator.options.activation, output.quantization,
                            node.requantization);
}

Status ConvertReshape(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  const bool has_shape_input = file_operator.inputs.size() > 1 && file_operator.inputs[1] >= 0;
  if (has_shape_input && !builder.IsConstant(file_operator.inputs[1])) {
    return Unsupported("the target shape is computed at run time; supported are constant shapes");
  }
  if (ir::NumElements(input.shape) != ir::NumElements(output.shape)) {
    return InvalidInput(fmt::format("reshapes {} to {}; accepted are equal numbers of elements",
                                    ir::ToString(input.shape), ir::ToString(output.shape)));
  }
  return CheckSameQuantization(input, output);
}

Status ConvertSoftmax(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  MACLOOM_RETURN_IF_ERROR(CheckSameShape(input, output));
  constexpr float kOutputScale = 1.0f / 256.0f;
  constexpr int32_t kOutputZeroPoint = -128;
  if (output.quantization.scale() != kOutputScale ||
      output.quantization.zero_point() != kOutputZeroPoint) {
    return Unsupported(fmt::format("output scale {} with zero point {}; supported is {} with {}",
                                   output.quantization.scale(), output.quantization.zero_point(),
                                   kOutputScale, kOutputZeroPoint));
  }
  MACLOOM_ASSIGN_OR_RETURN(
      node.softmax, SoftmaxParametersFor(file_operator.options.beta, input.quantization.scale(),
                                         builder.rounding()));
  return {};
}

}  // namespace macloom::importers::tflite
