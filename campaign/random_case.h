// Random cases: a network that fits a configuration, an input, an accumulator, a memory.
#pragma once

#include <optional>

#include "base/rng.h"
#include "campaign/coverage.h"

namespace macloom::campaign {

/// Draws one case for `config`: a layer (with what feeds it) or a chain, in int2 to int8 formats,
/// all requantization kinds; weights, biases and inputs from the corners half of the time;
/// accumulators narrowed to 8 bits and more; every third memory without stalls.
///
/// With `aim`, the operator is its column's and what leads to its property is made likely; whether
/// it was met, StaticBins() tells. The compiler may refuse the case (kUnsupported).
Case RandomCase(Rng& rng, const arch::HardwareConfig& config, const std::optional<Bin>& aim);

}  // namespace macloom::campaign
