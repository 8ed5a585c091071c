#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/common.h"
#include "flow/clip_inputs.h"
#include "flow/run.h"
#include "flow/verify.h"
#include "networks/model.h"

namespace macloom::cli {
namespace {

constexpr int kNumRandom = 6;

struct VerifyOptions {
  std::string model, overflow = "wrap", json, rtl, top, waves, wave_format = "auto";
  std::vector<std::string> inputs;
  int random = 0;  // 0: not given.
  int accumulator_bits = 0;
  uint64_t seed = 1;
  bool is_stalled = false, is_descriptor_only = false, is_always_traced = false;
  HardwareOption hardware;
  RoundingOption rounding;
};

std::string Utilization(int64_t part, int64_t whole) {
  return whole == 0 ? "-"
                    : fmt::format("{:.1f}",
                                  100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

nlohmann::ordered_json ToJson(const sim::StepCounters& c) {
  nlohmann::ordered_json json = CycleCountsJson(c);
  json["macs"] = c.macs;
  json["overflow_events"] = c.overflow_events;
  json["clamped_low"] = c.clamped_low;
  json["clamped_high"] = c.clamped_high;
  return json;
}

std::vector<std::string> CounterCells(const sim::StepCounters& c) {
  std::vector<std::string> cells;
  for (const int64_t value :
       {c.stall_activation_cycles, c.stall_weight_cycles, c.stall_output_cycles,
        c.stall_dma_read_cycles + c.stall_dma_write_cycles, c.idle_cycles}) {
    cells.push_back(std::to_string(value));
  }
  return cells;
}

void PrintLayers(const flow::VerifyResult& result) {
  const ir::Graph& graph = result.job.graph;
  const arch::HardwareConfig& config = result.job.config;
  std::vector<std::vector<std::string>> rows = {{"layer", "kind", "output", "MACs", "cycles",
                                                 "ideal", "util %", "act", "weight", "out", "dma",
                                                 "idle", "overflows", "mismatches"}};
  const auto add = [&](std::vector<std::string> row, const sim::StepCounters& counters) {
    const std::vector<std::string> cells = CounterCells(counters);
    row.insert(row.end(), cells.begin(), cells.end());
    row.push_back(std::to_string(counters.overflow_events));
    return row;
  };
  for (const flow::VerifyLayer& layer : result.layers) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(layer.node)];
    rows.push_back(
        add({node.name, ir::ToString(node.kind), ir::ToString(graph.tensor(node.output).shape),
             std::to_string(layer.macs), std::to_string(layer.counters.total_cycles),
             std::to_string(layer.ideal_cycles),
             Utilization(layer.macs, config.rows * config.lanes * layer.counters.total_cycles)},
            layer.counters));
    rows.back().push_back(std::to_string(layer.mismatches));
  }
  rows.push_back(
      add({"load, store", "", "", "0", std::to_string(result.transfers.total_cycles), "0", "-"},
          result.transfers));
  rows.back().push_back("0");
  int64_t ideal = 0;
  for (const flow::VerifyLayer& layer : result.layers) ideal += layer.ideal_cycles;
  rows.push_back(
      add({"total", "", "", std::to_string(result.macs()),
           std::to_string(result.total.total_cycles), std::to_string(ideal),
           Utilization(result.macs(), config.rows * config.lanes * result.total.total_cycles)},
          result.total));
  rows.back().push_back(std::to_string(result.mismatches()));
  PrintTable(rows, 3);
}

// Trained networks inside the program come with sounds they have not been trained on.
bool HasShippedSounds(const std::string& model) {
  const std::vector<std::string> names = networks::ShippedModels();
  return model != "ds-cnn-untrained" && std::find(names.begin(), names.end(), model) != names.end();
}

/// One line per sound: the class that golden, the descriptor device and the RTL gave.
Status PrintClasses(const ir::Graph& graph, const flow::Samples& samples) {
  MACLOOM_ASSIGN_OR_RETURN(const flow::RunResult result,
                           flow::RunBatch(graph, samples, {}, false, flow::Executor::kFast));
  std::vector<std::vector<std::string>> rows = {{"sound", "class"}};
  for (size_t n = 0; n < samples.names.size(); ++n) {
    const auto index = static_cast<size_t>(result.predictions[n]);
    rows.push_back({samples.names[n], index < graph.class_labels.size() ? graph.class_labels[index]
                                                                        : std::to_string(index)});
  }
  fmt::print("\n");
  PrintTable(rows, 2);
  return {};
}

Result<int> RunVerify(const VerifyOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                           networks::LoadModel(options.model, options.rounding.value()));
  MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options.hardware.Load());
  flow::Samples samples;
  if (!options.inputs.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(samples, flow::LoadInputs(options.inputs, graph));
  } else if (options.random == 0 && HasShippedSounds(options.model)) {
    MACLOOM_ASSIGN_OR_RETURN(samples, flow::ShippedSounds(graph));
  } else {
    samples =
        flow::RandomInputs(graph, options.random == 0 ? kNumRandom : options.random, options.seed);
  }
  flow::VerifyOptions verify;
  verify.compile.overflow =
      options.overflow == "saturate" ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
  verify.compile.effective_accumulator_bits = options.accumulator_bits;
  verify.timing =
      options.is_stalled ? sim::MemoryTiming::Random(options.seed) : sim::MemoryTiming::Ideal();
  verify.is_descriptor_only = options.is_descriptor_only;
  verify.waves.directory = options.waves;
  verify.waves.is_always = options.is_always_traced;
  if (options.wave_format != "auto") {
    verify.waves.format =
        options.wave_format == "fst" ? sim::WaveFormat::kFst : sim::WaveFormat::kVcd;
  }
  if (!options.rtl.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(verify.rtl, sim::LoadForeignRtl(options.rtl, options.top));
  }
  MACLOOM_ASSIGN_OR_RETURN(const flow::VerifyResult result,
                           flow::Verify(graph, config, samples, verify));

  fmt::print("{} on {} ({} rows x {} lanes), {} inputs{}, {}\n", NetworkTitle(graph), config.name,
             config.rows, config.lanes, result.num_samples,
             samples.are_sounds       ? " (sounds)"
             : options.inputs.empty() ? fmt::format(" (random and corner, seed {})", options.seed)
                                      : "",
             options.is_stalled ? "random memory stalls" : "ideal memory (latency 20 cycles)");
  if (verify.rtl.has_value()) {
    fmt::print("RTL: module {} of {}, digest {}\n", options.top, options.rtl,
               verify.rtl->digest.substr(0, 16));
  }
  fmt::print("cycles of the first input, from the RTL's counters; stalls in cycles\n\n");
  PrintLayers(result);
  for (const int node : result.job.host_nodes) {
    fmt::print("{} runs on the host\n", ir::ToString(graph.nodes[static_cast<size_t>(node)].kind));
  }
  const bool is_equal = result.mismatches() == 0;
  if (!result.first_mismatch.empty()) fmt::print("\nfirst mismatch: {}\n", result.first_mismatch);
  if (result.waves.has_value()) {
    fmt::print("waves of cycles {} to {}: {}; gtkwave {}\n", result.wave_window.first_cycle,
               result.wave_window.last_cycle, result.waves->trace.string(),
               result.waves->save_file.string());
  }
  if (!options.is_descriptor_only) {
    fmt::print("\nutilization {:.2f} % ({} MACs in {} cycles on {} multipliers)\n",
               result.utilization_percent(), result.macs(), result.total.total_cycles,
               config.rows * config.lanes);
    fmt::print("cycle model: {} cycles predicted, {:+.2f} %{}\n", result.predicted_cycles,
               result.prediction_error_percent(),
               options.is_stalled ? " (mean of eight draws of random stalls)" : "");
  }
  if (is_equal && samples.are_sounds) {
    MACLOOM_RETURN_IF_ERROR(PrintClasses(graph, samples));
    fmt::print("\n");
  }
  fmt::print("golden = descriptor device{}: {}\n", options.is_descriptor_only ? "" : " = RTL",
             is_equal ? "PASS" : "FAIL");

  nlohmann::ordered_json json = {{"format", "macloom.verify"},
                                 {"format_version", 1},
                                 {"network", graph.name},
                                 {"is_untrained", graph.is_untrained},
                                 {"network_digest", ir::Digest(graph)},
                                 {"configuration", config.name},
                                 {"configuration_digest", arch::Digest(config)},
                                 {"samples", result.num_samples},
                                 {"seed", options.seed},
                                 {"passed", is_equal},
                                 {"mismatches", result.mismatches()},
                                 {"first_mismatch", result.first_mismatch},
                                 {"rtl_top", options.top},
                                 {"waves", result.waves ? result.waves->trace.string() : ""},
                                 {"utilization_percent", result.utilization_percent()},
                                 {"predicted_cycles", result.predicted_cycles},
                                 {"total", ToJson(result.total)}};
  for (const flow::VerifyLayer& layer : result.layers) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(layer.node)];
    json["layers"].push_back({{"name", node.name},
                              {"kind", ir::ToString(node.kind)},
                              {"output_shape", graph.tensor(node.output).shape},
                              {"macs", layer.macs},
                              {"ideal_cycles", layer.ideal_cycles},
                              {"compared_elements", layer.elements},
                              {"mismatches", layer.mismatches},
                              {"counters", ToJson(layer.counters)}});
  }
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  return is_equal ? 0 : 1;
}

}  // namespace

Verb AddVerify(CLI::App& app) {
  auto options = std::make_shared<VerifyOptions>();
  options->model = networks::ShippedModels()[0];
  CLI::App* verb =
      app.add_subcommand("verify", "golden = descriptor device = simulated RTL, every tensor");
  verb->add_option("MODEL", options->model, ".tflite file, network file or shipped name")
      ->capture_default_str();
  options->hardware.AddTo(*verb);
  options->rounding.AddTo(*verb);
  auto* inputs = verb->add_option("--inputs", options->inputs,
                                  ".npy, .npz@NAME or IDX@pixels, or folder or tar of raw samples "
                                  "(@pixels, @pcm16); .wav files, or a folder or tar of them, if "
                                  "the network has a front end (docs/formats.md)");
  verb->add_option("--random", options->random,
                   "this many random and corner inputs; without it and --inputs 6, or the "
                   "shipped sounds if MODEL is a shipped trained network")
      ->check(CLI::Range(1, 100000))
      ->excludes(inputs);
  verb->add_option("--seed", options->seed, "seed of inputs and stalls")->capture_default_str();
  verb->add_flag("--stalls", options->is_stalled, "random back-pressure and latency of the memory");
  auto* no_rtl = verb->add_flag("--no-rtl", options->is_descriptor_only,
                                "descriptor device only: no simulation, no cycles");
  auto* rtl = verb->add_option("--rtl", options->rtl,
                               "file list of your own accelerator, simulated instead of the "
                               "generated one (docs/bring-your-own-rtl.md)");
  auto* top = verb->add_option("--top", options->top, "its top module");
  rtl->needs(top)->excludes(no_rtl);
  top->needs(rtl);
  auto* waves = verb->add_option("--waves", options->waves,
                                 "write waves around the first mismatch of the RTL, and a GTKWave "
                                 "save file, into this folder");
  waves->excludes(no_rtl);
  verb->add_flag("--waves-always", options->is_always_traced,
                 "without a mismatch the whole run of the first input")
      ->needs(waves);
  verb->add_option("--waves-format", options->wave_format, "auto: fst if zlib1g-dev is installed")
      ->check(CLI::IsMember({"auto", "fst", "vcd"}))
      ->capture_default_str()
      ->needs(waves);
  verb->add_option("--overflow", options->overflow, "accumulator policy")
      ->check(CLI::IsMember({"wrap", "saturate"}))
      ->capture_default_str();
  verb->add_option("--accumulator-bits", options->accumulator_bits,
                   "narrow the accumulators of the simulated RTL to this width")
      ->check(CLI::Range(8, 32));
  verb->add_option("--json", options->json, "write the result as JSON");
  return {verb, [options] { return RunVerify(*options); }};
}

}  // namespace macloom::cli
