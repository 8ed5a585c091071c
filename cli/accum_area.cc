#include "cli/accum_area.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/progress.h"
#include "cli/common.h"
#include "cli/cost_options.h"
#include "cost/energy.h"
#include "cost/hw_cost.h"
#include "explore/explore.h"

namespace macloom::cli {
namespace {

constexpr int kBaselineBits = 32;
/// Cycles of each of 64 operand streams.
constexpr int kEnergyCycles = 300;
constexpr uint64_t kEnergySeed = 1;

std::vector<int> WidthsOf(const AccumAreaOptions& options, const explore::AccumResult& result) {
  std::set<int> widths(options.widths.begin(), options.widths.end());
  if (widths.empty()) {
    for (const explore::Recommendation& r : result.recommendations) {
      if (r.width_bits > 0) widths.insert(r.width_bits);
    }
  }
  widths.insert(kBaselineBits);
  return {widths.begin(), widths.end()};
}

/// A dense row of the configuration, its accumulators and shadow included.
Result<double> RowPjPerMac(const arch::HardwareConfig& config, int width_bits,
                           const cost::LibraryFile& library, cost::Synthesizer& synthesizer) {
  MACLOOM_ASSIGN_OR_RETURN(cost::MacSpec spec,
                           cost::ParseMacSpec(fmt::format("int{}x{}/{}", config.activation_bits,
                                                          config.weight_bits, width_bits)));
  spec.lanes = config.lanes;
  spec.shape = cost::MacShape::kRow;
  MACLOOM_ASSIGN_OR_RETURN(
      const cost::UnitEnergy energy,
      cost::MeasureEnergy(spec, cost::GaussianOperands(spec, kEnergyCycles, kEnergySeed), library,
                          synthesizer));
  return energy.dynamic_pj() / config.lanes;
}

const explore::SweepPoint* SweepPointOf(const explore::AccumResult& result,
                                        const explore::AreaPoint& area) {
  const explore::Policy policy =
      area.is_saturating ? explore::Policy::kSaturate : explore::Policy::kWrap;
  for (const explore::SweepPoint& point : result.sweep) {
    if (point.width_bits == area.width_bits && point.policy == policy) return &point;
  }
  return nullptr;
}

/// Accuracy or agreement, and events per step, of the sweep's point; "-" without.
std::vector<std::string> Effect(const explore::AccumResult& result,
                                const explore::AreaPoint& area) {
  const explore::SweepPoint* point = SweepPointOf(result, area);
  if (point == nullptr) return {"-", "-"};
  if (!point->refusal.empty()) return {"not defined", "-"};
  int64_t steps = 0, events = 0;
  for (const explore::LayerCertificate& layer : result.layers) {
    steps +=
        layer.num_outputs * explore::StepsPerOutput(layer, point->policy) * point->agreement.whole;
  }
  for (const explore::LayerCounts& counts : point->layers) events += counts.events;
  const explore::Proportion& p = result.has_labels ? point->accuracy : point->agreement;
  return {fmt::format("{:.1f}", 100.0 * p.value),
          events == 0
              ? "0"
              : fmt::format("{:.2g}", static_cast<double>(events) /
                                          static_cast<double>(std::max<int64_t>(steps, 1)))};
}

std::string Saved(double value, double base) {
  return fmt::format("{:.1f}", 100.0 * (1.0 - value / base));
}

}  // namespace

void AccumAreaOptions::AddTo(CLI::App& app) {
  auto* area =
      app.add_flag("--area", is_on, "synthesise the hardware of the widths (docs/cost.md)");
  app.add_option("--area-widths", widths,
                 "with --area: these widths instead of the recommended ones; 32 is added")
      ->needs(area)
      ->delimiter(',')
      ->check(CLI::Range(8, 32));
  app.add_option("--library", libraries,
                 "with --area: um2 and energy too: osu018, or a Liberty file; repeatable")
      ->needs(area)
      ->delimiter(',');
  app.add_option("--jobs", jobs, "with --area: syntheses at the same time")
      ->needs(area)
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
}

Status MeasureArea(const AccumAreaOptions& options, const ir::Graph& graph,
                   const arch::HardwareConfig& config, explore::AccumResult& result) {
  if (config.is_minifloat()) {
    return Unsupported("--area: the accumulators of a minifloat configuration are not swept");
  }
  MACLOOM_ASSIGN_OR_RETURN(cost::ResultCache cache, cost::ResultCache::OpenDefault());
  MACLOOM_ASSIGN_OR_RETURN(cost::Synthesizer synthesizer,
                           cost::Synthesizer::Create(std::move(cache)));
  explore::AreaTable table;
  std::vector<cost::LibraryFile> libraries;
  for (const std::string& name : options.libraries) {
    MACLOOM_ASSIGN_OR_RETURN(cost::LibraryFile library, cost::OpenLibrary(name));
    MACLOOM_RETURN_IF_ERROR(library.library.RequirePower());
    table.libraries.push_back(library.label);
    libraries.push_back(std::move(library));
  }
  bool is_of_32x31 = false;
  MACLOOM_ASSIGN_OR_RETURN(table.utilization, Utilization(graph, config, is_of_32x31));
  const std::vector<int> widths = WidthsOf(options, result);
  const int64_t total = static_cast<int64_t>(2 * widths.size());
  std::unique_ptr<ProgressLine> progress;
  cost::HwOptions hw_options;
  hw_options.jobs = options.jobs;
  hw_options.progress = [&](const std::string& module, int done, int modules) {
    if (!progress) progress = std::make_unique<ProgressLine>("synthesis", total);
    progress->Update(static_cast<int64_t>(table.points.size()),
                     fmt::format("{} ({} of {} modules)", module, done, modules));
  };
  for (const bool is_saturating : {false, true}) {
    for (const int width_bits : widths) {
      arch::HardwareConfig narrow = config;
      narrow.accumulator_bits = width_bits;
      narrow.accumulator_policy =
          is_saturating ? arch::AccumulatorPolicy::kSaturate : arch::AccumulatorPolicy::kWrap;
      MACLOOM_RETURN_IF_ERROR(arch::Validate(narrow));
      MACLOOM_ASSIGN_OR_RETURN(const cost::HwCost cost,
                               cost::CostOfAccelerator(narrow, libraries, synthesizer, hw_options));
      explore::AreaPoint point;
      point.width_bits = width_bits;
      point.is_saturating = is_saturating;
      point.gates_per_effective_mac = cost.logic_per_effective_mac(table.utilization);
      for (size_t l = 0; l < libraries.size(); ++l) {
        point.um2_per_effective_mac.push_back(
            cost.area_per_effective_mac_um2(l, table.utilization));
        MACLOOM_ASSIGN_OR_RETURN(const double pj,
                                 RowPjPerMac(config, width_bits, libraries[l], synthesizer));
        point.row_pj_per_mac.push_back(pj);
      }
      table.points.push_back(std::move(point));
    }
  }
  result.area = std::move(table);
  return {};
}

void PrintArea(const explore::AccumResult& result) {
  if (!result.area) return;
  const explore::AreaTable& table = *result.area;
  std::vector<std::vector<std::string>> rows = {{"policy", "P",
                                                 result.has_labels ? "accuracy %" : "agreement %",
                                                 "events/step", "GE/effective MAC", "saved %"}};
  for (const std::string& library : table.libraries) {
    for (const char* column : {" um2/effective MAC", " saved %", " row pJ/MAC", " saved %"}) {
      rows[0].push_back(library + column);
    }
  }
  for (const explore::AreaPoint& point : table.points) {
    const explore::AreaPoint& base = *table.BaselineOf(point);
    std::vector<std::string> row = {
        explore::ToString(point.is_saturating ? explore::Policy::kSaturate
                                              : explore::Policy::kWrap),
        std::to_string(point.width_bits)};
    for (std::string& text : Effect(result, point)) row.push_back(std::move(text));
    row.push_back(fmt::format("{:.0f}", point.gates_per_effective_mac));
    row.push_back(Saved(point.gates_per_effective_mac, base.gates_per_effective_mac));
    for (size_t l = 0; l < table.libraries.size(); ++l) {
      row.push_back(fmt::format("{:.0f}", point.um2_per_effective_mac[l]));
      row.push_back(Saved(point.um2_per_effective_mac[l], base.um2_per_effective_mac[l]));
      row.push_back(fmt::format("{:.2f}", point.row_pj_per_mac[l]));
      row.push_back(Saved(point.row_pj_per_mac[l], base.row_pj_per_mac[l]));
    }
    rows.push_back(std::move(row));
  }
  fmt::print(
      "\nhardware of these widths: logic of {} with one overflow policy, {:.1f} % of its "
      "multipliers busy; saved against 32 bits\n",
      result.configuration, 100.0 * table.utilization);
  PrintTable(rows, 1);
}

}  // namespace macloom::cli
