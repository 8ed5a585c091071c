// Runs a shell command and collects what it does.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <string>

#include "tests/support/data_pack.h"

namespace macloom::testing {

struct ToolRun {
  int status = -1;   ///< Exit status; 128 + signal if killed.
  std::string text;  ///< Standard output and error.
};

/// Runs a shell command.
inline ToolRun RunShell(const std::string& command) {
  ToolRun run;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return run;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) run.text += buffer;
  const int status = ::pclose(pipe);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return run;
}

inline bool HasTool(const std::string& tool) { return RunShell("command -v " + tool).status == 0; }

}  // namespace macloom::testing

/// Skips the test without `tool`, or fails it when MACLOOM_REQUIRE_DATA=1. Only in a void test
/// body.
#define MACLOOM_NEED_TOOL(tool)                                                        \
  if (!::macloom::testing::HasTool(tool)) {                                            \
    if (::macloom::testing::IsDataRequired()) FAIL() << (tool) << " is not installed"; \
    GTEST_SKIP() << (tool) << " is not installed";                                     \
  }                                                                                    \
  static_assert(true, "a semicolon follows")
