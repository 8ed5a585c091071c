#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/common.h"
#include "flow/estimate.h"
#include "flow/sweep.h"
#include "networks/model.h"

namespace macloom::cli {
namespace {

struct CycleOptions {
  std::string model, overflow = "wrap", json;
  std::vector<std::string> sweeps;
  arch::MemoryModel memory;
  HardwareOption hardware;
  RoundingOption rounding;
};

double Percent(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

void PrintLayers(const flow::Estimate& estimate) {
  const ir::Graph& graph = estimate.job.graph;
  const int64_t multipliers = estimate.job.config.rows * estimate.job.config.lanes;
  std::vector<std::vector<std::string>> rows = {{"layer", "kind", "output", "MACs", "cycles",
                                                 "ideal", "util %", "busy", "act", "weight", "out",
                                                 "dma read", "dma write", "idle"}};
  const auto add = [&](const std::string& name, const std::string& kind, const std::string& shape,
                       const flow::EstimateLayer& layer) {
    const arch::CycleCounts& c = layer.counts;
    rows.push_back(
        {name, kind, shape, std::to_string(layer.macs), std::to_string(c.total_cycles),
         std::to_string(layer.ideal_cycles),
         layer.macs == 0
             ? "-"
             : fmt::format("{:.1f}", Percent(layer.macs, multipliers * c.total_cycles))});
    for (const int64_t cycles :
         {c.busy_cycles, c.stall_activation_cycles, c.stall_weight_cycles, c.stall_output_cycles,
          c.stall_dma_read_cycles, c.stall_dma_write_cycles, c.idle_cycles}) {
      rows.back().push_back(std::to_string(cycles));
    }
  };
  for (const flow::EstimateLayer& layer : estimate.layers) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(layer.node)];
    add(node.name, ir::ToString(node.kind), ir::ToString(graph.tensor(node.output).shape), layer);
  }
  add("load, store", "", "", estimate.transfers);
  add("total", "", "", estimate.total);
  PrintTable(rows, 3);
}

nlohmann::ordered_json MemoryJson(const arch::MemoryModel& memory) {
  return {{"latency_cycles", memory.latency_cycles},
          {"stall_probability", memory.stall_probability},
          {"max_extra_latency_cycles", memory.max_extra_latency_cycles},
          {"seed", memory.seed}};
}

Status RunSweep(const CycleOptions& options, const ir::Graph& graph,
                const arch::HardwareConfig& config, const arch::CompileOptions& compile) {
  std::vector<flow::SweepAxis> axes;
  for (const std::string& text : options.sweeps) {
    MACLOOM_ASSIGN_OR_RETURN(flow::SweepAxis axis, flow::ParseSweepAxis(text));
    axes.push_back(std::move(axis));
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<flow::SweepPoint> points,
                           flow::Sweep(graph, config, axes, compile, options.memory));
  std::vector<std::vector<std::string>> rows(1);
  for (const flow::SweepAxis& axis : axes) rows[0].push_back(axis.key);
  for (const char* title : {"multipliers", "cycles", "util %", "act", "weight", "out", "dma"}) {
    rows[0].push_back(title);
  }
  nlohmann::ordered_json json = {{"format", "macloom.sweep"},
                                 {"format_version", 1},
                                 {"network", graph.name},
                                 {"is_untrained", graph.is_untrained},
                                 {"network_digest", ir::Digest(graph)},
                                 {"configuration", config.name},
                                 {"memory", MemoryJson(options.memory)}};
  json["keys"] = std::vector<std::string>(
      rows[0].begin(), rows[0].begin() + static_cast<std::ptrdiff_t>(axes.size()));
  for (const flow::SweepPoint& point : points) {
    const arch::CycleCounts& c = point.counts;
    std::vector<std::string> row = point.values;
    row.push_back(std::to_string(point.multipliers));
    if (!point.refusal.empty()) {
      row.insert(row.end(), {"refused", "-", "-", "-", "-", "-"});
    } else {
      row.push_back(std::to_string(c.total_cycles));
      row.push_back(fmt::format("{:.1f}", point.utilization_percent()));
      for (const int64_t cycles :
           {c.stall_activation_cycles, c.stall_weight_cycles, c.stall_output_cycles,
            c.stall_dma_read_cycles + c.stall_dma_write_cycles}) {
        row.push_back(std::to_string(cycles));
      }
    }
    rows.push_back(std::move(row));
    json["points"].push_back({{"values", point.values},
                              {"refusal", point.refusal},
                              {"multipliers", point.multipliers},
                              {"macs", point.macs},
                              {"utilization_percent", point.utilization_percent()},
                              {"counters", CycleCountsJson(c)}});
  }
  fmt::print("{} on {}, predicted by the cycle model; stalls in cycles\n\n", NetworkTitle(graph),
             config.name);
  PrintTable(rows, 0);
  for (const flow::SweepPoint& point : points) {
    if (!point.refusal.empty()) {
      fmt::print("refused {}: {}\n", fmt::join(point.values, " "), point.refusal);
    }
  }
  return WriteJson(options.json, json);
}

Status WriteResult(const CycleOptions& options, const flow::Estimate& estimate) {
  const ir::Graph& graph = estimate.job.graph;
  const arch::HardwareConfig& config = estimate.job.config;
  nlohmann::ordered_json json = {
      {"format", "macloom.estimate"},
      {"format_version", 1},
      {"network", graph.name},
      {"is_untrained", graph.is_untrained},
      {"network_digest", ir::Digest(graph)},
      {"configuration", config.name},
      {"configuration_digest", arch::Digest(config)},
      {"memory", MemoryJson(options.memory)},
      {"utilization_percent", Percent(estimate.total.macs, config.rows * config.lanes *
                                                               estimate.total.counts.total_cycles)},
      {"total", CycleCountsJson(estimate.total.counts)}};
  for (const flow::EstimateLayer& layer : estimate.layers) {
    const ir::Node& node = graph.nodes[static_cast<size_t>(layer.node)];
    json["layers"].push_back({{"name", node.name},
                              {"kind", ir::ToString(node.kind)},
                              {"output_shape", graph.tensor(node.output).shape},
                              {"macs", layer.macs},
                              {"ideal_cycles", layer.ideal_cycles},
                              {"counters", CycleCountsJson(layer.counts)}});
  }
  return WriteJson(options.json, json);
}

Result<int> RunCycles(const CycleOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                           networks::LoadModel(options.model, options.rounding.value()));
  MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options.hardware.Load());
  arch::CompileOptions compile;
  compile.overflow = options.overflow == "saturate" ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
  if (!options.sweeps.empty()) {
    MACLOOM_RETURN_IF_ERROR(RunSweep(options, graph, config, compile));
    return 0;
  }
  MACLOOM_ASSIGN_OR_RETURN(const flow::Estimate estimate,
                           flow::EstimateNetwork(graph, config, compile, options.memory));
  const arch::MemoryModel& memory = options.memory;
  fmt::print("{} on {} ({} rows x {} lanes), memory latency {} cycles{}\n", NetworkTitle(graph),
             config.name, config.rows, config.lanes, memory.latency_cycles,
             memory.stall_probability == 0 && memory.max_extra_latency_cycles == 0
                 ? ""
                 : fmt::format(" + 0 to {}, stalls {:.0f} %", memory.max_extra_latency_cycles,
                               100 * memory.stall_probability));
  fmt::print("predicted by the cycle model, no RTL simulated; stalls in cycles\n\n");
  PrintLayers(estimate);
  fmt::print(
      "\nutilization {:.2f} % ({} MACs in {} cycles on {} multipliers)\n",
      Percent(estimate.total.macs, config.rows * config.lanes * estimate.total.counts.total_cycles),
      estimate.total.macs, estimate.total.counts.total_cycles, config.rows * config.lanes);
  MACLOOM_RETURN_IF_ERROR(WriteResult(options, estimate));
  return 0;
}

}  // namespace

Verb AddEstimate(CLI::App& app) {
  auto options = std::make_shared<CycleOptions>();
  options->model = networks::ShippedModels()[0];
  CLI::App* verb =
      app.add_subcommand("estimate", "cycles and stalls per layer from the cycle model, no RTL");
  verb->add_option("MODEL", options->model, ".tflite file, network file or shipped name")
      ->capture_default_str();
  options->hardware.AddTo(*verb);
  options->rounding.AddTo(*verb);
  verb->add_option("--sweep", options->sweeps,
                   "KEY=V1,V2,...: one line per configuration instead of per layer; repeatable, "
                   "all combinations");
  verb->add_option("--overflow", options->overflow, "accumulator policy")
      ->check(CLI::IsMember({"wrap", "saturate"}))
      ->capture_default_str();
  verb->add_option("--latency", options->memory.latency_cycles,
                   "cycles from a read address to its first beat, 1 to 100000")
      ->capture_default_str();
  verb->add_option("--extra-latency", options->memory.max_extra_latency_cycles,
                   "random additional latency, 0 to this many cycles per burst")
      ->capture_default_str();
  verb->add_option("--stall-probability", options->memory.stall_probability,
                   "probability that a memory channel stalls in a cycle, 0 to 0.99")
      ->capture_default_str();
  verb->add_option("--seed", options->memory.seed, "seed of the stalls")->capture_default_str();
  verb->add_option("--json", options->json, "write the result as JSON");
  return {verb, [options] { return RunCycles(*options); }};
}

}  // namespace macloom::cli
