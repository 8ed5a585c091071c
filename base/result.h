// Errors as values: Result<T> for what the user can get wrong, MACLOOM_CHECK (check.h) for our
// bugs.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/check.h"

namespace macloom {

/// What kind of failure an Error is; decides the exit status of the command line tool.
enum class ErrorKind {
  kCheckFailed,   ///< A check on valid input failed (mismatch, violated bound): exit 1.
  kInvalidInput,  ///< The user's input is wrong: exit 2.
  kUnsupported,   ///< Valid input that macloom does not support; the message names what is: exit 2.
  kToolMissing,   ///< A needed program is absent; the message names its package: exit 3.
  kToolFailed,    ///< A needed program failed; the message shows its last lines: exit 3.
  kOutput,        ///< A file could not be written: exit 74.
  kInterrupted,   ///< The user interrupted: exit 130.
};

/// Exit status of the command line tool for an error of `kind` (docs/formats.md, "Exit status").
int ExitStatus(ErrorKind kind);

/// An error a user can act on. The message says what, where, the value given and what is accepted.
struct Error {
  ErrorKind kind = ErrorKind::kInvalidInput;
  std::string message;
};

inline Error InvalidInput(std::string message) {
  return {ErrorKind::kInvalidInput, std::move(message)};
}
inline Error Unsupported(std::string message) {
  return {ErrorKind::kUnsupported, std::move(message)};
}
inline Error OutputError(std::string message) { return {ErrorKind::kOutput, std::move(message)}; }

/// Either a value or an Error. Reading the value of a failed Result ends the program (our bug).
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& {
    MACLOOM_CHECK(ok());
    return std::get<0>(state_);
  }
  T& value() & {
    MACLOOM_CHECK(ok());
    return std::get<0>(state_);
  }
  T&& value() && {
    MACLOOM_CHECK(ok());
    return std::get<0>(std::move(state_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const {
    MACLOOM_CHECK(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// A Result without a value.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    MACLOOM_CHECK(!ok());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

#define MACLOOM_CONCAT_INNER(a, b) a##b
#define MACLOOM_CONCAT(a, b) MACLOOM_CONCAT_INNER(a, b)

/// MACLOOM_RETURN_IF_ERROR(expression): returns the error of a Status/Result, if any.
#define MACLOOM_RETURN_IF_ERROR(expression)                  \
  do {                                                       \
    auto macloom_status = (expression);                      \
    if (!macloom_status.ok()) return macloom_status.error(); \
  } while (false)

/// MACLOOM_ASSIGN_OR_RETURN(auto x, expression): declares x from a Result or returns its error.
#define MACLOOM_ASSIGN_OR_RETURN(declaration, expression) \
  MACLOOM_ASSIGN_OR_RETURN_INNER(MACLOOM_CONCAT(macloom_result_, __LINE__), declaration, expression)
#define MACLOOM_ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                           \
  if (!result.ok()) return result.error();                              \
  declaration = std::move(result).value()

}  // namespace macloom
