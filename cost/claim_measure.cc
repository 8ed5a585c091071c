#include "cost/claim_measure.h"

#include <fmt/format.h>

#include <algorithm>

#include "cost/hw_cost.h"
#include "cost/mac_cost.h"

namespace macloom::cost {
namespace {

constexpr const char* kSystem = "system";

std::string AccumulatorName(const MacSpec& spec) {
  if (!spec.is_minifloat) return "integer";
  if (spec.accumulator == MacAccumulator::kFp16) return "FP16";
  if (spec.accumulator == MacAccumulator::kFp32) return "FP32";
  return spec.drop_bits > 0 ? "cut" : "exact";
}

ClaimUnit UnitOf(const std::string& level, const MacSpec& spec) {
  ClaimUnit unit;
  unit.level = level;
  unit.name = spec.Text();
  unit.format = spec.format;
  unit.accumulator = AccumulatorName(spec);
  unit.is_fp8 = spec.is_minifloat && spec.OperandBits(0) == 8;
  return unit;
}

ClaimEnergy EnergyOf(const UnitEnergy& energy) { return {energy.dynamic_pj(), energy.glitch_pj}; }

/// Units of a level below the system, without those that it does not build.
struct Level {
  std::string name;
  std::vector<MacSpec> specs;
};

Result<Level> LevelOf(const ClaimRequest& request, const std::string& name,
                      const std::vector<std::string>& formats) {
  Level level{name, {}};
  for (const std::string& format : formats) {
    MACLOOM_ASSIGN_OR_RETURN(MacSpec spec, ParseMacSpec(format));
    spec.lanes = name == "mac" ? 1 : request.lanes;
    spec.shape = name == "mac"   ? MacShape::kBare
                 : name == "row" ? MacShape::kRow
                                 : MacShape::kRowDepthwise;
    const Result<RtlUnit> rtl = MacRtl(spec);
    if (!rtl.ok() && rtl.error().kind != ErrorKind::kUnsupported) return rtl.error();
    if (!rtl.ok()) continue;
    level.specs.push_back(spec);
  }
  return level;
}

Status AddLevel(const ClaimRequest& request, const std::string& name,
                const std::vector<std::string>& formats, ClaimMeasurements& all) {
  MACLOOM_ASSIGN_OR_RETURN(const Level level, LevelOf(request, name, formats));
  const auto progress = [&](const std::string& unit, int done, int total) {
    if (request.progress) request.progress(name, unit, done, total);
  };
  MacRequest measure;
  measure.jobs = request.jobs;
  measure.seed = request.seed;
  measure.energy_cycles = request.energy_cycles;
  measure.energy_libraries = request.energy_libraries;
  measure.network_operands = request.network_operands;
  MACLOOM_ASSIGN_OR_RETURN(const MacMeasurements measured,
                           MeasureMacs(level.specs, measure, request.libraries, progress));
  all.num_cached += measured.num_cached;
  all.num_made += measured.num_made;
  for (size_t i = 0; i < level.specs.size(); ++i) {
    const MacResult& result = measured.results[i];
    ClaimUnit unit = UnitOf(name, level.specs[i]);
    unit.gates = static_cast<double>(result.gates.gates);
    unit.flip_flops = static_cast<double>(result.gates.flip_flops);
    unit.cut_bits = result.cut_bits;
    unit.macs = result.lanes;
    for (const MappedArea& area : result.mapped) {
      unit.mapped.push_back({area.area_um2,
                             area.critical_path_ns,
                             area.loop_path_ns,
                             area.largest_flip_flop_um2,
                             {},
                             {}});
    }
    for (size_t e = 0; e < result.energies.size(); ++e) {
      ClaimMapping& mapping = unit.mapped[request.energy_libraries[e]];
      mapping.energy = EnergyOf(result.energies[e]);
      if (result.network_energies.empty()) continue;
      mapping.network_energy = EnergyOf(result.network_energies[e]);
    }
    all.table.units.push_back(std::move(unit));
  }
  return {};
}

/// The array's energy of a cycle in the library of the accelerators; nothing if not measured.
std::optional<ClaimEnergy> RowEnergy(const ClaimRequest& request, const ClaimTable& table,
                                     const std::string& format) {
  const ClaimUnit* row = table.Find("row+dw", format);
  if (row == nullptr || !request.memory_library || request.lanes != request.config.lanes) {
    return std::nullopt;
  }
  return row->mapped[*request.memory_library].network_energy;
}

Result<ClaimUnit> Accelerator(const ClaimRequest& request, const MacSpec& spec,
                              const arch::HardwareConfig& config, const std::string& name,
                              const ClaimTable& table, Synthesizer& synthesizer) {
  ClaimUnit unit = UnitOf(kSystem, spec);
  unit.name = name;
  HwOptions options;
  options.jobs = request.jobs;
  options.progress = [&](const std::string& module, int done, int total) {
    if (request.progress) request.progress(kSystem, unit.name + ", " + module, done, total);
  };
  const auto first = request.libraries.begin();
  const std::vector<LibraryFile> libraries(
      first, first + static_cast<std::ptrdiff_t>(request.num_system_libraries));
  MACLOOM_ASSIGN_OR_RETURN(const HwCost cost,
                           CostOfAccelerator(config, libraries, synthesizer, options));
  MACLOOM_ASSIGN_OR_RETURN(const ClaimRun run, request.run(spec, config));
  unit.gates = static_cast<double>(cost.gates);
  unit.flip_flops = static_cast<double>(cost.flip_flops);
  unit.macs = static_cast<double>(cost.multipliers) * run.utilization;
  unit.mapped.resize(request.libraries.size());
  for (size_t l = 0; l < libraries.size(); ++l) {
    unit.mapped[l].area_um2 = cost.area_um2[l];
    unit.mapped[l].critical_path_ns = unit.mapped[l].period_ns = cost.critical_path_ns[l];
  }
  unit.system =
      ClaimSystem{cost.multipliers, run.utilization, run.cycles, cost.memory_gate_equivalents, 0.0,
                  run.memory_pj};
  const std::optional<ClaimEnergy> row = RowEnergy(request, table, name);
  if (row) {
    const double row_cycles = static_cast<double>(config.rows * run.busy_cycles);
    unit.system->array_pj = row_cycles * row->total_pj();
    unit.mapped[*request.memory_library].network_energy =
        ClaimEnergy{row_cycles * row->settled_pj + run.memory_pj, row_cycles * row->glitch_pj};
  }
  return unit;
}

Status AddSystems(const ClaimRequest& request, const std::vector<std::string>& formats,
                  ClaimMeasurements& all) {
  MACLOOM_ASSIGN_OR_RETURN(ResultCache cache, ResultCache::OpenDefault());
  MACLOOM_ASSIGN_OR_RETURN(Synthesizer synthesizer, Synthesizer::Create(std::move(cache)));
  for (const std::string& format : formats) {
    MACLOOM_ASSIGN_OR_RETURN(const MacSpec spec, ParseMacSpec(format));
    Result<arch::HardwareConfig> config = ConfigOf(spec, request.config);
    if (!config.ok()) continue;
    std::vector<std::string> names = {format};
    if (format == kClaimBaselines[0]) names.push_back(format + kShiftSuffix);
    for (const std::string& name : names) {
      if (name != format) config->requant_kind = arch::RequantKind::kShift;
      MACLOOM_ASSIGN_OR_RETURN(ClaimUnit unit,
                               Accelerator(request, spec, *config, name, all.table, synthesizer));
      all.table.units.push_back(std::move(unit));
    }
  }
  all.num_cached += synthesizer.num_cached();
  all.num_made += synthesizer.num_made();
  return {};
}

}  // namespace

std::vector<std::string> ClaimFormats() {
  return {"int4/20",   "int8x4/24", "e4m3/45",    "e4m3/32d13", "e4m3/fp16",
          "e4m3/fp32", "e5m2/75",   "e5m2/40d30", "e5m2/fp16",  "e5m2/fp32",
          "e3m4/31",   "e3m4/fp16", "e3m4/fp32",  "e2m5/25",    "e2m5/fp16"};
}

Result<arch::HardwareConfig> ConfigOf(const MacSpec& spec, const arch::HardwareConfig& base) {
  arch::HardwareConfig config = base;
  std::vector<std::string> settings;
  if (spec.is_minifloat) {
    const char* const kind = spec.accumulator == MacAccumulator::kFp16   ? "fp16"
                             : spec.accumulator == MacAccumulator::kFp32 ? "fp32"
                                                                         : "fixed";
    settings = {"mac.format=" + spec.format, fmt::format("acc.kind={}", kind)};
    if (spec.accumulator == MacAccumulator::kFixed) {
      settings.push_back(fmt::format("acc.width_bits={}", spec.accumulator_bits));
      settings.push_back(fmt::format("acc.dropped_bits={}", spec.drop_bits));
    }
  } else {
    settings = {fmt::format("array.activation_bits={}", spec.activation_bits),
                fmt::format("array.weight_bits={}", spec.weight_bits),
                fmt::format("acc.width_bits={}", spec.accumulator_bits)};
  }
  for (const std::string& setting : settings) {
    Result<arch::HardwareConfig> changed = arch::WithSetting(config, setting);
    if (!changed.ok()) {
      return Unsupported(fmt::format("{}: {}", spec.Name(), changed.error().message));
    }
    config = std::move(*changed);
  }
  return config;
}

std::vector<std::string> WithBaselines(const std::vector<std::string>& formats) {
  std::vector<std::string> all(std::begin(kClaimBaselines), std::end(kClaimBaselines));
  for (const std::string& format : formats) {
    if (std::count(all.begin(), all.end(), format) == 0) all.push_back(format);
  }
  return all;
}

Result<ClaimMeasurements> MeasureClaim(const ClaimRequest& request) {
  const std::vector<std::string> formats = WithBaselines(request.formats);
  ClaimMeasurements all;
  for (const LibraryFile& library : request.libraries) {
    all.table.libraries.push_back(library.label);
  }
  all.table.lanes = request.lanes;
  all.table.configuration = request.config.name;
  for (const char* level : kClaimLevels) {
    if (std::count(request.levels.begin(), request.levels.end(), level) == 0) continue;
    if (level == std::string(kSystem)) {
      MACLOOM_RETURN_IF_ERROR(AddSystems(request, formats, all));
    } else {
      MACLOOM_RETURN_IF_ERROR(AddLevel(request, level, formats, all));
    }
  }
  return all;
}

}  // namespace macloom::cost
