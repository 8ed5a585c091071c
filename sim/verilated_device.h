// The generated RTL as a Device, simulated by Verilator.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "arch/config.h"
#include "sim/device.h"
#include "sim/model_cache.h"

struct LoomRun;

namespace macloom::sim {

/// A signal in a file of waves.
struct WaveSignal {
  std::string path;  ///< `TOP.top.u_core.signal[7:0]`.
  uint32_t width_bits = 0;
};

/// Waves of the cycles [first_cycle, last_cycle] since the start of a run.
struct TraceOptions {
  std::filesystem::path path;  ///< Empty: none. Needs a model with model.waves.
  uint64_t first_cycle = 0, last_cycle = 0;
  std::vector<WaveSignal>* signals = nullptr;  ///< Set to the signals in the file.
};

struct VerilatedOptions {
  MemoryTiming timing = {};
  ModelOptions model = {};
  TraceOptions trace = {};
};

/// Builds (or takes from the cache) the RTL model of `config`, or of options.model.rtl.
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
