// Runs an external tool with its output in a log file.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::sim {

/// First executable `program` on PATH; empty if there is none.
std::filesystem::path FindProgram(const std::string& program);

/// kToolMissing: `program` is not on PATH and comes with the Debian package `package`.
Error ToolMissing(const std::string& program, const std::string& package);

/// Runs `arguments` (arguments[0] looked up on PATH) in `directory`, standard output and error
/// appended to `log`, and waits. The child is killed when the user interrupts.
///
/// @return kToolMissing naming `package` if the program is absent, kToolFailed with the last lines
/// of
///         the log if it exits with another status than 0, kInterrupted.
Status RunTool(const std::vector<std::string>& arguments, const std::filesystem::path& directory,
               const std::filesystem::path& log, const std::string& package);

}  // namespace macloom::sim
