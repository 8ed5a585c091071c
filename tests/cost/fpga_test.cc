// Units on FPGA families.
#include "cost/fpga.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "sim/subprocess.h"
#include "tests/cost/new_synthesizer.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;

class FpgaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    synthesizer_.emplace(NewSynthesizer(folder_));
    spec_ = *cost::ParseMacSpec("int4/12");
  }

  testing::TemporaryFolder folder_;
  std::optional<cost::Synthesizer> synthesizer_;
  cost::MacSpec spec_;
};

TEST_F(FpgaTest, Ice40IsPlacedAndFoundAgain) {
  if (sim::FindProgram("nextpnr-ice40").empty()) GTEST_SKIP() << "no nextpnr-ice40";
  for (int i = 0; i < 2; ++i) {
    const auto result = cost::MeasureOnFpga(spec_, cost::FpgaFamily::kIce40, false, *synthesizer_);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(result->count.flip_flops, 4 + 4 + 12);  // Operands and accumulator.
    EXPECT_GT(result->count.luts, 12);
    EXPECT_EQ(result->count.dsps, 0);
    ASSERT_TRUE(result->fmax_mhz.has_value());
    EXPECT_GT(*result->fmax_mhz, 10.0);
    EXPECT_LT(*result->fmax_mhz, 500.0);
  }
  EXPECT_EQ(synthesizer_->num_made(), 1);
  EXPECT_EQ(synthesizer_->num_cached(), 1);
}

TEST_F(FpgaTest, Ecp5IsCountedOnly) {
  spec_ = *cost::ParseMacSpec("int8/24");
  const auto result = cost::MeasureOnFpga(spec_, cost::FpgaFamily::kEcp5, true, *synthesizer_);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->count.dsps, 1);
  EXPECT_GE(result->count.flip_flops, 24);
  EXPECT_FALSE(result->fmax_mhz.has_value());
}

TEST_F(FpgaTest, BadUnitsAndAMissingToolAreNamed) {
  spec_.shape = cost::MacShape::kRow;
  const auto row = cost::MeasureOnFpga(spec_, cost::FpgaFamily::kXc7, false, *synthesizer_);
  ASSERT_FALSE(row.ok());
  EXPECT_THAT(row.error().message, HasSubstr("only --shape bare"));
  spec_ = *cost::ParseMacSpec("int8/32");
  spec_.lanes = 16;
  const auto pins = cost::MeasureOnFpga(spec_, cost::FpgaFamily::kIce40, false, *synthesizer_);
  ASSERT_FALSE(pins.ok());
  EXPECT_THAT(pins.error().message, HasSubstr("at most 206"));
  spec_.lanes = 1;
  const std::string path = std::getenv("PATH");
  ASSERT_EQ(setenv("PATH", folder_.path().c_str(), 1), 0);
  const auto missing = cost::MeasureOnFpga(spec_, cost::FpgaFamily::kIce40, false, *synthesizer_);
  ASSERT_EQ(setenv("PATH", path.c_str(), 1), 0);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kToolMissing);
  EXPECT_THAT(missing.error().message, HasSubstr("nextpnr-ice40"));
}

}  // namespace
}  // namespace macloom
