// A whole accelerator, composed of its synthesised modules and modelled memories.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "arch/config.h"
#include "base/result.h"
#include "cost/hw_result.h"
#include "cost/library_file.h"
#include "cost/module_synthesis.h"
#include "cost/synthesis.h"

namespace macloom::cost {

struct HwOptions {
  int jobs = 2;  ///< Modules synthesised at the same time.
  ModuleProgress progress;
};

/// Synthesises every module of the generated RTL of `config` once, without flattening, its
/// multipliers with the structural body, and adds them up by the number of instances; in two-input
/// gates and mapped to each of `libraries`. A module that was synthesised before, for whatever
/// configuration, comes from the synthesizer's cache. The critical path is that of the whole mapped
/// netlist, buffered and sized (MapToCells()), without wires and paths to and from memories.
/// @return errors of the generator and of the tools; kToolFailed if the memories of the netlist are
///         not those of the configuration.
Result<HwCost> CostOfAccelerator(const arch::HardwareConfig& config,
                                 const std::vector<LibraryFile>& libraries,
                                 Synthesizer& synthesizer, const HwOptions& options = {});

/// The array of `config` with one row, its control included: sum of its modules against a flat
/// synthesis.
Result<FlatCheck> CheckFlat(const arch::HardwareConfig& config, Synthesizer& synthesizer,
                            const HwOptions& options = {});

/// The memories of `config` by the model.
std::vector<HwMemory> MemoriesOf(const arch::HardwareConfig& config);

/// docs/cost.md, "JSON".
nlohmann::ordered_json ToJson(const HwCost& cost);

}  // namespace macloom::cost
