// The published claim that FP8 datapaths need 50 to 180 % more hardware than INT8, checked.
#pragma once

#include <string>
#include <vector>

#include "cost/mac_result.h"

namespace macloom::cost {

/// "FP8 versus INT8 for efficient deep learning inference" (2023): 1.5 to 2.8 times the hardware.
inline constexpr double kClaimLow = 1.5;
inline constexpr double kClaimHigh = 2.8;

/// All 8-bit minifloat units of one shape and number of lanes by one figure against one baseline.
struct ClaimLine {
  std::string group;     ///< "L1", "L4 row".
  std::string baseline;  ///< "int8 a24".
  std::string figure;    ///< "gates", "osu018 area", "osu018 iso".
  int below = 0, within = 0, above = 0;
  double lowest = 0.0, highest = 0.0;  ///< Ratios.
  std::string lowest_unit, highest_unit;
};

/// Figures of a unit, in the order of FigureValues(): gates; area, delay, iso-throughput and, if
/// measured, energy of each library.
std::vector<std::string> FigureNames(const MacComparison& comparison);
std::vector<double> FigureValues(const MacResult& result);

/// Lines of INT8 with 24 and, where it was measured, 32 accumulator bits. Only units in `results`
/// whose format has 8 bits count; empty without any.
std::vector<ClaimLine> CheckClaim(const MacComparison& comparison);

/// The unit of `result`'s lanes and shape with format int8 and `accumulator_bits`; nullptr: none.
const MacResult* Int8Like(const MacComparison& comparison, const MacResult& result,
                          int accumulator_bits);

}  // namespace macloom::cost
