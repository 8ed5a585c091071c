// generate = RTL + testbench + plain Verilog of it.
#pragma once

#include <filesystem>

#include "arch/config.h"
#include "base/result.h"

namespace macloom::flow {

struct GenerateOptions {
  bool has_testbench = false;  ///< Also loom_<name>_tb.v.
  /// Also loom_<name>_top.v: the elaborated design in plain Verilog, made by Yosys, for simulators
  /// that do not read the SystemVerilog of the library.
  bool has_verilog = false;
};

/// Writes the RTL of `config` into `directory`, completely or not at all.
/// @return the errors of rtl_gen::RenderRtl(); kToolMissing or kToolFailed for Yosys; kOutput.
Status Generate(const arch::HardwareConfig& config, const std::filesystem::path& directory,
                const GenerateOptions& options);

}  // namespace macloom::flow
