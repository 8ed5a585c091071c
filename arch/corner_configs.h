// Configurations beyond the presets: the corners of the parameter space, for campaigns and tests.
#pragma once

#include <vector>

#include "arch/config.h"

namespace macloom::arch {

/// Together with the presets: 1 to 8 rows, every value of array.lanes, bus.data_bits, acc.policy
/// and requant.kind, narrow codes, 1 to 16 requantization lanes, 1 to 8 banks, tiles of 2 to 32
/// pixels, and an activation memory that only stripes fit.
std::vector<HardwareConfig> CornerConfigs();

}  // namespace macloom::arch
