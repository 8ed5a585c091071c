#include "ir/verify_node.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/accumulator_range.h"
#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

// Operands of the 32-bit fixed-point multiply (MBQM) after its left shift.
constexpr int64_t kMaxOperand = (int64_t{1} << 31) - 1;

bool IsMultiplier(RequantizationKind kind) {
  return kind == RequantizationKind::kMultiplierDouble ||
         kind == RequantizationKind::kMultiplierSingle;
}

Status CheckOperands(const Graph& graph, const Node& node) {
  const size_t num_inputs = node.kind == OperatorKind::kAdd ? 2 : 1;
  const bool is_list = node.kind == OperatorKind::kConcatenation;
  if (is_list && node.inputs.empty()) {
    return InvalidInput("has no inputs; accepted is at least one");
  }
  if (!is_list && node.inputs.size() != num_inputs) {
    return InvalidInput(
        fmt::format("has {} inputs; accepted are {}", node.inputs.size(), num_inputs));
  }
  const auto num_constants = static_cast<int>(graph.constants.size());
  if (!HasWeights(node.kind)) {
    if (node.weights == -1 && node.bias == -1) return {};
    return InvalidInput(
        fmt::format("has weights {} and bias {}; accepted are -1 (none)", node.weights, node.bias));
  }
  if (node.weights < 0 || node.weights >= num_constants) {
    return InvalidInput(fmt::format("weights are constant {}; accepted are 0 to {}", node.weights,
                                    num_constants - 1));
  }
  if (node.bias < -1 || node.bias >= num_constants) {
    return InvalidInput(fmt::format("bias is constant {}; accepted are -1 (none) to {}", node.bias,
                                    num_constants - 1));
  }
  const Status format = Validate(graph.constant(node.weights).format);
  if (!format.ok()) return InvalidInput("weights: " + format.error().message);
  return {};
}

Status CheckShapes(const Graph& graph, const Node& node) {
  MACLOOM_ASSIGN_OR_RETURN(const Shape expected, OutputShape(graph, node));
  const Shape& given = graph.tensor(node.output).shape;
  if (given != expected) {
    return InvalidInput(
        fmt::format("output has shape {}; accepted is {}", ToString(given), ToString(expected)));
  }
  if (node.bias >= 0) {
    const Shape bias = {NumOutputChannels(graph, node)};
    if (graph.constant(node.bias).shape != bias) {
      return InvalidInput(fmt::format("bias has shape {}; accepted is {} (one per output channel)",
                                      ToString(graph.constant(node.bias).shape), ToString(bias)));
    }
  }
  return {};
}

Status CheckMultiplier(const FixedPointMultiplier& pair, const char* what) {
  constexpr int32_t kSmallest = int32_t{1} << 30;
  if (pair.multiplier != 0 && pair.multiplier < kSmallest) {
    return InvalidInput(fmt::format("{} is {}; accepted are 0 and {} to {}", what, pair.multiplier,
                                    kSmallest, kMaxOperand));
  }
  if (pair.shift < -31 || pair.shift > 7) {
    return InvalidInput(fmt::format("shift of {} is {}; accepted are -31 to 7", what, pair.shift));
  }
  return {};
}

Status CheckClamp(const Graph& graph, const Node& node, int32_t expected_zero_point) {
  const Requantization& requantization = node.requantization;
  const NumberFormat& format = graph.tensor(node.output).format;
  if (requantization.clamp_min > requantization.clamp_max ||
      requantization.clamp_min < format.MinCode() || requantization.clamp_max > format.MaxCode()) {
    return InvalidInput(
        fmt::format("clamp is {} to {}; accepted are ascending codes of the output's "
                    "{}: {} to {}",
                    requantization.clamp_min, requantization.clamp_max, ToString(format),
                    format.MinCode(), format.MaxCode()));
  }
  if (requantization.zero_point != expected_zero_point) {
    return InvalidInput(fmt::format("requantization adds zero point {}; accepted is {}",
                                    requantization.zero_point, expected_zero_point));
  }
  return {};
}

Status CheckKind(const Node& node, bool is_accepted, const char* accepted) {
  if (is_accepted) return {};
  return InvalidInput(fmt::format("requantization is {}; accepted is {}",
                                  ToString(node.requantization.kind), accepted));
}

Status CheckNumChannels(const Node& node, size_t first, size_t second) {
  const size_t count = node.requantization.channels.size();
  if (count == first || count == second) return {};
  return InvalidInput(fmt::format(
      "requantization has {} multipliers; accepted are {}", count,
      first == second ? fmt::format("{}", first) : fmt::format("{} or {}", first, second)));
}

Status CheckShift(const FixedPointMultiplier& pair) {
  if (pair.multiplier != 0) {
    return InvalidInput(
        fmt::format("shift requantization has multiplier {}; accepted is 0", pair.multiplier));
  }
  if (pair.shift < 0 || pair.shift > 31) {
    return InvalidInput(fmt::format("shift is {}; accepted are 0 to 31", pair.shift));
  }
  return {};
}

constexpr const char* kWeightedKinds =
    "shift, multiply-add-divide, multiplier-double or multiplier-single";

/// Divisor, addends and pairs of a multiply-add-divide of `num_pairs` pairs.
Status CheckMultiplyAddDivide(const Requantization& requantization, size_t num_pairs) {
  if (requantization.divisor < 1) {
    return InvalidInput(
        fmt::format("divisor is {}; accepted are values above 0", requantization.divisor));
  }
  if (requantization.addends.size() != num_pairs) {
    return InvalidInput(
        fmt::format("has {} addends; accepted are {}", requantization.addends.size(), num_pairs));
  }
  for (const FixedPointMultiplier& pair : requantization.channels) {
    if (pair.shift == 0) continue;
    return InvalidInput(
        fmt::format("multiply-add-divide requantization has shift {}; accepted is 0", pair.shift));
  }
  return {};
}

/// |x*m + b| stays inside 62 bits for |x| <= `bound`, so that a zero point may be added, too.
Status CheckAffineRange(__int128 bound, int64_t multiplier, int64_t addend, int64_t channel) {
  constexpr __int128 kLimit = __int128{1} << 62;
  const __int128 magnitude_of_m = multiplier < 0 ? -__int128{multiplier} : __int128{multiplier};
  const __int128 magnitude_of_b = addend < 0 ? -__int128{addend} : __int128{addend};
  if (bound * magnitude_of_m + magnitude_of_b < kLimit) return {};
  return InvalidInput(fmt::format(
      "multiplier {} and addend {} of channel {} may take the accumulator beyond 62 bits; accepted "
      "are smaller ones",
      multiplier, addend, channel));
}

__int128 Magnitude(const AccumulatorRange& range) {
  return std::max(-__int128{range.low}, __int128{range.high});
}

// CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED: every channel's accumulator must survive the
// requantization's own arithmetic.
Status CheckWeighted(const Graph& graph, const Node& node) {
  const Requantization& requantization = node.requantization;
  const bool is_shift = requantization.kind == RequantizationKind::kShift;
  const bool is_affine = requantization.kind == RequantizationKind::kMultiplyAddDivide;
  MACLOOM_RETURN_IF_ERROR(
      CheckKind(node, is_shift || is_affine || IsMultiplier(requantization.kind), kWeightedKinds));
  const int64_t num_outputs = NumOutputChannels(graph, node);
  MACLOOM_RETURN_IF_ERROR(CheckNumChannels(node, 1, static_cast<size_t>(num_outputs)));
  MACLOOM_RETURN_IF_ERROR(
      CheckClamp(graph, node, graph.tensor(node.output).quantization.zero_point()));
  if (is_affine) {
    MACLOOM_RETURN_IF_ERROR(CheckMultiplyAddDivide(requantization, requantization.channels.size()));
  }
  for (const FixedPointMultiplier& pair : requantization.channels) {
    if (is_affine) break;
    MACLOOM_RETURN_IF_ERROR(is_shift ? CheckShift(pair) : CheckMultiplier(pair, "multiplier"));
  }
  const std::vector<AccumulatorRange> ranges =
      AccumulatorRanges(graph, node, InputCodeRange(graph, node));
  for (int64_t oc = 0; oc < num_outputs; ++oc) {
    const AccumulatorRange& range = ranges[static_cast<size_t>(oc)];
    if (!range.fits_63_bits) {
      return InvalidInput(fmt::format(
          "the accumulator of output channel {} may leave 63 bits; accepted are biases and weights "
          "whose sums stay inside",
          oc));
    }
    if (is_affine) {
      MACLOOM_RETURN_IF_ERROR(CheckAffineRange(Magnitude(range),
                                               requantization.ForChannel(oc).multiplier,
                                               requantization.AddendOf(oc), oc));
      continue;
    }
    const int shift = std::max(requantization.ForChannel(oc).shift, 0);
    if (!is_shift && range.RequiredBits() + shift > 32) {
      return InvalidInput(fmt::format(
          "the accumulator of output channel {} needs {} bits and is shifted left by {}; accepted "
          "are at most 32 bits together ({})",
          oc, range.RequiredBits(), shift, ToString(requantization.kind)));
    }
  }
  return {};
}

// Largest |MBQM(x, pair)| over |x| <= max_operand; more than kMaxOperand if x overflows on the way.
int64_t BoundOfProduct(int64_t max_operand, const FixedPointMultiplier& pair) {
  const int64_t shifted = max_operand << std::max(pair.shift, 0);
  if (shifted > kMaxOperand) return shifted;
  const int64_t product = ((shifted * pair.multiplier) >> 31) + 1;
  return (product >> std::max(-pair.shift, 0)) + 1;
}

Status CheckShiftAdd(const Node& node) {
  constexpr int kMaxLeft = AddParameters::kLeftShift - 1;
  for (const FixedPointMultiplier& pair : node.add.input) {
    if (pair.multiplier != 0 || pair.shift < 0 || pair.shift > kMaxLeft) {
      return InvalidInput(fmt::format(
          "operand has multiplier {}, shift {}; accepted are multiplier 0 and left shifts 0 to {}",
          pair.multiplier, pair.shift, kMaxLeft));
    }
  }
  return CheckShift(node.add.output);
}

// a_0 + a_1 + b: codes of at most 16 bits keep the weighted operands inside 50 bits.
Status CheckAffineAdd(const Node& node) {
  for (const FixedPointMultiplier& pair : {node.add.input[0], node.add.input[1], node.add.output}) {
    if (pair.shift == 0) continue;
    return InvalidInput(fmt::format("operand has shift {}; accepted is 0", pair.shift));
  }
  MACLOOM_RETURN_IF_ERROR(CheckMultiplyAddDivide(node.requantization, 1));
  return CheckAffineRange(__int128{1} << 50, 1, node.requantization.addends[0], 0);
}

Status CheckAdd(const Graph& graph, const Node& node) {
  const bool is_shift = node.requantization.kind == RequantizationKind::kShift;
  const bool is_affine = node.requantization.kind == RequantizationKind::kMultiplyAddDivide;
  MACLOOM_RETURN_IF_ERROR(CheckKind(
      node, is_shift || is_affine || IsMultiplier(node.requantization.kind), kWeightedKinds));
  MACLOOM_RETURN_IF_ERROR(CheckNumChannels(node, 0, 0));
  MACLOOM_RETURN_IF_ERROR(
      CheckClamp(graph, node, graph.tensor(node.output).quantization.zero_point()));
  if (is_shift) return CheckShiftAdd(node);
  if (is_affine) return CheckAffineAdd(node);
  int64_t sum = 0;
  for (int i = 0; i < 2; ++i) {
    const FixedPointMultiplier& pair = node.add.input[i];
    MACLOOM_RETURN_IF_ERROR(
        CheckMultiplier(pair, i == 0 ? "input 0's multiplier" : "input 1's multiplier"));
    const TensorInfo& tensor = graph.tensor(node.inputs[static_cast<size_t>(i)]);
    const int64_t zero_point = tensor.quantization.zero_point();
    const int64_t distance =
        std::max(tensor.format.MaxCode() - zero_point, zero_point - tensor.format.MinCode());
    const int64_t bound = distance << AddParameters::kLeftShift << std::max(pair.shift, 0);
    if (bound > kMaxOperand) {
      return InvalidInput(fmt::format(
          "input {} reaches {} from its zero point, which shifted left by {} leaves 32 bits; "
          "accepted are at most {}",
          i, distance, AddParameters::kLeftShift + std::max(pair.shift, 0),
          kMaxOperand >> (AddParameters::kLeftShift + std::max(pair.shift, 0))));
    }
    sum += BoundOfProduct(distance << AddParameters::kLeftShift, pair);
  }
  MACLOOM_RETURN_IF_ERROR(CheckMultiplier(node.add.output, "output multiplier"));
  if (sum << std::max(node.add.output.shift, 0) > kMaxOperand) {
    return InvalidInput(
        fmt::format("the sum of both operands may reach {}, which shifted left by {} "
                    "leaves 32 bits; accepted are at most {}",
                    sum, std::max(node.add.output.shift, 0),
                    kMaxOperand >> std::max(node.add.output.shift, 0)));
  }
  return {};
}

Status CheckAveragePool(const Graph& graph, const Node& node) {
  const Requantization& requantization = node.requantization;
  if (requantization.kind == RequantizationKind::kShift) {
    MACLOOM_RETURN_IF_ERROR(CheckNumChannels(node, 1, 1));
    MACLOOM_RETURN_IF_ERROR(CheckShift(requantization.channels[0]));
  } else if (requantization.kind == RequantizationKind::kMultiplyAddDivide) {
    MACLOOM_RETURN_IF_ERROR(CheckNumChannels(node, 1, 1));
    MACLOOM_RETURN_IF_ERROR(CheckMultiplyAddDivide(requantization, 1));
    const std::vector<AccumulatorRange> ranges =
        AccumulatorRanges(graph, node, InputCodeRange(graph, node));
    MACLOOM_RETURN_IF_ERROR(CheckAffineRange(
        Magnitude(ranges[0]), requantization.channels[0].multiplier, requantization.addends[0], 0));
  } else {
    MACLOOM_RETURN_IF_ERROR(CheckKind(node, requantization.kind == RequantizationKind::kMean,
                                      "mean, shift or multiply-add-divide"));
    MACLOOM_RETURN_IF_ERROR(CheckNumChannels(node, 0, 0));
  }
  return CheckClamp(graph, node, 0);
}

/// The codes of all inputs go to the output unchanged.
Status CheckSameFormat(const Graph& graph, const Node& node) {
  const TensorInfo& out = graph.tensor(node.output);
  for (const TensorId id : node.inputs) {
    const TensorInfo& in = graph.tensor(id);
    if (in.format == out.format && in.quantization.zero_point() == out.quantization.zero_point()) {
      continue;
    }
    return InvalidInput(fmt::format(
        "takes {} with zero point {} to {} with zero point {}; accepted are equal formats",
        ToString(in.format), in.quantization.zero_point(), ToString(out.format),
        out.quantization.zero_point()));
  }
  return {};
}

Status CheckMaxPool(const Graph& graph, const Node& node) {
  MACLOOM_RETURN_IF_ERROR(CheckSameFormat(graph, node));
  return CheckClamp(graph, node, 0);
}

Status CheckSoftmax(const Graph& graph, const Node& node) {
  const TensorInfo& in = graph.tensor(node.inputs[0]);
  const TensorInfo& out = graph.tensor(node.output);
  for (const TensorInfo* tensor : {&in, &out}) {
    if (!(tensor->format == NumberFormat::Int8())) {
      return Unsupported(fmt::format("tensor \"{}\" has format {}; supported is int8", tensor->name,
                                     ToString(tensor->format)));
    }
  }
  if (out.quantization.zero_point() != -128) {
    return InvalidInput(
        fmt::format("output zero point is {}; accepted is -128", out.quantization.zero_point()));
  }
  // The Q12.19 sum of exponentials stays below 2^31.
  constexpr int64_t kMaxClasses = 4095;
  if (in.shape.back() > kMaxClasses) {
    return Unsupported(fmt::format("last axis has {} elements; supported are at most {}",
                                   in.shape.back(), kMaxClasses));
  }
  const SoftmaxParameters& softmax = node.softmax;
  MACLOOM_RETURN_IF_ERROR(CheckMultiplier({softmax.input_multiplier, 0}, "input multiplier"));
  if (softmax.input_left_shift < 0 || softmax.input_left_shift > 31) {
    return InvalidInput(
        fmt::format("input left shift is {}; accepted are 0 to 31", softmax.input_left_shift));
  }
  // A difference that is not skipped must stay inside Q5.26 after its left shift.
  const int64_t smallest = -((int64_t{31} << 26) >> softmax.input_left_shift);
  if (softmax.diff_min > 0 || softmax.diff_min < smallest) {
    return InvalidInput(
        fmt::format("diff_min is {}; accepted are {} to 0", softmax.diff_min, smallest));
  }
  return {};
}

}  // namespace

Status VerifyNodeShapes(const Graph& graph, const Node& node) {
  MACLOOM_RETURN_IF_ERROR(CheckOperands(graph, node));
  return CheckShapes(graph, node);
}

Status VerifyNode(const Graph& graph, const Node& node) {
  MACLOOM_RETURN_IF_ERROR(VerifyNodeShapes(graph, node));
  if (node.required_accumulator_bits.has_value() &&
      (*node.required_accumulator_bits < 8 || *node.required_accumulator_bits > 80)) {
    return InvalidInput(fmt::format("required accumulator width is {} bits; accepted are 8 to 80",
                                    *node.required_accumulator_bits));
  }
  switch (node.kind) {
    case OperatorKind::kConv2d:
    case OperatorKind::kDepthwiseConv2d:
    case OperatorKind::kFullyConnected:
      return CheckWeighted(graph, node);
    case OperatorKind::kAveragePool2d:
      return CheckAveragePool(graph, node);
    case OperatorKind::kAdd:
      return CheckAdd(graph, node);
    case OperatorKind::kMaxPool2d:
    case OperatorKind::kConcatenation:
    case OperatorKind::kPad:
    case OperatorKind::kReshape:
    case OperatorKind::kSoftmax:
      break;
  }
  MACLOOM_RETURN_IF_ERROR(
      CheckKind(node, node.requantization.kind == RequantizationKind::kNone, "none"));
  MACLOOM_RETURN_IF_ERROR(CheckNumChannels(node, 0, 0));
  if (node.kind == OperatorKind::kSoftmax) return CheckSoftmax(graph, node);
  if (node.kind == OperatorKind::kMaxPool2d) return CheckMaxPool(graph, node);
  return CheckSameFormat(graph, node);
}

}  // namespace macloom::ir
