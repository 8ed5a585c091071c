// Plots of `macloom cost`.
#pragma once

#include <string>

#include "cost/mac_result.h"

namespace macloom::reports {

/// Every unit's gates, area, delay, area x period and energy against INT8 with a 24-bit accumulator
/// (left) and, where measured, a 32-bit one (right) of the same lanes and shape; logarithmic, the
/// claimed 1.5 to 2.8 times as a band.
std::string ClaimPlot(const cost::MacComparison& comparison);

}  // namespace macloom::reports
