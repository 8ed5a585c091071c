#include "tests/support/data_pack.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/files.h"
#include "tests/support/temporary_folder.h"

namespace macloom::testing {
namespace {

// Sets an environment variable, and puts the old value back at the end.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    setenv(name, value.c_str(), 1);
  }
  ~ScopedVariable() {
    if (old_.has_value()) {
      setenv(name_, old_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

TEST(DataPackTest, FindsFilesBelowTheVariable) {
  const TemporaryFolder folder;
  const ScopedVariable data_dir("MACLOOM_DATA_DIR", folder.path().string());
  EXPECT_TRUE(FindDataPack("pack/a.bin").empty());
  std::filesystem::create_directory(folder / "pack");
  ASSERT_TRUE(WriteFileAtomically(folder / "pack/a.bin", std::string_view("x")).ok());
  MACLOOM_DATA_PACK(path, "pack/a.bin");
  EXPECT_EQ(path, folder / "pack/a.bin");
}

void UseMissingPack() {
  MACLOOM_DATA_PACK(path, "no/such/pack");
  FAIL() << "went on with " << path;
}

TEST(DataPackTest, BadMissingDataFailsWhenRequired) {
  const ScopedVariable required("MACLOOM_REQUIRE_DATA", "1");
  EXPECT_FATAL_FAILURE(UseMissingPack(), "no/such/pack is missing and MACLOOM_REQUIRE_DATA=1");
}

}  // namespace
}  // namespace macloom::testing
