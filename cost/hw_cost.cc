#include "cost/hw_cost.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/digest.h"
#include "cost/memory_model.h"
#include "cost/sta.h"
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

/// Elaborates `unit` with structural multipliers and leaves gates of Yosys's own library. `top` is
/// the unit's top or the name of an elaborated module.
std::string ElaborateScript(const RtlUnit& unit, const std::string& top, bool is_flat) {
  // The memories are emptied once their parameters are resolved, so that their ports keep their
  // widths. loom_dot is read again because hierarchy drops what is not instantiated.
  return ReadScript(unit) +
         fmt::format(
             "blackbox *{1}*\nhierarchy -check -top {0}\nsynth -noalumacc -run begin:fine -top "
             "{0}\n"
             "read_verilog -sv -nooverwrite loom_bit_heap.sv loom_dot.sv\n"
             "techmap -map multiplier_map.v\nhierarchy -check -top {0}\nproc\nopt\n{2}"
             "synth -noalumacc -noabc -run fine:check -top {0}\n",
             top, kMemoryModule, is_flat ? "flatten\nopt -full\n" : "");
}

constexpr const char* kGateStep =
    "abc -g AND,NAND,OR,NOR,XOR,XNOR,ANDNOT,ORNOT\nopt_clean\ntee -o stat.txt stat\n";

std::string MapStep(const std::string& library) {
  return fmt::format(
      "dfflibmap -liberty {0}\nabc -liberty {0}\nsetundef -zero\nsplitnets\nopt_clean -purge\n"
      "tee -o stat.txt stat\nwrite_verilog -noattr -noexpr -nohex netlist.v\n",
      library);
}

/// "loom_row" of "$paramod$0123abcd\loom_row" and of "$paramod\loom_row\Lanes=...".
std::string PlainName(const std::string& module) {
  const size_t start = module.find("loom_");
  if (start == std::string::npos) return module;
  return module.substr(start, module.find('\\', start) - start);
}

using CellCounts = std::map<std::string, std::map<std::string, int64_t>>;

bool IsFlipFlop(const std::string& type) {
  return type.starts_with("$_DFF") || type.starts_with("$_SDFF") || type.starts_with("$_ALDFF");
}

/// Cells of every module in the text of `stat`; instances of each module below `top`.
struct Hierarchy {
  CellCounts cells;
  std::map<std::string, int64_t> instances;
};

Result<Hierarchy> HierarchyOf(const std::string& stat, const std::string& top) {
  Hierarchy hierarchy;
  for (const std::string& module : ModulesOf(stat)) {
    MACLOOM_ASSIGN_OR_RETURN(hierarchy.cells[module], CellsOf(stat, module));
  }
  if (hierarchy.cells.count(top) == 0) {
    return Error{ErrorKind::kToolFailed, fmt::format("`yosys` printed no module {}", top)};
  }
  const std::function<void(const std::string&, int64_t)> count = [&](const std::string& module,
                                                                     int64_t number) {
    hierarchy.instances[module] += number;
    for (const auto& [type, times] : hierarchy.cells[module]) {
      if (hierarchy.cells.count(type) > 0 || type.find(kMemoryModule) != std::string::npos) {
        count(type, number * times);
      }
    }
  };
  count(top, 1);
  return hierarchy;
}

Result<HwCost> Compose(const std::string& stat, const std::string& top) {
  MACLOOM_ASSIGN_OR_RETURN(Hierarchy hierarchy, HierarchyOf(stat, top));
  HwCost cost;
  for (const auto& [module, number] : hierarchy.instances) {
    HwBlock block;
    block.module = PlainName(module);
    block.instances = number;
    for (const auto& [type, times] : hierarchy.cells[module]) {
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

/// Adds the areas of `stat`, mapped to `library`, to `cost`, whose blocks are of the same modules.
Status AddAreas(const std::string& stat, const std::string& top, const LibraryFile& library,
                HwCost& cost) {
  MACLOOM_ASSIGN_OR_RETURN(Hierarchy hierarchy, HierarchyOf(stat, top));
  double total = 0.0;
  size_t index = 0;
  for (const auto& [module, number] : hierarchy.instances) {
    double each = 0.0;
    for (const auto& [type, times] : hierarchy.cells[module]) {
      if (hierarchy.instances.count(type) > 0) continue;
      const auto cell = library.library.cells.find(type);
      if (cell == library.library.cells.end() || !cell->second.has_area) {
        return InvalidInput(fmt::format("{}: the netlist of {} has a cell {} without area",
                                        library.library.source, PlainName(module), type));
      }
      each += static_cast<double>(times) * cell->second.area;
    }
    if (index >= cost.blocks.size() || cost.blocks[index].module != PlainName(module)) {
      return Error{ErrorKind::kToolFailed,
                   fmt::format("`yosys` mapped other modules than it counted: {}", module)};
    }
    cost.blocks[index++].area_um2_each.push_back(each);
    total += static_cast<double>(number) * each;
  }
  cost.libraries.push_back(library.label);
  cost.area_um2.push_back(total);
  return {};
}

/// `stat` of the unit mapped to `library`, and its critical path; from the cache if known.
struct MappedTop {
  std::string stat;
  double critical_path_ns = 0.0;
};

Result<MappedTop> MapTop(const RtlUnit& unit, const LibraryFile& library,
                         Synthesizer& synthesizer) {
  MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
  const std::string script = ElaborateScript(unit, unit.top, false);
  const std::string key =
      Sha256Hex("accelerator map 1\n" + synthesizer.yosys_version() + library.digest + script +
                MapStep("") + unit.Digest() + unit.files.at("multiplier_map.v"));
  MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known, synthesizer.cache().Find(key));
  if (known.has_value()) {
    const ordered_json json = ordered_json::parse(*known, nullptr, false);
    if (json.is_object() && json.contains("critical_path_ns")) {
      return MappedTop{json["stat"], json["critical_path_ns"]};
    }
  }
  MACLOOM_ASSIGN_OR_RETURN(auto texts, RunYosys(unit, script + MapStep(library.path.string()),
                                                {"stat.txt", "netlist.v"}));
  MACLOOM_ASSIGN_OR_RETURN(const Timing timing,
                           AnalyseTiming(texts.at("netlist.v"), unit.top, library, {}));
  MappedTop mapped{std::move(texts.at("stat.txt")), timing.critical_path_ns};
  MACLOOM_RETURN_IF_ERROR(synthesizer.cache().Insert(
      key,
      ordered_json{{"stat", mapped.stat}, {"critical_path_ns", mapped.critical_path_ns}}.dump()));
  return mapped;
}

/// `stat` in gates with `top` on top; from the cache if known.
Result<std::string> GateStat(const RtlUnit& unit, const std::string& top, bool is_flat,
                             Synthesizer& synthesizer) {
  const std::string script = ElaborateScript(unit, top, is_flat) + kGateStep;
  const std::string key = Sha256Hex("accelerator 2\n" + synthesizer.yosys_version() + script +
                                    unit.Digest() + unit.files.at("multiplier_map.v"));
  MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known, synthesizer.cache().Find(key));
  if (known.has_value()) return *known;
  MACLOOM_ASSIGN_OR_RETURN(const auto texts, RunYosys(unit, script, {"stat.txt"}));
  MACLOOM_RETURN_IF_ERROR(HierarchyOf(texts.at("stat.txt"), top));
  MACLOOM_RETURN_IF_ERROR(synthesizer.cache().Insert(key, texts.at("stat.txt")));
  return texts.at("stat.txt");
}

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

double HwCost::logic_gate_equivalents() const {
  return static_cast<double>(gates) + kGatesPerFlipFlop * static_cast<double>(flip_flops);
}

double FlatCheck::composed_gate_equivalents() const {
  return static_cast<double>(composed_gates) +
         kGatesPerFlipFlop * static_cast<double>(composed_flip_flops);
}

double FlatCheck::flat_gate_equivalents() const {
  return static_cast<double>(flat_gates) + kGatesPerFlipFlop * static_cast<double>(flat_flip_flops);
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

Result<HwCost> CostOfAccelerator(const arch::HardwareConfig& config,
                                 const std::vector<LibraryFile>& libraries,
                                 Synthesizer& synthesizer) {
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, UnitOf(config));
  MACLOOM_ASSIGN_OR_RETURN(const std::string stat, GateStat(unit, unit.top, false, synthesizer));
  MACLOOM_ASSIGN_OR_RETURN(HwCost cost, Compose(stat, unit.top));
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
  for (const LibraryFile& library : libraries) {
    MACLOOM_ASSIGN_OR_RETURN(const MappedTop mapped, MapTop(unit, library, synthesizer));
    MACLOOM_RETURN_IF_ERROR(AddAreas(mapped.stat, unit.top, library, cost));
    cost.critical_path_ns.push_back(mapped.critical_path_ns);
  }
  return cost;
}

Result<FlatCheck> CheckFlat(const arch::HardwareConfig& config, Synthesizer& synthesizer) {
  arch::HardwareConfig one_row = config;
  one_row.rows = 1;
  MACLOOM_ASSIGN_OR_RETURN(const RtlUnit unit, UnitOf(one_row));
  MACLOOM_ASSIGN_OR_RETURN(
      const auto texts,
      RunYosys(unit, ReadScript(unit) + "tee -o modules.txt ls\n", {"modules.txt"}));
  std::string array;
  std::istringstream lines(texts.at("modules.txt"));
  for (std::string word; lines >> word;) {
    if (PlainName(word) == "loom_array") array = word;
  }
  if (array.empty()) {
    return Error{ErrorKind::kToolFailed, fmt::format("{}: no module loom_array", unit.name)};
  }
  FlatCheck check;
  for (const bool is_flat : {false, true}) {
    MACLOOM_ASSIGN_OR_RETURN(const std::string stat, GateStat(unit, array, is_flat, synthesizer));
    MACLOOM_ASSIGN_OR_RETURN(const HwCost cost, Compose(stat, array));
    (is_flat ? check.flat_gates : check.composed_gates) = cost.gates;
    (is_flat ? check.flat_flip_flops : check.composed_flip_flops) = cost.flip_flops;
  }
  return check;
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
          {"libraries", cost.libraries},
          {"area_um2", cost.area_um2},
          {"critical_path_ns", cost.critical_path_ns},
          {"blocks", BlocksToJson(cost.blocks)},
          {"memories", std::move(memories)}};
}

}  // namespace macloom::cost
