#include "quantize/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "golden/fast/plan.h"
#include "quantize/dequantize.h"

namespace macloom::quantize {
namespace {

template <typename Values>
int IndexOfLargest(const Values& values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace

Result<Evaluation> Evaluate(const QuantizedNetwork& network,
                            const std::vector<FloatValues>& samples,
                            const std::vector<ir::Accumulation>& accumulation) {
  const ir::Graph& graph = network.graph;
  MACLOOM_ASSIGN_OR_RETURN(
      const golden::fast::Plan plan,
      golden::fast::Plan::Create(graph, {.accumulation = accumulation, .level = std::nullopt}));
  Evaluation evaluation;
  evaluation.events.resize(graph.nodes.size());
  std::vector<double> signal(graph.nodes.size(), 0.0), noise(graph.nodes.size(), 0.0);
  for (const FloatValues& sample : samples) {
    MACLOOM_ASSIGN_OR_RETURN(const FloatTrace exact, RunFloat(network.float_graph, sample));
    MACLOOM_ASSIGN_OR_RETURN(const golden::Trace trace,
                             plan.Run(Codes(graph.tensor(graph.input), sample)));
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      evaluation.events[n] += trace.events[n];
      const ir::TensorInfo& info = graph.tensor(graph.nodes[n].output);
      const auto id = static_cast<size_t>(graph.nodes[n].output);
      const std::vector<int32_t>& codes = trace.tensors[id].codes;
      for (size_t i = 0; i < codes.size(); ++i) {
        const double value = exact.tensors[id][i];
        const double error =
            ValueOf(info.format, info.quantization, codes[i]) / network.gains[id] - value;
        signal[n] += value * value;
        noise[n] += error * error;
      }
    }
    const auto output = static_cast<size_t>(graph.output);
    evaluation.float_predictions.push_back(IndexOfLargest(exact.tensors[output]));
    evaluation.predictions.push_back(
        IndexOfLargest(Values(graph.tensor(graph.output), trace.tensors[output])));
  }
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    evaluation.sqnr_db.push_back(noise[n] > 0 ? 10 * std::log10(signal[n] / noise[n])
                                              : std::numeric_limits<double>::infinity());
  }
  return evaluation;
}

}  // namespace macloom::quantize
