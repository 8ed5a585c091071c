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

/// Step of the finest grid that a node's output may have; 0: any.
double FinestStep(const FloatNode& node, const WeightGrids& weights,
                  const std::vector<TensorGrid>& grids, Scales scales) {
  const auto step = [&](size_t i) { return grids[static_cast<size_t>(node.inputs[i])].grid.step; };
  if (ir::HasWeights(node.kind)) {
    double largest = 0;
    for (const Grid& grid : weights.grids) largest = std::max(largest, grid.step);
    return step(0) * largest;
  }
  if (scales == Scales::kAffine) return 0;
  if (node.kind == OperatorKind::kAdd) return std::min(step(0), step(1));
  if (node.kind == OperatorKind::kAveragePool2d) {
    return step(0) /
           std::bit_ceil(static_cast<unsigned>(node.window.kernel_h * node.window.kernel_w));
  }
  return 0;
}

/// `grid` with a larger step and the same smallest value.
Grid WithStep(const Grid& grid, double step, Scales scales) {
  Grid wider = grid;
  wider.step = step;
  if (scales == Scales::kPowerOfTwo) return wider;
  wider.step = static_cast<double>(static_cast<float>(step));
  const double low = (grid.low - grid.zero_point) * grid.step / wider.step;
  wider.zero_point =
      std::clamp(grid.low - static_cast<int32_t>(std::floor(low + 0.5)), grid.low, grid.high);
  return wider;
}

}  // namespace

std::vector<size_t> GroupsOfEqualCodes(const ir::FloatGraph& graph, Scales scales) {
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

std::vector<TensorGrid> ChooseTensorGrids(const PreparedNetwork& network,
                                          const std::vector<Observation>& observations,
                                          const std::vector<WeightGrids>& weights,
                                          const PostTrainingOptions& options) {
  const ir::FloatGraph& graph = network.graph;
  const std::vector<size_t> group = GroupsOfEqualCodes(graph, options.scales);
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
      const int fraction = FractionBits(merged, chosen.bits, options.activation_ranges);
      chosen.grid = {std::ldexp(1.0, -fraction), 0, -(1 << (chosen.bits - 1)),
                     (1 << (chosen.bits - 1)) - 1};
    } else {
      chosen.grid = AffineGrid(merged, chosen.bits, options.activation_ranges);
    }
    for (size_t t = 0; t < grids.size(); ++t) {
      if (group[t] == first) grids[t] = chosen;
    }
  }
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const size_t out = static_cast<size_t>(graph.nodes[n].output);
      const double finest = FinestStep(graph.nodes[n], weights[n], grids, options.scales);
      if (grids[out].grid.step >= finest) continue;
      const Grid wider = WithStep(grids[out].grid, finest, options.scales);
      if (grids[out].grid.step >= wider.step) continue;
      has_changed = true;
      for (size_t t = 0; t < grids.size(); ++t) {
        if (group[t] == group[out]) grids[t].grid = wider;
      }
    }
  }
  for (TensorGrid& entry : grids) entry.fraction_bits = -std::ilogb(entry.grid.step);
  return grids;
}

}  // namespace macloom::quantize
