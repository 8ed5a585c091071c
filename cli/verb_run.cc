#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/npy.h"
#include "cli/common.h"
#include "flow/run.h"
#include "networks/model.h"

namespace macloom::cli {
namespace {

struct RunOptions {
  std::string model, labels, outputs, trace, json, accumulator = "exact";
  std::vector<std::string> inputs;
  int random = 0;
  uint64_t seed = 1;
  bool is_reference = false;
  RoundingOption rounding;
};

NpyArray OutputArray(const std::vector<ir::TensorValue>& outputs) {
  std::vector<int64_t> shape = outputs[0].shape;
  shape.insert(shape.begin(), static_cast<int64_t>(outputs.size()));
  std::vector<int32_t> codes;
  for (const ir::TensorValue& output : outputs) {
    codes.insert(codes.end(), output.codes.begin(), output.codes.end());
  }
  return FromInt32(shape, codes);
}

/// trace/NNNN/<node>.npy for every sample and node.
Status WriteTrace(const ir::Graph& graph, const flow::RunResult& result,
                  const std::string& directory) {
  MACLOOM_ASSIGN_OR_RETURN(OutputDirectory output, OutputDirectory::Create(directory));
  for (size_t n = 0; n < result.traces.size(); ++n) {
    for (const ir::Node& node : graph.nodes) {
      const ir::TensorValue& value = result.traces[n].tensors[static_cast<size_t>(node.output)];
      const std::vector<uint8_t> bytes = SerializeNpy(FromInt32(value.shape, value.codes));
      MACLOOM_RETURN_IF_ERROR(output.Write(fmt::format("{:04d}/{}.npy", n, node.name),
                                           std::span<const uint8_t>(bytes)));
    }
  }
  return output.Commit();
}

/// One line per sound: its class and that class's score; JSON has all of them.
void PrintClasses(const ir::Graph& graph, const flow::Samples& samples,
                  const flow::RunResult& result, nlohmann::ordered_json& json) {
  constexpr size_t kMaxLines = 50;
  std::vector<std::vector<std::string>> rows = {{"file", "class", "score"}};
  for (size_t n = 0; n < samples.names.size(); ++n) {
    const size_t index = static_cast<size_t>(result.predictions[n]);
    const double score = flow::ClassScores(graph, result.outputs[n])[index];
    const std::string label =
        index < graph.class_labels.size() ? graph.class_labels[index] : std::to_string(index);
    json["files"].push_back(
        {{"file", samples.names[n]}, {"class", label}, {"index", index}, {"score", score}});
    if (n < kMaxLines) rows.push_back({samples.names[n], label, fmt::format("{:.3f}", score)});
  }
  fmt::print("\n");
  PrintTable(rows, 2);
  if (samples.names.size() > kMaxLines) {
    fmt::print("and {} more (--json has all)\n", samples.names.size() - kMaxLines);
  }
}

Result<int> RunNetwork(const RunOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                           networks::LoadModel(options.model, options.rounding.value()));
  flow::Samples samples;
  if (!options.inputs.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(samples, flow::LoadInputs(options.inputs, graph));
  } else {
    samples = flow::RandomInputs(graph, options.random, options.seed);
  }
  MACLOOM_ASSIGN_OR_RETURN(const ir::Accumulation accumulation,
                           ir::ParseAccumulation(options.accumulator));
  if (samples.inputs.empty()) return InvalidInput("no inputs: give --inputs FILE or --random N");
  std::vector<int> labels;
  if (!options.labels.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(labels, flow::LoadLabels(options.labels, samples, graph.class_labels));
  }
  MACLOOM_ASSIGN_OR_RETURN(
      const flow::RunResult result,
      flow::RunBatch(graph, samples, labels, !options.trace.empty(),
                     options.is_reference ? flow::Executor::kReference : flow::Executor::kFast,
                     accumulation));
  if (!options.outputs.empty())
    MACLOOM_RETURN_IF_ERROR(WriteNpy(options.outputs, OutputArray(result.outputs)));
  if (!options.trace.empty()) MACLOOM_RETURN_IF_ERROR(WriteTrace(graph, result, options.trace));

  fmt::print("{}, {} samples, {} rounding{}\n\n", NetworkTitle(graph), samples.inputs.size(),
             options.rounding.text, options.is_reference ? ", reference executor" : "");
  std::vector<std::vector<std::string>> rows = {
      {"layer", "kind", "output", "clamped low", "clamped high"}};
  if (!accumulation.IsExact()) {
    fmt::print("accumulators: {}\n\n", ir::ToString(accumulation));
    rows[0].insert(rows[0].end(), {"overflows", "changed sums"});
  }
  nlohmann::ordered_json json = {{"format", "macloom.run"},
                                 {"format_version", 1},
                                 {"network", graph.name},
                                 {"is_untrained", graph.is_untrained},
                                 {"network_digest", ir::Digest(graph)},
                                 {"rounding", options.rounding.text},
                                 {"accumulator", ir::ToString(accumulation)},
                                 {"samples", samples.inputs.size()},
                                 {"predictions", result.predictions}};
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    const golden::LayerEvents& events = result.events[i];
    rows.push_back({node.name, ir::ToString(node.kind),
                    ir::ToString(graph.tensor(node.output).shape),
                    std::to_string(events.clamped_low), std::to_string(events.clamped_high)});
    if (!accumulation.IsExact()) {
      rows.back().insert(rows.back().end(), {std::to_string(events.overflow_events),
                                             std::to_string(events.wrong_outputs)});
    }
    json["layers"].push_back({{"name", node.name},
                              {"overflow_events", events.overflow_events},
                              {"wrong_outputs", events.wrong_outputs},
                              {"clamped_low", events.clamped_low},
                              {"clamped_high", events.clamped_high}});
  }
  PrintTable(rows, 3);
  if (samples.are_sounds) PrintClasses(graph, samples, result, json);
  if (result.num_correct) {
    const double percent = 100.0 * static_cast<double>(*result.num_correct) /
                           static_cast<double>(samples.inputs.size());
    fmt::print("\naccuracy {} of {} ({:.2f} %), ties to the smaller class index\n",
               *result.num_correct, samples.inputs.size(), percent);
    json["correct"] = *result.num_correct;
    json["accuracy_percent"] = percent;
  }
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  return 0;
}

}  // namespace

Verb AddRun(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* verb = app.add_subcommand("run", "golden execution of a batch, accuracy");
  verb->add_option("MODEL", options->model, ".tflite file, network file or shipped name")
      ->required();
  auto* inputs = verb->add_option("--inputs", options->inputs,
                                  ".npy, .npz@NAME or IDX@pixels, or folder or tar of raw samples "
                                  "(@pixels, @pcm16); .wav files, or a folder or tar of them, if "
                                  "the network has a front end (docs/formats.md)");
  verb->add_option("--random", options->random, "this many random inputs")
      ->check(CLI::Range(1, 1000000))
      ->excludes(inputs);
  verb->add_option("--seed", options->seed, "seed of the random inputs")->capture_default_str();
  verb->add_option(
      "--labels", options->labels,
      ".npy, .npz@NAME or IDX of class indices, or .csv with label (class name or index) "
      "and file");
  verb->add_option("--outputs", options->outputs, "write all outputs as .npy");
  verb->add_option("--trace", options->trace,
                   "write every tensor of every sample into this folder");
  verb->add_flag("--reference", options->is_reference,
                 "execute by the normative code, slow; the same result");
  verb->add_option("--accumulator", options->accumulator,
                   "exact, or a register of every layer: intP, fixedP, fp16, fp32 or eEmM, then "
                   "saturate, stepL, dropD, alignA, flat-tap, e.g. fp16,step16")
      ->capture_default_str();
  verb->add_option("--json", options->json, "write the result as JSON");
  options->rounding.AddTo(*verb);
  return {verb, [options] { return RunNetwork(*options); }};
}

}  // namespace macloom::cli
