#include <fmt/format.h>

#include <memory>

#include "cli/common.h"
#include "flow/vectors.h"
#include "networks/model.h"

namespace macloom::cli {
namespace {

struct VectorsOptions {
  std::string model, output, inputs, overflow = "wrap", order = "flat-tap";
  std::vector<std::string> layers, formats = {"npy", "hex"};
  int random = 4, accumulator_bits = 0, products_per_step = 1;
  uint64_t seed = 1;
  RoundingOption rounding;
};

Result<int> RunVectors(const VectorsOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                           networks::LoadModel(options.model, options.rounding.value()));
  flow::Samples samples;
  if (!options.inputs.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(samples, flow::LoadInputs(options.inputs, graph));
  } else {
    samples = flow::RandomInputs(graph, options.random, options.seed);
  }
  flow::VectorOptions vector_options;
  vector_options.layers = options.layers;
  ir::Accumulation& accumulation = vector_options.accumulation;
  accumulation.order = options.order == "flat-tap" ? ir::AccumulationOrder::kFlatTap
                                                   : ir::AccumulationOrder::kBlockTap;
  accumulation.products_per_step = options.products_per_step;
  if (options.accumulator_bits > 0) {
    accumulation.width_bits = options.accumulator_bits;
    accumulation.overflow =
        options.overflow == "saturate" ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
  }
  std::set<flow::VectorFormat> formats;
  for (const std::string& format : options.formats) {
    formats.insert(format == "npy"   ? flow::VectorFormat::kNpy
                   : format == "hex" ? flow::VectorFormat::kHex
                                     : flow::VectorFormat::kC);
  }
  MACLOOM_ASSIGN_OR_RETURN(const flow::VectorSet vectors,
                           flow::MakeVectors(graph, samples, vector_options));
  MACLOOM_RETURN_IF_ERROR(flow::WriteVectors(vectors, formats, options.output));

  const std::string sum = options.accumulator_bits > 0 ? ir::ToString(accumulation) : "exact";
  fmt::print("{}, {} samples, accumulators: {}\n\n", NetworkTitle(graph), vectors.num_samples, sum);
  std::vector<std::vector<std::string>> rows = {{"layer", "kind", "arrays", "overflow events"}};
  for (const flow::VectorLayer& layer : vectors.layers) {
    std::string arrays;
    for (const flow::VectorArray& array : layer.arrays) {
      arrays +=
          fmt::format("{}{} {}", arrays.empty() ? "" : ", ", array.name, ir::ToString(array.shape));
    }
    rows.push_back({layer.folder, ir::ToString(graph.nodes[static_cast<size_t>(layer.node)].kind),
                    arrays, std::to_string(layer.overflow_events)});
  }
  PrintTable(rows, 3);
  fmt::print("\nwritten to {}; index.json names every file\n", options.output);
  return 0;
}

}  // namespace

Verb AddVectors(CLI::App& app) {
  auto options = std::make_shared<VectorsOptions>();
  CLI::App* verb = app.add_subcommand(
      "vectors", "test vectors per layer, with accumulators, for checking your own RTL");
  verb->add_option("MODEL", options->model, ".tflite file, network file or shipped name")
      ->required();
  verb->add_option("-o,--output", options->output, "folder to write")->required();
  verb->add_option("--layer", options->layers, "only this layer; repeatable");
  verb->add_option("--format", options->formats, "npy, hex ($readmemh), c (header); comma list")
      ->delimiter(',')
      ->check(CLI::IsMember({"npy", "hex", "c"}))
      ->capture_default_str();
  auto* inputs = verb->add_option("--inputs", options->inputs,
                                  ".npy array, or folder or tar of raw int8 samples");
  verb->add_option("--random", options->random, "this many random and corner inputs")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str()
      ->excludes(inputs);
  verb->add_option("--seed", options->seed, "seed of the random inputs")->capture_default_str();
  auto* bits = verb->add_option("--accumulator-bits", options->accumulator_bits,
                                "width of the accumulators (default: exact)")
                   ->check(CLI::Range(8, 32));
  verb->add_option("--overflow", options->overflow, "accumulator policy")
      ->check(CLI::IsMember({"wrap", "saturate"}))
      ->capture_default_str()
      ->needs(bits);
  verb->add_option("--order", options->order, "order of summation (docs/numerics.md section 2)")
      ->check(CLI::IsMember({"flat-tap", "block-tap"}))
      ->capture_default_str();
  verb->add_option("--products-per-step", options->products_per_step,
                   "products that are summed exactly before each addition to the accumulator")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  options->rounding.AddTo(*verb);
  return {verb, [options] { return RunVectors(*options); }};
}

}  // namespace macloom::cli
