// Fits the estimator to synthesised units and measures it on others.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cost/estimator.h"
#include "cost/mac_unit.h"

namespace macloom::cost {

/// Units of one family drawn from the estimator's domain.
struct EstimatorUnits {
  std::vector<MacSpec> training;
  std::vector<MacSpec> held_out;  ///< None of them is in `training`.
};

/// Corners of the domain and `num_training` random units for the fit, `num_held_out` other random
/// ones. Integers: operands 2 to 16 bits, accumulator from the widest operand to 48; minifloats:
/// all formats, fixed point from 8 bits to 8 above the exact sum with and without dropped bits,
/// FP16, FP32. 1, 2, 4 lanes, sometimes 8; with FP16 and FP32 1 to 16.
EstimatorUnits DrawUnits(UnitFamily family, int num_training, int num_held_out, uint64_t seed);

/// A synthesised unit.
struct EstimatorPoint {
  MacSpec spec;
  UnitEstimate measured;
};

/// Least squares of the relative errors, family by family.
/// @return kInvalidInput if a family has fewer points than features.
Result<EstimatorCard> FitEstimator(const std::vector<EstimatorPoint>& points);

/// Absolute relative errors of one figure.
struct EstimatorError {
  std::optional<UnitFamily> family;  ///< Nothing: all families.
  EstimatedFigure figure = EstimatedFigure::kGates;
  int units = 0;
  double median = 0.0, p95 = 0.0, worst = 0.0;
  std::string worst_unit;
};

/// "all families" or the family's name.
const char* FamilyName(const EstimatorError& error);

/// Errors of `card` on `points`, family by family and of all, without the families that have none.
std::vector<EstimatorError> ErrorsOf(const EstimatorCard& card,
                                     const std::vector<EstimatorPoint>& points);

struct FitRequest {
  std::string library = "osu018";  ///< As OpenLibrary() takes it.
  int num_training = 32;           ///< Random units of each family beside the corners.
  int num_held_out = 20;           ///< Of each family.
  int jobs = 2;
  uint64_t seed = 1;
};

struct FitResult {
  EstimatorCard card;
  std::vector<EstimatorError> training, held_out;
  std::vector<EstimatorPoint> training_points, held_out_points;
};

/// Synthesises the units (from the cache where it has them) and fits.
/// @param progress as CompareMacs().
Result<FitResult> FitLibrary(const FitRequest& request,
                             const std::function<void(const std::string&, int, int)>& progress);

}  // namespace macloom::cost
