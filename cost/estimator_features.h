// A multiply-accumulate unit as the estimator sees it: counts and path lengths, without synthesis.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "cost/mac_unit.h"

namespace macloom::cost {

/// Which features describe a unit.
enum class UnitFamily { kInteger, kMinifloatFixed, kMinifloatFp16, kMinifloatFp32 };
inline constexpr int kNumUnitFamilies = 4;

/// "integer", "minifloat in fixed point", "minifloat in FP16", "minifloat in FP32".
const char* FamilyName(UnitFamily family);

UnitFamily FamilyOf(const MacSpec& spec);

/// What features are for: gates and areas, the longest path from the operands, the longest path
/// from the accumulator to itself.
enum class FeatureKind { kSize, kCriticalPath, kLoopPath };
inline constexpr int kNumFeatureKinds = 3;

/// Features of the bare unit `spec` (a shape other than kBare counts as bare), in the order of
/// FeatureNames().
std::vector<double> FeaturesOf(const MacSpec& spec, FeatureKind kind);

/// Names of a family's features, for people and for the file of coefficients.
const std::vector<std::string>& FeatureNames(UnitFamily family, FeatureKind kind);

}  // namespace macloom::cost
