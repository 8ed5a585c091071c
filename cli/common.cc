#include "cli/common.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/files.h"

namespace macloom::cli {

void RoundingOption::AddTo(CLI::App& app) {
  app.add_option("--rounding", text, "arithmetic a foreign file is read with")
      ->check(CLI::IsMember({"double", "single"}))
      ->capture_default_str();
}

void HardwareOption::AddTo(CLI::App& app) {
  auto* config = app.add_option("--config", config_path, "hardware TOML file");
  app.add_option("--preset", preset, "hardware preset")->capture_default_str()->excludes(config);
  app.add_option("--set", settings,
                 "KEY=VALUE over the configuration, e.g. acc.width_bits=20; repeatable");
}

Result<arch::HardwareConfig> HardwareOption::Load() const {
  Result<arch::HardwareConfig> config =
      config_path.empty() ? arch::Preset(preset) : arch::LoadConfig(config_path);
  if (!config.ok()) return config.error();
  arch::HardwareConfig result = *config;
  for (const std::string& setting : settings) {
    MACLOOM_ASSIGN_OR_RETURN(result, arch::WithSetting(result, setting));
  }
  return result;
}

Status WriteJson(const std::string& path, const nlohmann::ordered_json& json) {
  if (path.empty()) return {};
  return WriteFileAtomically(path, json.dump(2) + "\n");
}

nlohmann::ordered_json CycleCountsJson(const arch::CycleCounts& c) {
  return {{"total_cycles", c.total_cycles},
          {"busy_cycles", c.busy_cycles},
          {"stall_activation_cycles", c.stall_activation_cycles},
          {"stall_weight_cycles", c.stall_weight_cycles},
          {"stall_output_cycles", c.stall_output_cycles},
          {"stall_dma_read_cycles", c.stall_dma_read_cycles},
          {"stall_dma_write_cycles", c.stall_dma_write_cycles},
          {"idle_cycles", c.idle_cycles},
          {"read_beats", c.read_beats},
          {"write_beats", c.write_beats}};
}

std::string NetworkTitle(const ir::Graph& graph) {
  return fmt::format("network {}{}", graph.name,
                     graph.is_untrained ? " (untrained: pseudo-random weights)" : "");
}

void PrintTable(const std::vector<std::vector<std::string>>& rows, size_t num_text_columns) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += i < num_text_columns ? fmt::format("{:<{}}  ", row[i], widths[i])
                                   : fmt::format("{:>{}}  ", row[i], widths[i]);
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    fmt::print("{}\n", line);
  }
}

}  // namespace macloom::cli
