#include "quantize/post_training.h"

#include <fmt/format.h>

#include "ir/shape_inference.h"
#include "quantize/emit.h"
#include "quantize/equalize.h"
#include "quantize/evaluate.h"

namespace macloom::quantize {
namespace {

Status CheckOptions(const PostTrainingOptions& options) {
  const std::pair<const char*, int> widths[] = {{"weights", options.weight_bits},
                                                {"activations", options.activation_bits},
                                                {"input", options.input_bits},
                                                {"output", options.output_bits}};
  for (const auto& [name, bits] : widths) {
    if (bits >= 2 && bits <= 8) continue;
    return InvalidInput(fmt::format("{}: {} bits; accepted are 2 to 8", name, bits));
  }
  if (options.accumulator_bits < 8 || options.accumulator_bits > 32) {
    return InvalidInput(
        fmt::format("accumulator: {} bits; accepted are 8 to 32", options.accumulator_bits));
  }
  for (const RangeOptions* ranges : {&options.weight_ranges, &options.activation_ranges}) {
    if (ranges->percentile > 50 && ranges->percentile <= 100) continue;
    return InvalidInput(fmt::format("percentile is {}; accepted are values above 50 up to 100",
                                    ranges->percentile));
  }
  return {};
}

}  // namespace

Result<QuantizedNetwork> QuantizePostTraining(const ir::FloatGraph& graph,
                                              const std::vector<FloatValues>& samples,
                                              const PostTrainingOptions& options) {
  MACLOOM_RETURN_IF_ERROR(CheckOptions(options));
  MACLOOM_ASSIGN_OR_RETURN(PreparedNetwork prepared,
                           Prepare(graph, options.scales == Scales::kPowerOfTwo));
  if (options.equalize) {
    const int count = EqualizeCrossLayer(prepared.graph);
    prepared.notes.push_back(fmt::format("equalized {} pairs and triples of layers", count));
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<Observation> observations,
                           Calibrate(prepared.graph, samples));
  std::vector<WeightGrids> weights(prepared.graph.nodes.size());
  for (size_t n = 0; n < weights.size(); ++n) {
    if (!ir::HasWeights(prepared.graph.nodes[n].kind)) continue;
    weights[n] = ChooseWeightGrids(prepared, n, options);
  }
  const std::vector<TensorGrid> tensors =
      ChooseTensorGrids(prepared, observations, weights, options);
  QuantizedNetwork result;
  MACLOOM_ASSIGN_OR_RETURN(result.graph, Emit(prepared, tensors, std::move(weights), options));
  result.float_graph = std::move(prepared.graph);
  result.gains = std::move(prepared.gains);
  result.notes = std::move(prepared.notes);
  if (options.correct_bias) {
    MACLOOM_RETURN_IF_ERROR(CorrectBiases(result, samples, options.accumulator_bits));
  }
  return result;
}

}  // namespace macloom::quantize
