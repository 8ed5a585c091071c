// RTL that macloom did not generate, with the ports of a generated top.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "arch/config.h"

namespace macloom::sim {

/// A user's accelerator as Verilator is to read it.
struct ForeignRtl {
  std::string top;                     ///< Name of the top module.
  std::vector<std::string> arguments;  ///< Files in order, +define+ and +incdir+, absolute paths.
  /// SHA-256 over the entries as written, every file and every file in a +incdir+: the same after
  /// the folder has moved.
  std::string digest;
};

/// Reads a file list: one entry a line, a file, `+define+NAME[=VALUE]` or `+incdir+FOLDER`; `//`
/// and
/// `#` start a comment. Relative paths start at the folder of the list.
///
/// @return kInvalidInput naming list, line and entry if a file or folder is missing, an option is
/// unknown, the list names no file, or `top` is not a module name.
Result<ForeignRtl> LoadForeignRtl(const std::filesystem::path& file_list, const std::string& top);

/// Compares the ports in `model_header` (Verilator's header of the model) with those of the
/// generated top of `config`. Ports beyond those are accepted; inputs among them stay 0.
///
/// @return kInvalidInput with every port that is missing or has another direction or width.
Status CheckPorts(std::string_view model_header, const arch::HardwareConfig& config,
                  const std::string& top);

}  // namespace macloom::sim
