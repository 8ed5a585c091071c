#include "cli/cost_estimator.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/progress.h"
#include "cost/estimator_fit.h"

namespace macloom::cli {
namespace {

constexpr int kMaxLanes = 16;

std::vector<std::string> ErrorRow(const cost::EstimatorError& error, const char* part) {
  return {cost::FamilyName(error),
          cost::FigureName(error.figure),
          part,
          fmt::format("{}", error.units),
          fmt::format("{:.1f} %", 100.0 * error.median),
          fmt::format("{:.1f} %", 100.0 * error.p95),
          fmt::format("{:.1f} %", 100.0 * error.worst),
          error.worst_unit};
}

nlohmann::ordered_json ToJson(const std::vector<cost::EstimatorError>& errors) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const cost::EstimatorError& error : errors) {
    json.push_back({{"family", cost::FamilyName(error)},
                    {"figure", cost::FigureName(error.figure)},
                    {"units", error.units},
                    {"median", error.median},
                    {"p95", error.p95},
                    {"worst", error.worst},
                    {"worst_unit", error.worst_unit}});
  }
  return json;
}

/// Unit by unit, what was measured and what is estimated.
nlohmann::ordered_json ToJson(const cost::EstimatorCard& card,
                              const std::vector<cost::EstimatorPoint>& points) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const cost::EstimatorPoint& point : points) {
    const cost::UnitEstimate estimate = cost::EstimateUnit(card, point.spec);
    nlohmann::ordered_json unit = {
        {"name", point.spec.Name()}, {"format", point.spec.Text()}, {"lanes", point.spec.lanes}};
    for (int i = 0; i < cost::kNumEstimatedFigures; ++i) {
      const auto figure = static_cast<cost::EstimatedFigure>(i);
      unit["measured"][cost::FigureName(figure)] = point.measured.at(figure);
      unit["estimated"][cost::FigureName(figure)] = estimate.at(figure);
    }
    json.push_back(std::move(unit));
  }
  return json;
}

struct FitOptions {
  cost::FitRequest request;
  std::string output, json;
};

Result<int> RunFit(const FitOptions& options) {
  std::unique_ptr<ProgressLine> progress;
  MACLOOM_ASSIGN_OR_RETURN(
      const cost::FitResult fit,
      cost::FitLibrary(options.request, [&](const std::string& what, int done, int total) {
        if (!progress) progress = std::make_unique<ProgressLine>("synthesis", total);
        progress->Update(done, what);
      }));
  progress.reset();
  std::vector<std::vector<std::string>> rows = {
      {"family", "figure", "units", "number", "median", "p95", "worst", "worst unit"}};
  for (size_t i = 0; i < fit.training.size(); ++i)
    rows.push_back(ErrorRow(fit.training[i], "fitted"));
  for (const cost::EstimatorError& error : fit.held_out)
    rows.push_back(ErrorRow(error, "held out"));
  PrintTable(rows, 3);
  fmt::print(
      "\nabsolute relative errors of the estimate, library {}, seed {}; held out: units that "
      "had no part in the fit\n",
      fit.card.library, options.request.seed);
  if (!options.output.empty()) {
    MACLOOM_RETURN_IF_ERROR(WriteJson(options.output, cost::ToJson(fit.card)));
  }
  MACLOOM_RETURN_IF_ERROR(
      WriteJson(options.json, {{"library", fit.card.library},
                               {"tool", fit.card.tool},
                               {"seed", options.request.seed},
                               {"fitted", ToJson(fit.training)},
                               {"held_out", ToJson(fit.held_out)},
                               {"fitted_units", ToJson(fit.card, fit.training_points)},
                               {"held_out_units", ToJson(fit.card, fit.held_out_points)}}));
  return 0;
}

struct EstimateOptions {
  std::vector<std::string> formats;
  std::vector<int> lanes = {1};
  std::string card = "osu018";
  std::string json;
};

Result<int> RunEstimate(const EstimateOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const cost::EstimatorCard card, cost::OpenEstimatorCard(options.card));
  std::vector<std::vector<std::string>> rows = {
      {"unit", "gates", card.library + " um2", "ns", "loop ns", "um2/MAC"}};
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const int lanes : options.lanes) {
    for (const std::string& format : options.formats) {
      MACLOOM_ASSIGN_OR_RETURN(cost::MacSpec spec, cost::ParseMacSpec(format));
      spec.lanes = lanes;
      MACLOOM_RETURN_IF_ERROR(cost::MacRtl(spec));
      const cost::UnitEstimate estimate = cost::EstimateUnit(card, spec);
      const double area = estimate.at(cost::EstimatedFigure::kAreaUm2);
      rows.push_back({spec.Name(),
                      fmt::format("{:.0f}", estimate.at(cost::EstimatedFigure::kGates)),
                      fmt::format("{:.0f}", area),
                      fmt::format("{:.2f}", estimate.at(cost::EstimatedFigure::kCriticalPathNs)),
                      fmt::format("{:.2f}", estimate.at(cost::EstimatedFigure::kLoopPathNs)),
                      fmt::format("{:.0f}", area / lanes)});
      nlohmann::ordered_json unit = {{"name", spec.Name()}, {"format", format}, {"lanes", lanes}};
      for (int figure = 0; figure < cost::kNumEstimatedFigures; ++figure) {
        unit[cost::FigureName(static_cast<cost::EstimatedFigure>(figure))] =
            estimate.at(static_cast<cost::EstimatedFigure>(figure));
      }
      json.push_back(std::move(unit));
    }
  }
  PrintTable(rows, 1);
  fmt::print("\nestimates without synthesis; `macloom cost fit` gives their errors\n");
  MACLOOM_RETURN_IF_ERROR(WriteJson(options.json, {{"library", card.library}, {"units", json}}));
  return 0;
}

}  // namespace

Verb AddCostFit(CLI::App& cost) {
  CLI::App* verb = cost.add_subcommand(
      "fit", "fit the estimator to synthesised units, print its errors on others");
  auto options = std::make_shared<FitOptions>();
  verb->add_option("--library", options->request.library, "osu018, or a Liberty file")
      ->capture_default_str();
  verb->add_option("--training", options->request.num_training,
                   "random units of each family beside the corners")
      ->check(CLI::Range(8, 1000))
      ->capture_default_str();
  verb->add_option("--held-out", options->request.num_held_out,
                   "units of each family that the fit does not see")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  verb->add_option("--seed", options->request.seed, "of the units")->capture_default_str();
  verb->add_option("--jobs", options->request.jobs, "units synthesised at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_option("-o,--output", options->output, "coefficients, for `cost estimate --card`");
  verb->add_option("--json", options->json, "errors, unit by unit, too");
  return {verb, [options] { return RunFit(*options); }};
}

Verb AddCostEstimate(CLI::App& cost) {
  CLI::App* verb = cost.add_subcommand("estimate", "area and delay of units without synthesis");
  auto options = std::make_shared<EstimateOptions>();
  verb->add_option("formats", options->formats, "FORMAT/ACCUMULATOR as for `cost mac`")
      ->delimiter(',')
      ->required();
  verb->add_option("--lanes", options->lanes, "products per step")
      ->delimiter(',')
      ->check(CLI::Range(1, kMaxLanes))
      ->capture_default_str();
  verb->add_option("--card", options->card, "osu018, or a file that `cost fit` wrote")
      ->capture_default_str();
  verb->add_option("--json", options->json, "machine-readable results");
  return {verb, [options] { return RunEstimate(*options); }};
}

}  // namespace macloom::cli
