#include "cost/yosys.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <sstream>

#include "base/digest.h"
#include "base/files.h"
#include "cost/scratch.h"
#include "sim/subprocess.h"

namespace macloom::cost {
namespace {

constexpr const char* kStatStart = "=== ";

}  // namespace

std::string RtlUnit::Digest() const {
  std::string all = top + "\n" + accumulator_register + "\n";
  for (const std::string& name_of_file : order) {
    const std::string& text = files.at(name_of_file);
    all += fmt::format("{} {}\n{}", name_of_file, text.size(), text);
  }
  for (const std::string& module : black_boxes) all += "black box " + module + "\n";
  return Sha256Hex(all);
}

Result<std::string> YosysVersion() {
  const std::filesystem::path program = sim::FindProgram("yosys");
  if (program.empty()) return sim::ToolMissing("yosys", "yosys");
  MACLOOM_ASSIGN_OR_RETURN(const ScratchFolder folder, ScratchFolder::Create());
  const std::filesystem::path log = folder.path() / "version.log";
  MACLOOM_RETURN_IF_ERROR(sim::RunTool({"yosys", "-V"}, folder.path(), log, "yosys"));
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(log));
  return text.substr(0, text.find('\n'));
}

std::string ReadScript(const RtlUnit& unit) {
  std::string script = "read_verilog -sv";
  for (const std::string& name_of_file : unit.order) script += " " + name_of_file;
  script += "\n";
  // Before the hierarchy is derived, so that every parameterised variant of them stays empty.
  for (const std::string& module : unit.black_boxes) script += "blackbox " + module + "\n";
  return script + fmt::format("hierarchy -check -top {}\n", unit.top);
}

Result<std::map<std::string, std::string>> RunYosys(const RtlUnit& unit, const std::string& script,
                                                    const std::vector<std::string>& results) {
  MACLOOM_ASSIGN_OR_RETURN(const ScratchFolder folder, ScratchFolder::Create());
  for (const auto& [name_of_file, text] : unit.files) {
    MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(folder.path() / name_of_file, text));
  }
  MACLOOM_RETURN_IF_ERROR(WriteFileAtomically(folder.path() / "script.ys", script));
  const std::filesystem::path log = folder.path() / "yosys.log";
  const Status run = sim::RunTool({"yosys", "-q", "script.ys"}, folder.path(), log, "yosys");
  if (!run.ok()) {
    return Error{run.error().kind, fmt::format("{}: {}", unit.name, run.error().message)};
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::string messages, ReadTextFile(log));
  const size_t implicit = messages.find("is implicitly declared");
  if (implicit != std::string::npos) {
    const size_t start = messages.rfind('\n', implicit) + 1;
    return Error{ErrorKind::kToolFailed,
                 fmt::format("{}: `yosys` leaves a signal without driver: {}", unit.name,
                             messages.substr(start, messages.find('\n', implicit) - start))};
  }
  std::map<std::string, std::string> texts;
  for (const std::string& result : results) {
    MACLOOM_ASSIGN_OR_RETURN(texts[result], ReadTextFile(folder.path() / result));
  }
  return texts;
}

std::vector<std::string> ModulesOf(const std::string& stat) {
  std::vector<std::string> modules;
  std::istringstream lines(stat);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(kStatStart) || !line.ends_with(" ===")) continue;
    const std::string module = line.substr(4, line.size() - 8);
    if (module != "design hierarchy") modules.push_back(module);
  }
  return modules;
}

Result<std::map<std::string, int64_t>> CellsOf(const std::string& stat, const std::string& module) {
  std::map<std::string, int64_t> cells;
  std::istringstream lines(stat);
  std::string line;
  const std::string start = kStatStart + module + " ===";
  while (std::getline(lines, line) && line != start) {
  }
  if (!lines) {
    return Error{ErrorKind::kToolFailed, fmt::format("`yosys` printed no module {}", module)};
  }
  bool is_in_cells = false;
  while (std::getline(lines, line) && !line.starts_with(kStatStart)) {
    if (line.find("Number of cells:") != std::string::npos) {
      is_in_cells = true;
      continue;
    }
    std::istringstream words(line);
    std::string type;
    int64_t count = 0;
    if (is_in_cells && words >> type >> count) cells[type] += count;
    if (is_in_cells && line.empty()) break;
  }
  return cells;
}

}  // namespace macloom::cost
