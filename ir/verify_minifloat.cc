#include "ir/verify_minifloat.h"

#include <fmt/format.h>

#include <cstdlib>

#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

constexpr int kMaxScaleExponent = 64;

/// Finite codes of `format` as the order of section 9.1 sorts them: -0 just below +0.
int64_t OrderKey(const NumberFormat& format, int64_t code) {
  return (code & format.SignBit()) != 0 ? -(code & (format.SignBit() - 1)) - 1 : code;
}

Status CheckFamilies(const Graph& graph, const Node& node) {
  const auto check = [](const NumberFormat& format, const std::string& what) -> Status {
    if (format.IsMinifloat()) return {};
    return InvalidInput(fmt::format(
        "{} is {} beside minifloats; accepted are minifloats for inputs, weights and output alike",
        what, ToString(format)));
  };
  for (const TensorId id : node.inputs) {
    MACLOOM_RETURN_IF_ERROR(
        check(graph.tensor(id).format, fmt::format("input \"{}\"", graph.tensor(id).name)));
  }
  const TensorInfo& out = graph.tensor(node.output);
  MACLOOM_RETURN_IF_ERROR(check(out.format, fmt::format("output \"{}\"", out.name)));
  if (!HasWeights(node.kind)) return {};
  return check(graph.constant(node.weights).format, "weights");
}

Status CheckClamp(const Graph& graph, const Node& node, bool is_minus_zero_accepted) {
  const Requantization& requantization = node.requantization;
  const NumberFormat& format = graph.tensor(node.output).format;
  if (requantization.zero_point != 0) {
    return InvalidInput(
        fmt::format("requantization adds zero point {}; accepted is 0", requantization.zero_point));
  }
  for (const int32_t code : {requantization.clamp_min, requantization.clamp_max}) {
    const bool is_code = code >= format.MinCode() && code <= format.MaxCode();
    if (is_code && format.IsFinite(code) && (is_minus_zero_accepted || code != format.SignBit())) {
      continue;
    }
    return InvalidInput(fmt::format(
        "clamp is {} to {}; accepted are finite codes of the output's {}{}, e.g. {} to {}",
        requantization.clamp_min, requantization.clamp_max, ToString(format),
        is_minus_zero_accepted ? "" : " other than -0", format.SignBit() | format.MaxFiniteCode(),
        format.MaxFiniteCode()));
  }
  if (OrderKey(format, requantization.clamp_min) <= OrderKey(format, requantization.clamp_max)) {
    return {};
  }
  return InvalidInput(fmt::format("clamp is {} to {}; accepted are codes of {} whose values ascend",
                                  requantization.clamp_min, requantization.clamp_max,
                                  ToString(format)));
}

Status CheckMinifloatKind(const Node& node, bool is_accepted, const char* accepted) {
  if (is_accepted) return {};
  return InvalidInput(fmt::format("requantization is {}; accepted with minifloats is {}",
                                  ToString(node.requantization.kind), accepted));
}

Status CheckScaleExponent(const FixedPointMultiplier& pair, const char* what) {
  if (pair.multiplier == 0 && std::abs(pair.shift) <= kMaxScaleExponent) return {};
  return InvalidInput(
      fmt::format("{} has multiplier {}, shift {}; accepted are multiplier 0 and shifts {} to {}",
                  what, pair.multiplier, pair.shift, -kMaxScaleExponent, kMaxScaleExponent));
}

Status CheckChannels(const Node& node, size_t first, size_t second) {
  const std::vector<FixedPointMultiplier>& channels = node.requantization.channels;
  if (channels.size() != first && channels.size() != second) {
    return InvalidInput(fmt::format(
        "requantization has {} shifts; accepted are {}", channels.size(),
        first == second ? fmt::format("{}", first) : fmt::format("{} or {}", first, second)));
  }
  for (const FixedPointMultiplier& pair : channels) {
    MACLOOM_RETURN_IF_ERROR(CheckScaleExponent(pair, "requantization"));
  }
  return {};
}

bool IsToMinifloat(const Node& node) {
  return node.requantization.kind == RequantizationKind::kToMinifloat;
}

Status CheckMinifloatMean(const Graph& graph, const Node& node) {
  const bool is_mean = node.requantization.kind == RequantizationKind::kMean;
  MACLOOM_RETURN_IF_ERROR(
      CheckMinifloatKind(node, is_mean || IsToMinifloat(node), "to-minifloat or mean"));
  MACLOOM_RETURN_IF_ERROR(CheckChannels(node, is_mean ? 0 : 1, is_mean ? 0 : 1));
  // The products are inputs times 1.0 of their own format.
  const NumberFormat& in = graph.tensor(node.inputs[0]).format;
  if (in.exponent_bias >= 1 && in.MaxExponent() >= 0) return {};
  return InvalidInput(
      fmt::format("format {} has no 1.0, which average pooling multiplies by; "
                  "accepted are formats with a bias above 0 and a maximum of at "
                  "least 1",
                  ToString(in)));
}

Status CheckAdd(const Node& node) {
  MACLOOM_RETURN_IF_ERROR(CheckMinifloatKind(node, IsToMinifloat(node), "to-minifloat"));
  MACLOOM_RETURN_IF_ERROR(CheckChannels(node, 0, 0));
  MACLOOM_RETURN_IF_ERROR(CheckScaleExponent(node.add.input[0], "operand 0"));
  MACLOOM_RETURN_IF_ERROR(CheckScaleExponent(node.add.input[1], "operand 1"));
  if (node.add.output == FixedPointMultiplier{}) return {};
  return InvalidInput(fmt::format("the sum has multiplier {}, shift {}; accepted are 0, 0",
                                  node.add.output.multiplier, node.add.output.shift));
}

/// Codes that go to the output unchanged.
Status CheckMoved(const Graph& graph, const Node& node) {
  MACLOOM_RETURN_IF_ERROR(
      CheckMinifloatKind(node, node.requantization.kind == RequantizationKind::kNone, "none"));
  MACLOOM_RETURN_IF_ERROR(CheckChannels(node, 0, 0));
  const NumberFormat& out = graph.tensor(node.output).format;
  for (const TensorId id : node.inputs) {
    const NumberFormat& in = graph.tensor(id).format;
    if (in == out) continue;
    return InvalidInput(
        fmt::format("takes {} to {}; accepted are equal formats", ToString(in), ToString(out)));
  }
  return {};
}

}  // namespace

bool TouchesMinifloats(const Graph& graph, const Node& node) {
  for (const TensorId id : node.inputs) {
    if (graph.tensor(id).format.IsMinifloat()) return true;
  }
  return graph.tensor(node.output).format.IsMinifloat() ||
         (HasWeights(node.kind) && graph.constant(node.weights).format.IsMinifloat());
}

Status CheckOperandFormat(const NumberFormat& format) {
  MACLOOM_RETURN_IF_ERROR(Validate(format));
  constexpr int kMaxBits = 8, kMaxExponentBits = 5, kMaxBias = 32;
  if (format.bits <= kMaxBits && format.exponent_bits <= kMaxExponentBits &&
      std::abs(format.exponent_bias) <= kMaxBias) {
    return {};
  }
  return Unsupported(fmt::format(
      "format {} is not supported as an operand; supported are minifloats of at most {} bits, {} "
      "exponent bits and a bias of {} to {}",
      ToString(format), kMaxBits, kMaxExponentBits, -kMaxBias, kMaxBias));
}

Status VerifyMinifloatNode(const Graph& graph, const Node& node) {
  if (node.kind == OperatorKind::kSoftmax) {
    return Unsupported("takes or gives minifloats; supported is int8");
  }
  MACLOOM_RETURN_IF_ERROR(CheckFamilies(graph, node));
  switch (node.kind) {
    case OperatorKind::kConv2d:
    case OperatorKind::kDepthwiseConv2d:
    case OperatorKind::kFullyConnected:
      MACLOOM_RETURN_IF_ERROR(CheckMinifloatKind(node, IsToMinifloat(node), "to-minifloat"));
      MACLOOM_RETURN_IF_ERROR(
          CheckChannels(node, 1, static_cast<size_t>(NumOutputChannels(graph, node))));
      return CheckClamp(graph, node, false);
    case OperatorKind::kAveragePool2d:
      MACLOOM_RETURN_IF_ERROR(CheckMinifloatMean(graph, node));
      return CheckClamp(graph, node, false);
    case OperatorKind::kAdd:
      MACLOOM_RETURN_IF_ERROR(CheckAdd(node));
      return CheckClamp(graph, node, false);
    case OperatorKind::kMaxPool2d:
      MACLOOM_RETURN_IF_ERROR(CheckMoved(graph, node));
      return CheckClamp(graph, node, true);
    case OperatorKind::kConcatenation:
    case OperatorKind::kPad:
    case OperatorKind::kReshape:
    case OperatorKind::kSoftmax:
      break;
  }
  return CheckMoved(graph, node);
}

}  // namespace macloom::ir
