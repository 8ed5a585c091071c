#include "sim/foreign_rtl.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>

#include "base/digest.h"
#include "base/files.h"
#include "rtl/gen/generator.h"

namespace macloom::sim {
namespace {

namespace fs = std::filesystem;

/// The line without comment and without white space at its ends.
std::string EntryOf(std::string line) {
  line = line.substr(0, std::min(line.find("//"), line.find('#')));
  const size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

bool IsModuleName(const std::string& name) {
  return std::regex_match(name, std::regex("[A-Za-z_][A-Za-z0-9_$]*"));
}

std::vector<fs::path> FilesOf(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    if (entry.is_regular_file(failed)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

Result<ForeignRtl> LoadForeignRtl(const fs::path& file_list, const std::string& top) {
  if (!IsModuleName(top)) {
    return InvalidInput(fmt::format("top module `{}`: accepted: [A-Za-z_][A-Za-z0-9_$]*", top));
  }
  MACLOOM_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(file_list));
  ForeignRtl rtl;
  rtl.top = top;
  std::string everything = top + '\0';
  const fs::path folder = fs::absolute(file_list).parent_path();
  std::istringstream lines(text);
  bool has_file = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const std::string entry = EntryOf(line);
    if (entry.empty()) continue;
    const auto bad = [&](const std::string& reason) {
      return InvalidInput(
          fmt::format("{}:{}: `{}`: {}", file_list.string(), number, entry, reason));
    };
    everything += entry + '\0';
    std::error_code failed;
    if (entry.rfind("+define+", 0) == 0) {
      rtl.arguments.push_back(entry);
    } else if (entry.rfind("+incdir+", 0) == 0) {
      const fs::path path = (folder / entry.substr(8)).lexically_normal();
      if (!fs::is_directory(path, failed)) return bad("no such folder");
      rtl.arguments.push_back("+incdir+" + path.string());
      for (const fs::path& file : FilesOf(path)) {
        MACLOOM_ASSIGN_OR_RETURN(const std::string content, ReadTextFile(file));
        everything += file.filename().string() + '\0' + content + '\0';
      }
    } else if (entry[0] == '+' || entry[0] == '-') {
      return bad("accepted: a file, +define+NAME[=VALUE], +incdir+FOLDER");
    } else {
      const fs::path path = (folder / entry).lexically_normal();
      if (!fs::is_regular_file(path, failed)) {
        return bad(fmt::format("no such file (looked for {})", path.string()));
      }
      rtl.arguments.push_back(path.string());
      MACLOOM_ASSIGN_OR_RETURN(const std::string content, ReadTextFile(path));
      everything += content + '\0';
      has_file = true;
    }
  }
  if (!has_file) return InvalidInput(fmt::format("{}: names no file", file_list.string()));
  rtl.digest = Sha256Hex(std::string_view(everything));
  return rtl;
}

Status CheckPorts(std::string_view model_header, const arch::HardwareConfig& config,
                  const std::string& top) {
  // Verilator declares a port as VL_IN8(&name,msb,lsb) or, wider than 64 bits,
  // VL_INW(&name,msb,lsb,words).
  static const std::regex kPort(R"(VL_(INOUT|IN|OUT)\w*\(&(\w+),(\d+),(\d+))");
  struct Found {
    std::string direction;
    int width_bits = 0;
  };
  std::map<std::string, Found> found;
  const std::string header(model_header);
  for (std::sregex_iterator at(header.begin(), header.end(), kPort), end; at != end; ++at) {
    const std::smatch& port = *at;
    std::string direction = port[1];
    std::transform(direction.begin(), direction.end(), direction.begin(), ::tolower);
    found[port[2]] = {direction + (direction == "inout" ? "" : "put"),
                      std::stoi(port[3]) - std::stoi(port[4]) + 1};
  }
  std::string wrong;
  for (const rtl_gen::Port& port : rtl_gen::TopPorts(config)) {
    const std::string direction = port.is_input ? "input" : "output";
    const std::string expected = fmt::format("{} of {} bits", direction, port.width_bits);
    const auto at = found.find(port.name);
    if (at == found.end()) {
      wrong += fmt::format("\n  port {} is missing: expected {}", port.name, expected);
    } else if (at->second.direction != direction || at->second.width_bits != port.width_bits) {
      wrong += fmt::format("\n  port {} is {} of {} bits: expected {}", port.name,
                           at->second.direction, at->second.width_bits, expected);
    }
  }
  if (wrong.empty()) return {};
  return InvalidInput(
      fmt::format("module {} does not have the ports of configuration {} (signature.json of "
                  "`macloom generate`):{}",
                  top, config.name, wrong));
}

}  // namespace macloom::sim
