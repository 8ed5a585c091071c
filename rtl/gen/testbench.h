// The self-checking testbench of a configuration, for simulators of the user's own.
#pragma once

#include <map>
#include <string>

#include "arch/config.h"

namespace macloom::rtl_gen {

/// Name of the testbench module, `loom_<name>_tb`; its file is that name with ".v".
std::string TestbenchName(const arch::HardwareConfig& config);

/// Verilog-2005: the accelerator with an AXI memory that holds a job's images, started through its
/// registers, its output compared (docs/bring-your-own-rtl.md).
std::string RenderTestbench(const arch::HardwareConfig& config);

/// File name -> text of rtl/gen/testbench/, embedded at build time.
const std::map<std::string, std::string>& EmbeddedTestbench();

}  // namespace macloom::rtl_gen
