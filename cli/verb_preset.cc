#include <fmt/format.h>

#include <memory>

#include "cli/common.h"

namespace macloom::cli {

Verb AddPreset(CLI::App& app) {
  auto name = std::make_shared<std::string>();
  CLI::App* verb = app.add_subcommand("preset", "hardware configurations that come with macloom");
  verb->require_subcommand(1);
  CLI::App* list = verb->add_subcommand("list", "the presets and their main parameters");
  CLI::App* show = verb->add_subcommand("show", "a preset as hardware TOML");
  show->add_option("NAME", *name, "preset")->required();
  return {verb, [name, list]() -> Result<int> {
            if (!list->parsed()) {
              MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, arch::Preset(*name));
              fmt::print("{}", arch::ToToml(config));
              return 0;
            }
            std::vector<std::vector<std::string>> rows = {{"preset", "rows", "lanes", "MACs",
                                                           "acc bits", "requant lanes", "banks",
                                                           "activation KiB"}};
            for (const std::string& preset : arch::PresetNames()) {
              MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, arch::Preset(preset));
              rows.push_back({preset, std::to_string(config.rows), std::to_string(config.lanes),
                              std::to_string(config.rows * config.lanes),
                              std::to_string(config.accumulator_bits),
                              std::to_string(config.requant_lanes),
                              std::to_string(config.activation_banks),
                              std::to_string(config.activation_bytes / 1024)});
            }
            PrintTable(rows, 1);
            return 0;
          }};
}

}  // namespace macloom::cli
