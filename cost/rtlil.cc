#include "cost/rtlil.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <sstream>
#include <vector>

namespace macloom::cost {
namespace {

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

/// Replaces the running number of automatic names (`$add$loom_row.sv:12$345_Y`) by its order of
/// occurrence: it counts over the whole design.
class Renumber {
 public:
  std::string Line(std::string_view line) {
    std::string out;
    for (size_t i = 0; i < line.size();) {
      out += line[i++];
      if (line[i - 1] != '$' || i >= line.size() || !IsDigit(line[i])) continue;
      size_t end = i;
      while (end < line.size() && IsDigit(line[end])) ++end;
      // `$0\name` is a value of a process, `$paramod$12ab..` a digest.
      const bool is_number = end == line.size() || line[end] == ' ' || line[end] == '.' ||
                             line[end] == '_' || line[end] == '[';
      const std::string digits(line.substr(i, end - i));
      out += is_number ? std::to_string(numbers_.try_emplace(digits, numbers_.size()).first->second)
                       : digits;
      i = end;
    }
    return out;
  }

 private:
  std::map<std::string, size_t> numbers_;
};

std::string FirstWord(const std::string& line) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  return word;
}

/// Types of the cells in a module's text.
std::set<std::string> CellTypes(const std::string& text) {
  std::set<std::string> types;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word, type;
    if (words >> word >> type && word == "cell") types.insert(type);
  }
  return types;
}

}  // namespace

Result<std::map<std::string, RtlilModule>> SplitRtlil(std::string_view text) {
  std::map<std::string, RtlilModule> modules;
  std::istringstream lines{std::string(text)};
  std::string name, attributes;
  RtlilModule module;
  Renumber renumber;
  for (std::string line; std::getline(lines, line);) {
    const std::string word = FirstWord(line);
    const bool is_top_level = !line.empty() && line[0] != ' ';
    if (word == "attribute" && line.find("attribute \\src ") != std::string::npos) continue;
    if (is_top_level && word == "attribute") {
      attributes += line + "\n";
    } else if (is_top_level && word == "module") {
      name = line.substr(7);
      renumber = Renumber();
      module.text = attributes + line + "\n";
      module.stub = "attribute \\blackbox 1\n" + line + "\n";
      attributes.clear();
    } else if (is_top_level && word == "end") {
      module.text += "end\n";
      module.stub += "end\n";
      modules[name] = std::move(module);
      name.clear();
    } else if (!name.empty()) {
      const std::string normal = renumber.Line(line);
      module.text += normal + "\n";
      const bool is_port = line.find(" input ") != std::string::npos ||
                           line.find(" output ") != std::string::npos ||
                           line.find(" inout ") != std::string::npos;
      if (word == "wire" && is_port) module.stub += normal + "\n";
    }
  }
  if (modules.empty() || !name.empty()) {
    return Error{ErrorKind::kToolFailed,
                 name.empty() ? std::string("`yosys` wrote a design without modules")
                              : fmt::format("`yosys` wrote only a part of module {}", name)};
  }
  return modules;
}

std::vector<std::string> ModulesBelow(const std::map<std::string, RtlilModule>& modules,
                                      const std::string& module) {
  std::vector<std::string> names = {module};
  for (size_t i = 0; i < names.size(); ++i) {
    for (const std::string& type : CellTypes(modules.at(names[i]).text)) {
      if (modules.count(type) > 0 && std::find(names.begin(), names.end(), type) == names.end()) {
        names.push_back(type);
      }
    }
  }
  return names;
}

RtlilModule WithInputAtZero(const RtlilModule& module, const std::string& port, int width) {
  const std::string name = "\\" + port;
  const std::string zero = name + "_at_zero";
  RtlilModule tied{{}, module.stub};
  bool is_found = false;
  std::istringstream lines(module.text);
  for (std::string line; std::getline(lines, line);) {
    if (line == "end" && is_found)
      tied.text += fmt::format("  connect {} {}'{:0>{}}\n", zero, width, 0, width);
    if (FirstWord(line) == "wire" && line.ends_with(" " + name)) {
      is_found = true;
      tied.text += line + "\n" + fmt::format("  wire width {} {}\n", width, zero);
      continue;
    }
    for (size_t at = 0; (at = line.find(name, at)) != std::string::npos;) {
      const size_t end = at + name.size();
      const bool is_whole =
          (end == line.size() || line[end] == ' ') && at > 0 && line[at - 1] == ' ';
      if (is_whole) line.insert(end, zero.substr(name.size()));
      at = end;
    }
    tied.text += line + "\n";
  }
  return is_found ? tied : module;
}

std::string DesignOf(const std::map<std::string, RtlilModule>& modules,
                     const std::vector<std::string>& names) {
  std::string bodies;
  std::set<std::string> boxes;
  for (const std::string& name : names) {
    bodies += modules.at(name).text;
    for (const std::string& type : CellTypes(modules.at(name).text)) {
      const bool has_body = std::find(names.begin(), names.end(), type) != names.end();
      if (modules.count(type) > 0 && !has_body) boxes.insert(type);
    }
  }
  for (const std::string& box : boxes) bodies += modules.at(box).stub;
  return bodies;
}

}  // namespace macloom::cost
