#include <nlohmann/json.hpp>

#include "cost/claim_measure.h"

namespace macloom::cost {
namespace {

using nlohmann::ordered_json;

ordered_json EnergyJson(const ClaimEnergy& energy) {
  return {{"settled_pj", energy.settled_pj}, {"glitch_pj", energy.glitch_pj}};
}

ordered_json UnitJson(const ClaimTable& table, const ClaimUnit& unit) {
  ordered_json json = {
      {"level", unit.level},           {"name", unit.name},
      {"format", unit.format},         {"accumulator", unit.accumulator},
      {"is_fp8", unit.is_fp8},         {"gates", unit.gates},
      {"flip_flops", unit.flip_flops}, {"gate_equivalents", unit.GateEquivalents()},
      {"macs_per_cycle", unit.macs}};
  for (size_t l = 0; l < unit.mapped.size(); ++l) {
    const ClaimMapping& in = unit.mapped[l];
    ordered_json mapped = {{"library", table.libraries[l]}};
    if (in.area_um2 > 0.0) {
      mapped["area_um2"] = in.area_um2;
      mapped["critical_path_ns"] = in.critical_path_ns;
      mapped["period_ns"] = in.period_ns;
      mapped["area_period_um2_ns_per_mac"] = unit.AreaPeriod(l);
    }
    if (in.energy) mapped["energy"] = EnergyJson(*in.energy);
    if (in.network_energy) mapped["network_energy"] = EnergyJson(*in.network_energy);
    json["mapped"].push_back(std::move(mapped));
  }
  if (unit.system) {
    const ClaimSystem& system = *unit.system;
    json["system"] = {{"multipliers", system.multipliers},
                      {"utilization", system.utilization},
                      {"cycles", system.cycles},
                      {"memory_gate_equivalents", system.memory_gate_equivalents},
                      {"array_pj_per_inference", system.array_pj},
                      {"memory_pj_per_inference_45nm_0v9", system.memory_pj}};
  }
  for (const char* baseline : kClaimBaselines) {
    for (const ClaimFigure& figure : FiguresOf(table)) {
      const std::optional<double> ratio = RatioTo(table, unit, baseline, figure);
      if (ratio) json["ratios"][baseline][figure.name] = *ratio;
    }
  }
  return json;
}

ordered_json CountJson(const BandCount& count) {
  return {{"below", count.below}, {"within", count.within}, {"above", count.above}};
}

}  // namespace

ordered_json ToJson(const ClaimTable& table) {
  ordered_json json = {{"format", "macloom.claim"},
                       {"format_version", 1},
                       {"band", {kClaimLow, kClaimHigh}},
                       {"libraries", table.libraries},
                       {"network", table.network},
                       {"lanes", table.lanes},
                       {"configuration", table.configuration},
                       {"units", ordered_json::array()},
                       {"claim", ordered_json::array()},
                       {"sensitivity", ordered_json::array()},
                       {"verdict", VerdictOf(table)}};
  for (const ClaimUnit& unit : table.units) json["units"].push_back(UnitJson(table, unit));
  for (const ClaimLine& line : CheckClaim(table)) {
    ordered_json entry = {
        {"level", line.level}, {"baseline", line.baseline}, {"figure", line.figure}};
    entry.update(CountJson(line.count));
    entry.update({{"lowest_ratio", line.lowest},
                  {"lowest_unit", line.lowest_unit},
                  {"highest_ratio", line.highest},
                  {"highest_unit", line.highest_unit}});
    json["claim"].push_back(std::move(entry));
  }
  const std::vector<std::string> levels = table.Levels();
  for (const ClaimAssumption& assumption : SensitivityOf(table)) {
    ordered_json entry = {{"group", assumption.group}, {"name", assumption.name}};
    for (size_t i = 0; i < levels.size(); ++i) {
      entry["levels"][levels[i]] = CountJson(assumption.by_level[i]);
    }
    json["sensitivity"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace macloom::cost
