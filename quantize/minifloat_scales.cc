#include "quantize/minifloat_scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "ir/shape_inference.h"
#include "quantize/fold.h"
#include "quantize/tensor_grids.h"
#include "quantize/weight_grids.h"

namespace macloom::quantize {
namespace {

using ir::FloatNode;
using ir::OperatorKind;

constexpr int kRoomBits = 2;  // Prefixes may exceed final sums.
constexpr int kMaxStartBits = 61;
constexpr int kMaxRequantizationExponent = 64;

/// log2 of what a sum of products on the grid p may reach, rounded down; p = product_lsb.
double LogOfRoom(const ir::Accumulation& accumulation, int product_lsb) {
  switch (accumulation.kind) {
    case ir::AccumulationKind::kFloat:
      // The largest value is just below 2^(bias + 1).
      return (1 << (accumulation.exponent_bits - 1)) - 1 - kRoomBits;
    case ir::AccumulationKind::kFixedPoint:
      return accumulation.width_bits - 2 + product_lsb + accumulation.dropped_bits - kRoomBits;
    case ir::AccumulationKind::kInteger:
      break;
  }
  return std::numeric_limits<double>::infinity();
}

/// How far scales must rise for `value`, given at scale 2^exponent, to stay at most 2^log_room.
int Excess(double value, int exponent, double log_room) {
  if (!(value > 0) || std::isinf(log_room)) return 0;
  return std::max(0, static_cast<int>(std::ceil(std::log2(value) - exponent - log_room)));
}

/// By node and output channel: the largest |op(x) + bias| over the samples. Nodes with weights.
Result<std::vector<std::vector<double>>> LargestSums(const ir::FloatGraph& graph,
                                                     const std::vector<FloatValues>& samples) {
  std::vector<std::vector<double>> largest(graph.nodes.size());
  for (const FloatValues& sample : samples) {
    MACLOOM_ASSIGN_OR_RETURN(const FloatTrace trace, RunFloat(graph, sample, true));
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      if (!ir::HasWeights(graph.nodes[n].kind)) continue;
      largest[n].resize(static_cast<size_t>(graph.tensor(graph.nodes[n].output).shape.back()), 0.0);
      for (size_t i = 0; i < trace.sums[n].size(); ++i) {
        double& entry = largest[n][i % largest[n].size()];
        entry = std::max(entry, std::fabs(double{trace.sums[n][i]}));
      }
    }
  }
  return largest;
}

class Chooser {
 public:
  Chooser(const PreparedNetwork& network, const MinifloatOptions& options)
      : network_(network),
        graph_(network.graph),
        options_(options),
        group_(GroupsOfEqualCodes(
            network.graph, options.are_means_shifts ? Scales::kPowerOfTwo : Scales::kAffine)) {
    scales_.weight_format = options.weight_format;
  }

  Result<MinifloatScales> Run(const std::vector<FloatValues>& samples) {
    MACLOOM_ASSIGN_OR_RETURN(const std::vector<Observation> observations,
                             Calibrate(graph_, samples));
    MACLOOM_ASSIGN_OR_RETURN(const std::vector<std::vector<double>> sums,
                             LargestSums(graph_, samples));
    ChooseTensors(observations);
    LeaveRoomForPooling(observations);
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      scales_.weights.emplace_back();
      if (ir::HasWeights(graph_.nodes[n].kind)) ChooseWeights(n, sums[n]);
      MACLOOM_RETURN_IF_ERROR(CheckExponents(n));
    }
    return std::move(scales_);
  }

 private:
  MinifloatGrid& tensor(ir::TensorId id) { return scales_.tensors[static_cast<size_t>(id)]; }

  void ChooseTensors(const std::vector<Observation>& observations) {
    const size_t count = graph_.tensors.size();
    scales_.tensors.resize(count);
    for (size_t first = 0; first < count; ++first) {
      if (group_[first] != first) continue;
      Observation merged;
      size_t num_members = 0;
      for (size_t t = 0; t < count; ++t) {
        if (group_[t] != first) continue;
        ++num_members;
        merged.low = std::min(merged.low, observations[t].low);
        merged.high = std::max(merged.high, observations[t].high);
        merged.values.insert(merged.values.end(), observations[t].values.begin(),
                             observations[t].values.end());
      }
      const bool is_output = num_members == 1 && static_cast<size_t>(graph_.output) == first &&
                             graph_.output != graph_.input;
      MinifloatGrid grid{is_output ? options_.output_format : options_.activation_format, 0};
      grid.exponent = ScaleExponent(merged, grid.format, options_.activation_ranges);
      for (size_t t = 0; t < count; ++t) {
        if (group_[t] == first) scales_.tensors[t] = grid;
      }
    }
  }

  void LeaveRoomForPooling(const std::vector<Observation>& observations) {
    for (const FloatNode& node : graph_.nodes) {
      if (node.kind != OperatorKind::kAveragePool2d) continue;
      const MinifloatGrid& grid = tensor(node.inputs[0]);
      const Observation& means = observations[static_cast<size_t>(node.output)];
      const double sum =
          double{std::max(means.high, -means.low)} * node.window.kernel_h * node.window.kernel_w;
      const double room = LogOfRoom(options_.accumulation, 2 * grid.format.LeastExponent());
      const int excess = Excess(sum, grid.exponent, room);
      if (excess == 0) continue;
      scales_.notes.push_back(fmt::format("scale of \"{}\" times 2^{}: room for its sum",
                                          graph_.tensor(node.inputs[0]).name, excess));
      const size_t group = group_[static_cast<size_t>(node.inputs[0])];
      for (size_t t = 0; t < group_.size(); ++t) {
        if (group_[t] == group) scales_.tensors[t].exponent += excess;
      }
    }
  }

  void ChooseWeights(size_t n, const std::vector<double>& sums) {
    const FloatNode& node = graph_.nodes[n];
    const ir::Shape& shape = graph_.constant(node.weights).shape;
    const std::vector<float> weights = WeightsOf(network_, n);
    std::vector<std::vector<float>> parts(options_.is_per_channel ? sums.size() : 1);
    for (size_t i = 0; i < weights.size(); ++i) {
      const auto c =
          static_cast<size_t>(ChannelOfWeight(node.kind, shape, static_cast<int64_t>(i)));
      parts[options_.is_per_channel ? c : 0].push_back(weights[i]);
    }
    std::vector<int>& exponents = scales_.weights[n];
    for (const std::vector<float>& part : parts) {
      exponents.push_back(
          ScaleExponent(Observe(part), options_.weight_format, options_.weight_ranges));
    }
    const MinifloatGrid& in = tensor(node.inputs[0]);
    const int lsb = in.format.LeastExponent() + options_.weight_format.LeastExponent();
    const double room = LogOfRoom(options_.accumulation, lsb);
    const double start_room = std::min(room, static_cast<double>(kMaxStartBits + lsb));
    const std::vector<int> before = exponents;
    for (size_t c = 0; c < sums.size(); ++c) {
      int& exponent = exponents[options_.is_per_channel ? c : 0];
      const double bias =
          node.bias < 0 ? 0 : std::fabs(double{graph_.constant(node.bias).values[c]});
      exponent += std::max(Excess(sums[c], in.exponent + exponent, room),
                           Excess(bias, in.exponent + exponent, start_room));
    }
    int largest = 0;
    for (size_t i = 0; i < before.size(); ++i)
      largest = std::max(largest, exponents[i] - before[i]);
    if (largest == 0) return;
    scales_.notes.push_back(
        fmt::format("weights of \"{}\": scales times up to 2^{}, room for sums and start values",
                    node.name, largest));
  }

  Status CheckExponents(size_t n) {
    const FloatNode& node = graph_.nodes[n];
    const int out = tensor(node.output).exponent;
    std::vector<int> exponents;
    for (const int weight : scales_.weights[n]) {
      exponents.push_back(tensor(node.inputs[0]).exponent + weight - out);
    }
    if (node.kind == OperatorKind::kAdd) {
      for (const ir::TensorId id : node.inputs) exponents.push_back(tensor(id).exponent - out);
    }
    for (const int exponent : exponents) {
      if (std::abs(exponent) <= kMaxRequantizationExponent) continue;
      return InvalidInput(
          fmt::format("node \"{}\" ({}): sums times 2^{} are the output's codes; accepted are 2^{} "
                      "to 2^{}",
                      node.name, ir::ToString(node.kind), exponent, -kMaxRequantizationExponent,
                      kMaxRequantizationExponent));
    }
    return {};
  }

  const PreparedNetwork& network_;
  const ir::FloatGraph& graph_;
  const MinifloatOptions& options_;
  const std::vector<size_t> group_;
  MinifloatScales scales_;
};

}  // namespace

Result<MinifloatScales> ChooseMinifloatScales(const PreparedNetwork& network,
                                              const std::vector<FloatValues>& samples,
                                              const MinifloatOptions& options) {
  return Chooser(network, options).Run(samples);
}

}  // namespace macloom::quantize
