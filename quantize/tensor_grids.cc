#include "quantize/tensor_grids.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "ir/shape_inference.h"

namespace macloom::quantize {
namespace {

using ir::FloatNode;
using ir::OperatorKind;

/// By tensor: the first tensor of those that share its codes.
std::vector<size_t> Groups(const ir::FloatGraph& graph, Scales scales) {
  std::vector<size_t> group(graph.tensors.size());
  std::iota(group.begin(), group.end(), size_t{0});
  for (const FloatNode& node : graph.nodes) {
    const bool shares =
        node.kind == OperatorKind::kMaxPool2d || node.kind == OperatorKind::kReshape ||
        node.kind == OperatorKind::kConcatenation || node.kind == OperatorKind::kPad ||
        (node.kind == OperatorKind::kAveragePool2d && scales == Scales::kAffine);
    if (!shares) continue;
    for (const ir::TensorId id : node.inputs) {
      const size_t a = group[static_cast<size_t>(id)];
      const size_t b = group[static_cast<size_t>(node.output)];
      for (size_t& entry : group) entry = entry == a || entry == b ? std::min(a, b) : entry;
    }
  }
  return group;
}

/// Finest grid of a node's output, in fraction bits.
int FinestOutput(const FloatNode& node, int weight_fraction_bits,
                 const std::vector<TensorGrid>& grids) {
  const auto fraction = [&](size_t i) {
    return grids[static_cast<size_t>(node.inputs[i])].fraction_bits;
  };
  if (ir::HasWeights(node.kind)) return fraction(0) + weight_fraction_bits;
  if (node.kind == OperatorKind::kAdd) return std::max(fraction(0), fraction(1));
  if (node.kind == OperatorKind::kAveragePool2d) {
    const auto num_taps = static_cast<unsigned>(node.window.kernel_h * node.window.kernel_w);
    return fraction(0) + std::countr_zero(std::bit_ceil(num_taps));
  }
  return fraction(0);
}

}  // namespace

std::vector<TensorGrid> ChooseTensorGrids(const PreparedNetwork& network,
                                          const std::vector<Observation>& observations,
                                          const std::vector<int>& weight_fraction_bits,
                                          const PostTrainingOptions& options) {
  const ir::FloatGraph& graph = network.graph;
  const std::vector<size_t> group = Groups(graph, options.scales);
  std::vector<TensorGrid> grids(graph.tensors.size());
  for (size_t first = 0; first < grids.size(); ++first) {
    if (group[first] != first) continue;
    Observation merged;
    TensorGrid chosen{options.activation_bits, 0, {}};
    if (group[static_cast<size_t>(graph.output)] == first) chosen.bits = options.output_bits;
    if (group[static_cast<size_t>(graph.input)] == first) chosen.bits = options.input_bits;
    for (size_t t = 0; t < grids.size(); ++t) {
      if (group[t] != first) continue;
      const double gain = network.gains[t];
      merged.low = std::min(merged.low, static_cast<float>(observations[t].low * gain));
      merged.high = std::max(merged.high, static_cast<float>(observations[t].high * gain));
      for (const float value : observations[t].values) {
        merged.values.push_back(static_cast<float>(value * gain));
      }
    }
    if (options.scales == Scales::kPowerOfTwo) {
      chosen.fraction_bits = FractionBits(merged, chosen.bits, options.activation_ranges);
    } else {
      chosen.grid = AffineGrid(merged, chosen.bits, options.activation_ranges);
    }
    for (size_t t = 0; t < grids.size(); ++t) {
      if (group[t] == first) grids[t] = chosen;
    }
  }
  if (options.scales == Scales::kAffine) return grids;
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const FloatNode& node = graph.nodes[n];
      const size_t out = static_cast<size_t>(node.output);
      const int finest = FinestOutput(node, weight_fraction_bits[n], grids);
      if (grids[out].fraction_bits <= finest) continue;
      has_changed = true;
      for (size_t t = 0; t < grids.size(); ++t) {
        if (group[t] == group[out]) grids[t].fraction_bits = finest;
      }
    }
  }
  for (TensorGrid& entry : grids) {
    entry.grid = {std::ldexp(1.0, -entry.fraction_bits), 0, -(1 << (entry.bits - 1)),
                  (1 << (entry.bits - 1)) - 1};
  }
  return grids;
}

}  // namespace macloom::quantize
