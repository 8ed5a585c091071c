// Test data that lives outside the repository.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace macloom::testing {

/// Where `pack_path` ("pack/sub/path") is: below $MACLOOM_DATA_DIR if that is set, otherwise below
/// ../shared/data beside the source folder. Empty if it does not exist there.
inline std::filesystem::path FindDataPack(const std::string& pack_path) {
  const char* data_dir = std::getenv("MACLOOM_DATA_DIR");
  const std::filesystem::path root =
      data_dir != nullptr && *data_dir != '\0'
          ? std::filesystem::path(data_dir)
          : std::filesystem::path(MACLOOM_SOURCE_DIR) / ".." / "shared" / "data";
  const std::filesystem::path path = (root / pack_path).lexically_normal();
  std::error_code code;
  return std::filesystem::exists(path, code) ? path : std::filesystem::path();
}

/// True if missing data must fail a test instead of skipping it (MACLOOM_REQUIRE_DATA=1).
inline bool IsDataRequired() {
  const char* value = std::getenv("MACLOOM_REQUIRE_DATA");
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace macloom::testing

/// Declares `path_variable` (std::filesystem::path) as the place of "pack/sub/path". If the data is
/// absent, skips the test, or fails it when MACLOOM_REQUIRE_DATA=1. Only inside a void test body.
#define MACLOOM_DATA_PACK(path_variable, pack_path)                                        \
  const std::filesystem::path path_variable = ::macloom::testing::FindDataPack(pack_path); \
  if (path_variable.empty()) {                                                             \
    if (::macloom::testing::IsDataRequired()) {                                            \
      FAIL() << "test data " << (pack_path) << " is missing and MACLOOM_REQUIRE_DATA=1";   \
    }                                                                                      \
    GTEST_SKIP() << "test data " << (pack_path)                                            \
                 << " not found; set MACLOOM_DATA_DIR to the folder that holds it";        \
  }                                                                                        \
  static_assert(true, "a semicolon follows")
