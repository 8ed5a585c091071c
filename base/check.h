// MACLOOM_CHECK: an always-on assertion for our own bugs. Never for what a user can cause.
#pragma once

namespace macloom {

/// Prints "internal error: FILE:LINE: CONDITION" and how to report it to stderr, then exits
/// with 70.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

#define MACLOOM_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::macloom::CheckFailed(__FILE__, __LINE__, #condition))

}  // namespace macloom
