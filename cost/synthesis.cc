#include "cost/synthesis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/digest.h"
#include "cost/mapping.h"
#include "cost/sta.h"
#include "cost/yosys.h"

namespace macloom::cost {
namespace {

using nlohmann::ordered_json;

// alumacc would fuse `acc + a * b` into a $macc cell whose partial products are sign-extended over
// the whole accumulator (docs/cost.md).
constexpr const char* kSynth = "synth -noalumacc -flatten -top {}\n";

std::string GateScript(const RtlUnit& unit) {
  return ReadScript(unit) + fmt::format(fmt::runtime(kSynth), unit.top) +
         "abc -g AND,NAND,OR,NOR,XOR,XNOR,ANDNOT,ORNOT\nopt_clean\ntee -o stat.txt stat\n";
}

/// Without the first abc of synth: what it makes of the structure is its own noise.
std::string FrontScript(const RtlUnit& unit) {
  return ReadScript(unit) + fmt::format("synth -noalumacc -flatten -noabc -top {}\n", unit.top);
}

std::string MapKey(const std::string& versions, const RtlUnit& unit, const LibraryFile& library) {
  return Sha256Hex("map 3\n" + versions + library.digest + FrontScript(unit) + MapToCells("") +
                   unit.Digest());
}

std::optional<MappedArea> ReadArea(const std::optional<std::string>& known) {
  if (!known.has_value()) return std::nullopt;
  const ordered_json json = ordered_json::parse(*known, nullptr, false);
  if (!json.is_object() || !json.contains("loop_path_ns")) return std::nullopt;
  return MappedArea{json["area_um2"],         json["flip_flop_area_um2"], json["cells"],
                    json["flip_flops"],       json["flip_flop_um2"],      json["leakage_nw"],
                    json["critical_path_ns"], json["loop_path_ns"]};
}

std::string WriteArea(const MappedArea& area) {
  return ordered_json{{"area_um2", area.area_um2},
                      {"flip_flop_area_um2", area.flip_flop_area_um2},
                      {"cells", area.cells},
                      {"flip_flops", area.flip_flops},
                      {"flip_flop_um2", area.largest_flip_flop_um2},
                      {"leakage_nw", area.leakage_nw},
                      {"critical_path_ns", area.critical_path_ns},
                      {"loop_path_ns", area.loop_path_ns}}
      .dump();
}

bool IsNamed(const Netlist& netlist, int net, const std::string& part) {
  return net >= 0 && netlist.net_names[net].find(part) != std::string::npos;
}

/// Flip-flops whose output, or its inverse (libraries with QN only), has `part` in its name.
std::vector<std::string> RegistersNamed(const Netlist& netlist, const LibertyLibrary& library,
                                        const std::string& part) {
  std::vector<bool> is_inverse_named(netlist.net_names.size(), false);
  for (const NetlistInstance& instance : netlist.instances) {
    if (instance.pins.size() != 2 || library.cells.at(instance.cell).is_sequential) continue;
    const LibertyPin* first = library.cells.at(instance.cell).Find(instance.pins[0].first);
    const bool is_output_first = first != nullptr && first->is_output;
    const int output = instance.pins[is_output_first ? 0 : 1].second;
    const int input = instance.pins[is_output_first ? 1 : 0].second;
    if (IsNamed(netlist, output, part)) is_inverse_named[input] = true;
  }
  std::vector<std::string> names;
  for (const NetlistInstance& instance : netlist.instances) {
    const LibertyCell& cell = library.cells.at(instance.cell);
    if (!cell.is_sequential) continue;
    for (const auto& [pin, net] : instance.pins) {
      const LibertyPin* description = cell.Find(pin);
      if (description != nullptr && description->is_output &&
          (IsNamed(netlist, net, part) || is_inverse_named[net])) {
        names.push_back(instance.name);
        break;
      }
    }
  }
  return names;
}

bool IsGate(const std::string& type) {
  static const std::array<const char*, 8> gates = {"$_AND_", "$_NAND_", "$_OR_",     "$_NOR_",
                                                   "$_XOR_", "$_XNOR_", "$_ANDNOT_", "$_ORNOT_"};
  return std::find(gates.begin(), gates.end(), type) != gates.end();
}

}  // namespace

Result<Synthesizer> Synthesizer::Create(ResultCache cache) {
  MACLOOM_ASSIGN_OR_RETURN(std::string version, YosysVersion());
  return Synthesizer(std::move(cache), std::move(version));
}

Result<GateCount> Synthesizer::Gates(const RtlUnit& unit) {
  const std::string script = GateScript(unit);
  const std::string key = Sha256Hex("gates 1\n" + yosys_version_ + script + unit.Digest());
  MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known, cache_.Find(key));
  if (known.has_value()) {
    const ordered_json json = ordered_json::parse(*known, nullptr, false);
    if (json.is_object() && json.contains("gates")) {
      ++num_cached_;
      return GateCount{json["gates"], json["inverters"], json["flip_flops"]};
    }
  }
  MACLOOM_ASSIGN_OR_RETURN(const auto texts, RunYosys(unit, script, {"stat.txt"}));
  MACLOOM_ASSIGN_OR_RETURN(const auto cells, CellsOf(texts.at("stat.txt"), unit.top));
  GateCount count;
  for (const auto& [type, number] : cells) {
    if (IsGate(type)) {
      count.gates += number;
    } else if (type == "$_NOT_") {
      count.inverters += number;
    } else if (type.starts_with("$_DFF") || type.starts_with("$_SDFF")) {
      count.flip_flops += number;
    } else {
      return Error{ErrorKind::kToolFailed,
                   fmt::format("{}: `yosys` left {} cells {} that are neither gates nor flip-flops",
                               unit.name, number, type)};
    }
  }
  ++num_made_;
  MACLOOM_RETURN_IF_ERROR(cache_.Insert(key, ordered_json{{"gates", count.gates},
                                                          {"inverters", count.inverters},
                                                          {"flip_flops", count.flip_flops}}
                                                 .dump()));
  return count;
}

Status Synthesizer::MakeNetlists(const RtlUnit& unit,
                                 const std::vector<const LibraryFile*>& libraries) {
  if (libraries.empty()) return {};
  RtlUnit with_constraints = unit;
  std::string script = FrontScript(unit) + "design -save front\n";
  std::vector<std::string> files;
  for (size_t i = 0; i < libraries.size(); ++i) {
    const std::string tag = fmt::format("_{}", i);
    MACLOOM_ASSIGN_OR_RETURN(with_constraints.files[ConstraintFile(tag)],
                             DriveConstraint(*libraries[i]));
    script += "design -load front\n" + MapToCells(libraries[i]->path.string(), "", tag);
    files.push_back(NetlistFile(tag));
  }
  MACLOOM_ASSIGN_OR_RETURN(auto texts, RunYosys(with_constraints, script, files));
  if (netlists_of_ != unit.Digest()) netlists_.clear();
  netlists_of_ = unit.Digest();
  for (size_t i = 0; i < libraries.size(); ++i) {
    netlists_[libraries[i]->digest] = std::move(texts.at(files[i]));
  }
  return {};
}

Result<std::string> Synthesizer::MappedVerilog(const RtlUnit& unit, const LibraryFile& library) {
  if (netlists_of_ != unit.Digest() || netlists_.count(library.digest) == 0) {
    MACLOOM_RETURN_IF_ERROR(MakeNetlists(unit, {&library}));
  }
  return netlists_.at(library.digest);
}

Result<MappedArea> Synthesizer::AreaOf(const RtlUnit& unit, const LibraryFile& library,
                                       const std::string& verilog) const {
  MappedArea area;
  MACLOOM_ASSIGN_OR_RETURN(const Netlist netlist, ReadNetlist(verilog, unit.name));
  for (const NetlistInstance& instance : netlist.instances) {
    const auto found = library.library.cells.find(instance.cell);
    if (found == library.library.cells.end() || !found->second.has_area) {
      return InvalidInput(fmt::format("{}: the netlist of {} has a cell {} without area",
                                      library.library.source, unit.name, instance.cell));
    }
    const LibertyCell& cell = found->second;
    area.area_um2 += cell.area;
    area.leakage_nw += cell.leakage_nw;
    ++area.cells;
    if (!cell.is_sequential) continue;
    ++area.flip_flops;
    area.flip_flop_area_um2 += cell.area;
    area.largest_flip_flop_um2 = std::max(area.largest_flip_flop_um2, cell.area);
  }
  const std::vector<std::string> loop =
      unit.accumulator_register.empty()
          ? std::vector<std::string>()
          : RegistersNamed(netlist, library.library, unit.accumulator_register);
  MACLOOM_ASSIGN_OR_RETURN(const Timing timing, AnalyseTiming(verilog, unit.top, library, loop));
  area.critical_path_ns = timing.critical_path_ns;
  area.loop_path_ns = timing.loop_path_ns;
  return area;
}

Result<std::vector<MappedArea>> Synthesizer::Map(const RtlUnit& unit,
                                                 const std::vector<LibraryFile>& libraries) {
  for (const LibraryFile& library : libraries) {
    MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
  }
  if (sta_version_.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(sta_version_, StaVersion());
  }
  const std::string versions = yosys_version_ + sta_version_;
  std::vector<std::optional<MappedArea>> areas(libraries.size());
  std::vector<const LibraryFile*> missing;
  for (size_t i = 0; i < libraries.size(); ++i) {
    MACLOOM_ASSIGN_OR_RETURN(const std::optional<std::string> known,
                             cache_.Find(MapKey(versions, unit, libraries[i])));
    areas[i] = ReadArea(known);
    if (!areas[i]) missing.push_back(&libraries[i]);
  }
  MACLOOM_RETURN_IF_ERROR(MakeNetlists(unit, missing));
  num_cached_ += static_cast<int>(libraries.size() - missing.size());
  num_made_ += static_cast<int>(missing.size());
  std::vector<MappedArea> all;
  for (size_t i = 0; i < libraries.size(); ++i) {
    if (!areas[i]) {
      MACLOOM_ASSIGN_OR_RETURN(areas[i],
                               AreaOf(unit, libraries[i], netlists_.at(libraries[i].digest)));
      MACLOOM_RETURN_IF_ERROR(
          cache_.Insert(MapKey(versions, unit, libraries[i]), WriteArea(*areas[i])));
    }
    all.push_back(*areas[i]);
  }
  return all;
}

}  // namespace macloom::cost
