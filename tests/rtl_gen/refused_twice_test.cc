// What the validator refuses, elaboration refuses too: a configuration cannot slip through either.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "rtl/gen/generator.h"
#include "tests/support/shell.h"

namespace macloom::rtl_gen {
namespace {

using arch::HardwareConfig;

struct Refusal {
  const char* name;
  std::function<void(HardwareConfig&)> change;
};

/// Both ends of every setting, and every rule between settings.
const std::vector<Refusal>& Refusals() {
  static const std::vector<Refusal> refusals = {
      {"rows_64", [](HardwareConfig& c) { c.rows = 64; }},
      {"rows_3", [](HardwareConfig& c) { c.rows = 3; }},
      {"rows_above_lanes", [](HardwareConfig& c) { c.rows = 32; }},
      {"lanes_4", [](HardwareConfig& c) { c.lanes = 4; }},
      {"lanes_64", [](HardwareConfig& c) { c.lanes = 64; }},
      {"one_row_of_8_lanes",
       [](HardwareConfig& c) {
         c.rows = 1;
         c.lanes = c.tile_pixels = c.requant_lanes = 8;
       }},
      {"too_many_multipliers",
       [](HardwareConfig& c) {
         c.rows = c.lanes = 32;
         c.weight_ring_bytes = 1 << 20;
       }},
      {"tile_pixels_0", [](HardwareConfig& c) { c.tile_pixels = 0; }},
      {"tile_pixels_12", [](HardwareConfig& c) { c.tile_pixels = 12; }},
      {"tile_pixels_above_lanes", [](HardwareConfig& c) { c.tile_pixels = 32; }},
      {"activation_bits_1", [](HardwareConfig& c) { c.activation_bits = 1; }},
      {"activation_bits_9", [](HardwareConfig& c) { c.activation_bits = 9; }},
      {"weight_bits_1", [](HardwareConfig& c) { c.weight_bits = 1; }},
      {"weight_bits_9", [](HardwareConfig& c) { c.weight_bits = 9; }},
      {"accumulator_bits_7", [](HardwareConfig& c) { c.accumulator_bits = 7; }},
      {"accumulator_bits_33", [](HardwareConfig& c) { c.accumulator_bits = 33; }},
      {"accumulator_above_24_bit_lanes",
       [](HardwareConfig& c) {
         c.requant_kind = arch::RequantKind::k24x24;
         c.accumulator_bits = 25;
       }},
      {"requant_lanes_0", [](HardwareConfig& c) { c.requant_lanes = 0; }},
      {"requant_lanes_6", [](HardwareConfig& c) { c.requant_lanes = 6; }},
      {"requant_lanes_above_lanes", [](HardwareConfig& c) { c.requant_lanes = 32; }},
      {"activation_bytes_512", [](HardwareConfig& c) { c.activation_bytes = 512; }},
      {"activation_bytes_3000", [](HardwareConfig& c) { c.activation_bytes = 3000 * 16; }},
      {"activation_words_above_65536", [](HardwareConfig& c) { c.activation_bytes = 1 << 21; }},
      {"banks_0", [](HardwareConfig& c) { c.activation_banks = 0; }},
      {"banks_3", [](HardwareConfig& c) { c.activation_banks = 3; }},
      {"banks_16", [](HardwareConfig& c) { c.activation_banks = 16; }},
      {"ring_of_8_rows", [](HardwareConfig& c) { c.weight_ring_bytes = 8 * 64; }},
      {"ring_of_32768_rows", [](HardwareConfig& c) { c.weight_ring_bytes = 32768 * 64; }},
      {"ring_of_100_rows", [](HardwareConfig& c) { c.weight_ring_bytes = 100 * 64; }},
      {"staging_of_8_words", [](HardwareConfig& c) { c.staging_bytes = 8 * 16; }},
      {"staging_of_131072_bytes", [](HardwareConfig& c) { c.staging_bytes = 131072; }},
      {"staging_of_100_words", [](HardwareConfig& c) { c.staging_bytes = 1600; }},
      {"window_words_3", [](HardwareConfig& c) { c.window_words = 3; }},
      {"window_words_33", [](HardwareConfig& c) { c.window_words = 33; }},
      {"window_words_below_banks",
       [](HardwareConfig& c) {
         c.window_words = 4;
         c.activation_banks = 8;
       }},
      {"bus_of_32_bits", [](HardwareConfig& c) { c.axi_data_bits = 32; }},
      {"bus_of_256_bits", [](HardwareConfig& c) { c.axi_data_bits = 256; }},
      {"bus_wider_than_a_word",
       [](HardwareConfig& c) {
         c.lanes = c.tile_pixels = c.requant_lanes = 8;
         c.axi_data_bits = 128;
       }},
      {"no_outstanding_burst", [](HardwareConfig& c) { c.outstanding_bursts = 0; }},
      {"outstanding_bursts_17", [](HardwareConfig& c) { c.outstanding_bursts = 17; }},
  };
  return refusals;
}

testing::ToolRun Elaborate(const HardwareConfig& config) {
  const std::string library = std::string(MACLOOM_SOURCE_DIR) + "/rtl/lib/";
  std::string command = "verilator --lint-only -Wno-lint -y " + library;
  for (const Parameter& parameter : Parameters(config)) {
    command += " -G" + std::string(parameter.name) + "=" + std::to_string(parameter.value);
  }
  return testing::RunShell(command + " " + library + "loom_pkg.sv " + library +
                           "loom_desc_pkg.sv " + library +
                           "loom_accelerator.sv --top-module loom_accelerator");
}

class RefusedTwiceTest : public ::testing::TestWithParam<size_t> {};

TEST_P(RefusedTwiceTest, ByTheValidatorAndByElaboration) {
  MACLOOM_NEED_TOOL("verilator");
  HardwareConfig config = *arch::Preset("m4l16");
  Refusals()[GetParam()].change(config);
  EXPECT_FALSE(arch::Validate(config).ok());
  const testing::ToolRun outcome = Elaborate(config);
  EXPECT_NE(outcome.status, 0);
  // A message of ours, not an accident of the language.
  EXPECT_THAT(outcome.text, ::testing::HasSubstr("loom_"));
  EXPECT_THAT(outcome.text, ::testing::HasSubstr(" must "));
}

INSTANTIATE_TEST_SUITE_P(Rules, RefusedTwiceTest, ::testing::Range(size_t{0}, Refusals().size()),
                         [](const auto& info) { return Refusals()[info.param].name; });

TEST(RefusedTwiceTest, ThePresetsAreRefusedByNeither) {
  MACLOOM_NEED_TOOL("verilator");
  for (const std::string& name : arch::PresetNames()) {
    const HardwareConfig config = *arch::Preset(name);
    EXPECT_TRUE(arch::Validate(config).ok());
    const testing::ToolRun outcome = Elaborate(config);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
  }
}

}  // namespace
}  // namespace macloom::rtl_gen
