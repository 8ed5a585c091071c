// Configuration -> RTL: generated top, library files, file list, signature, register map.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "arch/config.h"

namespace macloom::rtl_gen {

/// Name of the generated top module, `loom_<name>_top`.
std::string TopName(const arch::HardwareConfig& config);

struct Port {
  std::string name;
  bool is_input = false;
  int width_bits = 0;
};

/// Ports of the generated top, in order of declaration.
std::vector<Port> TopPorts(const arch::HardwareConfig& config);

/// One parameter of `loom_accelerator` (rtl/lib).
struct Parameter {
  const char* name;
  int value;
};

/// The parameters that stand for `config`, which need not be a valid one.
std::vector<Parameter> Parameters(const arch::HardwareConfig& config);

/// Every generated file by name: the library, `loom_<name>_top.sv`, `macloom.f` (files in compile
/// order, one per line), `signature.json` (ports, parameters, latencies, register map, digest),
/// `macloom_regs.h`, `registers.md`, `hardware.toml`. The same configuration gives the same bytes.
/// @return kInvalidInput for an invalid configuration or a name that is not [a-z][a-z0-9_]*.
Result<std::map<std::string, std::string>> RenderRtl(const arch::HardwareConfig& config);

/// RenderRtl() into `directory`, completely or not at all (OutputDirectory rules).
Status GenerateRtl(const arch::HardwareConfig& config, const std::filesystem::path& directory);

}  // namespace macloom::rtl_gen
