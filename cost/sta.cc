#include "cost/sta.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/files.h"
#include "cost/scratch.h"
#include "sim/subprocess.h"

namespace macloom::cost {
namespace {

/// Long enough that no path misses it: slack = kPeriodNs - path.
constexpr double kPeriodNs = 100000.0;

Status RunSta(const ScratchFolder& folder, const std::string& script) {
  MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(folder.path() / "timing.tcl", script));
  return sim::RunTool({"sta", "-no_init", "-no_splash", "-exit", "timing.tcl"}, folder.path(),
                      folder.path() / "sta.log", "opensta");
}

/// Longest of the paths (one per path group) that follow the mark `BEGIN name`; 0 without any.
double PathAfter(const std::string& log, const std::string& mark) {
  const size_t start = log.find("BEGIN " + mark + "\n");
  if (start == std::string::npos) return 0.0;
  double longest = 0.0;
  std::istringstream lines(log.substr(start + 1, log.find("BEGIN ", start + 1) - start));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("slack (") == std::string::npos) continue;
    longest = std::max(longest, kPeriodNs - std::strtod(line.c_str(), nullptr));
  }
  return longest;
}

}  // namespace

Result<std::string> StaVersion() {
  if (sim::FindProgram("sta").empty()) return sim::ToolMissing("sta", "opensta");
  MACLOOM_ASSIGN_OR_RETURN(const ScratchFolder folder, ScratchFolder::Create());
  const std::filesystem::path log = folder.path() / "sta.log";
  MACLOOM_RETURN_IF_ERROR(sim::RunTool({"sta", "-version"}, folder.path(), log, "opensta"));
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(log));
  return text.substr(0, text.find('\n'));
}

Result<Timing> AnalyseTiming(const std::string& verilog, const std::string& top,
                             const LibraryFile& library,
                             const std::vector<std::string>& loop_instances) {
  MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
  MACLOOM_ASSIGN_OR_RETURN(const ScratchFolder folder, ScratchFolder::Create());
  MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(folder.path() / "netlist.v", verilog));
  std::string script = fmt::format(
      "read_liberty {{{}}}\nset_cmd_units -time ns\nread_verilog netlist.v\nlink_design {}\n"
      "create_clock -name clk -period {} [get_ports clk_i]\n"
      "set_input_delay 0 -clock clk [all_inputs]\nset_output_delay 0 -clock clk [all_outputs]\n"
      "puts \"BEGIN all\"\nreport_checks -path_delay max -digits 6 -format full\n",
      library.path.string(), top, kPeriodNs);
  if (!loop_instances.empty()) {
    std::string cells;
    for (const std::string& name : loop_instances) cells += " " + name;
    script += fmt::format(
        "set loop [get_cells {{{}}}]\nputs \"BEGIN loop\"\n"
        "report_checks -path_delay max -digits 6 -format full -from $loop -to $loop\n",
        cells);
  }
  MACLOOM_RETURN_IF_ERROR(RunSta(folder, script + "puts \"BEGIN end\"\n"));
  MACLOOM_ASSIGN_OR_RETURN(const std::string log, ReadTextFile(folder.path() / "sta.log"));
  if (log.find("BEGIN end") == std::string::npos || log.find("Error:") != std::string::npos) {
    const size_t error = log.find("Error:");
    return Error{
        ErrorKind::kToolFailed,
        fmt::format("`sta` failed: {}", error == std::string::npos
                                            ? "it ended early"
                                            : log.substr(error, log.find('\n', error) - error))};
  }
  if (PathAfter(log, "all") <= 0.0) {
    return Error{ErrorKind::kToolFailed, fmt::format("`sta` found no path in {}", top)};
  }
  // The unrestricted search can end a few ps short of the restricted one.
  const double loop_path_ns = PathAfter(log, "loop");
  return Timing{std::max(PathAfter(log, "all"), loop_path_ns), loop_path_ns};
}

}  // namespace macloom::cost
