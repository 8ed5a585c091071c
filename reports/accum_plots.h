// Plots of the accumulator explorer.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "explore/accum_result.h"

namespace macloom::reports {

/// Accuracy (with labels) or agreement with the exact network, percent, against the width: wrap
/// solid, saturate dashed, the certificate as a vertical mark. Up to three networks have two
/// colours each and the Wilson 95 % interval as a band, more networks one colour each. Widths at
/// which saturation is not defined are left out.
std::string AccuracyPlot(const std::vector<explore::AccumResult>& results);

/// Per layer: data type, l1, certificate (clamp range, hardware order), final sum, observed prefix
/// and observed final sum, bits.
std::string LayerWidthPlot(const explore::AccumResult& result);

/// Writes accuracy.svg, layers_NETWORK.svg of every network and, if areas are known, area.svg. The
/// folder appears complete or not at all.
Status WriteAccumPlots(const std::vector<explore::AccumResult>& results,
                       const std::filesystem::path& directory);

}  // namespace macloom::reports
