// The border of the C interface: errors and exceptions inside, a status and a text outside.
#pragma once

#include <exception>
#include <new>
#include <string_view>

#include "base/result.h"
#include "capi/macloom.h"

namespace macloom::capi {

/// Keeps `message` (cut after 1023 bytes) for macloom_last_error() of this thread.
/// @return `status`.
int Report(macloom_status status, std::string_view message) noexcept;
int Report(const Error& error) noexcept;

/// Runs `body` (returns Status). Nothing it throws leaves; a failed MACLOOM_CHECK is an exception
/// in this library and becomes MACLOOM_INTERNAL_ERROR.
template <typename Body>
int AtBoundary(const Body& body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? MACLOOM_OK : Report(status.error());
  } catch (const std::bad_alloc&) {
    return Report(MACLOOM_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& exception) {
    return Report(MACLOOM_INTERNAL_ERROR, exception.what());
  } catch (...) {
    return Report(MACLOOM_INTERNAL_ERROR, "unknown exception");
  }
}

/// kInvalidInput naming the argument unless `pointer` is set.
Status CheckPointer(const void* pointer, const char* argument);

/// kInvalidInput naming the argument, the value and the range unless low <= value <= high.
Status CheckRange(int64_t value, int64_t low, int64_t high, const char* argument);

/// CheckRange() for a number of elements.
Status CheckSize(size_t value, size_t low, size_t high, const char* argument);

}  // namespace macloom::capi
