// The plot of the claim shows every unit, and the counts are those of the ratios.
#include "reports/cost_plots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cost/claim_result.h"

namespace macloom::reports {
namespace {

using ::testing::HasSubstr;

cost::MacResult Unit(const std::string& format, int bits, int64_t gates, bool is_fp8) {
  cost::MacResult result;
  result.name = format;
  result.format = format;
  result.accumulator_bits = bits;
  result.shape = "bare";
  result.is_fp8 = is_fp8;
  result.gates.gates = gates;
  return result;
}

cost::MacComparison Comparison() {
  cost::MacComparison comparison;
  comparison.baseline = "int8/24";
  comparison.baselines = {Unit("int8", 24, 100, false)};
  comparison.results = {Unit("int8", 32, 120, false), Unit("e4m3 x", 45, 149, true),
                        Unit("e4m3 y", 16, 150, true), Unit("e5m2", 75, 281, true),
                        Unit("e2m3", 21, 60, false)};
  return comparison;
}

TEST(ClaimTest, CountsRatiosBelowInAndAboveTheBand) {
  const std::vector<cost::ClaimLine> lines = cost::CheckClaim(Comparison());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].baseline, "int8 a24");
  EXPECT_EQ(lines[0].below, 1);
  EXPECT_EQ(lines[0].within, 1);
  EXPECT_EQ(lines[0].above, 1);
  EXPECT_EQ(lines[0].highest_unit, "e5m2");
  EXPECT_EQ(lines[1].baseline, "int8 a32");
  EXPECT_EQ(lines[1].below, 2);
  EXPECT_EQ(lines[1].within, 1);
}

TEST(ClaimTest, PlotNamesEveryUnitOnce) {
  const std::string svg = ClaimPlot(Comparison());
  for (const char* unit : {"e4m3 x", "e4m3 y", "e5m2", "e2m3"}) {
    EXPECT_THAT(svg, HasSubstr(std::string(">") + unit + "<"));
  }
  EXPECT_THAT(svg, HasSubstr("e5m2, gates: 2.81 of int8"));
}

}  // namespace
}  // namespace macloom::reports
