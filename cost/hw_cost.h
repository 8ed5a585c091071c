// A whole accelerator, composed of its synthesised modules and modelled memories.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "arch/config.h"
#include "base/result.h"
#include "cost/hw_result.h"
#include "cost/synthesis.h"

namespace macloom::cost {

/// Synthesises every module of the generated RTL of `config` once, without flattening, its
/// multipliers with the structural body, and adds them up by the number of instances.
/// @return errors of the generator and of the tools; kToolFailed if the memories of the netlist are
///         not those of the configuration.
Result<HwCost> CostOfAccelerator(const arch::HardwareConfig& config, Synthesizer& synthesizer);

/// The memories of `config` by the model.
std::vector<HwMemory> MemoriesOf(const arch::HardwareConfig& config);

/// docs/cost.md, "JSON".
nlohmann::ordered_json ToJson(const HwCost& cost);

}  // namespace macloom::cost
