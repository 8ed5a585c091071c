#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/progress.h"
#include "cli/common.h"
#include "cli/cost_estimator.h"
#include "cost/claim_result.h"
#include "cost/hw_cost.h"
#include "cost/mac_cost.h"
#include "flow/estimate.h"
#include "flow/model.h"
#include "flow/sweep.h"
#include "reports/cost_plots.h"

namespace macloom::cli {
namespace {

struct MacOptions {
  std::vector<std::string> formats;
  std::vector<std::string> libraries = {cost::kDefaultLibrary};
  std::vector<int> lanes = {1};
  std::vector<std::string> shapes = {"bare"};
  int jobs = 2;
  int energy_cycles = 0;
  uint64_t seed = 1;
  std::string json, svg;
};

std::vector<std::string> Header(const cost::MacComparison& comparison) {
  std::vector<std::string> header = {"unit", "gates", "ratio", "FF"};
  for (const std::string& library : comparison.libraries) {
    for (const std::string& column :
         {library + " um2", std::string("ratio"), std::string("ns"), std::string("loop ns"),
          std::string("iso um2*ns/MAC"), std::string("ratio")}) {
      header.push_back(column);
    }
    if (!comparison.baselines[0].energies.empty()) {
      header.insert(header.end(), {"pJ/MAC", "ratio"});
    }
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
    }
    rows.push_back(std::move(row));
  }
  PrintTable(rows, 1);
}

/// How many of the 8-bit minifloats lie where the claim has them.
void PrintClaim(const cost::MacComparison& comparison) {
  const std::vector<cost::ClaimLine> lines = cost::CheckClaim(comparison);
  if (lines.empty()) return;
  fmt::print("\nthe claim that FP8 costs {:.1f} to {:.1f} times INT8: FP8 units below, in, above\n",
             cost::kClaimLow, cost::kClaimHigh);
  std::vector<std::vector<std::string>> rows = {
      {"units", "against", "figure", "below", "in", "above", "lowest", "highest"}};
  int within = 0, all = 0;
  for (const cost::ClaimLine& line : lines) {
    rows.push_back({line.group, line.baseline, line.figure, fmt::format("{}", line.below),
                    fmt::format("{}", line.within), fmt::format("{}", line.above),
                    fmt::format("{:.2f} {}", line.lowest, line.lowest_unit),
                    fmt::format("{:.2f} {}", line.highest, line.highest_unit)});
    within += line.within;
    all += line.below + line.within + line.above;
  }
  PrintTable(rows, 3);
  fmt::print("verdict: {} of {} ratios ({:.0f} %) lie in the claimed band\n", within, all,
             100.0 * within / all);
}

Result<int> RunMac(const MacOptions& options) {
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
  PrintClaim(comparison);
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, cost::ToJson(comparison)));
  if (!options.svg.empty()) {
    MACLOOM_RETURN_IF_ERROR(
        WriteFileAtomically(options.svg, std::string_view(reports::ClaimPlot(comparison))));
  }
  return 0;
}

/// Of the sum of modules against a flat synthesis.
constexpr double kMaxCompositionError = 0.05;

struct HwOptions {
  HardwareOption hardware;
  std::vector<std::string> libraries;
  bool is_checked = false;
  std::string model = "ds-cnn-untrained";
  std::vector<std::string> sweep;
  std::string json;
};

/// Configurations of the cross product of the axes over `base`.
Result<std::vector<arch::HardwareConfig>> Configurations(const arch::HardwareConfig& base,
                                                         const std::vector<std::string>& sweep) {
  std::vector<arch::HardwareConfig> configs = {base};
  for (const std::string& text : sweep) {
    MACLOOM_ASSIGN_OR_RETURN(const flow::SweepAxis axis, flow::ParseSweepAxis(text));
    std::vector<arch::HardwareConfig> next;
    for (const arch::HardwareConfig& config : configs) {
      for (const std::string& value : axis.values) {
        MACLOOM_ASSIGN_OR_RETURN(arch::HardwareConfig point,
                                 arch::WithSetting(config, axis.key + "=" + value));
        next.push_back(std::move(point));
      }
    }
    configs = std::move(next);
  }
  return configs;
}

/// Share of busy multipliers on `graph`, by the cycle model. A requantization kind that refuses the
/// network takes as many cycles as the one that runs it, but for the depth of its pipeline; then
/// `is_of_32x31` is set.
Result<double> Utilization(const ir::Graph& graph, arch::HardwareConfig config, bool& is_of_32x31) {
  for (is_of_32x31 = false;; is_of_32x31 = true) {
    const Result<flow::Estimate> estimate = flow::EstimateNetwork(graph, config, {}, {});
    if (estimate.ok()) {
      return static_cast<double>(estimate->total.macs) /
             (static_cast<double>(config.rows * config.lanes) *
              static_cast<double>(estimate->total.counts.total_cycles));
    }
    if (is_of_32x31) return estimate.error();
    config.requant_kind = arch::RequantKind::k32x31;
    config.accumulator_bits = std::max(config.accumulator_bits, 24);
  }
}

void PrintBlocks(const cost::HwCost& cost, double utilization) {
  std::vector<std::vector<std::string>> rows = {
      {"module", "instances", "gates", "FF", "all gates"}};
  std::vector<cost::HwBlock> blocks = cost.blocks;
  std::sort(blocks.begin(), blocks.end(),
            [](const auto& a, const auto& b) { return a.gates() > b.gates(); });
  for (const cost::HwBlock& block : blocks) {
    if (block.gates_each + block.flip_flops_each == 0) continue;
    rows.push_back({block.module, fmt::format("{}", block.instances),
                    fmt::format("{}", block.gates_each), fmt::format("{}", block.flip_flops_each),
                    fmt::format("{}", block.gates())});
  }
  PrintTable(rows, 1);
  fmt::print("\n");
  for (size_t l = 0; l < cost.libraries.size(); ++l) {
    const double per_mac = cost.area_um2[l] / static_cast<double>(cost.multipliers);
    fmt::print(
        "{}: {:.0f} um2 without memories, {:.0f} per MAC, {:.0f} per effective MAC; longest path "
        "{:.2f} ns, {:.0f} MHz\n",
        cost.libraries[l], cost.area_um2[l], per_mac, per_mac / utilization,
        cost.critical_path_ns[l], 1000.0 / cost.critical_path_ns[l]);
  }
  rows = {{"memory (model)", "instances", "words", "bits", "gate equivalents", "pJ/access"}};
  for (const cost::HwMemory& memory : cost.memories) {
    rows.push_back({memory.name, fmt::format("{}", memory.instances),
                    fmt::format("{}", memory.words), fmt::format("{}", memory.word_bits),
                    fmt::format("{:.0f}", memory.gate_equivalents),
                    fmt::format("{:.1f}", memory.read_pj)});
  }
  PrintTable(rows, 1);
  fmt::print("\n");
}

Result<int> RunHw(const HwOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig base, options.hardware.Load());
  MACLOOM_ASSIGN_OR_RETURN(const auto configs, Configurations(base, options.sweep));
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                           flow::LoadModel(options.model, ir::Rounding::kDouble));
  MACLOOM_ASSIGN_OR_RETURN(cost::ResultCache cache, cost::ResultCache::OpenDefault());
  MACLOOM_ASSIGN_OR_RETURN(cost::Synthesizer synthesizer,
                           cost::Synthesizer::Create(std::move(cache)));
  std::vector<cost::LibraryFile> libraries;
  for (const std::string& name : options.libraries) {
    MACLOOM_ASSIGN_OR_RETURN(cost::LibraryFile library, cost::OpenLibrary(name));
    MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
    libraries.push_back(std::move(library));
  }
  std::vector<std::vector<std::string>> rows = {{"requantization", "R", "acc", "MACs", "gates",
                                                 "FF", "GE/MAC", "busy %", "GE/effective MAC",
                                                 "memory GE"}};
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  ProgressLine progress("synthesis", static_cast<int64_t>(configs.size()));
  bool is_any_replaced = false;
  for (size_t i = 0; i < configs.size(); ++i) {
    const arch::HardwareConfig& config = configs[i];
    progress.Update(static_cast<int64_t>(i));
    bool is_of_32x31 = false;
    MACLOOM_ASSIGN_OR_RETURN(const double utilization, Utilization(graph, config, is_of_32x31));
    MACLOOM_ASSIGN_OR_RETURN(const cost::HwCost cost,
                             cost::CostOfAccelerator(config, libraries, synthesizer));
    is_any_replaced |= is_of_32x31;
    if (configs.size() == 1) PrintBlocks(cost, utilization);
    const std::string kind =
        config.requant_kind == arch::RequantKind::kShift
            ? "shift"
            : fmt::format("{}x{}", config.requant_operand_bits(), config.multiplier_bits());
    rows.push_back({kind, fmt::format("{}", config.requant_lanes),
                    fmt::format("{}", config.accumulator_bits), fmt::format("{}", cost.multipliers),
                    fmt::format("{}", cost.gates), fmt::format("{}", cost.flip_flops),
                    fmt::format("{:.0f}", cost.logic_per_mac()),
                    fmt::format("{:.1f}{}", 100.0 * utilization, is_of_32x31 ? "*" : ""),
                    fmt::format("{:.0f}", cost.logic_per_effective_mac(utilization)),
                    fmt::format("{:.0f}", cost.memory_gate_equivalents)});
    json.push_back(cost::ToJson(cost));
    json.back()["network"] = graph.name;
    json.back()["utilization"] = utilization;
    json.back()["utilization_of_32x31"] = is_of_32x31;
  }
  PrintTable(rows, 1);
  fmt::print(
      "\nGE: two-input gates and {} per flip-flop, memories not included; effective: divided by "
      "the "
      "share of busy multipliers\non {} (cycle model)\n",
      cost::kGatesPerFlipFlop, NetworkTitle(graph));
  if (is_any_replaced) {
    fmt::print("*: the network needs 32x31 requantization; cycles of that with the same lanes\n");
  }
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  if (!options.is_checked) return 0;
  MACLOOM_ASSIGN_OR_RETURN(const cost::FlatCheck check, cost::CheckFlat(base, synthesizer));
  const double error = check.composed_gate_equivalents() / check.flat_gate_equivalents() - 1.0;
  const bool is_good = std::abs(error) <= kMaxCompositionError;
  fmt::print(
      "one row and its control: composed {} gates and {} flip-flops, flat {} and {}: {:+.1f} % in "
      "gate equivalents, at most {:.0f} % accepted: {}\n",
      check.composed_gates, check.composed_flip_flops, check.flat_gates, check.flat_flip_flops,
      100.0 * error, 100.0 * kMaxCompositionError, is_good ? "PASS" : "FAIL");
  return is_good ? 0 : 1;
}

}  // namespace

Verb AddCost(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("cost", "area, delay and energy by synthesis");
  auto mac_options = std::make_shared<MacOptions>();
  CLI::App* mac = verb->add_subcommand("mac", "multiply-accumulate units, format by format");
  mac->add_option("--formats", mac_options->formats,
                  "FORMAT/ACCUMULATOR, e.g. int8/24,int4/16; all")
      ->delimiter(',');
  mac->add_option("--library", mac_options->libraries,
                  "osu018, or a Liberty file (.lib, .lib.gz); repeatable")
      ->delimiter(',')
      ->capture_default_str();
  mac->add_option("--lanes", mac_options->lanes, "products per step")
      ->delimiter(',')
      ->capture_default_str();
  mac->add_option(
         "--shape", mac_options->shapes,
         "bare: multipliers, adder, accumulator; row: a row of the array with its storage; "
         "row+dw: with depthwise mode")
      ->check(CLI::IsMember({"bare", "row", "row+dw"}))
      ->delimiter(',')
      ->capture_default_str();
  mac->add_option("--jobs", mac_options->jobs, "units synthesised at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  mac->add_option("--energy", mac_options->energy_cycles,
                  "cycles of each of 64 normally distributed operand streams; 0: no energy")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  mac->add_option("--seed", mac_options->seed, "of the operand streams")->capture_default_str();
  mac->add_option("--json", mac_options->json, "machine-readable results");
  mac->add_option("--svg", mac_options->svg, "plot of all ratios, the published claim as a band");
  auto hw_options = std::make_shared<HwOptions>();
  hw_options->hardware.AddTo(*verb);
  verb->add_option("--model", hw_options->model, "network whose utilization counts")
      ->capture_default_str();
  verb->add_option("--library", hw_options->libraries,
                   "areas and longest path: osu018, or a Liberty file; repeatable")
      ->delimiter(',');
  verb->add_flag("--check", hw_options->is_checked,
                 "compare one row and its control with a flat synthesis; status 1 beyond 5 %");
  verb->add_option("--sweep", hw_options->sweep, "KEY=VALUE,VALUE,...; repeatable");
  verb->add_option("--json", hw_options->json, "machine-readable results");
  const Verb fit = AddCostFit(*verb);
  const Verb estimate = AddCostEstimate(*verb);
  verb->require_subcommand(0, 1);
  return {verb, [mac, mac_options, hw_options, fit, estimate]() -> Result<int> {
            if (fit.app->parsed()) return fit.run();
            if (estimate.app->parsed()) return estimate.run();
            return mac->parsed() ? RunMac(*mac_options) : RunHw(*hw_options);
          }};
}

}  // namespace macloom::cli
