// Simulates a mapped netlist, 64 independent streams of data at once, and counts toggles.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "cost/liberty.h"
#include "cost/netlist.h"

namespace macloom::cost {

/// A Boolean expression of a Liberty file, compiled to postfix over pin numbers.
class LogicFunction {
 public:
  /// Operators ! ' & * blank | + ^ and parentheses, with Liberty's precedence; names are looked up
  /// in `names`. @return kInvalidInput naming what is not understood.
  static Result<LogicFunction> Parse(const std::string& text,
                                     const std::vector<std::string>& names);
  /// Value for the 64 streams; `nets[pins[i]]` belongs to `names[i]`.
  uint64_t Evaluate(const std::vector<uint64_t>& nets, const std::vector<int>& pins) const;

 private:
  friend class LogicParser;
  std::vector<int> code_;  ///< >= 0: push input; negative: operator or constant.
};

/// Capacitance of the pins that each net drives, fF.
std::vector<double> NetLoadsFf(const Netlist& netlist, const LibertyLibrary& library);

/// Mean delay of the arcs of output `pin` at the second slew of their tables, at least 1 fs.
int64_t GateDelayFs(const LibertyPin& pin, double load_ff);

/// Cycle-accurate: every net settles once per cycle, which toggles() counts. Beside it the same
/// cycle is simulated with delays: flip-flops and inputs change at the clock edge, a gate's output
/// follows after the mean delay of its arcs (rise and fall, the second slew of the table, the load
/// of the pins), and a pulse shorter than that delay vanishes (inertial). transitions() counts
/// those, so their excess over toggles() are glitches. Wires have no delay.
class GateSimulator {
 public:
  /// @return kInvalidInput for a cell without function, for latches, clear and preset on cells that
  ///         are not tied off, and for combinational loops.
  static Result<GateSimulator> Create(const Netlist& netlist, const LibertyLibrary& library);

  /// Sets bit `bit` of input `port` in all streams. The port must exist.
  void SetInput(const std::string& port, size_t bit, uint64_t streams);
  /// Bit `bit` of output `port`.
  uint64_t Output(const std::string& port, size_t bit) const;
  /// Settles the logic with the inputs as set, counts what changed, then clocks the flip-flops.
  void Cycle();

  /// Changes of each net, all streams together, since Create().
  const std::vector<int64_t>& toggles() const { return toggles_; }
  /// Changes of each net with delays; at least toggles().
  const std::vector<int64_t>& transitions() const { return transitions_; }
  /// Rising clock edges.
  int64_t num_cycles() const { return num_cycles_; }

 private:
  struct Gate {
    LogicFunction function;
    std::vector<int> inputs;
    int output = 0;
    int64_t delay_fs = 1;
  };
  struct FlipFlop {
    LogicFunction next_state;
    std::vector<int> inputs;
    int output = -1;
    int inverted_output = -1;
  };

  /// A change of a gate's output on its way.
  struct Event {
    size_t gate = 0;
    uint64_t value = 0;
    uint64_t mask = 0;  ///< Streams in which the output is to change.
    uint32_t next = 0;  ///< Of the same gate; of unused events the next unused one.
  };
  struct Due {
    int64_t time_fs = 0;
    uint64_t sequence = 0;
    uint32_t event = 0;
    /// Largest is first in the standard library's heaps.
    bool operator<(const Due& other) const {
      return time_fs != other.time_fs ? time_fs > other.time_fs : sequence > other.sequence;
    }
  };
  static constexpr uint32_t kNoEvent = ~uint32_t{0};
  /// What CountTransitions() needs within a cycle, kept to spare allocations.
  struct Scratch {
    std::vector<uint64_t> now;
    std::vector<size_t> woken;
    std::vector<uint8_t> is_woken;
    std::vector<uint32_t> first, last;  ///< Events of each gate.
    std::vector<Event> events;
    std::vector<Due> queue;
  };

  static uint64_t Evaluate(const Gate& gate, const std::vector<uint64_t>& nets) {
    return gate.function.Evaluate(nets, gate.inputs);
  }
  void Settle();
  void CountTransitions();

  std::vector<Gate> gates_;  ///< In order of evaluation.
  std::vector<FlipFlop> flip_flops_;
  const Netlist* netlist_ = nullptr;
  std::vector<uint64_t> values_;
  std::vector<uint64_t> settled_;
  std::vector<int64_t> toggles_;
  std::vector<int64_t> transitions_;
  std::vector<std::vector<size_t>> readers_;  ///< Gates that read a net.
  std::vector<bool> is_gate_output_;
  int64_t num_cycles_ = 0;
  Scratch scratch_;
};

}  // namespace macloom::cost
