#include "cost/estimator_fit.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <set>

#include "base/rng.h"
#include "cost/library_file.h"
#include "cost/mac_cost.h"
#include "cost/yosys.h"

namespace macloom::cost {
namespace {

MacSpec Spec(const std::string& text, int lanes) {
  Result<MacSpec> spec = ParseMacSpec(text);
  spec->lanes = lanes;
  return *spec;
}

constexpr const char* kMinifloatNames[] = {"e4m3", "e5m2", "e3m4", "e2m5", "e3m2", "e2m3", "e2m1"};
// Significand and shift bits of a product on its grid, exact.
constexpr int kExactBits[] = {36, 66, 22, 16, 18, 12, 8};

int DrawLanes(UnitFamily family, Rng& rng) {
  // Units that accumulate in floating point have no other number to draw.
  constexpr int kFew[] = {1, 1, 1, 1, 2, 2, 2, 4, 4, 8};
  constexpr int kAll[] = {1, 2, 3, 4, 6, 8, 16};
  const bool is_float =
      family == UnitFamily::kMinifloatFp16 || family == UnitFamily::kMinifloatFp32;
  return is_float ? kAll[rng.UniformInt(0, 6)] : kFew[rng.UniformInt(0, 9)];
}

const char* FloatName(UnitFamily family) {
  return family == UnitFamily::kMinifloatFp16 ? "fp16" : "fp32";
}

MacSpec DrawUnit(UnitFamily family, Rng& rng) {
  const int lanes = DrawLanes(family, rng);
  if (family == UnitFamily::kInteger) {
    const int a = static_cast<int>(rng.UniformInt(2, 16));
    const int b = static_cast<int>(rng.UniformInt(2, 16));
    const int accumulator = static_cast<int>(rng.UniformInt(std::max({8, a, b}), 48));
    // Large trees take minutes each and follow the same counts.
    const int few = a * b > 100 ? std::min(lanes, 2) : lanes;
    return Spec(fmt::format("int{}x{}/{}", a, b, accumulator), few);
  }
  const auto format = static_cast<size_t>(rng.UniformInt(0, 6));
  if (family != UnitFamily::kMinifloatFixed) {
    return Spec(fmt::format("{}/{}", kMinifloatNames[format], FloatName(family)), lanes);
  }
  const int exact = kExactBits[format];
  const int drop =
      rng.Bernoulli(0.5) ? 0 : static_cast<int>(rng.UniformInt(1, std::max(1, exact / 2)));
  const int width = static_cast<int>(
      rng.UniformInt(std::max(8, (exact - drop) / 2), std::min(80, exact - drop + 8)));
  return Spec(drop == 0
                  ? fmt::format("{}/{}", kMinifloatNames[format], std::max(8, width))
                  : fmt::format("{}/{}d{}", kMinifloatNames[format], std::max(8, width), drop),
              lanes);
}

/// Units at the edges of the domain, so that others lie between them.
std::vector<MacSpec> Corners(UnitFamily family) {
  std::vector<MacSpec> corners;
  switch (family) {
    case UnitFamily::kInteger:
      for (const char* unit : {"int2/8", "int2/48", "int16/16", "int16/48", "int2x16/48",
                               "int16x2/16", "int8/24", "int8/48"}) {
        corners.push_back(Spec(unit, 1));
      }
      corners.push_back(Spec("int2/8", 8));
      corners.push_back(Spec("int8/48", 8));
      break;
    case UnitFamily::kMinifloatFixed:
      for (const char* unit :
           {"e2m1/8", "e2m1/16", "e5m2/80", "e5m2/32d34", "e2m5/25", "e4m3/45"}) {
        corners.push_back(Spec(unit, 1));
        corners.push_back(Spec(unit, 8));
      }
      break;
    case UnitFamily::kMinifloatFp16:
    case UnitFamily::kMinifloatFp32:
      for (const char* format : {"e2m1", "e5m2", "e2m5"}) {
        for (const int lanes : {1, 2, 16}) {
          corners.push_back(Spec(fmt::format("{}/{}", format, FloatName(family)), lanes));
        }
      }
      break;
  }
  return corners;
}

bool IsBuilt(const MacSpec& spec) { return MacRtl(spec).ok(); }

Result<std::vector<double>> Fit(const std::vector<const EstimatorPoint*>& points, UnitFamily family,
                                size_t figure) {
  const FeatureKind kind = KindOf(static_cast<EstimatedFigure>(figure));
  const size_t num_features = FeatureNames(family, kind).size();
  if (points.size() < num_features) {
    return InvalidInput(fmt::format("{} units of the family {}; the fit needs at least {}",
                                    points.size(), FamilyName(family), num_features));
  }
  const auto rows = static_cast<Eigen::Index>(points.size());
  const auto columns = static_cast<Eigen::Index>(num_features);
  Eigen::MatrixXd matrix(rows, columns);
  for (Eigen::Index row = 0; row < rows; ++row) {
    const EstimatorPoint& point = *points[static_cast<size_t>(row)];
    const std::vector<double> features = FeaturesOf(point.spec, kind);
    for (Eigen::Index column = 0; column < columns; ++column) {
      matrix(row, column) = features[static_cast<size_t>(column)] / point.measured.figures[figure];
    }
  }
  // Features may be proportional on the units drawn: the smallest solution.
  const Eigen::VectorXd solution =
      matrix.completeOrthogonalDecomposition().solve(Eigen::VectorXd::Ones(rows));
  return std::vector<double>(solution.data(), solution.data() + solution.size());
}

double Quantile(const std::vector<double>& sorted, double q) {
  const auto rank = static_cast<size_t>(std::ceil(q * static_cast<double>(sorted.size())));
  return sorted[std::max<size_t>(rank, 1) - 1];
}

EstimatorPoint PointOf(const MacSpec& spec, const MacResult& result) {
  EstimatorPoint point;
  point.spec = spec;
  point.measured.figures = {static_cast<double>(result.gates.gates), result.mapped[0].area_um2,
                            result.mapped[0].critical_path_ns, result.mapped[0].loop_path_ns};
  return point;
}

}  // namespace

EstimatorUnits DrawUnits(UnitFamily family, int num_training, int num_held_out, uint64_t seed) {
  Rng rng(seed + static_cast<uint64_t>(family));
  EstimatorUnits units;
  std::set<std::string> names;
  for (const MacSpec& corner : Corners(family)) {
    if (names.insert(corner.Name()).second) units.training.push_back(corner);
  }
  // A family has a finite number of units: give up after as many repetitions.
  int repetitions = 0;
  const size_t target = units.training.size() + static_cast<size_t>(num_training);
  while (units.held_out.size() < static_cast<size_t>(num_held_out) ||
         units.training.size() < target) {
    const MacSpec spec = DrawUnit(family, rng);
    if (!IsBuilt(spec) || !names.insert(spec.Name()).second) {
      if (++repetitions > 1000) break;
      continue;
    }
    const bool is_held_out = units.held_out.size() < static_cast<size_t>(num_held_out) &&
                             (units.training.size() >= target || rng.Bernoulli(0.4));
    (is_held_out ? units.held_out : units.training).push_back(spec);
  }
  return units;
}

Result<EstimatorCard> FitEstimator(const std::vector<EstimatorPoint>& points) {
  EstimatorCard card;
  for (int f = 0; f < kNumUnitFamilies; ++f) {
    const auto family = static_cast<UnitFamily>(f);
    std::vector<const EstimatorPoint*> members;
    for (const EstimatorPoint& point : points) {
      if (FamilyOf(point.spec) == family) members.push_back(&point);
    }
    for (size_t figure = 0; figure < kNumEstimatedFigures; ++figure) {
      MACLOOM_ASSIGN_OR_RETURN(card.coefficients[static_cast<size_t>(f)][figure],
                               Fit(members, family, figure));
    }
  }
  return card;
}

const char* FamilyName(const EstimatorError& error) {
  return error.family ? FamilyName(*error.family) : "all families";
}

std::vector<EstimatorError> ErrorsOf(const EstimatorCard& card,
                                     const std::vector<EstimatorPoint>& points) {
  std::vector<EstimatorError> errors;
  for (int f = 0; f <= kNumUnitFamilies; ++f) {
    for (int figure = 0; figure < kNumEstimatedFigures; ++figure) {
      EstimatorError error;
      if (f < kNumUnitFamilies) error.family = static_cast<UnitFamily>(f);
      error.figure = static_cast<EstimatedFigure>(figure);
      std::vector<double> relative;
      for (const EstimatorPoint& point : points) {
        if (error.family && FamilyOf(point.spec) != *error.family) continue;
        const double estimate = EstimateUnit(card, point.spec).at(error.figure);
        relative.push_back(std::abs(estimate / point.measured.at(error.figure) - 1.0));
        if (relative.back() < error.worst) continue;
        error.worst = relative.back();
        error.worst_unit = point.spec.Name();
      }
      if (relative.empty()) continue;
      std::sort(relative.begin(), relative.end());
      error.units = static_cast<int>(relative.size());
      error.median = Quantile(relative, 0.5);
      error.p95 = Quantile(relative, 0.95);
      errors.push_back(std::move(error));
    }
  }
  return errors;
}

Result<FitResult> FitLibrary(const FitRequest& request,
                             const std::function<void(const std::string&, int, int)>& progress) {
  MACLOOM_ASSIGN_OR_RETURN(const LibraryFile library, OpenLibrary(request.library));
  std::vector<MacSpec> specs;
  std::vector<bool> is_held_out;
  for (int f = 0; f < kNumUnitFamilies; ++f) {
    const EstimatorUnits units = DrawUnits(static_cast<UnitFamily>(f), request.num_training,
                                           request.num_held_out, request.seed);
    for (const MacSpec& spec : units.training) {
      specs.push_back(spec);
      is_held_out.push_back(false);
    }
    for (const MacSpec& spec : units.held_out) {
      specs.push_back(spec);
      is_held_out.push_back(true);
    }
  }
  MacRequest measure;
  measure.jobs = request.jobs;
  MACLOOM_ASSIGN_OR_RETURN(const MacMeasurements measurements,
                           MeasureMacs(specs, measure, {library}, progress));
  FitResult result;
  for (size_t i = 0; i < specs.size(); ++i) {
    (is_held_out[i] ? result.held_out_points : result.training_points)
        .push_back(PointOf(specs[i], measurements.results[i]));
  }
  MACLOOM_ASSIGN_OR_RETURN(result.card, FitEstimator(result.training_points));
  result.card.library = library.label;
  MACLOOM_ASSIGN_OR_RETURN(result.card.tool, YosysVersion());
  result.training = ErrorsOf(result.card, result.training_points);
  result.held_out = ErrorsOf(result.card, result.held_out_points);
  return result;
}

}  // namespace macloom::cost
