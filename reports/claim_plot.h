// The plot of `macloom cost claim`.
#pragma once

#include <string>

#include "cost/claim_result.h"

namespace macloom::reports {

/// Every unit's ratios, one panel per level, against INT8 with 24 accumulator bits (top) and 32
/// (bottom): gates, and area, delay, area x period and energy in every library; logarithmic, the
/// claimed 1.5 to 2.8 times as a band.
std::string ClaimPlot(const cost::ClaimTable& table);

}  // namespace macloom::reports
