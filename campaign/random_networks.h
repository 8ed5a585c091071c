// Random layers and chains that fit a configuration: formats, requantization, shapes.
#pragma once

#include "arch/config.h"
#include "stimulus/random_graph.h"

namespace macloom::campaign {

/// Formats and requantization that `config` can have, narrower than its widths half of the time.
void Fit(Rng& rng, const arch::HardwareConfig& config, stimulus::LayerSpec& spec);

/// Network `index` of a sequence: every operator in turn, then a chain. The compiler may still
/// refuse it.
ir::Graph RandomNetwork(Rng& rng, const arch::HardwareConfig& config, int64_t index);

}  // namespace macloom::campaign
