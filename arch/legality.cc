#include "arch/legality.h"

#include <fmt/format.h>

#include <algorithm>

#include "arch/layout.h"

namespace macloom::arch {
namespace {

constexpr int64_t kMaxSide = 65535;

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
    if (!ImageOf(tensor.shape) ||
        std::ranges::any_of(tensor.shape, [](int64_t d) { return d > kMaxSide; })) {
      return RefuseNode(node, fmt::format("tensor `{}` has shape {}; supported are HxWxC and C",
                                          tensor.name, ir::ToString(tensor.shape)));
    }
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

}  // namespace

Error RefuseNode(const ir::Node& node, const std::string& reason) {
  return Unsupported(fmt::format("node `{}` ({}): {}", node.name, ir::ToString(node.kind), reason));
}

Status CheckOptions(const Job& job) {
  MACLOOM_RETURN_IF_ERROR(Validate(job.config));
  const int bits = job.effective_accumulator_bits;
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
    if (format.IsMinifloat()) {
      return RefuseNode(node, fmt::format("computes with {} codes; the lanes take integers",
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
