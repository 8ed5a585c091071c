#include "cost/hw_cost.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/digest.h"
#include "cost/memory_model.h"
#include "cost/yosys.h"
#include "rtl/gen/generator.h"

namespace macloom::cost {
namespace {

using nlohmann::ordered_json;

constexpr const char* kMemoryModule = "loom_sram_1r1w";

/// Multipliers become the structural body; Yosys's own mapping of wide ones takes minutes.
constexpr const char* kMultiplierMap = R"((* techmap_celltype = "$mul" *)
module loom_cost_map_mul (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire _TECHMAP_FAIL_ = A_WIDTH < 2 || B_WIDTH < 2 || A_WIDTH > 48 || B_WIDTH > 48;
  loom_dot #(.Lanes(1), .AWidth(A_WIDTH), .BWidth(B_WIDTH), .ASigned(A_SIGNED),
             .BSigned(B_SIGNED), .SumWidth(Y_WIDTH), .UseAddend(0), .Body(1))
    u_dot (.a_i(A), .b_i(B), .addend_i({Y_WIDTH{1'b0}}), .sum_o(Y));
endmodule
)";

Result<RtlUnit> UnitOf(const arch::HardwareConfig& config) {
  RtlUnit unit;
  MACLOOM_ASSIGN_OR_RETURN(const auto rtl, rtl_gen::RenderRtl(config));
  unit.name = config.name;
  unit.top = rtl_gen::TopName(config);
  std::istringstream list(rtl.at("macloom.f"));
  for (std::string file; std::getline(list, file);) {
    if (file.empty()) continue;
    unit.order.push_back(file);
    unit.files[file] = rtl.at(file);
  }
  unit.files["multiplier_map.v"] = kMultiplierMap;
  return unit;
}

std::string Script(const RtlUnit& unit) {
  // The memories are emptied once their parameters are resolved, so that their ports keep their
  // widths. loom_dot is read again because hierarchy drops what is not instantiated.
  return ReadScript(unit) +
         fmt::format(
             "blackbox *{1}*\nsynth -noalumacc -run begin:fine -top {0}\n"
             "read_verilog -sv -nooverwrite loom_bit_heap.sv loom_dot.sv\n"
             "techmap -map multiplier_map.v\nhierarchy -check -top {0}\nproc\nopt\n"
             "synth -noalumacc -noabc -run fine:check -top {0}\n"
             "abc -g AND,NAND,OR,NOR,XOR,XNOR,ANDNOT,ORNOT\nopt_clean\ntee -o stat.txt stat\n",
             unit.top, kMemoryModule);
}

/// "loom_row" of "$paramod$0123abcd\loom_row" and of "$paramod\loom_row\Lanes=...".
std::string PlainName(const std::string& module) {
  const size_t start = module.find("loom_");
  if (start == std::string::npos) return module;
  return module.substr(start, module.find('\\', start) - start);
}

bool IsFlipFlop(const std::string& type) {
  return type.starts_with("$_DFF") || type.starts_with("$_SDFF") || type.starts_with("$_ALDFF");
}

Result<HwCost> Compose(const std::string& stat, const std::string& top) {
  std::map<std::string, std::map<std::string, int64_t>> cells;
  for (const std::string& module : ModulesOf(stat)) {
    MACLOOM_ASSIGN_OR_RETURN(cells[module], CellsOf(stat, module));
  }
  std::map<std::string, int64_t> instances;
  const std::function<void(const std::string&, int64_t)> count = [&](const std::string& module,
                                                                     int64_t number) {
    instances[module] += number;
    for (const auto& [type, times] : cells[module]) {
      if (cells.count(type) > 0 || type.find(kMemoryModule) != std::string::npos) {
        count(type, number * times);
      }
    }
  };
  if (cells.count(top) == 0) {
    return Error{ErrorKind::kToolFailed, fmt::format("`yosys` printed no module {}", top)};
  }
  count(top, 1);
  HwCost cost;
  for (const auto& [module, number] : instances) {
    HwBlock block{.module = PlainName(module), .instances = number};
    for (const auto& [type, times] : cells[module]) {
      if (IsFlipFlop(type)) {
        block.flip_flops_each += times;
      } else if (type.starts_with("$_") && type != "$_NOT_") {
        block.gates_each += times;
      }
    }
    cost.gates += block.gates();
    cost.flip_flops += number * block.flip_flops_each;
    cost.blocks.push_back(std::move(block));
  }
  return cost;
}

ordered_json BlocksToJson(const std::vector<HwBlock>& blocks) {
  ordered_json json = ordered_json::array();
  for (const HwBlock& block : blocks) {
    json.push_back({{"module", block.module},
                    {"instances", block.instances},
                    {"gates_each", block.gates_each},
                    {"flip_flops_each", block.flip_flops_each}});
  }
  return json;
}

}  // namespace

double HwCost::logic_gate_equivalents() const {
  return static_cast<double>(gates) + kGatesPerFlipFlop * static_cast<double>(flip_flops);
}

std::vector<HwMemory> MemoriesOf(const arch::HardwareConfig& config) {
  std::vector<HwMemory> memories = {{.name = "activation banks",
                                     .instances = config.activation_banks,
                                     .words = config.activation_words() / config.activation_banks,
                                     .word_bits = config.lanes * config.activation_bits},
                                    {.name = "weight ring",
                                     .instances = config.rows,
                                     .words = config.ring_rows(),
                                     .word_bits = config.lanes * 8},
                                    {.name = "staging",
                                     .instances = 2,
                                     .words = config.staging_words() / 2,
                                     .word_bits = config.lanes * 8}};
  for (HwMemory& memory : memories) {
    memory.gate_equivalents = static_cast<double>(memory.instances) *
                              MemoryGateEquivalents(memory.words, memory.word_bits);
    memory.read_pj = MemoryAccessPj(memory.words, memory.word_bits);
  }
  return memories;
}

Result<HwCost> CostOfAccelerator(const arch::HardwareConfig& config, Synthesizer& synthesizer) {
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, UnitOf(config));
  const std::string script = Script(unit);
  const std::string key = Sha256Hex("accelerator 1\n" + synthesizer.yosys_version() + script +
                                    unit.Digest() + unit.files.at("multiplier_map.v"));
  MACLOOM_ASSIGN_OR_RETURN(std::optional<std::string> stat, synthesizer.cache().Find(key));
  if (!stat.has_value()) {
    MACLOOM_ASSIGN_OR_RETURN(const auto texts, RunYosys(unit, script, {"stat.txt"}));
    stat = texts.at("stat.txt");
  }
  MACLOOM_ASSIGN_OR_RETURN(HwCost cost, Compose(*stat, unit.top));
  cost.configuration = config.name;
  cost.digest = arch::Digest(config);
  cost.multipliers = config.rows * config.lanes;
  cost.memories = MemoriesOf(config);
  int64_t modelled = 0;
  for (const HwMemory& memory : cost.memories) {
    modelled += memory.instances;
    cost.memory_gate_equivalents += memory.gate_equivalents;
  }
  int64_t found = 0;
  for (const HwBlock& block : cost.blocks) {
    if (block.module == kMemoryModule) found += block.instances;
  }
  if (found != modelled) {
    return Error{ErrorKind::kToolFailed,
                 fmt::format("{}: the netlist has {} memories, the configuration {}", config.name,
                             found, modelled)};
  }
  MACLOOM_RETURN_IF_ERROR(synthesizer.cache().Insert(key, *stat));
  return cost;
}

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
          {"blocks", BlocksToJson(cost.blocks)},
          {"memories", std::move(memories)}};
}

}  // namespace macloom::cost
