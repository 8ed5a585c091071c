#include "cost/hw_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/digest.h"
#include "cost/hierarchy.h"
#include "cost/memory_model.h"
#include "cost/sta.h"

namespace macloom::cost {
namespace {

using nlohmann::ordered_json;
using Modules = std::map<std::string, RtlilModule>;

/// An accelerator has at least so many: with 8 lanes the check takes two rows.
constexpr int kFewestMultipliers = 16;

/// `top` and the modules below it that have gates.
std::vector<std::string> LogicBelow(const Modules& modules, const std::string& top) {
  std::vector<std::string> names = ModulesBelow(modules, top);
  names.erase(std::remove_if(
                  names.begin(), names.end(),
                  [](const std::string& name) { return PlainModuleName(name) == kMemoryModule; }),
              names.end());
  return names;
}

/// Every module below `top` by itself, in one text; a module (a multiplier) that several contain is
/// in it once.
Result<SynthesizedModules> SynthesizeOneByOne(const Modules& modules, const std::string& top,
                                              const LibraryFile* library, Synthesizer& synthesizer,
                                              const HwOptions& options) {
  std::vector<ModuleRequest> requests;
  for (const std::string& name : LogicBelow(modules, top)) requests.push_back({{name}});
  MACLOOM_ASSIGN_OR_RETURN(
      const auto parts,
      SynthesizeModules(modules, requests, library, synthesizer, options.jobs, options.progress));
  SynthesizedModules all;
  std::set<std::string> seen;
  for (const SynthesizedModules& part : parts) {
    all.stat += part.stat;
    all.netlist += NewModules(part.netlist, seen);
  }
  return all;
}

/// Longest path of the whole netlist, from the cache if known.
Result<double> CriticalPath(const std::string& netlist, const std::string& top,
                            const LibraryFile& library, Synthesizer& synthesizer) {
  MACLOOM_ASSIGN_OR_RETURN(const std::string version, StaVersion());
  const std::string key = Sha256Hex("path 3\n" + version + library.digest + top + netlist);
  MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known, synthesizer.cache().Find(key));
  if (known.has_value()) {
    const ordered_json json = ordered_json::parse(*known, nullptr, false);
    if (json.is_object() && json.contains("critical_path_ns"))
      return json["critical_path_ns"].get<double>();
  }
  MACLOOM_ASSIGN_OR_RETURN(const Timing timing, AnalyseTiming(netlist, top, library, {}));
  MACLOOM_RETURN_IF_ERROR(synthesizer.cache().Insert(
      key, ordered_json{{"critical_path_ns", timing.critical_path_ns}}.dump()));
  return timing.critical_path_ns;
}

}  // namespace

double HwCost::logic_gate_equivalents() const {
  return static_cast<double>(gates) + kGatesPerFlipFlop * static_cast<double>(flip_flops);
}

double FlatCheck::composed_gate_equivalents() const {
  return static_cast<double>(composed_gates) +
         kGatesPerFlipFlop * static_cast<double>(composed_flip_flops);
}

double FlatCheck::flat_gate_equivalents() const {
  return static_cast<double>(flat_gates) + kGatesPerFlipFlop * static_cast<double>(flat_flip_flops);
}

std::vector<HwMemory> MemoriesOf(const arch::HardwareConfig& config) {
  std::vector<HwMemory> memories = {{.name = "activation banks",
                                     .instances = config.activation_banks,
                                     .words = config.activation_words() / config.activation_banks,
                                     .word_bits = config.lanes * config.activation_bits},
                                    {.name = "weight ring",
                                     .instances = config.rows,
                                     .words = config.ring_rows(),
                                     .word_bits = config.lanes * 8},
                                    {.name = "staging",
                                     .instances = 2,
                                     .words = config.staging_words() / 2,
                                     .word_bits = config.lanes * 8}};
  for (HwMemory& memory : memories) {
    memory.gate_equivalents = static_cast<double>(memory.instances) *
                              MemoryGateEquivalents(memory.words, memory.word_bits);
    memory.read_pj = MemoryAccessPj(memory.words, memory.word_bits);
  }
  return memories;
}

Result<HwCost> CostOfAccelerator(const arch::HardwareConfig& config,
                                 const std::vector<LibraryFile>& libraries,
                                 Synthesizer& synthesizer, const HwOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, AcceleratorUnit(config));
  MACLOOM_ASSIGN_OR_RETURN(const Modules modules, Elaborate(unit, synthesizer));
  const std::string top = "\\" + unit.top;
  if (modules.count(top) == 0) {
    return Error{ErrorKind::kToolFailed, fmt::format("`yosys` elaborated no module {}", unit.top)};
  }
  MACLOOM_ASSIGN_OR_RETURN(const SynthesizedModules gates,
                           SynthesizeOneByOne(modules, top, nullptr, synthesizer, options));
  MACLOOM_ASSIGN_OR_RETURN(HwCost cost, Compose(gates.stat, unit.top));
  cost.configuration = config.name;
  cost.digest = arch::Digest(config);
  cost.multipliers = config.rows * config.lanes;
  cost.memories = MemoriesOf(config);
  int64_t modelled = 0;
  for (const HwMemory& memory : cost.memories) {
    modelled += memory.instances;
    cost.memory_gate_equivalents += memory.gate_equivalents;
  }
  int64_t found = 0;
  for (const HwBlock& block : cost.blocks) {
    if (block.module == kMemoryModule) found += block.instances;
  }
  if (found != modelled) {
    return Error{ErrorKind::kToolFailed,
                 fmt::format("{}: the netlist has {} memories, the configuration {}", config.name,
                             found, modelled)};
  }
  for (const LibraryFile& library : libraries) {
    MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
    MACLOOM_ASSIGN_OR_RETURN(const SynthesizedModules mapped,
                             SynthesizeOneByOne(modules, top, &library, synthesizer, options));
    MACLOOM_RETURN_IF_ERROR(AddAreas(mapped.stat, unit.top, library, cost));
    MACLOOM_ASSIGN_OR_RETURN(const double path,
                             CriticalPath(mapped.netlist, unit.top, library, synthesizer));
    cost.critical_path_ns.push_back(path);
  }
  return cost;
}

Result<FlatCheck> CheckFlat(const arch::HardwareConfig& config, Synthesizer& synthesizer,
                            const HwOptions& options) {
  arch::HardwareConfig one_row = config;
  one_row.rows = std::max(1, kFewestMultipliers / config.lanes);
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, AcceleratorUnit(one_row));
  MACLOOM_ASSIGN_OR_RETURN(const Modules modules, Elaborate(unit, synthesizer));
  std::string array;
  for (const auto& [name, module] : modules) {
    if (PlainModuleName(name) == "loom_array") array = name;
  }
  if (array.empty()) {
    return Error{ErrorKind::kToolFailed, fmt::format("{}: no module loom_array", unit.name)};
  }
  MACLOOM_ASSIGN_OR_RETURN(const SynthesizedModules parts,
                           SynthesizeOneByOne(modules, array, nullptr, synthesizer, options));
  MACLOOM_ASSIGN_OR_RETURN(
      const auto flat, SynthesizeModules(modules, {{LogicBelow(modules, array), /*is_flat=*/true}},
                                         nullptr, synthesizer, 1, options.progress));
  MACLOOM_ASSIGN_OR_RETURN(const HwCost composed, Compose(parts.stat, array));
  MACLOOM_ASSIGN_OR_RETURN(const HwCost flattened, Compose(flat[0].stat, array));
  return FlatCheck{composed.gates, flattened.gates, composed.flip_flops, flattened.flip_flops};
}

}  // namespace macloom::cost
