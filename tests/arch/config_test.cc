#include "arch/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arch/layout.h"

namespace macloom::arch {
namespace {

using ::testing::HasSubstr;

TEST(ConfigTest, PresetsAreValidAndReadBack) {
  for (const std::string& name : PresetNames()) {
    const auto preset = Preset(name);
    ASSERT_TRUE(preset.ok());
    EXPECT_TRUE(Validate(*preset).ok());
    const auto again = ParseConfig(ToToml(*preset), "preset");
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(*again, *preset);
  }
  EXPECT_EQ(Preset("m8l16")->rows * Preset("m8l16")->lanes, 128);
}

TEST(ConfigTest, KeysLeftOutAreThoseOfTheBase) {
  const auto config =
      ParseConfig("base = \"m8l16\"\nname = \"mine\"\n[acc]\nwidth_bits = 20\n", "x");
  ASSERT_TRUE(config.ok()) << config.error().message;
  HardwareConfig expected = *Preset("m8l16");
  expected.name = "mine";
  expected.accumulator_bits = 20;
  EXPECT_EQ(*config, expected);
  EXPECT_THAT(ParseConfig("base = \"m9\"", "x").error().message,
              HasSubstr("x: base: unknown preset"));
  EXPECT_THAT(ParseConfig("base = 8", "x").error().message, HasSubstr("base must be a string"));
}

TEST(ConfigTest, BadNamesAreRefused) {
  for (const char* name : {"", "a\"b", "a\nb", "../x", "8x", "A"}) {
    HardwareConfig config;
    config.name = name;
    ASSERT_FALSE(Validate(config).ok()) << name;
    EXPECT_THAT(Validate(config).error().message, HasSubstr("[a-z][a-z0-9_]*")) << name;
  }
}

TEST(ConfigTest, NameIsNoPartOfTheDigest) {
  HardwareConfig config;
  const std::string digest = Digest(config);
  config.name = "other";
  EXPECT_EQ(Digest(config), digest);
  config.requant_lanes = 4;
  EXPECT_NE(Digest(config), digest);
}

TEST(ConfigTest, BadSettingsNameKeyValueAndRange) {
  const std::pair<const char*, const char*> cases[] = {
      {"array.rows=0", "powers of two from 1 to 32"},
      {"array.lanes=64", "8 to 32"},
      {"array.tile_pixels=32", "exceeds array.lanes"},
      {"acc.width_bits=33", "acc.width_bits = 33: accepted are 8 to 32"},
      {"requant.lanes=32", "exceeds array.lanes"},
      {"memory.activation_banks=3", "powers of two"},
      {"memory.staging_bytes=128", "at least 16 words"},
      {"depthwise.window_words=3", "4 to 32"},
      {"bus.data_bits=32", "64 to 128"},
      {"bus.outstanding_bursts=0", "1 to 16"},
      {"acc.policy=never", "wrap, saturate, selectable"},
      {"acc.width_bits=wide", "is not a TOML value"},
      {"acc.width_bits=20.5", "must be an integer"},
      {"a.b=1", "unknown key `a.b`"},
      {"=1", "KEY=VALUE"},
  };
  for (const auto& [setting, message] : cases) {
    const auto changed = WithSetting(HardwareConfig(), setting);
    ASSERT_FALSE(changed.ok()) << setting;
    EXPECT_THAT(changed.error().message, HasSubstr(message)) << setting;
  }
}

TEST(ConfigTest, BadCombinationsAreRefused) {
  HardwareConfig config;
  config.rows = 32;
  config.lanes = 32;
  EXPECT_THAT(Validate(config).error().message, HasSubstr("16 to 512"));
  config = {};
  config.lanes = 8;
  config.tile_pixels = 8;
  config.axi_data_bits = 128;
  EXPECT_THAT(Validate(config).error().message, HasSubstr("wider than an activation word"));
  config = {};
  config.activation_bytes = 2097152;
  EXPECT_THAT(Validate(config).error().message, HasSubstr("at most 65536 words"));
  config = {};
  config.weight_ring_bytes = 1024;
  config.rows = 8;
  EXPECT_THAT(Validate(config).error().message, HasSubstr("accepted are 16 to 16384 rows"));
  config = {};
  config.window_words = 4;
  config.activation_banks = 8;
  EXPECT_THAT(Validate(config).error().message, HasSubstr("less than memory.activation_banks"));
}

TEST(MemoryPlanTest, RangesInUseTogetherNeverOverlap) {
  MemoryPlan plan(100);
  EXPECT_EQ(plan.Allocate(40, 0, 2), 0);
  EXPECT_EQ(plan.Allocate(30, 0, 0, true), 70);
  EXPECT_EQ(plan.Allocate(30, 1, 3), 40);
  EXPECT_EQ(plan.Allocate(31, 2, 3), std::nullopt);
  EXPECT_EQ(plan.Allocate(30, 2, 3), 70);
  EXPECT_EQ(plan.Allocate(40, 3, 4), 0);
}

}  // namespace
}  // namespace macloom::arch
