// The plot of the claim shows every unit at every level, with the ratios of the table.
#include "reports/claim_plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace macloom::reports {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

cost::ClaimUnit Unit(const std::string& level, const std::string& name, double gates) {
  cost::ClaimUnit unit;
  unit.level = level;
  unit.name = name;
  unit.gates = gates;
  unit.mapped.resize(1);
  unit.mapped[0].area_um2 = 2.0 * gates;
  unit.mapped[0].critical_path_ns = unit.mapped[0].period_ns = 1.0;
  return unit;
}

TEST(ClaimPlotTest, DrawsEveryUnitOfEveryLevelAgainstBothBaselines) {
  cost::ClaimTable table;
  table.libraries = {"lib"};
  table.units = {Unit("mac", "int8/24", 100),     Unit("mac", "int8/32", 200),
                 Unit("mac", "e4m3/fp16", 150),   Unit("system", "int8/24", 1000),
                 Unit("system", "int8/32", 1000), Unit("system", "e4m3/fp16", 1100)};
  table.units[2].mapped[0].network_energy = cost::ClaimEnergy{1.0, 0.5};
  table.units[0].mapped[0].network_energy = cost::ClaimEnergy{0.5, 0.1};
  const std::string svg = ClaimPlot(table);
  EXPECT_THAT(svg, HasSubstr(">e4m3/fp16<"));
  EXPECT_THAT(svg, HasSubstr("mac e4m3/fp16, gates: 1.50 of int8/24"));
  EXPECT_THAT(svg, HasSubstr("mac e4m3/fp16, lib area: 0.75 of int8/32"));
  EXPECT_THAT(svg, HasSubstr("system e4m3/fp16, gates: 1.10 of int8/24"));
  EXPECT_THAT(svg, HasSubstr("mac e4m3/fp16, lib network energy: 2.50 of int8/24"));
  EXPECT_THAT(svg, Not(HasSubstr("lib network energy: 2.50 of int8/32")));  // Not measured there.
  EXPECT_THAT(svg, Not(HasSubstr("row, against")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace macloom::reports
