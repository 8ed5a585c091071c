#include <algorithm>
#include <bit>
#include <cmath>

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
  // All streams share the delays, so one event carries the new values of all of them. Events of one
  // gate end in the order in which they began; the heap has events of one time in that order, too.
  std::vector<uint64_t>& now = scratch_.now;
  std::vector<size_t>& woken = scratch_.woken;
  std::vector<Event>& events = scratch_.events;
  std::vector<Due>& queue = scratch_.queue;
  now = settled_;
  scratch_.is_woken.resize(gates_.size(), 0);
  scratch_.first.assign(gates_.size(), kNoEvent);
  scratch_.last.assign(gates_.size(), kNoEvent);
  events.clear();
  uint32_t unused = kNoEvent;
  uint64_t sequence = 0;
  const auto apply = [&](int net, uint64_t value) {
    const uint64_t changed = now[net] ^ value;
    if (changed == 0) return;
    transitions_[net] += std::popcount(changed);
    now[net] = value;
    for (const size_t gate : readers_[net]) {
      if (scratch_.is_woken[gate] != 0) continue;
      scratch_.is_woken[gate] = 1;
      woken.push_back(gate);
    }
  };
  const auto schedule = [&](size_t g, int64_t time_fs, uint64_t value, uint64_t mask) {
    uint32_t index = unused;
    if (index == kNoEvent) {
      index = static_cast<uint32_t>(events.size());
      events.emplace_back();
    } else {
      unused = events[index].next;
    }
    events[index] = {g, value, mask, kNoEvent};
    if (scratch_.last[g] == kNoEvent) {
      scratch_.first[g] = index;
    } else {
      events[scratch_.last[g]].next = index;
    }
    scratch_.last[g] = index;
    queue.push_back({time_fs, sequence++, index});
    std::push_heap(queue.begin(), queue.end());
  };
  for (size_t net = 0; net < values_.size(); ++net) {
    if (!is_gate_output_[net]) apply(static_cast<int>(net), values_[net]);
  }
  int64_t time_fs = 0;
  while (true) {
    for (const size_t g : woken) {
      const Gate& gate = gates_[g];
      scratch_.is_woken[g] = 0;
      const uint64_t value = Evaluate(gate, now);
      uint64_t wanted = value ^ now[gate.output];
      // A pending change that the new value takes back does not happen; one that it confirms stays.
      for (uint32_t e = scratch_.first[g]; e != kNoEvent; e = events[e].next) {
        events[e].mask &= wanted;
        wanted &= ~events[e].mask;
      }
      if (wanted != 0) schedule(g, time_fs + gate.delay_fs, value, wanted);
    }
    woken.clear();
    if (queue.empty()) break;
    time_fs = queue.front().time_fs;
    while (!queue.empty() && queue.front().time_fs == time_fs) {
      const uint32_t index = queue.front().event;
      std::pop_heap(queue.begin(), queue.end());
      queue.pop_back();
      const Event change = events[index];
      scratch_.first[change.gate] = change.next;
      if (change.next == kNoEvent) scratch_.last[change.gate] = kNoEvent;
      events[index].next = unused;
      unused = index;
      const int net = gates_[change.gate].output;
      apply(net, (now[net] & ~change.mask) | (change.value & change.mask));
    }
  }
  MACLOOM_CHECK(now == values_);
}

}  // namespace macloom::cost
