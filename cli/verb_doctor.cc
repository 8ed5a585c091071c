#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <filesystem>

#include "cli/common.h"
#include "sim/model_cache.h"
#include "sim/subprocess.h"

namespace macloom::cli {
namespace {

struct Tool {
  const char* program;
  const char* package;
  const char* purpose;
  bool is_required;
};

constexpr std::array<Tool, 5> kTools = {
    {{"verilator", "verilator", "RTL simulation", true},
     {"g++", "g++", "RTL simulation", true},
     {"make", "make", "RTL simulation", true},
     {"yosys", "yosys", "run_icarus.sh of generate --testbench, tests", false},
     {"iverilog", "iverilog", "run_icarus.sh, examples/own_lane", false}}};

/// First line of `program --version` (Yosys and Icarus: -V).
std::string VersionOf(const std::filesystem::path& program) {
  const std::string flag =
      program.filename() == "yosys" || program.filename() == "iverilog" ? "-V" : "--version";
  std::FILE* pipe = ::popen(("'" + program.string() + "' " + flag + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return "?";
  char line[200] = "";
  if (std::fgets(line, sizeof line, pipe) == nullptr) line[0] = '\0';
  ::pclose(pipe);
  std::string text(line);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.empty() ? "?" : text;
}

}  // namespace

Verb AddDoctor(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("doctor", "tools found, versions, cache");
  return {verb, []() -> Result<int> {
            bool is_missing = false;
            std::vector<std::vector<std::string>> rows = {{"tool", "needed for", "found"}};
            for (const Tool& tool : kTools) {
              const std::filesystem::path path = sim::FindProgram(tool.program);
              is_missing |= path.empty() && tool.is_required;
              rows.push_back({tool.program, tool.purpose,
                              path.empty() ? fmt::format("missing: apt install {}", tool.package)
                                           : VersionOf(path)});
            }
            PrintTable(rows, 3);
            const std::filesystem::path cache = sim::CacheDirectory();
            std::error_code ignored;
            uintmax_t bytes = 0;
            for (auto it = std::filesystem::recursive_directory_iterator(cache, ignored);
                 it != std::filesystem::recursive_directory_iterator(); it.increment(ignored)) {
              if (it->is_regular_file(ignored)) bytes += it->file_size(ignored);
            }
            fmt::print("\nRTL models are cached in {} ({:.1f} MB); remove the folder to clear it\n",
                       cache.string(), static_cast<double>(bytes) / 1e6);
            return is_missing ? 3 : 0;
          }};
}

}  // namespace macloom::cli
