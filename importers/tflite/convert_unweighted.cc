// AVERAGE_POOL_2D, ADD, RESHAPE, SOFTMAX.
#include <fmt/format.h>

#include "importers/tflite/convert.h"
#include "importers/tflite/quantization.h"
#include "importers/tflite/window.h"

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

Status ConvertAveragePool2d(const FileOperator& file_operator, GraphBuilder& builder,
                            ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  const FileOptions& options = file_operator.options;
  MACLOOM_RETURN_IF_ERROR(CheckFeatureMap(input));
  MACLOOM_ASSIGN_OR_RETURN(node.window,
                           ResolveWindow(options, options.kernel_h, options.kernel_w, input.shape));
  MACLOOM_RETURN_IF_ERROR(CheckWindowOutput(node.window, input.shape, input.shape[2], output));
  MACLOOM_RETURN_IF_ERROR(CheckSameQuantization(input, output));
  // The mean of codes is already on the output's grid: no zero point is added.
  node.requantization.kind = ir::RequantizationKind::kMean;
  return SetActivationClamp(options.activation, output.quantization, node.requantization);
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
