#include <nlohmann/json.hpp>

#include "cost/hw_cost.h"

namespace macloom::cost {
namespace {

using nlohmann::ordered_json;

ordered_json BlocksToJson(const std::vector<HwBlock>& blocks) {
  ordered_json json = ordered_json::array();
  for (const HwBlock& block : blocks) {
    json.push_back({{"module", block.module},
                    {"instances", block.instances},
                    {"gates_each", block.gates_each},
                    {"flip_flops_each", block.flip_flops_each},
                    {"area_um2_each", block.area_um2_each}});
  }
  return json;
}

}  // namespace

ordered_json ToJson(const HwCost& cost) {
  ordered_json memories = ordered_json::array();
  for (const HwMemory& memory : cost.memories) {
    memories.push_back({{"name", memory.name},
                        {"instances", memory.instances},
                        {"words", memory.words},
                        {"word_bits", memory.word_bits},
                        {"gate_equivalents", memory.gate_equivalents},
                        {"access_pj_45nm_0v9", memory.read_pj}});
  }
  return {{"configuration", cost.configuration},
          {"digest", cost.digest},
          {"multipliers", cost.multipliers},
          {"gates", cost.gates},
          {"flip_flops", cost.flip_flops},
          {"logic_gate_equivalents", cost.logic_gate_equivalents()},
          {"logic_gate_equivalents_per_mac", cost.logic_per_mac()},
          {"memory_gate_equivalents", cost.memory_gate_equivalents},
          {"libraries", cost.libraries},
          {"area_um2", cost.area_um2},
          {"critical_path_ns", cost.critical_path_ns},
          {"blocks", BlocksToJson(cost.blocks)},
          {"memories", std::move(memories)}};
}

}  // namespace macloom::cost
