#include "cost/estimator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_fields.h"
#include "cost/embedded_cards.h"

namespace macloom::cost {
namespace {

constexpr int kFormatVersion = 2;
constexpr double kLargestCoefficient = 1e12;

/// Key of a family in the file.
const char* FamilyKey(UnitFamily family) {
  switch (family) {
    case UnitFamily::kInteger:
      return "integer";
    case UnitFamily::kMinifloatFixed:
      return "minifloat_fixed";
    case UnitFamily::kMinifloatFp16:
      return "minifloat_fp16";
    case UnitFamily::kMinifloatFp32:
      return "minifloat_fp32";
  }
  return "";
}

}  // namespace

const char* FigureName(EstimatedFigure figure) {
  switch (figure) {
    case EstimatedFigure::kGates:
      return "gates";
    case EstimatedFigure::kAreaUm2:
      return "area_um2";
    case EstimatedFigure::kCriticalPathNs:
      return "critical_path_ns";
    case EstimatedFigure::kLoopPathNs:
      return "loop_path_ns";
  }
  return "";
}

FeatureKind KindOf(EstimatedFigure figure) {
  switch (figure) {
    case EstimatedFigure::kGates:
    case EstimatedFigure::kAreaUm2:
      return FeatureKind::kSize;
    case EstimatedFigure::kCriticalPathNs:
      return FeatureKind::kCriticalPath;
    case EstimatedFigure::kLoopPathNs:
      return FeatureKind::kLoopPath;
  }
  return FeatureKind::kSize;
}

UnitEstimate EstimateUnit(const EstimatorCard& card, const MacSpec& spec) {
  std::array<std::vector<double>, kNumFeatureKinds> features;
  for (size_t kind = 0; kind < features.size(); ++kind) {
    features[kind] = FeaturesOf(spec, static_cast<FeatureKind>(kind));
  }
  UnitEstimate estimate;
  for (size_t figure = 0; figure < kNumEstimatedFigures; ++figure) {
    const auto kind = static_cast<size_t>(KindOf(static_cast<EstimatedFigure>(figure)));
    const std::vector<double>& coefficients =
        card.coefficients[static_cast<size_t>(FamilyOf(spec))][figure];
    for (size_t i = 0; i < features[kind].size(); ++i) {
      estimate.figures[figure] += coefficients[i] * features[kind][i];
    }
  }
  return estimate;
}

nlohmann::ordered_json ToJson(const EstimatorCard& card) {
  nlohmann::ordered_json json = {{"format", "macloom.estimator"},
                                 {"format_version", kFormatVersion},
                                 {"library", card.library},
                                 {"tool", card.tool}};
  for (int f = 0; f < kNumUnitFamilies; ++f) {
    const auto family = static_cast<UnitFamily>(f);
    for (int figure = 0; figure < kNumEstimatedFigures; ++figure) {
      nlohmann::ordered_json& fields =
          json["families"][FamilyKey(family)][FigureName(static_cast<EstimatedFigure>(figure))];
      const std::vector<std::string>& names =
          FeatureNames(family, KindOf(static_cast<EstimatedFigure>(figure)));
      for (size_t i = 0; i < names.size(); ++i) {
        fields[names[i]] =
            card.coefficients[static_cast<size_t>(f)][static_cast<size_t>(figure)][i];
      }
    }
  }
  return json;
}

Result<EstimatorCard> ParseEstimatorCard(const std::string& text, const std::string& source) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  Status status;
  JsonFields root(json, "", status, "the card");
  EstimatorCard card;
  if (root.GetText("format") != "macloom.estimator") {
    root.Fail("format", "is not \"macloom.estimator\"");
  }
  root.GetInt("format_version", kFormatVersion, kFormatVersion);
  card.library = root.GetText("library");
  card.tool = root.GetText("tool");
  JsonFields families(root.Get("families"), "families", status);
  for (int f = 0; f < kNumUnitFamilies; ++f) {
    const auto family = static_cast<UnitFamily>(f);
    const std::string where = families.At(FamilyKey(family));
    JsonFields figures(families.Get(FamilyKey(family)), where, status);
    for (int figure = 0; figure < kNumEstimatedFigures; ++figure) {
      const char* name = FigureName(static_cast<EstimatedFigure>(figure));
      JsonFields fields(figures.Get(name), figures.At(name), status);
      for (const std::string& feature :
           FeatureNames(family, KindOf(static_cast<EstimatedFigure>(figure)))) {
        card.coefficients[static_cast<size_t>(f)][static_cast<size_t>(figure)].push_back(
            fields.GetNumber(feature.c_str(), -kLargestCoefficient, kLargestCoefficient));
      }
      fields.RefuseOthers();
    }
    figures.RefuseOthers();
  }
  families.RefuseOthers();
  root.RefuseOthers();
  if (!status.ok()) return InvalidInput(fmt::format("{}: {}", source, status.error().message));
  return card;
}

Result<EstimatorCard> OpenEstimatorCard(const std::string& name_or_path) {
  const std::map<std::string, std::string>& cards = EmbeddedCards();
  if (const auto found = cards.find(name_or_path + ".json"); found != cards.end()) {
    return ParseEstimatorCard(found->second, found->first);
  }
  const Result<std::string> text = ReadTextFile(name_or_path);
  if (!text.ok()) {
    std::vector<std::string> names;
    names.reserve(cards.size());
    for (const auto& [file, content] : cards) names.push_back(file.substr(0, file.size() - 5));
    return InvalidInput(fmt::format(
        "no estimator for `{}`: accepted are {} and a file that `macloom cost fit` wrote ({})",
        name_or_path, fmt::join(names, ", "), text.error().message));
  }
  return ParseEstimatorCard(*text, name_or_path);
}

}  // namespace macloom::cost
