// Gates, area and delay of a multiply-accumulate unit without synthesis.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "cost/estimator_features.h"

namespace macloom::cost {

enum class EstimatedFigure { kGates, kAreaUm2, kCriticalPathNs, kLoopPathNs };
inline constexpr int kNumEstimatedFigures = 4;

/// "gates", "area_um2", "critical_path_ns", "loop_path_ns".
const char* FigureName(EstimatedFigure figure);

/// The features whose sum a figure is.
FeatureKind KindOf(EstimatedFigure figure);

/// Coefficients for one cell library: figure = sum over the features of coefficient x feature.
struct EstimatorCard {
  std::string library;  ///< Label of the Liberty file.
  std::string tool;     ///< Version of Yosys.
  /// [family][figure][feature].
  std::array<std::array<std::vector<double>, kNumEstimatedFigures>, kNumUnitFamilies> coefficients;
};

struct UnitEstimate {
  std::array<double, kNumEstimatedFigures> figures = {};
  double at(EstimatedFigure figure) const { return figures[static_cast<size_t>(figure)]; }
};

/// The bare unit `spec`. Meant for 2 to 16 bit operands, accumulators of 8 to 48 bits (minifloats:
/// up to 80), 1 to 16 lanes; errors on units that had no part in the fit: docs/cost.md.
UnitEstimate EstimateUnit(const EstimatorCard& card, const MacSpec& spec);

/// The card as `macloom cost fit` writes it.
nlohmann::ordered_json ToJson(const EstimatorCard& card);

/// @return kInvalidInput naming field and accepted values; `source` is what messages call the text.
Result<EstimatorCard> ParseEstimatorCard(const std::string& text, const std::string& source);

/// The card that comes with the program for a library, or the file `name_or_path`.
/// @return kInvalidInput naming the libraries that have one.
Result<EstimatorCard> OpenEstimatorCard(const std::string& name_or_path);

}  // namespace macloom::cost
