// The generated RTL as a Device, simulated by Verilator.
#pragma once

#include <memory>

#include "arch/config.h"
#include "sim/device.h"

struct LoomRun;

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

/// The same around a model that is linked into the program: `run` as macloom_harness_run().
std::unique_ptr<Device> MakeLinkedDevice(const arch::HardwareConfig& config,
                                         const VerilatedOptions& options, void (*run)(LoomRun*));

}  // namespace macloom::sim
