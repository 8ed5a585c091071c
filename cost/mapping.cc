#include "cost/mapping.h"

#include <fmt/format.h>

namespace macloom::cost {
namespace {

// amap covers for area alone. The mappers that minimise delay first (&nf, map) recover area where
// slack is left, so one gate more or less elsewhere moves the area of all others.
constexpr const char* kAbcScript =
    "+strash;ifraig;scorr;dch;amap,-m;topo;buffer,-p,-N,16;upsize;dnsize";

}  // namespace

std::string ConstraintFile(const std::string& tag) { return "drive" + tag + ".constr"; }

std::string NetlistFile(const std::string& tag) { return "netlist" + tag + ".v"; }

std::string MapToCells(const std::string& path, const std::string& before_writing,
                       const std::string& tag) {
  return fmt::format(
      "dfflibmap -liberty {0}\nabc -liberty {0} -constr {1} -script {2}\nopt_clean\n"
      "setundef -zero\nsplitnets\nopt_clean -purge\n{3}"
      "write_verilog -noattr -noexpr -nohex -simple-lhs {4}\n",
      path, ConstraintFile(tag), kAbcScript, before_writing, NetlistFile(tag));
}

Result<std::string> DriveConstraint(const LibraryFile& library) {
  std::string smallest;
  for (const auto& [name, cell] : library.library.cells) {
    const bool is_candidate = !cell.is_sequential && !cell.is_dont_use && cell.pins.size() == 2 &&
                              cell.has_area && cell.pins[0].is_output != cell.pins[1].is_output;
    if (is_candidate && (smallest.empty() || cell.area < library.library.cells.at(smallest).area)) {
      smallest = name;
    }
  }
  if (smallest.empty()) {
    return InvalidInput(library.library.source + ": the library has no inverter or buffer");
  }
  return "set_driving_cell " + smallest + "\n";
}

}  // namespace macloom::cost
