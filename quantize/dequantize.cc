#include "quantize/dequantize.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "golden/reference/minifloat.h"
#include "ir/shape_inference.h"
#include "quantize/fold.h"
#include "quantize/minifloat_grid.h"

namespace macloom::quantize {
namespace {

Status CheckScales(const ir::Graph& graph) {
  for (const ir::TensorInfo& tensor : graph.tensors) {
    if (tensor.format.IsMinifloat()) {
      return Unsupported(fmt::format(
          "tensor \"{}\" holds {} codes; supported are integer networks, whose values are "
          "quantized anew",
          tensor.name, ir::ToString(tensor.format)));
    }
    if (tensor.format.family != ir::NumberFamily::kAffine || !tensor.quantization.scales.empty()) {
      continue;
    }
    return Unsupported(fmt::format(
        "tensor \"{}\" has codes without scale; supported are tensors whose values are known",
        tensor.name));
  }
  for (const ir::Node& node : graph.nodes) {
    if (node.requantization.kind != ir::RequantizationKind::kMultiplyAddDivide) continue;
    return Unsupported(fmt::format(
        "node \"{}\": requantization is multiply-add-divide; supported are shift, multiplier and "
        "mean",
        node.name));
  }
  return {};
}

double WeightStep(const ir::Constant& weights, int64_t channel) {
  if (weights.format.family == ir::NumberFamily::kFixedPoint) {
    return std::ldexp(1.0, -weights.format.fraction_bits);
  }
  const auto& scales = weights.quantization.scales;
  return scales.size() == 1 ? scales[0] : scales[static_cast<size_t>(channel)];
}

double Step(const ir::TensorInfo& tensor) {
  return ValueOf(tensor.format, {tensor.quantization.scales, {0}, -1}, 1);
}

/// A sum with one shift is the mean only if the shift and both formats say so.
Status CheckMeans(const ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes) {
    if (node.kind != ir::OperatorKind::kAveragePool2d ||
        node.requantization.kind != ir::RequantizationKind::kShift) {
      continue;
    }
    const int num_taps = node.window.kernel_h * node.window.kernel_w;
    const int shift = node.requantization.channels[0].shift;
    const double in = Step(graph.tensor(node.inputs[0]));
    if (std::ldexp(Step(graph.tensor(node.output)), -shift) * num_taps == in) continue;
    return Unsupported(fmt::format(
        "node \"{}\": a sum of {} codes shifted by {} is no mean of the formats' values; supported "
        "are powers of two",
        node.name, num_taps, shift));
  }
  return {};
}

}  // namespace

double ValueOf(const ir::NumberFormat& format, const ir::Quantization& quantization, int64_t code) {
  if (format.family == ir::NumberFamily::kFixedPoint) {
    return std::ldexp(static_cast<double>(code - quantization.zero_point()), -format.fraction_bits);
  }
  if (format.IsMinifloat()) {
    return double{golden::ToFloat(format, code)} * double{quantization.scale()};
  }
  return static_cast<double>(code - quantization.zero_point()) * double{quantization.scale()};
}

Result<ir::FloatGraph> Dequantize(const ir::Graph& graph) {
  MACLOOM_RETURN_IF_ERROR(CheckScales(graph));
  MACLOOM_RETURN_IF_ERROR(CheckMeans(graph));
  ir::FloatGraph result;
  result.name = graph.name;
  result.origin = graph.origin;
  result.licence = graph.licence;
  result.class_labels = graph.class_labels;
  result.input = graph.input;
  result.output = graph.output;
  for (const ir::TensorInfo& tensor : graph.tensors) {
    result.tensors.push_back({tensor.name, tensor.shape});
  }
  for (const ir::Node& node : graph.nodes) {
    ir::FloatNode& copy = result.nodes.emplace_back();
    copy.name = node.name;
    copy.kind = node.kind;
    copy.inputs = node.inputs;
    copy.output = node.output;
    copy.window = node.window;
    copy.depth_multiplier = node.depth_multiplier;
    copy.axis = node.axis;
    const ir::TensorInfo& out = graph.tensor(node.output);
    if (ir::HasWeights(node.kind) || ir::IsPool(node.kind) || node.kind == ir::OperatorKind::kAdd) {
      const ir::Requantization& requantization = node.requantization;
      copy.clamp_min =
          static_cast<float>(ValueOf(out.format, out.quantization, requantization.clamp_min));
      copy.clamp_max =
          static_cast<float>(ValueOf(out.format, out.quantization, requantization.clamp_max));
    }
    if (!ir::HasWeights(node.kind)) continue;
    const ir::Constant& weights = graph.constant(node.weights);
    if (weights.format.family == ir::NumberFamily::kAffine && weights.quantization.scales.empty()) {
      return Unsupported(
          fmt::format("node \"{}\": weights have no scale; supported are weights "
                      "whose values are known",
                      node.name));
    }
    ir::FloatConstant values{weights.name, weights.shape, {}};
    for (size_t i = 0; i < weights.codes.size(); ++i) {
      const int64_t c = ChannelOfWeight(node.kind, weights.shape, static_cast<int64_t>(i));
      values.values.push_back(
          static_cast<float>(static_cast<double>(weights.codes[i]) * WeightStep(weights, c)));
    }
    result.constants.push_back(std::move(values));
    copy.weights = static_cast<ir::ConstantId>(result.constants.size()) - 1;
    if (node.bias < 0) continue;
    const double input_step = Step(graph.tensor(node.inputs[0]));
    const ir::Constant& bias = graph.constant(node.bias);
    ir::FloatConstant offsets{bias.name, bias.shape, {}};
    for (size_t c = 0; c < bias.codes.size(); ++c) {
      offsets.values.push_back(static_cast<float>(static_cast<double>(bias.codes[c]) * input_step *
                                                  WeightStep(weights, static_cast<int64_t>(c))));
    }
    result.constants.push_back(std::move(offsets));
    copy.bias = static_cast<ir::ConstantId>(result.constants.size()) - 1;
  }
  return result;
}

FloatValues Values(const ir::TensorInfo& info, const ir::TensorValue& codes) {
  FloatValues values;
  values.reserve(codes.codes.size());
  for (const int32_t code : codes.codes) {
    values.push_back(static_cast<float>(ValueOf(info.format, info.quantization, code)));
  }
  return values;
}

ir::TensorValue Codes(const ir::TensorInfo& info, const FloatValues& values) {
  ir::TensorValue codes{info.shape, {}};
  if (info.format.IsMinifloat()) {
    const MinifloatGrid grid{info.format, std::ilogb(info.quantization.scale())};
    for (const float value : values) codes.codes.push_back(CodeOf(grid, value));
    return codes;
  }
  const double low = static_cast<double>(info.format.MinCode());
  const double high = static_cast<double>(info.format.MaxCode());
  const double step = Step(info);
  for (const float value : values) {
    const double code = std::floor(value / step + 0.5) + info.quantization.zero_point();
    codes.codes.push_back(static_cast<int32_t>(std::clamp(code, low, high)));
  }
  return codes;
}

}  // namespace macloom::quantize
