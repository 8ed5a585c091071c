// What every verb shares: options, error printing, tables, JSON output.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "arch/config.h"
#include "arch/cycle_counts.h"
#include "base/result.h"
#include "ir/graph.h"

namespace macloom::cli {

/// A verb: adds its options to `app` and sets `run` to what happens when it is chosen. `run`
/// returns the exit status, or an error that main() prints.
using Action = std::function<Result<int>()>;
struct Verb {
  CLI::App* app = nullptr;
  Action run;
};

Verb AddImport(CLI::App& app);
Verb AddInspect(CLI::App& app);
Verb AddRun(CLI::App& app);
Verb AddPreset(CLI::App& app);
Verb AddGenerate(CLI::App& app);
Verb AddCompile(CLI::App& app);
Verb AddEstimate(CLI::App& app);
Verb AddVerify(CLI::App& app);
Verb AddVectors(CLI::App& app);
Verb AddCompare(CLI::App& app);
Verb AddReplay(CLI::App& app);
Verb AddCampaign(CLI::App& app);
Verb AddAccum(CLI::App& app);
Verb AddCost(CLI::App& app);
Verb AddQuantize(CLI::App& app);
Verb AddTrain(CLI::App& app);
Verb AddDoctor(CLI::App& app);
Verb AddFeatures(CLI::App& app);

/// --rounding double|single.
struct RoundingOption {
  std::string text = "double";
  void AddTo(CLI::App& app);
  ir::Rounding value() const {
    return text == "single" ? ir::Rounding::kSingle : ir::Rounding::kDouble;
  }
};

/// HW: --config FILE or --preset NAME, with --set KEY=VALUE for single values.
struct HardwareOption {
  std::string config_path;
  std::string preset = "m4l16";
  std::vector<std::string> settings;
  void AddTo(CLI::App& app);
  Result<arch::HardwareConfig> Load() const;
};

/// Writes `json` to `path` unless it is empty.
Status WriteJson(const std::string& path, const nlohmann::ordered_json& json);

/// The counters under the names of docs/formats.md.
nlohmann::ordered_json CycleCountsJson(const arch::CycleCounts& counts);

/// "network NAME (untrained: pseudo-random weights)".
std::string NetworkTitle(const ir::Graph& graph);

/// Prints rows with aligned columns; the first `num_text_columns` to the left, the rest to the
/// right.
void PrintTable(const std::vector<std::vector<std::string>>& rows, size_t num_text_columns);

}  // namespace macloom::cli
