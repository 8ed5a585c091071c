#include "cli/claim_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "cli/common.h"

namespace macloom::cli {
namespace {

using cost::ClaimFigure;
using cost::ClaimQuantity;
using cost::ClaimTable;
using cost::ClaimUnit;

std::string RatioText(const ClaimTable& table, const ClaimUnit& unit, const char* baseline,
                      const ClaimFigure& figure) {
  const std::optional<double> ratio = cost::RatioTo(table, unit, baseline, figure);
  return ratio ? fmt::format("{:.2f}", *ratio) : "-";
}

/// "1.25 (1.08)": to int8/24 (to int8/32).
std::string BothRatios(const ClaimTable& table, const ClaimUnit& unit, const ClaimFigure& figure) {
  return RatioText(table, unit, cost::kClaimBaselines[0], figure) + " (" +
         RatioText(table, unit, cost::kClaimBaselines[1], figure) + ")";
}

bool HasFigure(const ClaimTable& table, const std::string& level, const ClaimFigure& figure) {
  for (const ClaimUnit& unit : table.units) {
    if (unit.level == level && cost::ValueOf(unit, figure)) return true;
  }
  return false;
}

void PrintLevel(const ClaimTable& table, const std::string& level) {
  std::vector<std::vector<std::string>> rows = {{"unit", "gates", "FF", "gates"}};
  std::vector<ClaimFigure> figures;
  for (const ClaimFigure& figure : cost::FiguresOf(table)) {
    if (!HasFigure(table, level, figure)) continue;
    figures.push_back(figure);
    if (figure.quantity != ClaimQuantity::kGates) rows[0].push_back(figure.name);
  }
  for (const ClaimUnit& unit : table.units) {
    if (unit.level != level) continue;
    std::vector<std::string> row = {unit.name, fmt::format("{:.0f}", unit.gates),
                                    fmt::format("{:.0f}", unit.flip_flops)};
    for (const ClaimFigure& figure : figures) row.push_back(BothRatios(table, unit, figure));
    rows.push_back(std::move(row));
  }
  fmt::print("\n{}{}: ratios to {} (to {})\n", level,
             level == "mac"      ? ", one lane, no storage"
             : level == "system" ? ", " + table.configuration + ", logic without memories"
                                 : fmt::format(", {} lanes with storage", table.lanes),
             cost::kClaimBaselines[0], cost::kClaimBaselines[1]);
  PrintTable(rows, 1);
}

std::string MicroJoule(double pj) { return pj > 0.0 ? fmt::format("{:.2f}", pj * 1e-6) : "-"; }

/// What accelerators have besides ratios.
void PrintSystems(const ClaimTable& table) {
  std::vector<std::vector<std::string>> rows = {{"accelerator", "GE", "memory GE", "GE/MAC",
                                                 "busy %", "cycles", "GE/effective MAC", "ratio",
                                                 "with memories"}};
  const ClaimUnit* base = table.Find("system", cost::kClaimBaselines[0]);
  if (base == nullptr) return;
  for (size_t l = 0; l < base->mapped.size() && base->mapped[l].area_um2 > 0.0; ++l) {
    rows[0].push_back(table.libraries[l] + " um2/effective MAC");
    rows[0].push_back("ns");
  }
  rows[0].insert(rows[0].end(), {"array uJ", "memory uJ"});
  for (const ClaimUnit& unit : table.units) {
    if (!unit.system) continue;
    const cost::ClaimSystem& system = *unit.system;
    const auto effective = [](const ClaimUnit& of, double memory) {
      return (of.GateEquivalents() + memory) / of.macs;
    };
    std::vector<std::string> row = {
        unit.name,
        fmt::format("{:.0f}", unit.GateEquivalents()),
        fmt::format("{:.0f}", system.memory_gate_equivalents),
        fmt::format("{:.0f}", unit.GateEquivalents() / static_cast<double>(system.multipliers)),
        fmt::format("{:.1f}", 100.0 * system.utilization),
        fmt::format("{}", system.cycles),
        fmt::format("{:.0f}", effective(unit, 0.0)),
        fmt::format("{:.2f}", effective(unit, 0.0) / effective(*base, 0.0)),
        fmt::format("{:.2f}", effective(unit, system.memory_gate_equivalents) /
                                  effective(*base, base->system->memory_gate_equivalents))};
    for (const cost::ClaimMapping& mapping : unit.mapped) {
      if (mapping.area_um2 <= 0.0) continue;
      row.push_back(fmt::format("{:.0f}", mapping.area_um2 / unit.macs));
      row.push_back(fmt::format("{:.2f}", mapping.critical_path_ns));
    }
    row.push_back(MicroJoule(system.array_pj));
    row.push_back(MicroJoule(system.array_pj > 0.0 ? system.memory_pj : 0.0));
    rows.push_back(std::move(row));
  }
  fmt::print("\n");
  PrintTable(rows, 1);
}

std::string CountText(const cost::BandCount& count) {
  return fmt::format("{} / {} / {}", count.below, count.within, count.above);
}

}  // namespace

void PrintClaimLevels(const ClaimTable& table) {
  for (const std::string& level : table.Levels()) PrintLevel(table, level);
  PrintSystems(table);
}

void PrintClaimCounts(const ClaimTable& table) {
  fmt::print("\nthe claim that FP8 costs {:.1f} to {:.1f} times INT8: FP8 units below, in, above\n",
             cost::kClaimLow, cost::kClaimHigh);
  std::vector<std::vector<std::string>> rows = {
      {"level", "against", "figure", "below", "in", "above", "lowest", "highest"}};
  for (const cost::ClaimLine& line : cost::CheckClaim(table)) {
    rows.push_back({line.level, line.baseline, line.figure, fmt::format("{}", line.count.below),
                    fmt::format("{}", line.count.within), fmt::format("{}", line.count.above),
                    fmt::format("{:.2f} {}", line.lowest, line.lowest_unit),
                    fmt::format("{:.2f} {}", line.highest, line.highest_unit)});
  }
  PrintTable(rows, 3);
}

void PrintClaimSensitivity(const ClaimTable& table) {
  std::vector<std::vector<std::string>> rows = {{"assumption", "value"}};
  for (const std::string& level : table.Levels()) rows[0].push_back(level);
  for (const cost::ClaimAssumption& assumption : cost::SensitivityOf(table)) {
    std::vector<std::string> row = {assumption.group, assumption.name};
    for (const cost::BandCount& count : assumption.by_level) row.push_back(CountText(count));
    rows.push_back(std::move(row));
  }
  fmt::print(
      "\nsensitivity: ratios of areas (energies) below / in / above the band, all libraries, "
      "both baselines\n");
  PrintTable(rows, 2);
}

void PrintClaimAccuracy(const ClaimTable& table,
                        const std::vector<cost::ClaimAccuracy>& accuracies) {
  if (accuracies.empty()) return;
  const std::vector<std::string> levels = table.Levels();
  std::vector<std::vector<std::string>> rows = {
      {"unit", "weights per", "correct", "as float", "SQNR dB", "overflows"}};
  for (const std::string& level : levels) rows[0].push_back(level + " GE");
  struct LevelFigure {
    std::string level;
    ClaimFigure figure;
  };
  std::vector<LevelFigure> energies;
  for (const ClaimFigure& figure : cost::FiguresOf(table)) {
    if (figure.quantity != ClaimQuantity::kNetworkEnergy) continue;
    // The largest part of the accelerator of which it is known.
    const auto level = std::find_if(levels.rbegin(), levels.rend(), [&](const std::string& name) {
      return HasFigure(table, name, figure);
    });
    energies.push_back({*level, figure});
    rows[0].push_back(*level + " " + figure.name);
  }
  const auto gate_equivalents = [&](const std::string& level,
                                    const std::string& name) -> std::string {
    const ClaimUnit* unit = table.Find(level, name);
    const ClaimUnit* base = table.Find(level, cost::kClaimBaselines[0]);
    if (unit == nullptr || base == nullptr) return "-";
    return fmt::format(
        "{:.2f}", unit->GateEquivalents() / unit->macs / (base->GateEquivalents() / base->macs));
  };
  for (const cost::ClaimAccuracy& accuracy : accuracies) {
    std::vector<std::string> row = {accuracy.name,
                                    accuracy.weights,
                                    fmt::format("{}", accuracy.correct),
                                    fmt::format("{}", accuracy.same_class_as_float),
                                    fmt::format("{:.1f}", accuracy.output_sqnr_db),
                                    fmt::format("{}", accuracy.overflow_events)};
    for (const std::string& level : levels) {
      row.push_back(gate_equivalents(level, accuracy.name));
    }
    for (const LevelFigure& energy : energies) {
      const ClaimUnit* unit = table.Find(energy.level, accuracy.name);
      row.push_back(
          unit == nullptr ? "-" : RatioText(table, *unit, cost::kClaimBaselines[0], energy.figure));
    }
    rows.push_back(std::move(row));
  }
  fmt::print("\naccuracy beside cost: correct of {} samples of {}, float {}; ratios to {}\n",
             accuracies[0].samples, table.network, accuracies[0].float_correct,
             cost::kClaimBaselines[0]);
  PrintTable(rows, 2);
}

void PrintClaimVerdict(const ClaimTable& table) {
  fmt::print("\nverdict\n");
  for (const std::string& sentence : cost::VerdictOf(table)) fmt::print("- {}\n", sentence);
}

}  // namespace macloom::cli
