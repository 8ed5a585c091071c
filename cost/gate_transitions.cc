#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "base/check.h"
#include "cost/gate_simulator.h"

namespace macloom::cost {

std::vector<double> NetLoadsFf(const Netlist& netlist, const LibertyLibrary& library) {
  std::vector<double> load_ff(netlist.net_names.size(), 0.0);
  for (const NetlistInstance& instance : netlist.instances) {
    const LibertyCell& cell = library.cells.at(instance.cell);
    for (const auto& [name, net] : instance.pins) {
      const LibertyPin* pin = cell.Find(name);
      if (pin != nullptr && !pin->is_output) load_ff[net] += pin->capacitance_ff;
    }
  }
  return load_ff;
}

int64_t GateDelayFs(const LibertyPin& pin, double load_ff) {
  double sum_ns = 0.0;
  int count = 0;
  for (const TimingArc& arc : pin.timing) {
    for (const LibertyTable* table : {&arc.rise_ns, &arc.fall_ns}) {
      if (table->empty()) continue;
      sum_ns += table->At(table->slew_ns.size() > 1 ? table->slew_ns[1] : 0.0, load_ff);
      ++count;
    }
  }
  return count == 0 ? 1 : std::max<int64_t>(1, std::llround(sum_ns / count * 1e6));
}

void GateSimulator::CountTransitions() {
  // All streams share the delays, so one event carries the new values of all of them.
  struct Change {
    size_t gate;
    uint64_t value;
    uint64_t mask;  // Streams in which the output is to change.
  };
  std::multimap<int64_t, Change> queue;
  std::vector<std::vector<std::multimap<int64_t, Change>::iterator>> pending(gates_.size());
  std::vector<uint64_t> now = settled_;
  std::vector<size_t> woken;
  std::vector<bool> is_woken(gates_.size(), false);
  const auto apply = [&](int net, uint64_t value) {
    const uint64_t changed = now[net] ^ value;
    if (changed == 0) return;
    transitions_[net] += std::popcount(changed);
    now[net] = value;
    for (const size_t gate : readers_[net]) {
      if (is_woken[gate]) continue;
      is_woken[gate] = true;
      woken.push_back(gate);
    }
  };
  for (size_t net = 0; net < values_.size(); ++net) {
    if (!is_gate_output_[net]) apply(static_cast<int>(net), values_[net]);
  }
  std::vector<uint64_t> inputs;
  int64_t time_fs = 0;
  while (true) {
    for (const size_t g : woken) {
      const Gate& gate = gates_[g];
      is_woken[g] = false;
      inputs.clear();
      for (const int net : gate.inputs) inputs.push_back(now[net]);
      const uint64_t value = gate.function.Evaluate(inputs);
      uint64_t wanted = value ^ now[gate.output];
      // A pending change that the new value takes back does not happen; one that it confirms stays.
      for (const auto& event : pending[g]) {
        event->second.mask &= wanted;
        wanted &= ~event->second.mask;
      }
      if (wanted != 0) {
        pending[g].push_back(queue.emplace(time_fs + gate.delay_fs, Change{g, value, wanted}));
      }
    }
    woken.clear();
    if (queue.empty()) break;
    time_fs = queue.begin()->first;
    while (!queue.empty() && queue.begin()->first == time_fs) {
      const Change change = queue.begin()->second;
      pending[change.gate].erase(pending[change.gate].begin());
      queue.erase(queue.begin());
      const int net = gates_[change.gate].output;
      apply(net, (now[net] & ~change.mask) | (change.value & change.mask));
    }
  }
  MACLOOM_CHECK(now == values_);
}

}  // namespace macloom::cost
