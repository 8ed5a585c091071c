// Options of `macloom train`, shared by the verb and the program that trains.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace macloom::train {

struct RunOptions {
  std::string recipe, output, data, extra, float_from;
  bool is_resumed = false;
  uint64_t seed = 0;  ///< 0: the recipe's.
  int rotation = -1;  ///< -1: the recipe's.
};

inline void AddOptions(CLI::App& app, RunOptions& options) {
  app.add_option("RECIPE", options.recipe, "TOML recipe (docs/training.md)")->required();
  app.add_option("-o,--output", options.output, "folder for network, figures and checkpoint")
      ->required();
  app.add_option("--data", options.data, "data.path of the recipe");
  app.add_option("--extra", options.extra, "data.extra of the recipe");
  app.add_option("--seed", options.seed, "seed of the recipe")->check(CLI::Range(1, 1000000000));
  app.add_option("--rotation", options.rotation, "data.rotation of the recipe")
      ->check(CLI::Range(0, 4));
  app.add_option("--float-from", options.float_from,
                 "folder of another run: its float network instead of training one");
  app.add_flag("--resume", options.is_resumed, "continue from the checkpoint in the folder");
}

}  // namespace macloom::train
