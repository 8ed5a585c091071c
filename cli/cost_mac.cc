#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "cli/cost_options.h"
#include "cost/mac_cost.h"
#include "flow/operand_trace.h"
#include "flow/samples.h"
#include "networks/model.h"

namespace macloom::cli {
namespace {

bool HasNetworkEnergy(const cost::MacComparison& comparison) {
  return std::any_of(comparison.results.begin(), comparison.results.end(),
                     [](const auto& result) { return !result.network_energies.empty(); });
}

std::vector<std::string> Header(const cost::MacComparison& comparison) {
  std::vector<std::string> header = {"unit", "gates", "ratio", "FF"};
  for (const std::string& library : comparison.libraries) {
    for (const std::string& column :
         {library + " um2", std::string("ratio"), std::string("ns"), std::string("loop ns"),
          std::string("iso um2*ns/MAC"), std::string("ratio")}) {
      header.push_back(column);
    }
    if (!comparison.baselines[0].energies.empty()) {
      header.insert(header.end(), {"pJ/MAC", "ratio", "glitch"});
    }
    if (HasNetworkEnergy(comparison)) header.insert(header.end(), {"network pJ/MAC", "ratio"});
  }
  return header;
}

void PrintMacTable(const cost::MacComparison& comparison) {
  std::vector<std::vector<std::string>> rows = {Header(comparison)};
  for (const cost::MacResult& result : comparison.results) {
    const cost::MacResult& base = comparison.BaselineOf(result);
    std::vector<std::string> row = {
        result.name, fmt::format("{}", result.gates.gates),
        fmt::format("{:.2f}", static_cast<double>(result.gates.gates) /
                                  static_cast<double>(base.gates.gates)),
        fmt::format("{}", result.gates.flip_flops)};
    for (size_t l = 0; l < comparison.libraries.size(); ++l) {
      const cost::MappedArea& area = result.mapped[l];
      row.push_back(fmt::format("{:.0f}", area.area_um2));
      row.push_back(fmt::format("{:.2f}", area.area_um2 / base.mapped[l].area_um2));
      row.push_back(fmt::format("{:.2f}", area.critical_path_ns));
      row.push_back(fmt::format("{:.2f}", area.loop_path_ns));
      row.push_back(fmt::format("{:.0f}", result.IsoAreaPeriod(l)));
      row.push_back(fmt::format("{:.2f}", result.IsoAreaPeriod(l) / base.IsoAreaPeriod(l)));
      if (result.energies.empty()) continue;
      row.push_back(fmt::format("{:.3f}", result.energies[l].dynamic_pj() / result.lanes));
      row.push_back(
          fmt::format("{:.2f}", result.energies[l].dynamic_pj() / base.energies[l].dynamic_pj()));
      row.push_back(fmt::format("{:.2f}", result.energies[l].glitch_factor));
      if (!HasNetworkEnergy(comparison)) continue;
      const bool has_network = !result.network_energies.empty();
      row.push_back(has_network ? fmt::format("{:.3f}", result.network_energies[l].dynamic_pj() /
                                                            result.lanes)
                                : "-");
      row.push_back(has_network && !base.network_energies.empty()
                        ? fmt::format("{:.2f}", result.network_energies[l].dynamic_pj() /
                                                    base.network_energies[l].dynamic_pj())
                        : "-");
    }
    rows.push_back(std::move(row));
  }
  PrintTable(rows, 1);
}

/// Samples per network: operands repeat soon enough.
constexpr size_t kMaxSamples = 8;

struct TracedNetwork {
  ir::Graph graph;
  std::vector<ir::TensorValue> inputs;
};

Result<std::vector<TracedNetwork>> LoadNetworks(const CostMacOptions& options) {
  if (options.inputs.size() > 1 && options.inputs.size() != options.networks.size()) {
    return InvalidInput(
        fmt::format("--inputs: {} for {} networks; accepted are one, or one for each",
                    options.inputs.size(), options.networks.size()));
  }
  std::vector<TracedNetwork> networks;
  for (size_t i = 0; i < options.networks.size(); ++i) {
    TracedNetwork network;
    MACLOOM_ASSIGN_OR_RETURN(network.graph,
                             networks::LoadModel(options.networks[i], ir::Rounding::kDouble));
    flow::Samples samples = flow::RandomInputs(network.graph, kMaxSamples, options.seed);
    if (!options.inputs.empty()) {
      const std::string& path = options.inputs[options.inputs.size() == 1 ? 0 : i];
      MACLOOM_ASSIGN_OR_RETURN(samples, flow::LoadInputs(path, network.graph));
    }
    network.inputs = std::move(samples.inputs);
    network.inputs.resize(std::min(network.inputs.size(), kMaxSamples));
    networks.push_back(std::move(network));
  }
  return networks;
}

}  // namespace

Result<int> RunCostMac(const CostMacOptions& options) {
  cost::MacRequest request;
  request.formats = options.formats.empty() || options.formats[0] == "all"
                        ? cost::DefaultMacFormats()
                        : options.formats;
  request.libraries = options.libraries;
  request.lanes = options.lanes;
  request.skip_unsupported = !options.formats.empty() && options.formats[0] == "all";
  request.shapes.clear();
  for (const cost::MacShape shape :
       {cost::MacShape::kBare, cost::MacShape::kRow, cost::MacShape::kRowDepthwise}) {
    if (std::count(options.shapes.begin(), options.shapes.end(), cost::ShapeName(shape)) > 0) {
      request.shapes.push_back(shape);
    }
  }
  request.jobs = options.jobs;
  request.energy_cycles = options.energy_cycles;
  request.seed = options.seed;
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<TracedNetwork> networks, LoadNetworks(options));
  if (!networks.empty()) {
    request.network_operands = [&](const cost::MacSpec& spec) -> Result<cost::OperandTrace> {
      Error error;
      for (const TracedNetwork& network : networks) {
        Result<cost::OperandTrace> operands = flow::NetworkOperands(
            network.graph, network.inputs, spec, options.energy_cycles, options.seed);
        if (operands.ok() || operands.error().kind != ErrorKind::kUnsupported) return operands;
        error = operands.error();
      }
      return error;
    };
  }
  std::unique_ptr<ProgressLine> progress;
  MACLOOM_ASSIGN_OR_RETURN(
      const cost::MacComparison comparison,
      cost::CompareMacs(request, [&](const std::string& what, int done, int total) {
        if (!progress) progress = std::make_unique<ProgressLine>("synthesis", total);
        progress->Update(done, what);
      }));
  progress.reset();
  PrintMacTable(comparison);
  fmt::print(
      "\ngates: two-input gates without inverters and flip-flops; um2: all cells, no wires; ns: "
      "longest "
      "path; loop: accumulator to\naccumulator; iso: feed-forward part pipelined to the loop's "
      "period, "
      "registers counted. Ratios: against {} of the same lanes.\n{} of {} results from the cache\n",
      comparison.baseline, comparison.num_cached, comparison.num_cached + comparison.num_made);
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, cost::ToJson(comparison)));
  return 0;
}

}  // namespace macloom::cli
