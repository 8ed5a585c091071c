#include "cost/mac_cost.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "cost/energy.h"
#include "cost/synthesis.h"

namespace macloom::cost {
namespace {

Result<MacResult> Measure(const MacSpec& spec, const MacRequest& request,
                          const std::vector<LibraryFile>& libraries, Synthesizer& synthesizer) {
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, MacRtl(spec));
  MacResult result;
  result.name = spec.Name();
  result.format = spec.format;
  result.accumulator_bits = spec.accumulator_bits;
  result.lanes = spec.lanes;
  result.cut_bits = spec.CutBits();
  MACLOOM_ASSIGN_OR_RETURN(result.gates, synthesizer.Gates(unit));
  for (const LibraryFile& library : libraries) {
    MACLOOM_ASSIGN_OR_RETURN(const MappedArea area, synthesizer.Map(unit, library));
    result.mapped.push_back(area);
    if (request.energy_cycles == 0) continue;
    MACLOOM_ASSIGN_OR_RETURN(
        const UnitEnergy energy,
        GaussianEnergy(spec, library, synthesizer, request.energy_cycles, request.seed));
    result.energies.push_back(energy);
  }
  return result;
}

}  // namespace

int MacResult::ExtraStages(size_t library) const {
  const MappedArea& area = mapped[library];
  if (area.loop_path_ns <= 0.0) return 0;
  return std::max(0, static_cast<int>(std::ceil(area.critical_path_ns / area.loop_path_ns)) - 1);
}

double MacResult::IsoArea(size_t library) const {
  return mapped[library].area_um2 +
         ExtraStages(library) * cut_bits * mapped[library].largest_flip_flop_um2;
}

double MacResult::IsoAreaPeriod(size_t library) const {
  return IsoArea(library) * mapped[library].loop_path_ns / lanes;
}

const MacResult& MacComparison::BaselineOf(const MacResult& result) const {
  for (const MacResult& candidate : baselines) {
    if (candidate.lanes == result.lanes) return candidate;
  }
  MACLOOM_CHECK(false);
  return result;
}

Result<MacComparison> CompareMacs(
    const MacRequest& request, const std::function<void(const std::string&, int, int)>& progress) {
  std::vector<MacSpec> specs;
  std::vector<MacSpec> baselines;
  for (const int lanes : request.lanes) {
    const auto with_lanes = [&](const std::string& format) -> Result<MacSpec> {
      MACLOOM_ASSIGN_OR_RETURN(MacSpec spec, ParseMacSpec(format));
      spec.lanes = lanes;
      spec.shape = request.shape;
      MACLOOM_RETURN_IF_ERROR(MacRtl(spec));
      return spec;
    };
    MACLOOM_ASSIGN_OR_RETURN(const MacSpec baseline, with_lanes(kMacBaseline));
    baselines.push_back(baseline);
    for (const std::string& format : request.formats) {
      MACLOOM_ASSIGN_OR_RETURN(const MacSpec spec, with_lanes(format));
      specs.push_back(spec);
    }
  }
  MacComparison comparison;
  comparison.baseline = kMacBaseline;
  std::vector<LibraryFile> libraries;
  for (const std::string& name : request.libraries) {
    MACLOOM_ASSIGN_OR_RETURN(LibraryFile library, OpenLibrary(name));
    MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
    if (request.energy_cycles > 0) MACLOOM_RETURN_IF_ERROR(library.library.RequirePower());
    comparison.libraries.push_back(library.label);
    libraries.push_back(std::move(library));
  }
  MACLOOM_ASSIGN_OR_RETURN(ResultCache cache, ResultCache::OpenDefault());
  MACLOOM_ASSIGN_OR_RETURN(Synthesizer synthesizer, Synthesizer::Create(std::move(cache)));
  const int total = static_cast<int>(specs.size() + baselines.size());
  int done = 0;
  const auto measure = [&](const MacSpec& spec) {
    if (progress) progress(spec.Name(), done++, total);
    return Measure(spec, request, libraries, synthesizer);
  };
  for (const MacSpec& spec : baselines) {
    MACLOOM_ASSIGN_OR_RETURN(MacResult result, measure(spec));
    comparison.baselines.push_back(std::move(result));
  }
  for (const MacSpec& spec : specs) {
    MACLOOM_ASSIGN_OR_RETURN(MacResult result, measure(spec));
    comparison.results.push_back(std::move(result));
  }
  comparison.num_cached = synthesizer.num_cached();
  comparison.num_made = synthesizer.num_made();
  return comparison;
}

nlohmann::ordered_json ToJson(const MacComparison& comparison) {
  nlohmann::ordered_json json = {{"baseline", comparison.baseline},
                                 {"libraries", comparison.libraries},
                                 {"units", nlohmann::ordered_json::array()}};
  for (const MacResult& result : comparison.results) {
    const MacResult& base = comparison.BaselineOf(result);
    nlohmann::ordered_json unit = {{"name", result.name},
                                   {"format", result.format},
                                   {"accumulator_bits", result.accumulator_bits},
                                   {"lanes", result.lanes},
                                   {"gates", result.gates.gates},
                                   {"inverters", result.gates.inverters},
                                   {"flip_flops", result.gates.flip_flops},
                                   {"gates_ratio", static_cast<double>(result.gates.gates) /
                                                       static_cast<double>(base.gates.gates)}};
    for (size_t l = 0; l < comparison.libraries.size(); ++l) {
      const MappedArea& area = result.mapped[l];
      unit["mapped"].push_back(
          {{"library", comparison.libraries[l]},
           {"area_um2", area.area_um2},
           {"area_ratio", area.area_um2 / base.mapped[l].area_um2},
           {"flip_flop_area_um2", area.flip_flop_area_um2},
           {"leakage_nw", area.leakage_nw},
           {"critical_path_ns", area.critical_path_ns},
           {"loop_path_ns", area.loop_path_ns},
           {"iso_extra_stages", result.ExtraStages(l)},
           {"iso_area_um2", result.IsoArea(l)},
           {"iso_area_period_um2_ns_per_mac", result.IsoAreaPeriod(l)},
           {"iso_area_period_ratio", result.IsoAreaPeriod(l) / base.IsoAreaPeriod(l)}});
    }
    for (const UnitEnergy& energy : result.energies) unit["energy"].push_back(ToJson(energy));
    json["units"].push_back(std::move(unit));
  }
  return json;
}

}  // namespace macloom::cost
