#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cost/claim_result.h"
#include "cost/hw_result.h"

namespace macloom::cost {

double ClaimUnit::GateEquivalents() const { return gates + kGatesPerFlipFlop * flip_flops; }

int ClaimUnit::ExtraStages(size_t library, double period_ns) const {
  if (period_ns <= 0.0 || cut_bits <= 0.0) return 0;
  return std::max(0, static_cast<int>(std::ceil(mapped[library].critical_path_ns / period_ns)) - 1);
}

double ClaimUnit::AreaPeriod(size_t library) const {
  const ClaimMapping& in = mapped[library];
  return (in.area_um2 + ExtraStages(library, in.period_ns) * cut_bits * in.flip_flop_um2) *
         in.period_ns / macs;
}

double ClaimUnit::AreaAt(size_t library, double period_ns) const {
  const ClaimMapping& in = mapped[library];
  const double copies = std::max(1.0, std::ceil(in.period_ns / period_ns));
  const int stages = ExtraStages(library, copies * period_ns);
  return copies * (in.area_um2 + stages * cut_bits * in.flip_flop_um2);
}

std::vector<std::string> ClaimTable::Levels() const {
  std::vector<std::string> levels;
  for (const char* level : kClaimLevels) {
    if (std::any_of(units.begin(), units.end(),
                    [&](const ClaimUnit& unit) { return unit.level == level; })) {
      levels.emplace_back(level);
    }
  }
  return levels;
}

const ClaimUnit* ClaimTable::Find(const std::string& level, const std::string& name) const {
  for (const ClaimUnit& unit : units) {
    if (unit.level == level && unit.name == name) return &unit;
  }
  return nullptr;
}

std::vector<ClaimFigure> FiguresOf(const ClaimTable& table) {
  std::vector<ClaimFigure> figures = {{ClaimQuantity::kGates, 0, "gates"},
                                      {ClaimQuantity::kGateEquivalents, 0, "GE"}};
  for (size_t l = 0; l < table.libraries.size(); ++l) {
    const auto add = [&](ClaimQuantity quantity, const char* name) {
      const ClaimFigure figure = {quantity, l, table.libraries[l] + " " + name};
      if (std::any_of(table.units.begin(), table.units.end(),
                      [&](const ClaimUnit& unit) { return ValueOf(unit, figure).has_value(); })) {
        figures.push_back(figure);
      }
    };
    add(ClaimQuantity::kArea, "area");
    add(ClaimQuantity::kDelay, "delay");
    add(ClaimQuantity::kAreaPeriod, "area x period");
    add(ClaimQuantity::kEnergy, "energy");
    add(ClaimQuantity::kNetworkEnergy, "network energy");
  }
  return figures;
}

std::optional<double> ValueOf(const ClaimUnit& unit, const ClaimFigure& figure) {
  if (figure.quantity == ClaimQuantity::kGates) return unit.gates;
  if (figure.quantity == ClaimQuantity::kGateEquivalents) return unit.GateEquivalents();
  if (figure.library >= unit.mapped.size()) return std::nullopt;
  const ClaimMapping& in = unit.mapped[figure.library];
  const auto total = [](const std::optional<ClaimEnergy>& energy) {
    return energy ? std::optional<double>(energy->total_pj()) : std::nullopt;
  };
  switch (figure.quantity) {
    case ClaimQuantity::kEnergy:
      return total(in.energy);
    case ClaimQuantity::kNetworkEnergy:
      return total(in.network_energy);
    default:
      break;
  }
  if (in.area_um2 <= 0.0) return std::nullopt;
  if (figure.quantity == ClaimQuantity::kArea) return in.area_um2;
  if (figure.quantity == ClaimQuantity::kDelay) return in.critical_path_ns;
  return unit.AreaPeriod(figure.library);
}

std::optional<double> RatioTo(const ClaimTable& table, const ClaimUnit& unit,
                              const std::string& baseline, const ClaimFigure& figure) {
  const ClaimUnit* base = table.Find(unit.level, baseline);
  if (base == nullptr) return std::nullopt;
  const std::optional<double> value = ValueOf(unit, figure), of_base = ValueOf(*base, figure);
  if (!value || !of_base || *of_base <= 0.0) return std::nullopt;
  return *value / *of_base;
}

std::vector<ClaimLine> CheckClaim(const ClaimTable& table) {
  std::vector<ClaimLine> lines;
  for (const std::string& level : table.Levels()) {
    for (const char* baseline : kClaimBaselines) {
      for (const ClaimFigure& figure : FiguresOf(table)) {
        ClaimLine line{level, baseline, figure.name, {}, 0.0, 0.0, "", ""};
        for (const ClaimUnit& unit : table.units) {
          if (!unit.is_fp8 || unit.level != level) continue;
          const std::optional<double> ratio = RatioTo(table, unit, baseline, figure);
          if (!ratio) continue;
          line.count.Add(*ratio);
          if (line.lowest_unit.empty() || *ratio < line.lowest) {
            line.lowest = *ratio;
            line.lowest_unit = unit.name;
          }
          if (line.highest_unit.empty() || *ratio > line.highest) {
            line.highest = *ratio;
            line.highest_unit = unit.name;
          }
        }
        if (line.count.all() > 0) lines.push_back(std::move(line));
      }
    }
  }
  return lines;
}

}  // namespace macloom::cost
