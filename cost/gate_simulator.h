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

/// Cycle-accurate, without delays: every net settles once per cycle, so glitches are not seen.
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
  /// Rising edges of each net.
  int64_t num_cycles() const { return num_cycles_; }

 private:
  struct Gate {
    LogicFunction function;
    std::vector<int> inputs;
    int output = 0;
  };
  struct FlipFlop {
    LogicFunction next_state;
    std::vector<int> inputs;
    int output = -1;
    int inverted_output = -1;
  };

  void Set(int net, uint64_t value);
  void Settle();

  std::vector<Gate> gates_;  ///< In order of evaluation.
  std::vector<FlipFlop> flip_flops_;
  const Netlist* netlist_ = nullptr;
  std::vector<uint64_t> values_;
  std::vector<uint64_t> settled_;
  std::vector<int64_t> toggles_;
  int64_t num_cycles_ = 0;
};

}  // namespace macloom::cost
