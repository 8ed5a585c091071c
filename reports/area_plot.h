// Plot of `macloom accum --area`.
#pragma once

#include <string>
#include <vector>

#include "explore/accum_result.h"

namespace macloom::reports {

/// Logic per busy multiplier against the width, percent of the 32-bit hardware of the same policy:
/// two colours per network, wrap solid, saturate dashed. Networks without areas are left out.
std::string AreaPlot(const std::vector<explore::AccumResult>& results);

}  // namespace macloom::reports
