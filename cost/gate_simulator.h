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
  /// Value for the 64 streams; `inputs[i]` belongs to `names[i]`.
  uint64_t Evaluate(const std::vector<uint64_t>& inputs) const;

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

  void Set(int net, uint64_t value);
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
};

}  // namespace macloom::cost
