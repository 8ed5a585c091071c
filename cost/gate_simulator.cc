#include "cost/gate_simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cctype>

#include "base/check.h"

namespace macloom::cost {
namespace {

constexpr int kNot = -1;
constexpr int kAnd = -2;
constexpr int kOr = -3;
constexpr int kXor = -4;
constexpr int kZero = -5;
constexpr int kOne = -6;
constexpr int kMaxNesting = 64;

}  // namespace

/// Recursive descent: or < and < xor < not, as Liberty has it.
class LogicParser {
 public:
  LogicParser(const std::string& text, const std::vector<std::string>& names)
      : text_(text), names_(names) {}

  Result<LogicFunction> Parse() {
    MACLOOM_RETURN_IF_ERROR(Or(0));
    if (!AtEnd()) return Bad();
    return std::move(function_);
  }

 private:
  Error Bad() const {
    return InvalidInput(fmt::format("function `{}` is not understood at `{}`", text_,
                                    text_.substr(std::min(position_, text_.size()))));
  }
  bool AtEnd() {
    while (position_ < text_.size() &&
           std::isspace(static_cast<unsigned char>(text_[position_])) != 0) {
      ++position_;
    }
    return position_ >= text_.size();
  }
  bool Take(const char* characters) {
    if (AtEnd() || std::string(characters).find(text_[position_]) == std::string::npos) {
      return false;
    }
    ++position_;
    return true;
  }

  Status Or(int depth) {
    if (depth > kMaxNesting) return Bad();
    MACLOOM_RETURN_IF_ERROR(And(depth));
    while (Take("|+")) {
      MACLOOM_RETURN_IF_ERROR(And(depth));
      function_.code_.push_back(kOr);
    }
    return {};
  }

  Status And(int depth) {
    MACLOOM_RETURN_IF_ERROR(Xor(depth));
    while (Take("&*") ||
           (!AtEnd() && std::string("|+^)").find(text_[position_]) == std::string::npos)) {
      MACLOOM_RETURN_IF_ERROR(Xor(depth));
      function_.code_.push_back(kAnd);
    }
    return {};
  }

  Status Xor(int depth) {
    MACLOOM_RETURN_IF_ERROR(Not(depth));
    while (Take("^")) {
      MACLOOM_RETURN_IF_ERROR(Not(depth));
      function_.code_.push_back(kXor);
    }
    return {};
  }

  Status Not(int depth) {
    int num_not = 0;
    while (Take("!")) ++num_not;
    if (Take("(")) {
      MACLOOM_RETURN_IF_ERROR(Or(depth + 1));
      if (!Take(")")) return Bad();
    } else {
      AtEnd();
      const size_t start = position_;
      while (position_ < text_.size() &&
             (std::isalnum(static_cast<unsigned char>(text_[position_])) != 0 ||
              text_[position_] == '_')) {
        ++position_;
      }
      const std::string name = text_.substr(start, position_ - start);
      const auto found = std::find(names_.begin(), names_.end(), name);
      if (found != names_.end()) {
        function_.code_.push_back(static_cast<int>(found - names_.begin()));
      } else if (name == "0" || name == "1") {
        function_.code_.push_back(name == "0" ? kZero : kOne);
      } else {
        return Bad();
      }
    }
    while (Take("'")) ++num_not;
    if (num_not % 2 == 1) function_.code_.push_back(kNot);
    return {};
  }

  const std::string& text_;
  const std::vector<std::string>& names_;
  size_t position_ = 0;
  LogicFunction function_;
};

Result<LogicFunction> LogicFunction::Parse(const std::string& text,
                                           const std::vector<std::string>& names) {
  return LogicParser(text, names).Parse();
}

uint64_t LogicFunction::Evaluate(const std::vector<uint64_t>& nets,
                                 const std::vector<int>& pins) const {
  uint64_t stack[2 * kMaxNesting + 8];
  size_t top = 0;
  for (const int code : code_) {
    switch (code) {
      case kNot:
        stack[top - 1] = ~stack[top - 1];
        break;
      case kAnd:
        --top;
        stack[top - 1] &= stack[top];
        break;
      case kOr:
        --top;
        stack[top - 1] |= stack[top];
        break;
      case kXor:
        --top;
        stack[top - 1] ^= stack[top];
        break;
      case kZero:
        stack[top++] = 0;
        break;
      case kOne:
        stack[top++] = ~uint64_t{0};
        break;
      default:
        stack[top++] = nets[pins[static_cast<size_t>(code)]];
        break;
    }
  }
  return stack[0];
}

Result<GateSimulator> GateSimulator::Create(const Netlist& netlist, const LibertyLibrary& library) {
  GateSimulator simulator;
  simulator.netlist_ = &netlist;
  simulator.values_.assign(netlist.net_names.size(), 0);
  simulator.values_[kNetOne] = ~uint64_t{0};
  simulator.toggles_.assign(netlist.net_names.size(), 0);
  simulator.transitions_ = simulator.toggles_;
  std::vector<Gate> waiting;
  for (const NetlistInstance& instance : netlist.instances) {
    if (library.cells.count(instance.cell) > 0) continue;
    return InvalidInput(fmt::format("library {} has no cell {}", library.name, instance.cell));
  }
  const std::vector<double> load_ff = NetLoadsFf(netlist, library);
  for (const NetlistInstance& instance : netlist.instances) {
    const auto found = library.cells.find(instance.cell);
    const LibertyCell& cell = found->second;
    std::vector<std::string> names;
    std::vector<int> nets;
    for (const LibertyPin& pin : cell.pins) {
      if (pin.is_output) continue;
      names.push_back(pin.name);
      const int net = instance.Net(pin.name);
      nets.push_back(net < 0 ? kNetZero : net);
    }
    if (cell.is_sequential) {
      if (cell.next_state.empty() || !cell.clear.empty() || !cell.preset.empty()) {
        return InvalidInput(
            fmt::format("cell {}: only flip-flops without clear and preset are "
                        "simulated",
                        cell.name));
      }
      FlipFlop flip_flop;
      MACLOOM_ASSIGN_OR_RETURN(flip_flop.next_state, LogicFunction::Parse(cell.next_state, names));
      flip_flop.inputs = nets;
      for (const LibertyPin& pin : cell.pins) {
        if (!pin.is_output || instance.Net(pin.name) < 0) continue;
        (pin.function == cell.inverted_state ? flip_flop.inverted_output : flip_flop.output) =
            instance.Net(pin.name);
      }
      simulator.flip_flops_.push_back(std::move(flip_flop));
      continue;
    }
    for (const LibertyPin& pin : cell.pins) {
      const int net = pin.is_output ? instance.Net(pin.name) : -1;
      if (net < 0) continue;
      Gate gate;
      MACLOOM_ASSIGN_OR_RETURN(gate.function, LogicFunction::Parse(pin.function, names));
      gate.inputs = nets;
      gate.output = net;
      gate.delay_fs = GateDelayFs(pin, load_ff[net]);
      waiting.push_back(std::move(gate));
    }
  }
  // Order: a gate comes once all its inputs are known.
  std::vector<int> missing(waiting.size(), 0);
  std::vector<std::vector<size_t>> readers(netlist.net_names.size());
  std::vector<bool> is_driven(netlist.net_names.size(), false);
  for (const Gate& gate : waiting) is_driven[gate.output] = true;
  std::vector<size_t> ready;
  for (size_t g = 0; g < waiting.size(); ++g) {
    for (const int net : waiting[g].inputs) {
      if (!is_driven[net]) continue;
      ++missing[g];
      readers[net].push_back(g);
    }
    if (missing[g] == 0) ready.push_back(g);
  }
  while (!ready.empty()) {
    const size_t g = ready.back();
    ready.pop_back();
    for (const size_t reader : readers[waiting[g].output]) {
      if (--missing[reader] == 0) ready.push_back(reader);
    }
    simulator.gates_.push_back(std::move(waiting[g]));
  }
  if (simulator.gates_.size() != waiting.size()) {
    return InvalidInput(fmt::format("{}: the netlist has a combinational loop", netlist.top));
  }
  simulator.readers_.resize(netlist.net_names.size());
  simulator.is_gate_output_ = is_driven;
  for (size_t g = 0; g < simulator.gates_.size(); ++g) {
    for (const int net : simulator.gates_[g].inputs) simulator.readers_[net].push_back(g);
  }
  simulator.Settle();
  simulator.settled_ = simulator.values_;
  return simulator;
}

void GateSimulator::Settle() {
  for (const FlipFlop& flip_flop : flip_flops_) {
    if (flip_flop.inverted_output >= 0 && flip_flop.output >= 0) {
      values_[flip_flop.inverted_output] = ~values_[flip_flop.output];
    }
  }
  for (const Gate& gate : gates_) values_[gate.output] = Evaluate(gate, values_);
}

void GateSimulator::SetInput(const std::string& port, size_t bit, uint64_t streams) {
  values_[netlist_->inputs.at(port).at(bit)] = streams;
}

uint64_t GateSimulator::Output(const std::string& port, size_t bit) const {
  return values_[netlist_->outputs.at(port).at(bit)];
}

void GateSimulator::Cycle() {
  Settle();
  for (size_t net = 0; net < values_.size(); ++net) {
    toggles_[net] += std::popcount(values_[net] ^ settled_[net]);
  }
  CountTransitions();
  settled_ = values_;
  std::vector<uint64_t> next;
  next.reserve(flip_flops_.size());
  for (const FlipFlop& flip_flop : flip_flops_) {
    next.push_back(flip_flop.next_state.Evaluate(values_, flip_flop.inputs));
  }
  for (size_t f = 0; f < flip_flops_.size(); ++f) {
    const FlipFlop& flip_flop = flip_flops_[f];
    if (flip_flop.output >= 0) values_[flip_flop.output] = next[f];
    if (flip_flop.inverted_output >= 0) values_[flip_flop.inverted_output] = ~next[f];
  }
  Settle();
  ++num_cycles_;
}

}  // namespace macloom::cost
