// Energy of a mapped unit from simulated toggles.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "cost/energy_result.h"
#include "cost/gate_simulator.h"
#include "cost/mac_unit.h"
#include "cost/operand_trace.h"
#include "cost/synthesis.h"

namespace macloom::cost {

/// Energy per cycle of what `simulator` counted: for a toggle of a net 0.5 C V^2 with C the pins it
/// drives, plus the internal power of the driving cell for one arc: the mean over its arcs,
/// weighted by the toggles of their related pins. Flip-flops: both clock edges and the output
/// toggles. Glitches apart: the same with the transitions of the delays.
UnitEnergy EnergyOf(const Netlist& netlist, const LibertyLibrary& library,
                    const GateSimulator& simulator);

/// Drives the unit of `spec` with `trace`; a row in dense mode, its accumulators in turn.
/// @pre `trace` has the lanes of `spec`.
void DriveOperands(const MacSpec& spec, const OperandTrace& trace, GateSimulator& simulator);

/// Maps the unit, drives it with `trace` and counts; through the cache.
/// @return errors of the tools; kInvalidInput for a library without power or timing.
Result<UnitEnergy> MeasureEnergy(const MacSpec& spec, const OperandTrace& trace,
                                 const LibraryFile& library, Synthesizer& synthesizer);

/// docs/cost.md, "JSON".
nlohmann::ordered_json ToJson(const UnitEnergy& energy);

}  // namespace macloom::cost
