#include "cli/cost_claim.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/progress.h"
#include "cli/claim_networks.h"
#include "cli/claim_print.h"
#include "cost/claim_measure.h"
#include "reports/claim_plot.h"

namespace macloom::cli {
namespace {

struct ClaimOptions {
  HardwareOption hardware;
  std::string model = "ds-cnn-untrained", calibrate, labels;
  std::vector<std::string> formats, libraries = {cost::kDefaultLibrary};
  std::vector<std::string> levels{std::begin(cost::kClaimLevels), std::end(cost::kClaimLevels)};
  std::string memory_library;
  int lanes = 16, jobs = 2, energy_cycles = 0, system_libraries = 1;
  uint64_t seed = 1;
  std::string json, svg;
};

Status OpenLibraries(const ClaimOptions& options, cost::ClaimRequest& request) {
  for (const std::string& name : options.libraries) {
    MACLOOM_ASSIGN_OR_RETURN(cost::LibraryFile library, cost::OpenLibrary(name));
    MACLOOM_RETURN_IF_ERROR(library.library.RequireTiming());
    request.libraries.push_back(std::move(library));
  }
  request.num_system_libraries =
      std::min(request.libraries.size(), static_cast<size_t>(options.system_libraries));
  if (options.energy_cycles == 0) return {};
  request.energy_libraries = {0};
  if (!options.memory_library.empty()) {
    const auto found =
        std::find(options.libraries.begin(), options.libraries.end(), options.memory_library);
    if (found == options.libraries.end()) {
      return InvalidInput(
          fmt::format("--memory-node {}: accepted is one of --library", options.memory_library));
    }
    const auto index = static_cast<size_t>(found - options.libraries.begin());
    if (index != 0) request.energy_libraries.push_back(index);
    request.memory_library = index;
  }
  for (const size_t index : request.energy_libraries) {
    MACLOOM_RETURN_IF_ERROR(request.libraries[index].library.RequirePower());
  }
  return {};
}

/// Whether every accelerator runs its network, before the first of them is synthesised.
Status CheckNetworks(const std::vector<std::string>& formats, const ClaimNetworks& networks,
                     const arch::HardwareConfig& base) {
  for (const std::string& format : formats) {
    MACLOOM_ASSIGN_OR_RETURN(const cost::MacSpec spec, cost::ParseMacSpec(format));
    const Result<arch::HardwareConfig> config = cost::ConfigOf(spec, base);
    if (!config.ok()) continue;
    MACLOOM_RETURN_IF_ERROR(networks.Run(spec, *config));
  }
  return {};
}

Result<std::vector<cost::ClaimAccuracy>> Accuracies(const ClaimOptions& options,
                                                    const cost::ClaimTable& table,
                                                    const ClaimNetworks& networks,
                                                    const arch::HardwareConfig& base) {
  std::vector<cost::ClaimAccuracy> accuracies;
  if (options.labels.empty()) return accuracies;
  ProgressLine progress("accuracy", static_cast<int64_t>(2 * table.units.size()));
  int64_t done = 0;
  for (const cost::ClaimUnit& unit : table.units) {
    for (const bool is_per_channel : {false, true}) {
      progress.Update(++done, unit.name);
      if (!unit.system) continue;
      const bool is_shift = unit.name.ends_with(cost::kShiftSuffix);
      const std::string format = unit.name.substr(0, unit.name.find(' '));
      MACLOOM_ASSIGN_OR_RETURN(const cost::MacSpec spec, cost::ParseMacSpec(format));
      MACLOOM_ASSIGN_OR_RETURN(arch::HardwareConfig config, cost::ConfigOf(spec, base));
      if (is_shift) config.requant_kind = arch::RequantKind::kShift;
      MACLOOM_ASSIGN_OR_RETURN(
          cost::ClaimAccuracy accuracy,
          networks.Accuracy(unit.name, spec, config, is_per_channel, options.labels));
      accuracies.push_back(std::move(accuracy));
    }
  }
  return accuracies;
}

nlohmann::ordered_json ToJson(const std::vector<cost::ClaimAccuracy>& accuracies) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const cost::ClaimAccuracy& accuracy : accuracies) {
    json.push_back({{"name", accuracy.name},
                    {"weights_per", accuracy.weights},
                    {"samples", accuracy.samples},
                    {"correct", accuracy.correct},
                    {"float_correct", accuracy.float_correct},
                    {"same_class_as_float", accuracy.same_class_as_float},
                    {"output_sqnr_db", accuracy.output_sqnr_db},
                    {"overflow_events", accuracy.overflow_events}});
  }
  return json;
}

void PrintNotes(const cost::ClaimTable& table, const ClaimNetworks& networks) {
  fmt::print(
      "\ngates: two-input gates without inverters and flip-flops; GE: gates and 4 per flip-flop; "
      "area: all cells, no wires; delay: longest\npath; area x period: at the clock of the "
      "accumulate loop (system: of the longest path), per MAC (system: per busy multiplier\non "
      "{}); energies with glitches, network energy on its operands{}\n",
      table.network, networks.is_random() ? " (random inputs)" : "");
}

Result<int> RunClaim(const ClaimOptions& options) {
  cost::ClaimRequest request;
  MACLOOM_ASSIGN_OR_RETURN(request.config, options.hardware.Load());
  MACLOOM_RETURN_IF_ERROR(OpenLibraries(options, request));
  request.formats = options.formats.empty() ? cost::ClaimFormats() : options.formats;
  request.levels = options.levels;
  request.lanes = options.lanes;
  request.jobs = options.jobs;
  request.energy_cycles = options.energy_cycles;
  request.seed = options.seed;
  if (!options.labels.empty() && options.calibrate.empty()) {
    return InvalidInput("--labels: labels of the samples that --calibrate names");
  }
  MACLOOM_ASSIGN_OR_RETURN(ClaimNetworks networks,
                           ClaimNetworks::Create(options.model, options.calibrate, options.seed));
  const bool has_systems =
      std::count(options.levels.begin(), options.levels.end(), std::string("system")) > 0;
  if (has_systems || options.energy_cycles > 0) {
    MACLOOM_RETURN_IF_ERROR(networks.Prepare(cost::WithBaselines(request.formats)));
  }
  if (has_systems) {
    MACLOOM_RETURN_IF_ERROR(
        CheckNetworks(cost::WithBaselines(request.formats), networks, request.config));
  }
  request.network_operands = [&](const cost::MacSpec& spec) {
    return networks.Operands(spec, options.energy_cycles, options.seed);
  };
  request.run = [&](const cost::MacSpec& spec, const arch::HardwareConfig& config) {
    return networks.Run(spec, config);
  };
  std::unique_ptr<ProgressLine> progress;
  std::string current;
  request.progress = [&](const std::string& level, const std::string& unit, int done, int total) {
    if (level != current) progress = std::make_unique<ProgressLine>(level, total);
    current = level;
    progress->Update(done, unit);
  };
  MACLOOM_ASSIGN_OR_RETURN(cost::ClaimMeasurements measured, cost::MeasureClaim(request));
  progress.reset();
  measured.table.network = networks.name();
  MACLOOM_ASSIGN_OR_RETURN(const auto accuracies,
                           Accuracies(options, measured.table, networks, request.config));
  PrintClaimLevels(measured.table);
  PrintNotes(measured.table, networks);
  PrintClaimAccuracy(measured.table, accuracies);
  PrintClaimCounts(measured.table);
  PrintClaimSensitivity(measured.table);
  PrintClaimVerdict(measured.table);
  fmt::print("{} of {} results from the cache\n", measured.num_cached,
             measured.num_cached + measured.num_made);
  nlohmann::ordered_json json = cost::ToJson(measured.table);
  json["accuracy"] = ToJson(accuracies);
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, json));
  if (!options.svg.empty()) {
    MACLOOM_RETURN_IF_ERROR(
        WriteFileAtomically(options.svg, std::string_view(reports::ClaimPlot(measured.table))));
  }
  return 0;
}

}  // namespace

Verb AddCostClaim(CLI::App& cost) {
  CLI::App* verb = cost.add_subcommand(
      "claim", "FP8 against INT8 at MAC, row and system level, beside the published 50 to 180 %");
  auto options = std::make_shared<ClaimOptions>();
  options->hardware.AddTo(*verb);
  verb->add_option("--model", options->model, "network that is quantized to every format")
      ->capture_default_str();
  auto* calibrate = verb->add_option("--calibrate", options->calibrate,
                                     "its samples, as `quantize --calibrate`; none: random ones");
  verb->add_option("--labels", options->labels,
                   "labels of the samples: accuracy in every format, too")
      ->needs(calibrate);
  verb->add_option("--formats", options->formats,
                   "FORMAT/ACCUMULATOR as for `cost mac`; int8/24 and int8/32 are added")
      ->delimiter(',');
  verb->add_option("--levels", options->levels, "of these four")
      ->check(CLI::IsMember({"mac", "row", "row+dw", "system"}))
      ->delimiter(',')
      ->capture_default_str();
  verb->add_option("--library", options->libraries,
                   "osu018, or a Liberty file (.lib, .lib.gz); repeatable")
      ->delimiter(',')
      ->capture_default_str();
  verb->add_option("--system-libraries", options->system_libraries,
                   "accelerators are mapped to the first so many libraries; 0: gates alone")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  verb->add_option("--lanes", options->lanes, "of rows")
      ->check(CLI::IsMember({1, 2, 4, 8, 16, 32}))
      ->capture_default_str();
  auto* energy = verb->add_option("--energy", options->energy_cycles,
                                  "cycles of each of 64 operand streams, normally distributed and "
                                  "the network's, in the first library; 0: no energy")
                     ->check(CLI::Range(0, 1000000))
                     ->capture_default_str();
  verb->add_option("--memory-node", options->memory_library,
                   "one of --library, of about 45 nm: energy of an inference there, array and "
                   "memories")
      ->needs(energy);
  verb->add_option("--jobs", options->jobs, "units synthesised at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("--seed", options->seed, "of operands and random samples")
      ->capture_default_str();
  verb->add_option("--json", options->json, "machine-readable results");
  verb->add_option("--svg", options->svg, "plot of all ratios, the claim as a band");
  return {verb, [options] { return RunClaim(*options); }};
}

}  // namespace macloom::cli
