// Energy of a mapped unit from simulated toggles.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "cost/energy_result.h"
#include "cost/gate_simulator.h"
#include "cost/mac_unit.h"
#include "cost/synthesis.h"

namespace macloom::cost {

/// Energy per cycle of what `simulator` counted: for a toggle of a net 0.5 C V^2 with C the pins it
/// drives, plus the internal power of the driving cell for one arc: the mean over its arcs,
/// weighted by the toggles of their related pins. Flip-flops: both clock edges and the output
/// toggles.
UnitEnergy EnergyOf(const Netlist& netlist, const LibertyLibrary& library,
                    const GateSimulator& simulator);

/// Operand stream: independent normal values of standard deviation 1/4 of the largest code, rounded
/// to the format; a new sum every 256 cycles. 64 streams of `cycles` each.
/// @return errors of the tools; kInvalidInput for a library without power.
Result<UnitEnergy> GaussianEnergy(const MacSpec& spec, const LibraryFile& library,
                                  Synthesizer& synthesizer, int cycles, uint64_t seed);

/// docs/cost.md, "JSON".
nlohmann::ordered_json ToJson(const UnitEnergy& energy);

/// Drives the unit of `spec` with that stream; a row in dense mode, a new weight every cycle, its
/// accumulators in turn.
Status DriveOperands(const MacSpec& spec, GateSimulator& simulator, int cycles, uint64_t seed);

}  // namespace macloom::cost
