#include "capi/boundary.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace macloom {

// Takes the place of base/check.cc, which ends the program: a library must not.
void CheckFailed(const char* file, int line, const char* condition) {
  throw std::logic_error(fmt::format("internal error: {}:{}: {}", file, line, condition));
}

namespace capi {
namespace {

// Not a std::string: reporting must work without memory.
thread_local char last_error[1024] = "";

macloom_status StatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidInput:
      return MACLOOM_INVALID_INPUT;
    case ErrorKind::kUnsupported:
      return MACLOOM_UNSUPPORTED;
    default:
      return MACLOOM_INTERNAL_ERROR;
  }
}

}  // namespace

int Report(macloom_status status, std::string_view message) noexcept {
  const size_t length = std::min(message.size(), sizeof last_error - 1);
  *std::copy_n(message.data(), length, last_error) = '\0';
  return status;
}

int Report(const Error& error) noexcept { return Report(StatusOf(error.kind), error.message); }

Status CheckPointer(const void* pointer, const char* argument) {
  if (pointer != nullptr) return {};
  return InvalidInput(fmt::format("{} is NULL", argument));
}

Status CheckRange(int64_t value, int64_t low, int64_t high, const char* argument) {
  if (value >= low && value <= high) return {};
  if (low > high) return InvalidInput(fmt::format("{} is {}; there are none", argument, value));
  return InvalidInput(fmt::format(
      "{} is {}; accepted {}", argument, value,
      low == high ? fmt::format("is {}", low) : fmt::format("are {} to {}", low, high)));
}

Status CheckSize(size_t value, size_t low, size_t high, const char* argument) {
  if (value >= low && value <= high) return {};
  return InvalidInput(
      low == high ? fmt::format("{} is {}; accepted is {}", argument, value, low)
                  : fmt::format("{} is {}; accepted are {} to {}", argument, value, low, high));
}

}  // namespace capi
}  // namespace macloom

extern "C" {

const char* macloom_version(void) { return MACLOOM_VERSION; }

const char* macloom_last_error(void) { return macloom::capi::last_error; }
}
