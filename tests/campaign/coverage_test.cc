// Which bins can occur follows from the operator and from what the configurations have.
#include "campaign/coverage.h"

#include <gtest/gtest.h>

#include "arch/corner_configs.h"

namespace macloom::campaign {
namespace {

using ir::OperatorKind;

bool CanOccurOn(const arch::HardwareConfig& config, OperatorKind kind, Property property) {
  return CanOccur({property, ColumnOf(kind)}, {config});
}

arch::HardwareConfig Corner(const std::string& name) {
  for (const arch::HardwareConfig& config : arch::CornerConfigs()) {
    if (config.name == name) return config;
  }
  ADD_FAILURE() << "no corner configuration " << name;
  return {};
}

TEST(CoverageTest, OperatorsDecide) {
  const arch::HardwareConfig preset = *arch::Preset("m4l16");
  EXPECT_TRUE(CanOccurOn(preset, OperatorKind::kConv2d, Property::kSeveralTiles));
  EXPECT_FALSE(CanOccurOn(preset, OperatorKind::kFullyConnected, Property::kSeveralTiles));
  EXPECT_FALSE(CanOccurOn(preset, OperatorKind::kAdd, Property::kStallWeight));
  EXPECT_FALSE(CanOccurOn(preset, OperatorKind::kMaxPool2d, Property::kWrapHigh));
  EXPECT_FALSE(CanOccurOn(preset, OperatorKind::kPad, Property::kClampLow));
}

TEST(CoverageTest, ConfigurationsDecide) {
  const arch::HardwareConfig preset = *arch::Preset("m4l16");
  EXPECT_FALSE(CanOccurOn(preset, OperatorKind::kConv2d, Property::kStriped));
  EXPECT_TRUE(CanOccurOn(Corner("small_memory"), OperatorKind::kConv2d, Property::kStriped));
  EXPECT_FALSE(CanOccurOn(Corner("one_row"), OperatorKind::kConv2d, Property::kSaturateHigh));
  EXPECT_FALSE(CanOccurOn(Corner("one_row"), OperatorKind::kConv2d, Property::kRemainderRows));
  EXPECT_FALSE(CanOccurOn(Corner("wide_lanes"), OperatorKind::kConv2d, Property::kWrapHigh));
  EXPECT_FALSE(CanOccurOn(Corner("shift_only"), OperatorKind::kConv2d, Property::kDoubleRounding));
  EXPECT_FALSE(CanOccurOn(Corner("narrow"), OperatorKind::kAdd, Property::kClampLow));
  EXPECT_FALSE(CanOccur({Property::kWeightBits4, kNetworkColumn}, {Corner("narrow")}));
  EXPECT_TRUE(CanOccur({Property::kWeightBits3, kNetworkColumn}, {Corner("narrow")}));
}

TEST(CoverageTest, EveryRowAndEveryColumnOfAllConfigurationsCanOccur) {
  const std::vector<arch::HardwareConfig> configs = arch::CornerConfigs();
  for (int p = 0; p < kNumProperties; ++p) {
    bool is_possible = false;
    for (int column = 0; column < kNumColumns; ++column)
      is_possible |= CanOccur({static_cast<Property>(p), column}, configs);
    EXPECT_TRUE(is_possible) << PropertyName(static_cast<Property>(p));
  }
  EXPECT_EQ(ColumnOf(OperatorKind::kSoftmax), -1);
}

TEST(CoverageTest, CountsHitsAndNamesWhatIsMissing) {
  Coverage coverage({*arch::Preset("m4l16")});
  const Bin bin{Property::kClampLow, ColumnOf(OperatorKind::kAdd)};
  const int64_t required = coverage.num_required();
  EXPECT_EQ(static_cast<int64_t>(coverage.missing().size()), required);
  coverage.Add({bin});
  coverage.Add({bin});
  EXPECT_EQ(coverage.hits(bin), 2);
  EXPECT_EQ(coverage.num_hit(), 1);
  EXPECT_EQ(static_cast<int64_t>(coverage.missing().size()), required - 1);
  EXPECT_EQ(ToString(bin), "ADD: clamp low");
}

TEST(CoverageTest, CrossesNeedShapeAndEventInOneOperator) {
  Coverage coverage({*arch::Preset("m4l16")});
  const int conv = ColumnOf(OperatorKind::kConv2d);
  coverage.AddCrosses({{Property::kOddSizes, conv}, {Property::kClampLow, conv + 1}},
                      ir::Overflow::kWrap);
  EXPECT_EQ(coverage.num_crosses_hit(), 0);
  coverage.AddCrosses({{Property::kOddSizes, conv}, {Property::kClampLow, conv}},
                      ir::Overflow::kWrap);
  EXPECT_EQ(coverage.num_crosses_hit(), 1);
  coverage.AddCrosses({{Property::kOddSizes, conv}, {Property::kClampLow, conv}},
                      ir::Overflow::kSaturate);
  EXPECT_EQ(coverage.num_crosses_hit(), 2);
}

}  // namespace
}  // namespace macloom::campaign
