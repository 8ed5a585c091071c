#include <algorithm>
#include <cmath>

#include "golden/reference/executor.h"
#include "ir/accumulator_range.h"
#include "ir/shape_inference.h"
#include "quantize/dequantize.h"
#include "quantize/evaluate.h"

namespace macloom::quantize {
namespace {

constexpr size_t kMaxSamples = 32;

double WeightStep(const ir::Constant& weights, size_t channel) {
  if (weights.format.family == ir::NumberFamily::kFixedPoint) {
    return std::ldexp(1.0, -weights.format.fraction_bits);
  }
  const auto& scales = weights.quantization.scales;
  return scales[scales.size() == 1 ? 0 : channel];
}

double InputStep(const ir::TensorInfo& info) {
  return ValueOf(info.format, info.quantization, 1 + info.quantization.zero_point());
}

/// Adds a bias of 0 on the grid of the accumulator.
void AddBias(ir::Graph& graph, ir::Node& node, size_t channels) {
  const ir::Constant& weights = graph.constant(node.weights);
  ir::Constant bias{weights.name + ".bias", {static_cast<int64_t>(channels)}, {}, {}, {}};
  bias.format.bits = 32;
  bias.codes.assign(channels, 0);
  const double step = InputStep(graph.tensor(node.inputs[0]));
  for (size_t c = 0; c < channels; ++c) {
    bias.quantization.scales.push_back(static_cast<float>(step * WeightStep(weights, c)));
  }
  bias.quantization.axis = 0;
  graph.constants.push_back(std::move(bias));
  node.bias = static_cast<ir::ConstantId>(graph.constants.size()) - 1;
}

}  // namespace

Status CorrectBiases(QuantizedNetwork& network, const std::vector<FloatValues>& samples,
                     int accumulator_bits) {
  ir::Graph& graph = network.graph;
  const size_t count = std::min(samples.size(), kMaxSamples);
  std::vector<std::vector<double>> exact(graph.nodes.size());
  const auto accumulate = [](const auto& values, std::vector<double>& sums) {
    for (size_t i = 0; i < values.size(); ++i) {
      sums[i % sums.size()] += static_cast<double>(values[i]);
    }
  };
  const auto channels_of = [&](const ir::Node& node) {
    return static_cast<size_t>(ir::NumOutputChannels(graph, node));
  };
  for (size_t k = 0; k < count; ++k) {
    const FloatValues& sample = samples[k * samples.size() / count];
    MACLOOM_ASSIGN_OR_RETURN(const FloatTrace trace, RunFloat(network.float_graph, sample, true));
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      if (!ir::HasWeights(graph.nodes[n].kind)) continue;
      exact[n].resize(channels_of(graph.nodes[n]), 0.0);
      accumulate(trace.sums[n], exact[n]);
    }
  }
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    ir::Node& node = graph.nodes[n];
    if (!ir::HasWeights(node.kind)) continue;
    std::vector<double> sums(channels_of(node), 0.0);
    size_t num_values = 0;
    for (size_t k = 0; k < count; ++k) {
      const FloatValues& sample = samples[k * samples.size() / count];
      MACLOOM_ASSIGN_OR_RETURN(const golden::Trace trace,
                               golden::Run(graph, Codes(graph.tensor(graph.input), sample),
                                           {.accumulation = {}, .keep_accumulators = true}));
      accumulate(trace.accumulators[n], sums);
      num_values += trace.accumulators[n].size() / sums.size();
    }
    if (node.bias < 0) AddBias(graph, node, sums.size());
    const ir::Constant& weights = graph.constant(node.weights);
    const double in = InputStep(graph.tensor(node.inputs[0]));
    std::vector<int64_t>& codes = graph.constants[static_cast<size_t>(node.bias)].codes;
    const std::vector<int64_t> before = codes;
    for (size_t c = 0; c < sums.size(); ++c) {
      const double mean = sums[c] - exact[n][c] / (in * WeightStep(weights, c));
      codes[c] -= static_cast<int64_t>(std::floor(mean / static_cast<double>(num_values) + 0.5));
    }
    const auto ranges = ir::AccumulatorRanges(graph, node, ir::InputCodeRange(graph, node));
    for (size_t c = 0; c < sums.size(); ++c) {
      const ir::Requantization& requantization = node.requantization;
      const bool is_shift = requantization.kind == ir::RequantizationKind::kShift;
      const int left =
          is_shift ? 0 : std::max(requantization.ForChannel(static_cast<int64_t>(c)).shift, 0);
      if (ranges[c].RequiredBits() > std::min(accumulator_bits, 32 - left)) codes[c] = before[c];
    }
  }
  return ir::Verify(graph);
}

}  // namespace macloom::quantize
