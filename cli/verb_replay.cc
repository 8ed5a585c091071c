#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/npy.h"
#include "cli/common.h"
#include "flow/replay.h"

namespace macloom::cli {
namespace {

struct ReplayOptions {
  std::string job, device = "rtl", outputs, json;
  bool is_stalled = false;
  uint64_t seed = 1;
};

Status WriteOutputs(const std::string& path, const std::vector<ir::TensorValue>& outputs) {
  std::vector<int64_t> shape = outputs[0].shape;
  shape.insert(shape.begin(), static_cast<int64_t>(outputs.size()));
  std::vector<int32_t> codes;
  for (const ir::TensorValue& output : outputs)
    codes.insert(codes.end(), output.codes.begin(), output.codes.end());
  return WriteNpy(path, FromInt32(shape, codes));
}

Result<int> RunReplay(const ReplayOptions& options) {
  flow::ReplayOptions replay;
  replay.is_rtl = options.device == "rtl";
  if (options.is_stalled) replay.timing = sim::MemoryTiming::Random(options.seed);
  MACLOOM_ASSIGN_OR_RETURN(const flow::ReplayResult result, flow::Replay(options.job, replay));
  const ir::Graph& graph = result.job.graph;
  fmt::print("{}, job {} of {} on {}, {} samples\n", NetworkTitle(graph), options.job,
             result.job.config.name, options.device, result.num_samples);
  if (replay.is_rtl) fmt::print("{} cycles for the first sample\n", result.total.total_cycles);
  if (!options.outputs.empty())
    MACLOOM_RETURN_IF_ERROR(WriteOutputs(options.outputs, result.outputs));
  const bool is_equal = result.mismatches() == 0;
  nlohmann::ordered_json json = {{"format", "macloom.replay"},
                                 {"format_version", 1},
                                 {"network", graph.name},
                                 {"device", options.device},
                                 {"samples", result.num_samples},
                                 {"is_checked", result.is_checked},
                                 {"passed", is_equal},
                                 {"mismatches", result.mismatches()},
                                 {"first_mismatch", result.first_mismatch},
                                 {"total_cycles", result.total.total_cycles}};
  std::vector<std::vector<std::string>> rows = {{"layer", "elements", "mismatches"}};
  for (const flow::ReplayLayer& layer : result.layers) {
    const std::string& name = graph.nodes[static_cast<size_t>(layer.node)].name;
    rows.push_back({name, std::to_string(layer.elements), std::to_string(layer.mismatches)});
    json["layers"].push_back(
        {{"name", name}, {"elements", layer.elements}, {"mismatches", layer.mismatches}});
  }
  if (result.is_checked) {
    fmt::print("\n");
    PrintTable(rows, 1);
    if (!is_equal) fmt::print("\nfirst mismatch: {}\n", result.first_mismatch);
    fmt::print("\n{} = expected: {}\n", options.device, is_equal ? "PASS" : "FAIL");
  } else {
    fmt::print("the job carries no expected tensors: nothing was compared\n");
  }
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  return is_equal ? 0 : 1;
}

}  // namespace

Verb AddReplay(CLI::App& app) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App* verb = app.add_subcommand("replay", "runs a compiled job folder on a device");
  verb->add_option("JOB", options->job, "folder written by compile --random or --inputs")
      ->required();
  verb->add_option("--device", options->device, "what runs it")
      ->check(CLI::IsMember({"rtl", "descriptor"}))
      ->capture_default_str();
  verb->add_flag("--stalls", options->is_stalled, "random back-pressure and latency of the memory");
  verb->add_option("--seed", options->seed, "seed of the stalls")->capture_default_str();
  verb->add_option("--outputs", options->outputs, "write the device's outputs as .npy");
  verb->add_option("--json", options->json, "write the result as JSON");
  return {verb, [options] { return RunReplay(*options); }};
}

}  // namespace macloom::cli
