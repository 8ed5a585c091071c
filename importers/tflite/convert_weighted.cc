// CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED.
#include <fmt/format.h>

#include "importers/tflite/convert.h"
#include "importers/tflite/quantization.h"
#include "importers/tflite/window.h"

namespace macloom::importers::tflite {
namespace {

constexpr size_t kWeightsInput = 1;
constexpr size_t kBiasInput = 2;

/// Index of the weights tensor; an absent one (-1) is an error.
Result<int32_t> WeightsIndex(const FileOperator& file_operator) {
  const int32_t index = file_operator.inputs[kWeightsInput];
  if (index < 0) return InvalidInput("the weights are absent (tensor -1); accepted is a tensor");
  return index;
}

/// Bias, multipliers, zero point and clamp: the same for all three operators but for `product`.
Status FinishWeighted(const FileOperator& file_operator, ScaleProduct product, int64_t num_channels,
                      GraphBuilder& builder, ir::Node& node) {
  const ir::Graph& graph = builder.graph();
  const float input_scale = graph.tensor(node.inputs[0]).quantization.scale();
  const ir::Quantization output = graph.tensor(node.output).quantization;
  const ir::Quantization weights = graph.constant(node.weights).quantization;
  if (file_operator.inputs.size() > kBiasInput && file_operator.inputs[kBiasInput] >= 0) {
    MACLOOM_ASSIGN_OR_RETURN(node.bias, builder.AddBias(file_operator.inputs[kBiasInput], weights,
                                                        num_channels, input_scale, output.scale()));
  }
  ir::Requantization& requantization = node.requantization;
  requantization.kind = builder.rounding() == ir::Rounding::kSingle
                            ? ir::RequantizationKind::kMultiplierSingle
                            : ir::RequantizationKind::kMultiplierDouble;
  MACLOOM_ASSIGN_OR_RETURN(
      requantization.channels,
      ChannelMultipliers(input_scale, weights.scales, output.scale(), product, builder.rounding()));
  requantization.zero_point = output.zero_point();
  return SetActivationClamp(file_operator.options.activation, output, requantization);
}

}  // namespace

Status CheckFeatureMap(const ir::TensorInfo& tensor) {
  if (tensor.shape.size() == 3) return {};
  return InvalidInput(
      fmt::format("'{}' has the shape {} without batch axis; accepted are feature maps HxWxC",
                  tensor.name, ir::ToString(tensor.shape)));
}

Status ConvertConv2d(const FileOperator& file_operator, GraphBuilder& builder, ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  MACLOOM_RETURN_IF_ERROR(CheckFeatureMap(input));
  MACLOOM_ASSIGN_OR_RETURN(const int32_t weights_index, WeightsIndex(file_operator));
  MACLOOM_ASSIGN_OR_RETURN(const ir::Shape ohwi, builder.WeightShape(weights_index, 4));
  if (ohwi[3] != input.shape[2]) {
    if (input.shape[2] % ohwi[3] == 0) {
      return Unsupported(fmt::format("grouped convolution ({} groups); supported is 1 group",
                                     input.shape[2] / ohwi[3]));
    }
    return InvalidInput(fmt::format("weights have {} input channels; accepted are {} (input '{}')",
                                    ohwi[3], input.shape[2], input.name));
  }
  MACLOOM_ASSIGN_OR_RETURN(node.window,
                           ResolveWindow(file_operator.options, ohwi[1], ohwi[2], input.shape));
  MACLOOM_RETURN_IF_ERROR(CheckWindowOutput(node.window, input.shape, ohwi[0], output));
  MACLOOM_ASSIGN_OR_RETURN(node.weights, builder.AddWeights(weights_index, ohwi, 0, 0));
  return FinishWeighted(file_operator, ScaleProduct::kDouble, ohwi[0], builder, node);
}

Status ConvertDepthwiseConv2d(const FileOperator& file_operator, GraphBuilder& builder,
                              ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  MACLOOM_RETURN_IF_ERROR(CheckFeatureMap(input));
  MACLOOM_ASSIGN_OR_RETURN(const int32_t weights_index, WeightsIndex(file_operator));
  MACLOOM_ASSIGN_OR_RETURN(const ir::Shape one_hwc, builder.WeightShape(weights_index, 4));
  if (one_hwc[0] != 1) {
    return InvalidInput(
        fmt::format("depthwise weights have the first dimension {}; accepted is 1", one_hwc[0]));
  }
  const int64_t num_channels = one_hwc[3];
  if (num_channels % input.shape[2] != 0) {
    return InvalidInput(
        fmt::format("depthwise weights have {} channels; accepted are multiples of {} (input '{}')",
                    num_channels, input.shape[2], input.name));
  }
  const int64_t depth_multiplier = num_channels / input.shape[2];
  // Newer runtimes ignore the stored value; 0 means not stored.
  const int64_t stored = file_operator.options.depth_multiplier;
  if (stored != 0 && stored != depth_multiplier) {
    return InvalidInput(
        fmt::format("depth multiplier is {}; accepted is {} (channels of weights and input)",
                    stored, depth_multiplier));
  }
  node.depth_multiplier = static_cast<int>(depth_multiplier);
  MACLOOM_ASSIGN_OR_RETURN(
      node.window, ResolveWindow(file_operator.options, one_hwc[1], one_hwc[2], input.shape));
  MACLOOM_RETURN_IF_ERROR(CheckWindowOutput(node.window, input.shape, num_channels, output));
  MACLOOM_ASSIGN_OR_RETURN(
      node.weights,
      builder.AddWeights(weights_index, {one_hwc[1], one_hwc[2], num_channels}, 3, 2));
  return FinishWeighted(file_operator, ScaleProduct::kDouble, num_channels, builder, node);
}

Status ConvertFullyConnected(const FileOperator& file_operator, GraphBuilder& builder,
                             ir::Node& node) {
  const ir::TensorInfo& input = builder.graph().tensor(node.inputs[0]);
  const ir::TensorInfo& output = builder.graph().tensor(node.output);
  if (file_operator.options.weights_layout != 0) {
    return Unsupported(fmt::format("weights layout {} (shuffled); supported is 0 (row-major)",
                                   file_operator.options.weights_layout));
  }
  MACLOOM_ASSIGN_OR_RETURN(const int32_t weights_index, WeightsIndex(file_operator));
  MACLOOM_ASSIGN_OR_RETURN(const ir::Shape oi, builder.WeightShape(weights_index, 2));
  const int64_t num_inputs = ir::NumElements(input.shape);
  if (num_inputs != oi[1]) {
    if (num_inputs % oi[1] == 0) {
      return Unsupported(
          fmt::format("the input holds {} vectors of {} elements; supported is 1 vector",
                      num_inputs / oi[1], oi[1]));
    }
    return InvalidInput(
        fmt::format("weights have {} columns; accepted are {} (elements of input '{}')", oi[1],
                    num_inputs, input.name));
  }
  if (output.shape != ir::Shape{oi[0]}) {
    if (ir::NumElements(output.shape) == oi[0]) {
      return Unsupported(
          fmt::format("output '{}' has the shape {} without batch axis; supported is the vector {}",
                      output.name, ir::ToString(output.shape), oi[0]));
    }
    return InvalidInput(
        fmt::format("output '{}' has the shape {}; accepted is {} (rows of the weights)",
                    output.name, ir::ToString(output.shape), oi[0]));
  }
  MACLOOM_ASSIGN_OR_RETURN(node.weights, builder.AddWeights(weights_index, oi, 0, 0));
  // The runtime computes one scale per tensor in float32, scales per channel in double.
  const bool is_per_channel = builder.graph().constant(node.weights).quantization.scales.size() > 1;
  return FinishWeighted(file_operator,
                        is_per_channel ? ScaleProduct::kDouble : ScaleProduct::kFloat32First, oi[0],
                        builder, node);
}

}  // namespace macloom::importers::tflite
