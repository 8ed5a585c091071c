// The campaign on the real RTL: every network equal three ways, every bin met.
#include "campaign/campaign.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arch/corner_configs.h"
#include "sim/descriptor_device.h"
#include "tests/support/setting.h"

namespace macloom::campaign {
namespace {

std::vector<arch::HardwareConfig> AllConfigs() {
  std::vector<arch::HardwareConfig> configs = arch::CornerConfigs();
  for (const std::string& name : arch::PresetNames()) configs.push_back(*arch::Preset(name));
  return configs;
}

Result<std::unique_ptr<sim::Device>> MakeDescriptor(const arch::HardwareConfig&,
                                                    const sim::MemoryTiming&) {
  return sim::MakeDescriptorDevice();
}

/// MACLOOM_CAMPAIGN networks (default 240) from MACLOOM_SEED (default 1).
TEST(CampaignTest, GoldenDescriptorDeviceAndRtlAgreeAndEveryBinIsMet) {
  CampaignOptions options;
  options.configs = AllConfigs();
  ASSERT_LE(options.configs.size(), kMaxConfigs);
  options.num_networks = testing::Setting("MACLOOM_CAMPAIGN", 240);
  options.seed = static_cast<uint64_t>(testing::Setting("MACLOOM_SEED", 1));
  const auto result = RunCampaign(options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  std::printf("seed %llu: %lld networks, %lld with accumulator overflow, %lld of %lld bins\n",
              static_cast<unsigned long long>(options.seed),
              static_cast<long long>(result->executed),
              static_cast<long long>(result->with_overflow),
              static_cast<long long>(result->coverage.num_hit()),
              static_cast<long long>(result->coverage.num_required()));
  EXPECT_FALSE(result->failure) << result->failure->shrunk.outcome.mismatch << "\n"
                                << ir::ToText(result->failure->shrunk.test_case.graph);
  EXPECT_EQ(result->executed, options.num_networks);
  EXPECT_GE(result->with_overflow, result->executed / 20);
  for (const Bin& bin : result->coverage.missing()) ADD_FAILURE() << "missing " << ToString(bin);
}

/// The presets alone, MACLOOM_CAMPAIGN networks (default 240).
TEST(CampaignTest, ThePresetsAgree) {
  CampaignOptions options;
  for (const std::string& name : arch::PresetNames())
    options.configs.push_back(*arch::Preset(name));
  options.num_networks = testing::Setting("MACLOOM_CAMPAIGN", 240);
  options.seed = static_cast<uint64_t>(testing::Setting("MACLOOM_SEED", 1));
  const auto result = RunCampaign(options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_FALSE(result->failure) << result->failure->shrunk.outcome.mismatch << "\n"
                                << ir::ToText(result->failure->shrunk.test_case.graph);
  EXPECT_EQ(result->executed, options.num_networks);
  EXPECT_GE(result->with_overflow, result->executed / 20);
}

TEST(CampaignTest, EqualSeedsRunEqualNetworks) {
  CampaignOptions options;
  options.configs = {*arch::Preset("m4l16")};
  options.num_networks = 30;
  options.make_rtl = MakeDescriptor;
  const auto first = RunCampaign(options);
  const auto again = RunCampaign(options);
  options.seed = 2;
  const auto other = RunCampaign(options);
  ASSERT_TRUE(first.ok() && again.ok() && other.ok());
  int differences = 0;
  for (const Bin& bin : first->coverage.required()) {
    EXPECT_EQ(first->coverage.hits(bin), again->coverage.hits(bin)) << ToString(bin);
    differences += first->coverage.hits(bin) != other->coverage.hits(bin) ? 1 : 0;
  }
  EXPECT_GT(differences, 0);
}

TEST(CampaignTest, DevicesWithoutTimeLeaveTheCycleBinsMissing) {
  CampaignOptions options;
  options.configs = {*arch::Preset("m4l16")};
  options.num_networks = 10;
  options.make_rtl = MakeDescriptor;
  const auto result = RunCampaign(options);
  ASSERT_TRUE(result.ok());
  EXPECT_THAT(result->coverage.missing(), ::testing::Contains(Bin{Property::kStallWeight, 0}));
}

TEST(CampaignTest, BadOptionsAreNamed) {
  CampaignOptions options;
  EXPECT_THAT(RunCampaign(options).error().message,
              ::testing::HasSubstr("0 configurations: a campaign takes 1 to 12"));
  options.configs.assign(13, *arch::Preset("m4l16"));
  EXPECT_THAT(RunCampaign(options).error().message, ::testing::HasSubstr("13 configurations"));
  options.configs.resize(1);
  options.num_networks = 0;
  EXPECT_THAT(RunCampaign(options).error().message, ::testing::HasSubstr("0 networks"));
  options.num_networks = 1;
  options.time_limit_s = -1;
  EXPECT_THAT(RunCampaign(options).error().message, ::testing::HasSubstr("time limit -1 s"));
}

}  // namespace
}  // namespace macloom::campaign
