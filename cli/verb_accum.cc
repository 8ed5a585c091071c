#include <fmt/format.h>

#include <memory>

#include "base/files.h"
#include "cli/accum_area.h"
#include "cli/accum_hardware.h"
#include "cli/accum_options.h"
#include "cli/accum_report.h"
#include "cli/common.h"
#include "networks/model.h"
#include "reports/accum_plots.h"

namespace macloom::cli {
namespace {

/// The element for network `i`: one for all, or one each.
Result<std::string> PathFor(const std::vector<std::string>& paths, size_t i, size_t count,
                            const char* option) {
  if (paths.empty()) return std::string();
  if (paths.size() != 1 && paths.size() != count) {
    return InvalidInput(
        fmt::format("{} is given {} times for {} networks; accepted is once, or "
                    "once for each",
                    option, paths.size(), count));
  }
  return paths.size() == 1 ? paths[0] : paths[i];
}

Result<AccumNetwork> ExploreOne(const AccumOptions& options, size_t i,
                                const arch::HardwareConfig& config,
                                std::vector<explore::AdversarialInput>* adversarial) {
  AccumNetwork network;
  MACLOOM_ASSIGN_OR_RETURN(network.graph,
                           networks::LoadModel(options.models[i], options.rounding.value()));
  const size_t count = options.models.size();
  MACLOOM_ASSIGN_OR_RETURN(const std::string inputs, PathFor(options.inputs, i, count, "--inputs"));
  MACLOOM_ASSIGN_OR_RETURN(const std::string labels, PathFor(options.labels, i, count, "--labels"));
  std::vector<int> classes;
  if (inputs.empty()) {
    network.is_random = true;
    network.samples = flow::RandomInputs(network.graph, options.random, options.seed);
  } else {
    MACLOOM_ASSIGN_OR_RETURN(network.samples, flow::LoadInputs(inputs, network.graph));
    if (!labels.empty()) {
      MACLOOM_ASSIGN_OR_RETURN(
          classes, flow::LoadLabels(labels, network.samples, network.graph.class_labels));
    }
  }
  explore::ExploreOptions explore = options.explore;
  explore.sweep.has_layers = !options.has_no_layers;
  explore.has_sweep = !options.has_no_sweep;
  explore.split_seed = options.seed;
  explore.recommend.policy =
      options.policy == "wrap" ? explore::Policy::kWrap : explore::Policy::kSaturate;
  MACLOOM_ASSIGN_OR_RETURN(network.result,
                           explore::Explore(network.graph, config, network.samples.inputs, classes,
                                            explore, adversarial));
  return network;
}

Result<int> RunAccum(const AccumOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const arch::HardwareConfig config, options.hardware.Load());
  MACLOOM_RETURN_IF_ERROR(options.Check());
  const bool is_single = options.models.size() == 1;
  bool is_good = true;
  std::vector<AccumNetwork> networks;
  std::vector<explore::AdversarialInput> adversarial;
  for (size_t i = 0; i < options.models.size(); ++i) {
    MACLOOM_ASSIGN_OR_RETURN(
        AccumNetwork network,
        ExploreOne(options, i, config, options.vectors.empty() ? nullptr : &adversarial));
    is_good &= PrintAccumNetwork(options, network);
    if (options.area.is_on) {
      MACLOOM_RETURN_IF_ERROR(MeasureArea(options.area, network.graph, config, network.result));
      PrintArea(network.result);
    }
    networks.push_back(std::move(network));
  }
  PrintAccumSummary(networks);
  std::vector<explore::AccumResult> results;
  results.reserve(networks.size());
  for (const AccumNetwork& network : networks) results.push_back(network.result);
  if (!options.json.empty()) {
    MACLOOM_RETURN_IF_ERROR(
        WriteFileAtomically(options.json, std::string_view(explore::ToJsonText(results))));
  }
  if (!options.svg.empty()) {
    MACLOOM_RETURN_IF_ERROR(reports::WriteAccumPlots(results, options.svg));
  }
  if (!is_single) return is_good ? 0 : 1;
  const AccumNetwork& network = networks.front();
  if (!options.vectors.empty()) {
    MACLOOM_RETURN_IF_ERROR(
        explore::WriteAdversarialInputs(network.graph, adversarial, options.vectors));
  }
  if (!options.emit.empty() || !options.apply.empty()) {
    MACLOOM_ASSIGN_OR_RETURN(const bool passed, BuildRecommended(options, network, config));
    is_good &= passed;
  }
  if (options.is_on_rtl) {
    MACLOOM_ASSIGN_OR_RETURN(const bool passed, RunAccumOnRtl(options, network, config));
    is_good &= passed;
  }
  return is_good ? 0 : 1;
}

}  // namespace

Verb AddAccum(CLI::App& app) {
  auto options = std::make_shared<AccumOptions>();
  options->models = {networks::ShippedModels()[0]};
  CLI::App* verb = app.add_subcommand(
      "accum", "accumulator widths: proved, observed, swept; hardware for the choice");
  options->AddTo(*verb);
  return {verb, [options] { return RunAccum(*options); }};
}

}  // namespace macloom::cli
