#include "cost/energy.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "base/digest.h"
#include "cost/mapping.h"

namespace macloom::cost {
namespace {

/// Index of the slew axis at which tables are read: the second, a fast edge.
double SlewOf(const LibertyTable& table) {
  return table.slew_ns.size() > 1 ? table.slew_ns[1] : 0.0;
}

/// Mean of a rising and a falling transition, fJ.
double ArcEnergy(const PowerArc& arc, double load_ff) {
  const double rise = arc.rise_fj.At(SlewOf(arc.rise_fj), load_ff);
  const double fall = arc.fall_fj.At(SlewOf(arc.fall_fj), load_ff);
  return (rise + fall) / 2.0;
}

/// Mean over the `when` states of the arcs of `pin` that belong to `related`.
double MeanArc(const LibertyPin& pin, const std::string& related, double load_ff) {
  double sum = 0.0;
  int count = 0;
  for (const PowerArc& arc : pin.power) {
    if (arc.related_pin != related) continue;
    sum += ArcEnergy(arc, load_ff);
    ++count;
  }
  return count > 0 ? sum / count : 0.0;
}

void SetOperands(GateSimulator& simulator, const std::string& port, const OperandTrace& trace,
                 const std::vector<uint16_t>& codes, int cycle, int bits) {
  for (int lane = 0; lane < trace.lanes; ++lane) {
    const uint16_t* lane_codes = codes.data() + trace.Index(cycle, lane, 0);
    for (int bit = 0; bit < bits; ++bit) {
      uint64_t column = 0;
      for (int stream = 0; stream < kOperandStreams; ++stream) {
        column |= static_cast<uint64_t>((lane_codes[stream] >> bit) & 1) << stream;
      }
      simulator.SetInput(port, static_cast<size_t>(lane * bits + bit), column);
    }
  }
}

/// Energy of `cycles` cycles in which the nets changed `toggles` times.
UnitEnergy Charge(const Netlist& netlist, const LibertyLibrary& library,
                  const std::vector<int64_t>& toggles, double cycles) {
  const std::vector<double> load_ff = NetLoadsFf(netlist, library);
  const double half_v2 = 0.5 * library.voltage_v * library.voltage_v;
  UnitEnergy energy;
  double switching = 0.0, internal = 0.0, sequential = 0.0, all_arcs = 0.0, changes = 0.0;
  for (size_t net = 0; net < toggles.size(); ++net) {
    switching += static_cast<double>(toggles[net]) * half_v2 * load_ff[net];
    changes += static_cast<double>(toggles[net]);
  }
  for (const NetlistInstance& instance : netlist.instances) {
    const LibertyCell& cell = library.cells.at(instance.cell);
    energy.leakage_uw += cell.leakage_nw * 1e-3;
    for (const auto& [name, net] : instance.pins) {
      const LibertyPin* pin = cell.Find(name);
      if (pin == nullptr) continue;
      const double times = static_cast<double>(toggles[net]);
      if (!pin->is_output) {
        if (!cell.is_sequential) continue;
        // The clock makes two transitions a cycle; the simulator has no clock net.
        const double transitions = pin->is_clock || name == cell.clocked_on ? 2.0 * cycles : times;
        sequential += transitions * MeanArc(*pin, "", 0.0);
        if (transitions != times) sequential += transitions * half_v2 * pin->capacitance_ff;
        continue;
      }
      double weights = 0.0, weighted = 0.0, sum = 0.0, plain = 0.0;
      int arcs = 0;
      for (const LibertyPin& input : cell.pins) {
        if (input.is_output) continue;
        const double arc = MeanArc(*pin, input.name, load_ff[net]);
        const int source = instance.Net(input.name);
        const double weight = source < 0 ? 0.0 : static_cast<double>(toggles[source]);
        if (arc == 0.0) continue;
        weighted += weight * arc;
        weights += weight;
        plain += arc;
        sum += arc;
        ++arcs;
      }
      const double one_arc = weights > 0.0 ? weighted / weights : arcs > 0 ? plain / arcs : 0.0;
      (cell.is_sequential ? sequential : internal) += times * one_arc;
      if (!cell.is_sequential) all_arcs += times * sum;
    }
  }
  energy.switching_pj = switching / cycles * 1e-3;
  energy.internal_pj = internal / cycles * 1e-3;
  energy.sequential_pj = sequential / cycles * 1e-3;
  energy.internal_all_arcs_pj = all_arcs / cycles * 1e-3;
  energy.toggles_per_net = changes / cycles / static_cast<double>(toggles.size());
  return energy;
}

}  // namespace

UnitEnergy EnergyOf(const Netlist& netlist, const LibertyLibrary& library,
                    const GateSimulator& simulator) {
  const double cycles = static_cast<double>(simulator.num_cycles()) * kOperandStreams;
  UnitEnergy energy = Charge(netlist, library, simulator.toggles(), cycles);
  const UnitEnergy timed = Charge(netlist, library, simulator.transitions(), cycles);
  energy.glitch_factor = timed.toggles_per_net / energy.toggles_per_net;
  energy.glitch_pj = timed.dynamic_pj() - energy.dynamic_pj();
  return energy;
}

void DriveOperands(const MacSpec& spec, const OperandTrace& trace, GateSimulator& simulator) {
  constexpr uint64_t kAll = ~uint64_t{0};
  const bool is_row = spec.shape != MacShape::kBare;
  const std::vector<const char*> bare_strobes = {"enable_i"};
  const std::vector<const char*> row_strobes = {"operand_i", "weight_load_i", "multiply_i",
                                                "tree_i",    "dense_i",       "row_valid_i"};
  for (const char* strobe : is_row ? row_strobes : bare_strobes) {
    simulator.SetInput(strobe, 0, kAll);
  }
  for (int cycle = 0; cycle < trace.cycles; ++cycle) {
    const int accumulator = is_row ? cycle % spec.lanes : 0;
    simulator.SetInput(is_row ? "first_i" : "clear_i", 0, trace.starts[static_cast<size_t>(cycle)]);
    for (size_t bit = 0; is_row && (1 << bit) < spec.lanes; ++bit) {
      simulator.SetInput("entry_i", bit, ((accumulator >> bit) & 1) != 0 ? kAll : 0);
    }
    SetOperands(simulator, "a_i", trace, trace.a, cycle, spec.OperandBits(0));
    SetOperands(simulator, "b_i", trace, trace.b, cycle, spec.OperandBits(1));
    simulator.Cycle();
  }
}

Result<UnitEnergy> MeasureEnergy(const MacSpec& spec, const OperandTrace& trace,
                                 const LibraryFile& library, Synthesizer& synthesizer) {
  MACLOOM_RETURN_IF_ERROR(library.library.RequirePower());
  MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, MacRtl(spec));
  const std::string key =
      Sha256Hex(fmt::format("energy 3\n{}\n{}\n{}\n{}\n{}", synthesizer.yosys_version(),
                            MapToCells(""), library.digest, unit.Digest(), trace.Digest()));
  MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known, synthesizer.cache().Find(key));
  if (known.has_value()) {
    const nlohmann::ordered_json json = nlohmann::ordered_json::parse(*known, nullptr, false);
    if (json.is_object() && json.contains("glitch_factor")) {
      return UnitEnergy{json["switching_pj"],         json["internal_pj"],
                        json["sequential_pj"],        json["leakage_uw"],
                        json["internal_all_arcs_pj"], json["toggles_per_net"],
                        json["glitch_factor"],        json["glitch_pj"]};
    }
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::string verilog, synthesizer.MappedVerilog(unit, library));
  MACLOOM_ASSIGN_OR_RETURN(const Netlist netlist, ReadNetlist(verilog, unit.name));
  MACLOOM_ASSIGN_OR_RETURN(GateSimulator simulator,
                           GateSimulator::Create(netlist, library.library));
  DriveOperands(spec, trace, simulator);
  const UnitEnergy energy = EnergyOf(netlist, library.library, simulator);
  MACLOOM_RETURN_IF_ERROR(synthesizer.cache().Insert(key, ToJson(energy).dump()));
  return energy;
}

nlohmann::ordered_json ToJson(const UnitEnergy& energy) {
  return {{"switching_pj", energy.switching_pj},
          {"internal_pj", energy.internal_pj},
          {"sequential_pj", energy.sequential_pj},
          {"leakage_uw", energy.leakage_uw},
          {"internal_all_arcs_pj", energy.internal_all_arcs_pj},
          {"toggles_per_net", energy.toggles_per_net},
          {"glitch_factor", energy.glitch_factor},
          {"glitch_pj", energy.glitch_pj}};
}

}  // namespace macloom::cost
