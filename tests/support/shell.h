// Runs tools in tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/support/data_pack.h"

namespace macloom::testing {

struct Outcome {
  int status = -1;
  std::string text;  ///< Standard output and error.
};

inline Outcome Shell(const std::string& command) {
  Outcome outcome;
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return outcome;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) outcome.text += buffer;
  outcome.status = ::pclose(pipe);
  return outcome;
}

inline bool HasTool(const std::string& tool) { return Shell("command -v " + tool).status == 0; }

}  // namespace macloom::testing

/// Skips the test without `tool`, or fails it when MACLOOM_REQUIRE_DATA=1. Only in a void test
/// body.
#define MACLOOM_NEED_TOOL(tool)                                                        \
  if (!::macloom::testing::HasTool(tool)) {                                            \
    if (::macloom::testing::IsDataRequired()) FAIL() << (tool) << " is not installed"; \
    GTEST_SKIP() << (tool) << " is not installed";                                     \
  }                                                                                    \
  static_assert(true, "a semicolon follows")
