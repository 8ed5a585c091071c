// Convolutions and matrix products with constant weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "importers/onnx/converter.h"

namespace macloom::importers::onnx {
namespace {

constexpr double kMaxBias = 4503599627370496.0;  // 2^52

/// Narrowest signed width that holds the codes, at least `named`.
Result<int> WeightBits(const std::vector<double>& codes, int named) {
  double smallest = 0;
  double largest = 0;
  for (const double code : codes) {
    if (code != std::floor(code)) {
      return Unsupported(fmt::format(
          "a weight is {}; supported are integers, or fractions that went through a quantizer",
          code));
    }
    smallest = std::min(smallest, code);
    largest = std::max(largest, code);
  }
  int bits = std::max(named, named == 0 ? 8 : 2);
  while (bits <= 16 && (smallest < -std::ldexp(1, bits - 1) || largest >= std::ldexp(1, bits - 1)))
    ++bits;
  if (bits <= 16) return bits;
  return Unsupported(
      fmt::format("weights are {} to {}; supported are at most 16 bits", smallest, largest));
}

struct Weights {
  std::vector<double> codes;
  std::vector<double> scales;  ///< One per output channel.
};

/// Codes and the scale of each output channel; `channel_of(i)` names the channel of element i.
template <typename ChannelOf>
Result<Weights> SplitWeights(const ConstantValue& constant, int64_t num_channels,
                             ChannelOf channel_of) {
  Weights weights;
  weights.codes = constant.codes.empty() ? constant.values : constant.codes;
  weights.scales.assign(static_cast<size_t>(num_channels), constant.codes.empty() ? 1 : 0);
  if (constant.codes.empty()) return weights;
  for (size_t i = 0; i < constant.scales.size(); ++i) {
    double& scale = weights.scales[static_cast<size_t>(channel_of(static_cast<int64_t>(i)))];
    if (scale == 0) scale = constant.scales[i];
    if (scale != constant.scales[i]) {
      return Unsupported("the weights of an output channel have several scales; supported is one");
    }
  }
  return weights;
}

}  // namespace

Result<Value> Converter::FinishWeighted(const FileNode& node, const ConstantValue& weights,
                                        std::vector<double> weight_scales, ir::Node open,
                                        double input_scale, ir::Shape file_shape, double alpha,
                                        double beta, size_t bias_operand) {
  const int64_t num_channels = file_shape[0];
  ActivationValue result;
  result.shape = std::move(file_shape);
  result.map.is_exact = input_scale == 1 && weights.codes.empty() && alpha == std::floor(alpha) &&
                        std::fabs(alpha) < 32768;
  result.map.slope.clear();
  for (const double scale : weight_scales) {
    result.map.slope.push_back(input_scale * scale * alpha);
  }
  if (result.map.is_exact) result.map.num = {static_cast<int64_t>(alpha)};
  if (HasOperand(node, bias_operand) && beta != 0) {
    MACLOOM_ASSIGN_OR_RETURN(const auto bias, Constant(node, bias_operand));
    std::vector<double> values = bias->values;
    const bool is_vector = bias->shape.empty() || bias->shape.size() == 1 ||
                           (bias->shape.size() == 2 && bias->shape[0] == 1);
    if (values.size() == 1) values.assign(static_cast<size_t>(num_channels), values[0]);
    if (!is_vector || static_cast<int64_t>(values.size()) != num_channels) {
      return Unsupported(
          fmt::format("the bias has shape {}; supported is one element per output "
                      "channel: {}",
                      ir::ToString(bias->shape), num_channels));
    }
    // A bias on the accumulator's grid starts the accumulator, any other is part of the map.
    std::vector<int64_t> codes;
    for (size_t c = 0; c < values.size(); ++c) {
      const double on_grid = values[c] * beta / result.map.slope[c];
      const double nearest = std::round(on_grid);
      const bool is_close = bias->codes.empty()
                                ? on_grid == nearest
                                : std::fabs(on_grid - nearest) <= 1e-6 * std::fabs(nearest) + 1e-6;
      if (!is_close || !(std::fabs(nearest) < kMaxBias)) break;
      codes.push_back(static_cast<int64_t>(nearest));
    }
    if (codes.size() == values.size()) {
      open.bias =
          builder_.AddConstant(node.inputs[bias_operand], {num_channels}, 64, std::move(codes));
    } else {
      result.map.is_exact = false;
      result.map.offset = values;
      for (double& value : result.map.offset) value *= beta;
    }
  }
  result.open = std::make_shared<const ir::Node>(std::move(open));
  return Of(std::move(result));
}

Result<Value> Converter::ConvertConv(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const ActivationValue input, Codes(node, 0));
  double scale = 0;
  MACLOOM_ASSIGN_OR_RETURN(const ir::TensorId tensor, builder_.TensorOf(input, &scale, false));
  MACLOOM_ASSIGN_OR_RETURN(const auto constant, Constant(node, 1));
  const ir::Shape& file = constant->shape;
  const size_t axes = input.shape.size() - 1;
  if (file.size() != axes + 2 || axes < 1) {
    return InvalidInput(fmt::format("weights have {} axes on an input of {}; accepted are {}",
                                    file.size(), axes + 2, axes + 2));
  }
  const std::vector<int64_t> kernel(file.begin() + 2, file.end());
  if (node.attributes.count("kernel_shape") != 0) {
    MACLOOM_ASSIGN_OR_RETURN(const auto stated, Numbers(node, "kernel_shape", axes, 1, 1, 65535));
    if (stated != kernel) {
      return InvalidInput("kernel_shape differs from the weights; accepted is the weights' shape");
    }
  }
  ir::Node open;
  open.inputs = {tensor};
  MACLOOM_ASSIGN_OR_RETURN(open.window, ReadWindow(node, input, kernel));
  const int64_t num_outputs = file[0];
  const int64_t num_inputs = input.shape[0];
  const int64_t group = SmallNumber(node, "group", 1);
  const bool is_depthwise = group == num_inputs && group > 1;
  if (!is_depthwise && group != 1) {
    return Unsupported(fmt::format("has {} groups of {} channels; supported are 1 and {}", group,
                                   num_inputs, num_inputs));
  }
  if (file[1] != (is_depthwise ? 1 : num_inputs) ||
      (is_depthwise && num_outputs % num_inputs != 0)) {
    return InvalidInput(fmt::format("weights of shape {} do not fit {} input channels in {} groups",
                                    ir::ToString(file), num_inputs, group));
  }
  const int64_t taps = int64_t{open.window.kernel_h} * open.window.kernel_w;
  const int64_t per_output = taps * file[1];
  MACLOOM_ASSIGN_OR_RETURN(
      const Weights weights,
      SplitWeights(*constant, num_outputs, [&](int64_t i) { return i / per_output; }));
  MACLOOM_ASSIGN_OR_RETURN(const int bits, WeightBits(weights.codes, constant->code_bits));
  std::vector<int64_t> codes(weights.codes.size());
  for (int64_t oc = 0; oc < num_outputs; ++oc) {
    for (int64_t ic = 0; ic < file[1]; ++ic) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t from = (oc * file[1] + ic) * taps + tap;
        const int64_t to = is_depthwise ? tap * num_outputs + oc : (oc * taps + tap) * file[1] + ic;
        codes[static_cast<size_t>(to)] =
            static_cast<int64_t>(weights.codes[static_cast<size_t>(from)]);
      }
    }
  }
  const int64_t kernel_h = open.window.kernel_h;
  const int64_t kernel_w = open.window.kernel_w;
  open.kind = is_depthwise ? ir::OperatorKind::kDepthwiseConv2d : ir::OperatorKind::kConv2d;
  open.depth_multiplier = is_depthwise ? static_cast<int>(num_outputs / num_inputs) : 1;
  open.weights =
      builder_.AddConstant(node.inputs[1],
                           is_depthwise ? ir::Shape{kernel_h, kernel_w, num_outputs}
                                        : ir::Shape{num_outputs, kernel_h, kernel_w, file[1]},
                           bits, std::move(codes));
  MACLOOM_ASSIGN_OR_RETURN(ir::Shape shape, WindowedShape(input, open.window, num_outputs));
  return FinishWeighted(node, *constant, weights.scales, std::move(open), scale, std::move(shape),
                        1, 1, 2);
}

Result<Value> Converter::FullyConnect(const FileNode& node, bool is_transposed, double alpha,
                                      double beta) {
  MACLOOM_ASSIGN_OR_RETURN(const ActivationValue input, Codes(node, 0));
  double scale = 0;
  MACLOOM_ASSIGN_OR_RETURN(const ir::TensorId tensor, builder_.TensorOf(input, &scale, false));
  MACLOOM_ASSIGN_OR_RETURN(const auto constant, Constant(node, 1));
  if (input.shape.size() != 1 || constant->shape.size() != 2) {
    return Unsupported(fmt::format(
        "multiplies a value of shape 1x{} by one of shape {}; supported is a vector by a constant "
        "matrix",
        ir::ToString(input.shape), ir::ToString(constant->shape)));
  }
  const int64_t num_outputs = constant->shape[is_transposed ? 0 : 1];
  const int64_t num_inputs = constant->shape[is_transposed ? 1 : 0];
  if (num_inputs != input.shape[0]) {
    return InvalidInput(fmt::format("the matrix takes {} elements; accepted are {} (its input)",
                                    num_inputs, input.shape[0]));
  }
  const auto channel_of = [&](int64_t i) {
    return is_transposed ? i / num_inputs : i % num_outputs;
  };
  MACLOOM_ASSIGN_OR_RETURN(const Weights weights, SplitWeights(*constant, num_outputs, channel_of));
  MACLOOM_ASSIGN_OR_RETURN(const int bits, WeightBits(weights.codes, constant->code_bits));
  // The file flattens [C, H, W], the graph [H, W, C].
  const bool has_image = !input.image.empty();
  const int64_t channels = has_image ? input.image[0] : 1;
  const int64_t positions = num_inputs / channels;
  std::vector<int64_t> codes(weights.codes.size());
  for (int64_t oc = 0; oc < num_outputs; ++oc) {
    for (int64_t i = 0; i < num_inputs; ++i) {
      const int64_t from = is_transposed ? oc * num_inputs + i : i * num_outputs + oc;
      const int64_t to = has_image ? (i % positions) * channels + i / positions : i;
      codes[static_cast<size_t>(oc * num_inputs + to)] =
          static_cast<int64_t>(weights.codes[static_cast<size_t>(from)]);
    }
  }
  ir::Node open;
  open.kind = ir::OperatorKind::kFullyConnected;
  open.inputs = {tensor};
  open.weights =
      builder_.AddConstant(node.inputs[1], {num_outputs, num_inputs}, bits, std::move(codes));
  return FinishWeighted(node, *constant, weights.scales, std::move(open), scale, {num_outputs},
                        alpha, beta, 2);
}

Result<Value> Converter::ConvertGemm(const FileNode& node) {
  if (Number(node, "transA", 0) != 0) return Unsupported("transA is set; supported is 0");
  const double alpha = Number(node, "alpha", 1);
  const double beta = Number(node, "beta", 1);
  if (!(std::fabs(alpha) > 0 && std::fabs(alpha) < 65536 && std::fabs(beta) < 65536)) {
    return Unsupported(fmt::format(
        "alpha is {}, beta {}; supported are factors below 65536, alpha not 0", alpha, beta));
  }
  return FullyConnect(node, Number(node, "transB", 0) != 0, alpha, beta);
}

Result<Value> Converter::ConvertMatMul(const FileNode& node) {
  return FullyConnect(node, false, 1, 1);
}

}  // namespace macloom::importers::onnx
