// The testbench of a generated top, for other simulators than the built-in one.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "arch/config.h"

namespace macloom::rtl_gen {

/// Sizes of the testbench's arrays; a job may use less.
struct TestbenchSizes {
  int64_t memory_words = 0;  ///< External memory, 8 bytes each.
  int64_t max_expected = 0;  ///< Elements of all tensors that are compared.
};

/// Name of the testbench module, `loom_<name>_tb`.
std::string TestbenchName(const arch::HardwareConfig& config);

/// `loom_<name>_tb.v` (Verilog-2005), `run_icarus.sh` and `run_verilator.sh` by name.
std::map<std::string, std::string> RenderTestbench(const arch::HardwareConfig& config,
                                                   const TestbenchSizes& sizes);

}  // namespace macloom::rtl_gen
