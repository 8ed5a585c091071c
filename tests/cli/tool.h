// Runs the built macloom binary and collects what it does.
#pragma once

#include <string>

#include "tests/support/shell.h"

namespace macloom::testing {

/// Runs `prefix macloom arguments` in a shell, e.g. prefix "PATH=/nowhere" or "ulimit -f 1;".
inline ToolRun RunTool(const std::string& arguments, const std::string& prefix = "") {
  return RunShell(prefix + " " MACLOOM_TOOL " " + arguments);
}

}  // namespace macloom::testing
