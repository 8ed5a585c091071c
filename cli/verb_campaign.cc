#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "arch/corner_configs.h"
#include "base/files.h"
#include "campaign/campaign.h"
#include "cli/common.h"

namespace macloom::cli {
namespace {

using campaign::Bin;
using campaign::Property;

struct CampaignOptions {
  std::vector<std::string> configs;
  std::string keep = "campaign-failure", json;
  bool is_presets_only = false, requires_coverage = false;
  campaign::CampaignOptions campaign;
};

Result<std::vector<arch::HardwareConfig>> Configs(const CampaignOptions& options) {
  std::vector<arch::HardwareConfig> configs;
  for (const std::string& path : options.configs) {
    MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, arch::LoadConfig(path));
    configs.push_back(config);
  }
  if (!configs.empty()) return configs;
  for (const std::string& name : arch::PresetNames()) {
    MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, arch::Preset(name));
    configs.push_back(config);
  }
  if (!options.is_presets_only) {
    const std::vector<arch::HardwareConfig> corners = arch::CornerConfigs();
    configs.insert(configs.end(), corners.begin(), corners.end());
  }
  return configs;
}

/// One row per property, one column per operator; empty where a bin cannot occur.
void PrintCoverage(const campaign::Coverage& coverage) {
  std::vector<std::string> header = {"bin"};
  for (int column = 0; column < campaign::kNumColumns; ++column) {
    std::string name = campaign::ColumnName(column);
    name = name.substr(0, name.find('_'));
    if (name == "CONCATENATION") name = "CONCAT";
    if (name == "FULLY") name = "FC";
    header.push_back(name);
  }
  std::vector<std::vector<std::string>> rows = {header};
  for (int p = 0; p < campaign::kNumProperties; ++p) {
    const auto property = static_cast<Property>(p);
    std::vector<std::string> row = {campaign::PropertyName(property)};
    bool is_possible = false;
    for (int column = 0; column < campaign::kNumColumns; ++column) {
      const Bin bin{property, column};
      is_possible |= coverage.IsRequired(bin);
      row.push_back(!coverage.IsRequired(bin) ? "."
                    : coverage.hits(bin) == 0 ? "MISSING"
                                              : std::to_string(coverage.hits(bin)));
    }
    if (is_possible) rows.push_back(row);
  }
  PrintTable(rows, 1);
}

nlohmann::ordered_json ToJson(const campaign::Coverage& coverage) {
  nlohmann::ordered_json json = {{"required", coverage.num_required()},
                                 {"hit", coverage.num_hit()},
                                 {"crosses", coverage.num_crosses()},
                                 {"crosses_hit", coverage.num_crosses_hit()},
                                 {"bins", nlohmann::ordered_json::array()}};
  for (int p = 0; p < campaign::kNumProperties; ++p) {
    for (int column = 0; column < campaign::kNumColumns; ++column) {
      const Bin bin{static_cast<Property>(p), column};
      if (!coverage.IsRequired(bin)) continue;
      json["bins"].push_back({{"operator", campaign::ColumnName(column)},
                              {"property", campaign::PropertyName(bin.property)},
                              {"hits", coverage.hits(bin)}});
    }
  }
  return json;
}

/// Keeps the failing case, original and shrunk, and prints how to run it again.
Status Report(const CampaignOptions& options, const campaign::Failure& failure,
              nlohmann::ordered_json& json) {
  const campaign::ShrinkResult& shrunk = failure.shrunk;
  const campaign::Case& test_case = shrunk.test_case;
  MACLOOM_RETURN_IF_ERROR(campaign::SaveCase(test_case, shrunk.expected, options.keep));
  const std::string stalls = test_case.timing.random_stalls
                                 ? fmt::format(" --stalls --seed {}", test_case.timing.seed)
                                 : "";
  fmt::print("\nnetwork {} of seed {} on {} differs; shrunk in {} executions to\n\n{}\n",
             failure.index, options.campaign.seed, test_case.config.name, shrunk.executions,
             ir::ToText(test_case.graph));
  fmt::print("first mismatch: {}\n", shrunk.outcome.mismatch);
  const char* device = shrunk.outcome.is_descriptor_wrong ? " --device descriptor" : "";
  // replay compares tensors, verify also counts.
  const std::string command =
      shrunk.outcome.is_tensor_wrong
          ? fmt::format("macloom replay {}{}{}", options.keep, device, stalls)
          : fmt::format(
                "macloom verify {0}/network.safetensors --config {0}/hardware.toml "
                "--inputs {0}/inputs.npy --accumulator-bits {1} --overflow {2}{3}",
                options.keep, shrunk.expected.job.effective_accumulator_bits,
                shrunk.expected.job.overflow == ir::Overflow::kWrap ? "wrap" : "saturate", stalls);
  fmt::print("\nkept; again by\n  {}\n", command);
  json["failure"] = {{"index", failure.index},
                     {"configuration", test_case.config.name},
                     {"first_mismatch", shrunk.outcome.mismatch},
                     {"is_tensor_wrong", shrunk.outcome.is_tensor_wrong},
                     {"nodes", test_case.graph.nodes.size()},
                     {"job", options.keep},
                     {"command", command}};
  return {};
}

Result<int> RunCampaign(CampaignOptions options) {
  MACLOOM_ASSIGN_OR_RETURN(options.campaign.configs, Configs(options));
  // A campaign may run for hours; that its result can be written must be known before.
  MACLOOM_RETURN_IF_ERROR(OutputDirectory::Create(options.keep));
  MACLOOM_ASSIGN_OR_RETURN(const campaign::CampaignResult result,
                           campaign::RunCampaign(options.campaign));
  nlohmann::ordered_json json = {{"format", "macloom.campaign"},
                                 {"format_version", 1},
                                 {"seed", options.campaign.seed},
                                 {"executed", result.executed},
                                 {"refused", result.refused},
                                 {"with_overflow", result.with_overflow},
                                 {"mismatches", result.failure ? 1 : 0},
                                 {"is_time_over", result.is_time_over},
                                 {"seconds", result.seconds}};
  for (const arch::HardwareConfig& config : options.campaign.configs) {
    json["configurations"].push_back({{"name", config.name}, {"digest", arch::Digest(config)}});
  }
  json["coverage"] = ToJson(result.coverage);
  fmt::print(
      "seed {}, {} configurations, {} networks three ways, {} with accumulator overflow, "
      "{} draws refused by the compiler, {:.1f} s ({:.1f} networks/s){}\n\n",
      options.campaign.seed, options.campaign.configs.size(), result.executed, result.with_overflow,
      result.refused, result.seconds,
      static_cast<double>(result.executed) / std::max(1e-3, result.seconds),
      result.is_time_over ? ", time over" : "");
  PrintCoverage(result.coverage);
  const std::vector<Bin> missing = result.coverage.missing();
  fmt::print("\n{} of {} bins met; {} of {} of operator x shape x policy x event\n",
             result.coverage.num_hit(), result.coverage.num_required(),
             result.coverage.num_crosses_hit(), result.coverage.num_crosses());
  for (const Bin& bin : missing) fmt::print("  missing: {}\n", campaign::ToString(bin));
  if (result.failure) MACLOOM_RETURN_IF_ERROR(Report(options, *result.failure, json));
  const bool is_covered = missing.empty() || !options.requires_coverage;
  json["passed"] = !result.failure && is_covered;
  fmt::print("\ngolden = descriptor device = RTL: {}\n", result.failure ? "FAIL" : "PASS");
  if (options.requires_coverage && !result.failure) {
    fmt::print("coverage: {}\n", is_covered ? "PASS" : "FAIL");
  }
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  return !result.failure && is_covered ? 0 : 1;
}

}  // namespace

Verb AddCampaign(CLI::App& app) {
  auto options = std::make_shared<CampaignOptions>();
  CLI::App* verb = app.add_subcommand(
      "campaign", "random networks on many configurations: golden = descriptor device = RTL");
  verb->add_option("--networks", options->campaign.num_networks, "networks to execute")
      ->capture_default_str();
  verb->add_option("--seed", options->campaign.seed, "seed of the networks")->capture_default_str();
  auto* configs =
      verb->add_option("--configs", options->configs,
                       "hardware TOML files, separated by commas; default: the presets and the "
                       "corner configurations")
          ->delimiter(',');
  verb->add_flag("--presets", options->is_presets_only, "only the presets")->excludes(configs);
  verb->add_option("--time-limit", options->campaign.time_limit_s,
                   "stop after so many seconds; 0 = never")
      ->capture_default_str();
  verb->add_option("--keep", options->keep, "job folder for the first failing network")
      ->capture_default_str();
  verb->add_flag("--require-coverage", options->requires_coverage,
                 "exit 1 if a bin that can occur was not met");
  verb->add_option("--json", options->json, "write the result as JSON");
  return {verb, [options] { return RunCampaign(*options); }};
}

}  // namespace macloom::cli
