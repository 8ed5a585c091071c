#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "cli/cost_options.h"
#include "cost/hw_cost.h"
#include "flow/sweep.h"
#include "networks/model.h"

namespace macloom::cli {
namespace {

/// Of the sum of modules against a flat synthesis.
constexpr double kMaxCompositionError = 0.05;

/// One configuration of the cross product of the axes, with the values that make it.
struct Point {
  arch::HardwareConfig config;
  std::vector<std::string> values;
};

Result<std::vector<Point>> Points(const arch::HardwareConfig& base,
                                  const std::vector<flow::SweepAxis>& axes) {
  std::vector<Point> points = {{base, {}}};
  for (const flow::SweepAxis& axis : axes) {
    std::vector<Point> next;
    for (const Point& point : points) {
      for (const std::string& value : axis.values) {
        Point changed = point;
        MACLOOM_ASSIGN_OR_RETURN(changed.config,
                                 arch::WithSetting(point.config, axis.key + "=" + value));
        changed.values.push_back(value);
        next.push_back(std::move(changed));
      }
    }
    points = std::move(next);
  }
  return points;
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
    fmt::print(
        "{}: {:.0f} um2 without memories, {:.0f} per MAC, {:.0f} per effective MAC; longest path "
        "{:.2f} ns, {:.0f} MHz\n",
        cost.libraries[l], cost.area_um2[l], cost.area_per_effective_mac_um2(l, 1.0),
        cost.area_per_effective_mac_um2(l, utilization), cost.critical_path_ns[l],
        1000.0 / cost.critical_path_ns[l]);
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

/// `base`, then every value of every axis by itself.
Result<std::vector<Point>> OneAtATime(const arch::HardwareConfig& base,
                                      const std::vector<flow::SweepAxis>& axes) {
  std::vector<Point> points = {{base, {"-"}}};
  for (const flow::SweepAxis& axis : axes) {
    for (const std::string& value : axis.values) {
      const std::string setting = axis.key + "=" + value;
      MACLOOM_ASSIGN_OR_RETURN(arch::HardwareConfig config, arch::WithSetting(base, setting));
      points.push_back({std::move(config), {setting}});
    }
  }
  return points;
}

/// One line per configuration: the values of the axes, gates, utilization, area by library.
class Table {
 public:
  Table(const std::vector<std::string>& axes, const std::vector<cost::LibraryFile>& libraries)
      : rows_{axes}, num_axes_(axes.size()) {
    for (const char* column : {"requantization", "R", "acc", "MACs", "gates", "FF", "GE/MAC",
                               "busy %", "GE/effective MAC", "memory GE"}) {
      rows_[0].push_back(column);
    }
    for (const cost::LibraryFile& library : libraries) {
      rows_[0].push_back(library.label + " um2");
      rows_[0].push_back("um2/effective MAC");
      rows_[0].push_back("ns");
    }
  }

  void Add(const Point& point, const cost::HwCost& cost, double utilization, bool is_of_32x31) {
    const arch::HardwareConfig& config = point.config;
    const std::string kind =
        config.requant_kind == arch::RequantKind::kShift
            ? "shift"
            : fmt::format("{}x{}", config.requant_operand_bits(), config.multiplier_bits());
    std::vector<std::string> row = point.values;
    row.insert(
        row.end(),
        {kind, fmt::format("{}", config.requant_lanes), fmt::format("{}", config.accumulator_bits),
         fmt::format("{}", cost.multipliers), fmt::format("{}", cost.gates),
         fmt::format("{}", cost.flip_flops), fmt::format("{:.0f}", cost.logic_per_mac()),
         fmt::format("{:.1f}{}", 100.0 * utilization, is_of_32x31 ? "*" : ""),
         fmt::format("{:.0f}", cost.logic_per_effective_mac(utilization)),
         fmt::format("{:.0f}", cost.memory_gate_equivalents)});
    for (size_t l = 0; l < cost.libraries.size(); ++l) {
      row.push_back(fmt::format("{:.0f}", cost.area_um2[l]));
      row.push_back(fmt::format("{:.0f}", cost.area_per_effective_mac_um2(l, utilization)));
      row.push_back(fmt::format("{:.2f}", cost.critical_path_ns[l]));
    }
    rows_.push_back(std::move(row));
    is_any_replaced_ |= is_of_32x31;
  }

  void Print(const ir::Graph& graph) const {
    PrintTable(rows_, num_axes_ + 1);
    fmt::print(
        "\nGE: two-input gates and {} per flip-flop, memories not included; um2: all cells, no "
        "wires, no memories; effective: divided\nby the share of busy multipliers on {} (cycle "
        "model)\n",
        cost::kGatesPerFlipFlop, NetworkTitle(graph));
    if (is_any_replaced_) {
      fmt::print("*: the network needs 32x31 requantization; cycles of that with the same lanes\n");
    }
  }

 private:
  std::vector<std::vector<std::string>> rows_;
  size_t num_axes_;
  bool is_any_replaced_ = false;
};

Result<int> PrintCheck(const arch::HardwareConfig& base, cost::Synthesizer& synthesizer,
                       const cost::HwOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const cost::FlatCheck check,
                           cost::CheckFlat(base, synthesizer, options));
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

Result<int> RunCostHw(const CostHwOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig base, options.hardware.Load());
  const bool is_one_at_a_time = !options.vary.empty();
  std::vector<flow::SweepAxis> axes;
  std::vector<std::string> columns;
  for (const std::string& text : is_one_at_a_time ? options.vary : options.sweep) {
    MACLOOM_ASSIGN_OR_RETURN(flow::SweepAxis axis, flow::ParseSweepAxis(text));
    if (!is_one_at_a_time) columns.push_back(axis.key);
    axes.push_back(std::move(axis));
  }
  if (is_one_at_a_time) columns = {"changed"};
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<Point> points,
                           is_one_at_a_time ? OneAtATime(base, axes) : Points(base, axes));
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                           networks::LoadModel(options.model, ir::Rounding::kDouble));
  MACLOOM_ASSIGN_OR_RETURN(cost::ResultCache cache, cost::ResultCache::OpenDefault());
  MACLOOM_ASSIGN_OR_RETURN(cost::Synthesizer synthesizer,
                           cost::Synthesizer::Create(std::move(cache)));
  std::vector<cost::LibraryFile> libraries;
  for (const std::string& name : options.libraries) {
    MACLOOM_ASSIGN_OR_RETURN(cost::LibraryFile library, cost::OpenLibrary(name));
    MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
    libraries.push_back(std::move(library));
  }
  Table table(columns, libraries);
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  std::unique_ptr<ProgressLine> progress;
  size_t current = 0;
  cost::HwOptions hw_options;
  hw_options.jobs = options.jobs;
  hw_options.progress = [&](const std::string& module, int done, int total) {
    if (!progress) {
      progress = std::make_unique<ProgressLine>("synthesis", static_cast<int64_t>(points.size()));
    }
    progress->Update(static_cast<int64_t>(current),
                     fmt::format("{} ({} of {} modules)", module, done, total));
  };
  for (; current < points.size(); ++current) {
    const Point& point = points[current];
    bool is_of_32x31 = false;
    MACLOOM_ASSIGN_OR_RETURN(const double utilization,
                             Utilization(graph, point.config, is_of_32x31));
    MACLOOM_ASSIGN_OR_RETURN(
        const cost::HwCost cost,
        cost::CostOfAccelerator(point.config, libraries, synthesizer, hw_options));
    if (points.size() == 1) {
      progress.reset();
      PrintBlocks(cost, utilization);
    }
    table.Add(point, cost, utilization, is_of_32x31);
    json.push_back(cost::ToJson(cost));
    json.back()["network"] = graph.name;
    json.back()["utilization"] = utilization;
    json.back()["utilization_of_32x31"] = is_of_32x31;
    for (size_t a = 0; a < columns.size(); ++a) {
      json.back()["settings"][columns[a]] = point.values[a];
    }
  }
  progress.reset();
  table.Print(graph);
  fmt::print("{} of {} modules from the cache\n", synthesizer.num_cached(),
             synthesizer.num_cached() + synthesizer.num_made());
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  if (!options.is_checked) return 0;
  return PrintCheck(base, synthesizer, hw_options);
}

}  // namespace macloom::cli
