#include "arch/legality.h"

#include <fmt/format.h>

#include <algorithm>

#include "arch/layout.h"
#include "arch/minifloat.h"

namespace macloom::arch {
namespace {

constexpr int64_t kMaxSide = 65535;

Status CheckShape(const ir::Node& node, const ir::TensorInfo& tensor) {
  if (ImageOf(tensor.shape) &&
      std::ranges::none_of(tensor.shape, [](int64_t d) { return d > kMaxSide; })) {
    return {};
  }
  return RefuseNode(node, fmt::format("tensor `{}` has shape {}; supported are HxWxC and C",
                                      tensor.name, ir::ToString(tensor.shape)));
}

Status CheckTensors(const ir::Graph& graph, const ir::Node& node, int max_bits) {
  std::vector<ir::TensorId> tensors = node.inputs;
  tensors.push_back(node.output);
  for (const ir::TensorId id : tensors) {
    const auto& tensor = graph.tensor(id);
    if (!tensor.format.is_signed || tensor.format.bits > max_bits) {
      return RefuseNode(
          node, fmt::format("tensor `{}` has format {}; the accelerator takes signed codes of at "
                            "most {} bits (array.activation_bits)",
                            tensor.name, ir::ToString(tensor.format), max_bits));
    }
    MACLOOM_RETURN_IF_ERROR(CheckShape(node, tensor));
  }
  return {};
}

Status CheckWeights(const ir::Graph& graph, const ir::Node& node, int max_bits) {
  if (node.weights < 0) return {};
  const ir::NumberFormat& format = graph.constant(node.weights).format;
  if (format.is_signed && format.bits <= max_bits) return {};
  return RefuseNode(node, fmt::format("weights have format {}; the accelerator takes signed codes "
                                      "of at most {} bits (array.weight_bits)",
                                      ir::ToString(format), max_bits));
}

/// One minifloat throughout; the lanes have no second operand for a residual addition.
Status CheckMinifloatNode(const ir::Graph& graph, const ir::Node& node,
                          const HardwareConfig& config) {
  const ir::NumberFormat accepted = MinifloatOf(config.mac_format);
  const auto refuse = [&](const std::string& what, const ir::NumberFormat& format) {
    return RefuseNode(node, fmt::format("{}: format {}; the lanes take {} (mac.format)", what,
                                        ir::ToString(format), ir::ToString(accepted)));
  };
  std::vector<ir::TensorId> tensors = node.inputs;
  tensors.push_back(node.output);
  for (const ir::TensorId id : tensors) {
    const ir::TensorInfo& tensor = graph.tensor(id);
    if (tensor.format != accepted) {
      return refuse(fmt::format("tensor `{}`", tensor.name), tensor.format);
    }
    MACLOOM_RETURN_IF_ERROR(CheckShape(node, tensor));
  }
  if (node.weights >= 0 && graph.constant(node.weights).format != accepted) {
    return refuse("weights", graph.constant(node.weights).format);
  }
  if (node.kind == ir::OperatorKind::kAdd) {
    return RefuseNode(node, "the accelerator adds integers only; golden executes it");
  }
  return {};
}

}  // namespace

Error RefuseNode(const ir::Node& node, const std::string& reason) {
  return Unsupported(fmt::format("node `{}` ({}): {}", node.name, ir::ToString(node.kind), reason));
}

Status CheckOptions(const Job& job) {
  MACLOOM_RETURN_IF_ERROR(Validate(job.config));
  const int bits = job.effective_accumulator_bits;
  if (job.config.is_minifloat() && bits != job.config.accumulator_bits) {
    return InvalidInput(fmt::format(
        "accumulator width {}: accumulators of minifloats are not narrowed; accepted is {} "
        "(acc.width_bits of `{}`)",
        bits, job.config.accumulator_bits, job.config.name));
  }
  if (bits < 8 || bits > job.config.accumulator_bits) {
    return InvalidInput(
        fmt::format("accumulator width {}: accepted are 8 to {} (acc.width_bits of `{}`)", bits,
                    job.config.accumulator_bits, job.config.name));
  }
  const bool saturate = job.overflow == ir::Overflow::kSaturate;
  if (saturate ? job.config.accumulator_policy == AccumulatorPolicy::kWrap
               : job.config.accumulator_policy == AccumulatorPolicy::kSaturate) {
    return InvalidInput(
        fmt::format("overflow policy {} is not built into configuration `{}` (acc.policy)",
                    saturate ? "saturate" : "wrap", job.config.name));
  }
  return {};
}

Status CheckNodes(const ir::Graph& graph, const HardwareConfig& config, int num_nodes) {
  for (int n = 0; n < num_nodes; ++n) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(n)];
    const ir::NumberFormat& format = graph.tensor(node.inputs[0]).format;
    if (config.is_minifloat()) {
      MACLOOM_RETURN_IF_ERROR(CheckMinifloatNode(graph, node, config));
      continue;
    }
    if (format.IsMinifloat()) {
      return RefuseNode(node,
                        fmt::format("computes with {} codes; the lanes take integers (mac.format)",
                                    ir::ToString(format)));
    }
    if (node.requantization.kind == ir::RequantizationKind::kMultiplyAddDivide) {
      return RefuseNode(node,
                        "requantization is multiply-add-divide; the lanes round x * multiplier * "
                        "2^shift to nearest (multiplier and shift kinds)");
    }
    MACLOOM_RETURN_IF_ERROR(CheckTensors(graph, node, config.activation_bits));
    MACLOOM_RETURN_IF_ERROR(CheckWeights(graph, node, config.weight_bits));
  }
  return {};
}

}  // namespace macloom::arch
