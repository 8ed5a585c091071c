// The generated RTL as a Device, simulated by Verilator.
#pragma once

#include <memory>

#include "arch/config.h"
#include "sim/device.h"

namespace macloom::sim {

struct VerilatedOptions {
  MemoryTiming timing;
};

/// Builds (or takes from the cache) the RTL model of `config`.
///
/// Every run checks: the registers identify the configuration, the list ends with an interrupt and
/// without error, total = busy + stalls + idle, MACs = the job's, the records agree with the
/// registers, and no AXI rule is broken. @return the errors of BuildModel().
Result<std::unique_ptr<Device>> MakeVerilatedDevice(const arch::HardwareConfig& config,
                                                    const VerilatedOptions& options = {});

}  // namespace macloom::sim
