// Sizes of long tests from the environment.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace macloom::testing {

/// The integer in environment variable `name`, e.g. MACLOOM_RANDOM_LAYERS; `otherwise` if unset.
inline int64_t Setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

}  // namespace macloom::testing
