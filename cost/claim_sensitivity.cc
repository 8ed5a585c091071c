#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "cost/claim_result.h"

namespace macloom::cost {
namespace {

constexpr double kShares[] = {0.1, 0.2, 0.3};
/// Periods in those of the accumulate loop of int8/24 in the same library and at the same level.
constexpr double kPeriods[] = {2.0, 4.0, 8.0};

/// Ratio of a unit to a baseline in a library; nothing: does not count.
using Ratio = std::function<std::optional<double>(const ClaimUnit&, const ClaimUnit&, size_t)>;

ClaimAssumption Count(const ClaimTable& table, const std::string& group, const std::string& name,
                      const Ratio& ratio, const std::string& baseline_suffix = "") {
  ClaimAssumption assumption{group, name, {}};
  for (const std::string& level : table.Levels()) {
    BandCount& count = assumption.by_level.emplace_back();
    for (const char* baseline : kClaimBaselines) {
      const ClaimUnit* base = table.Find(level, baseline + baseline_suffix);
      if (base == nullptr) continue;
      for (const ClaimUnit& unit : table.units) {
        if (!unit.is_fp8 || unit.level != level) continue;
        // One more: gate equivalents.
        for (size_t library = 0; library <= table.libraries.size(); ++library) {
          const std::optional<double> value = ratio(unit, *base, library);
          if (value) count.Add(*value);
        }
      }
    }
  }
  return assumption;
}

bool IsMapped(const ClaimUnit& unit, size_t library) {
  return library < unit.mapped.size() && unit.mapped[library].area_um2 > 0.0;
}

/// Behind the last library: gate equivalents.
std::optional<double> AreaRatio(const ClaimUnit& unit, const ClaimUnit& base, size_t library) {
  if (library >= unit.mapped.size()) return unit.GateEquivalents() / base.GateEquivalents();
  if (!IsMapped(unit, library) || !IsMapped(base, library)) return std::nullopt;
  return unit.mapped[library].area_um2 / base.mapped[library].area_um2;
}

/// Areas with `share` more, in proportion to what `added` compares.
Ratio AreaWith(double share, double (*added)(const ClaimUnit&, const ClaimUnit&)) {
  return [=](const ClaimUnit& unit, const ClaimUnit& base, size_t l) -> std::optional<double> {
    const std::optional<double> ratio = AreaRatio(unit, base, l);
    if (!ratio) return std::nullopt;
    return WithShare(*ratio, share, added(unit, base));
  };
}

double FlipFlopRatio(const ClaimUnit& unit, const ClaimUnit& base) {
  return unit.flip_flops / base.flip_flops;
}

double CellRatio(const ClaimUnit& unit, const ClaimUnit& base) {
  return (unit.gates + unit.flip_flops) / (base.gates + base.flip_flops);
}

/// Glitches are counted if `share_of_glitches` is 1.
std::optional<double> EnergyRatio(const ClaimUnit& unit, const ClaimUnit& base, size_t library,
                                  double share_of_glitches) {
  if (library >= unit.mapped.size()) return std::nullopt;
  const ClaimMapping &in = unit.mapped[library], &of_base = base.mapped[library];
  double sum[2] = {0.0, 0.0};
  // At system level only the network's operands are known.
  const bool is_normal = in.energy && of_base.energy;
  if (!is_normal && !(in.network_energy && of_base.network_energy)) return std::nullopt;
  const ClaimEnergy* energies[2] = {is_normal ? &*in.energy : &*in.network_energy,
                                    is_normal ? &*of_base.energy : &*of_base.network_energy};
  for (int i = 0; i < 2; ++i) {
    sum[i] = energies[i]->settled_pj + share_of_glitches * energies[i]->glitch_pj;
  }
  return sum[0] / sum[1];
}

std::string Percent(double share) { return fmt::format("{:.0f} %", 100.0 * share); }

void AddEnergies(const ClaimTable& table, std::vector<ClaimAssumption>& assumptions) {
  const auto with = [](double glitches, double share) {
    return [=](const ClaimUnit& unit, const ClaimUnit& base, size_t l) -> std::optional<double> {
      const std::optional<double> ratio = EnergyRatio(unit, base, l, glitches);
      if (!ratio) return std::nullopt;
      return WithShare(*ratio, share, FlipFlopRatio(unit, base));
    };
  };
  std::vector<ClaimAssumption> energies = {
      Count(table, "energy", "with glitches", with(1.0, 0.0)),
      Count(table, "energy", "without glitches", with(0.0, 0.0))};
  for (const double share : kShares) {
    energies.push_back(Count(table, "energy", "clock tree " + Percent(share) + ", by flip-flops",
                             with(1.0, share)));
  }
  const auto is_empty = [](const BandCount& count) { return count.all() == 0; };
  if (std::all_of(energies[0].by_level.begin(), energies[0].by_level.end(), is_empty)) return;
  assumptions.insert(assumptions.end(), energies.begin(), energies.end());
}

}  // namespace

double WithShare(double ratio, double share, double added_ratio) {
  return (ratio + share * added_ratio) / (1.0 + share);
}

std::vector<ClaimAssumption> SensitivityOf(const ClaimTable& table) {
  std::vector<ClaimAssumption> assumptions = {Count(table, "area", "as mapped", AreaRatio)};
  std::vector<std::string> formats, accumulators;
  for (const ClaimUnit& unit : table.units) {
    if (!unit.is_fp8) continue;
    if (std::count(formats.begin(), formats.end(), unit.format) == 0) {
      formats.push_back(unit.format);
    }
    if (std::count(accumulators.begin(), accumulators.end(), unit.accumulator) == 0) {
      accumulators.push_back(unit.accumulator);
    }
  }
  const auto only = [](const std::string ClaimUnit::*field, const std::string& value) {
    return [=](const ClaimUnit& unit, const ClaimUnit& base, size_t l) -> std::optional<double> {
      if (unit.*field != value) return std::nullopt;
      return AreaRatio(unit, base, l);
    };
  };
  for (const std::string& format : formats) {
    assumptions.push_back(
        Count(table, "encoding", "only " + format, only(&ClaimUnit::format, format)));
  }
  for (const std::string& accumulator : accumulators) {
    assumptions.push_back(Count(table, "accumulator", "only " + accumulator,
                                only(&ClaimUnit::accumulator, accumulator)));
  }
  assumptions.push_back(
      Count(table, "clock", "area x period, each at its own clock",
            [](const ClaimUnit& unit, const ClaimUnit& base, size_t l) -> std::optional<double> {
              if (!IsMapped(unit, l) || !IsMapped(base, l)) return std::nullopt;
              return unit.AreaPeriod(l) / base.AreaPeriod(l);
            }));
  for (const double periods : kPeriods) {
    assumptions.push_back(
        Count(table, "clock", fmt::format("area at {:.0f} times the period of int8/24", periods),
              [&](const ClaimUnit& unit, const ClaimUnit& base, size_t l) -> std::optional<double> {
                const ClaimUnit* fastest = table.Find(unit.level, kClaimBaselines[0]);
                if (fastest == nullptr || !IsMapped(*fastest, l) || !IsMapped(unit, l) ||
                    !IsMapped(base, l)) {
                  return std::nullopt;
                }
                const double period_ns = periods * fastest->mapped[l].period_ns;
                return unit.AreaAt(l, period_ns) / base.AreaAt(l, period_ns);
              }));
  }
  for (const double share : kShares) {
    assumptions.push_back(
        Count(table, "wires", Percent(share) + " more, by cells", AreaWith(share, CellRatio)));
  }
  for (const double share : kShares) {
    assumptions.push_back(Count(table, "clock tree", Percent(share) + " more, by flip-flops",
                                AreaWith(share, FlipFlopRatio)));
  }
  if (table.Find("system", kClaimBaselines[0] + std::string(kShiftSuffix)) != nullptr) {
    assumptions.push_back(Count(table, "baseline", "INT8 that requantizes by shifts, as FP8 does",
                                AreaRatio, kShiftSuffix));
  }
  AddEnergies(table, assumptions);
  return assumptions;
}

}  // namespace macloom::cost
