// What a multiply-accumulate unit is made of, counted without synthesis.
#pragma once

#include <string>
#include <vector>

#include "cost/mac_unit.h"

namespace macloom::cost {

/// Adders that reduce columns of bits to one row.
struct TreeCount {
  int full_adders = 0;
  int half_adders = 0;
  int carryless = 0;    ///< Adders of the last column: their carry is dropped.
  int stages = 0;       ///< Carry-save stages.
  int ripple_bits = 0;  ///< Length of the last adder.
};

/// Counts of loom_bit_heap: Dadda's stages 2, 3, 4, 6, 9, ..., then a ripple adder (included).
/// @param heights bits of each column, column 0 first.
TreeCount CountTree(std::vector<int> heights);

/// Which polynomial of counts describes a unit.
enum class UnitFamily { kInteger, kMinifloatFixed, kMinifloatFloat };
inline constexpr int kNumUnitFamilies = 3;

/// "integer", "minifloat in fixed point", "minifloat in floating point".
const char* FamilyName(UnitFamily family);

/// A unit as the estimator sees it.
struct UnitFeatures {
  UnitFamily family = UnitFamily::kInteger;
  std::vector<double> size;   ///< Counts in the order of SizeFeatureNames(); for gates and areas.
  std::vector<double> depth;  ///< Lengths in the order of DepthFeatureNames(); for delays.
};

/// Counts of the bare unit `spec` (a shape other than kBare counts as bare).
UnitFeatures FeaturesOf(const MacSpec& spec);

/// Names of the features of a family, for people and for the file of coefficients.
const std::vector<std::string>& SizeFeatureNames(UnitFamily family);
const std::vector<std::string>& DepthFeatureNames(UnitFamily family);

}  // namespace macloom::cost
