#include <fmt/format.h>

#include "golden/reference/accumulator.h"
#include "golden/reference/minifloat_accumulator.h"
#include "golden/reference/operators.h"

namespace macloom::golden {
namespace {

constexpr int kMaxWidthBits = 64;
constexpr int kMaxMultiplierWidthBits = 32;

bool HasWeights(const ir::Node& node) { return node.weights >= 0; }

bool HasAccumulator(const ir::Node& node) {
  return HasWeights(node) || node.kind == ir::OperatorKind::kAveragePool2d;
}

bool IsMultiplier(ir::RequantizationKind kind) {
  return kind == ir::RequantizationKind::kMultiplierDouble ||
         kind == ir::RequantizationKind::kMultiplierSingle;
}

bool IsTapSerial(ir::AccumulationOrder order) {
  return order == ir::AccumulationOrder::kTapSerial ||
         order == ir::AccumulationOrder::kTapSerialColumn;
}

Status CheckMinifloatAccumulation(const ir::Graph& graph, const ir::Node& node,
                                  const ir::Accumulation& accumulation) {
  if (accumulation.kind == ir::AccumulationKind::kInteger && !accumulation.IsExact()) {
    return InvalidInput(fmt::format(
        "accumulation is {} over minifloat codes; accepted are fixed point, float, or {} integer "
        "bits for the exact sum",
        ir::ToString(accumulation), kMaxWidthBits));
  }
  if (node.bias < 0) return {};
  const int product_lsb = graph.tensor(node.inputs[0]).format.LeastExponent() +
                          graph.constant(node.weights).format.LeastExponent();
  const std::vector<int64_t>& biases = graph.constant(node.bias).codes;
  for (size_t oc = 0; oc < biases.size(); ++oc) {
    if (MinifloatAccumulator::HoldsStart(accumulation, product_lsb, biases[oc])) continue;
    return InvalidInput(
        fmt::format("start value of output channel {} is {} * 2^{}; accepted are values that a {} "
                    "accumulator holds",
                    oc, biases[oc], product_lsb, ir::ToString(accumulation)));
  }
  return {};
}

}  // namespace

WindowExtent ExtentOf(const ir::Graph& graph, const ir::Node& node) {
  if (node.kind == ir::OperatorKind::kFullyConnected) {
    return {1, 1, graph.constant(node.weights).shape[1]};
  }
  const bool sees_all_channels = node.kind == ir::OperatorKind::kConv2d;
  return {node.window.kernel_h, node.window.kernel_w,
          sees_all_channels ? graph.tensor(node.inputs[0]).shape[2] : 1};
}

std::vector<int64_t> StartValues(const ir::Graph& graph, const ir::Node& node) {
  const ir::Constant& weights = graph.constant(node.weights);
  const bool is_channel_last = node.kind == ir::OperatorKind::kDepthwiseConv2d;
  const int64_t num_outputs = is_channel_last ? weights.shape.back() : weights.shape.front();
  const int64_t per_output = ExtentOf(graph, node).num_positions();
  const int64_t zero_point = graph.tensor(node.inputs[0]).quantization.zero_point();
  std::vector<int64_t> starts(static_cast<size_t>(num_outputs), 0);
  if (node.bias >= 0) starts = graph.constant(node.bias).codes;
  for (int64_t oc = 0; oc < num_outputs; ++oc) {
    for (int64_t i = 0; i < per_output; ++i) {
      const int64_t index = is_channel_last ? i * num_outputs + oc : oc * per_output + i;
      starts[static_cast<size_t>(oc)] -= zero_point * weights.codes[static_cast<size_t>(index)];
    }
  }
  return starts;
}

Status CheckAccumulation(const ir::Graph& graph, const ir::Node& node,
                         const ir::Accumulation& accumulation) {
  if (!HasAccumulator(node)) return {};
  MACLOOM_RETURN_IF_ERROR(ir::Validate(accumulation));
  const int64_t num_channels = ExtentOf(graph, node).num_channels;
  if (IsTapSerial(accumulation.order) && num_channels != 1) {
    return InvalidInput(
        fmt::format("accumulation is {} over {} channels per tap; accepted is 1 "
                    "channel, or the orders block-tap and flat-tap",
                    ir::ToString(accumulation), num_channels));
  }
  if (graph.tensor(node.inputs[0]).format.IsMinifloat()) {
    return CheckMinifloatAccumulation(graph, node, accumulation);
  }
  if (accumulation.kind != ir::AccumulationKind::kInteger) {
    return InvalidInput(
        fmt::format("accumulation is {} over integer codes; accepted are integer accumulators",
                    ir::ToString(accumulation)));
  }
  const int width_bits = accumulation.width_bits;
  if (width_bits > kMaxWidthBits) {
    return InvalidInput(fmt::format("accumulator width is {} bits; accepted are 8 to {}",
                                    width_bits, kMaxWidthBits));
  }
  if (IsMultiplier(node.requantization.kind) && width_bits > kMaxMultiplierWidthBits &&
      width_bits < kMaxWidthBits) {
    return InvalidInput(fmt::format(
        "accumulator width is {} bits with {} requantization; accepted are 8 to {}, or {} for the "
        "exact sum",
        width_bits, ir::ToString(node.requantization.kind), kMaxMultiplierWidthBits,
        kMaxWidthBits));
  }
  if (accumulation.overflow != ir::Overflow::kSaturate || !HasWeights(node)) return {};
  const std::vector<int64_t> starts = StartValues(graph, node);
  for (size_t oc = 0; oc < starts.size(); ++oc) {
    if (Accumulator::Holds(width_bits, starts[oc])) continue;
    return InvalidInput(fmt::format(
        "start value of output channel {} is {}; accepted by a saturating {}-bit accumulator are "
        "{} to {}",
        oc, starts[oc], width_bits, Accumulator::Min(width_bits), Accumulator::Max(width_bits)));
  }
  return {};
}

}  // namespace macloom::golden
