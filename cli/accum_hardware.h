// Hardware for the accumulator widths found: configuration, RTL, and what it shows.
#pragma once

#include "arch/config.h"
#include "cli/accum_options.h"

namespace macloom::cli {

/// Adversarial inputs of the governing channels and the sweep of one wide build, three ways.
/// @return true if all values and events were equal and every certificate held.
Result<bool> RunAccumOnRtl(const AccumOptions& options, const AccumNetwork& network,
                           const arch::HardwareConfig& config);

/// --emit and --apply: hw.toml, RTL and verification of the width that --rule recommends.
/// @return false if the verification failed.
Result<bool> BuildRecommended(const AccumOptions& options, const AccumNetwork& network,
                              const arch::HardwareConfig& config);

}  // namespace macloom::cli
