// The claim's arithmetic: counts at every level, assumptions, words, JSON, configurations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cost/claim_measure.h"

namespace macloom::cost {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ClaimUnit Unit(const std::string& level, const std::string& name, double area_um2,
               double flip_flops, double period_ns) {
  ClaimUnit unit;
  unit.level = level;
  unit.name = name;
  unit.format = name.substr(0, name.find('/'));
  unit.is_fp8 = name.starts_with("e");
  unit.accumulator = !unit.is_fp8 ? "integer" : name.ends_with("/fp16") ? "FP16" : "exact";
  // Ten gate equivalents per um2.
  unit.gates = 10.0 * area_um2 - 4.0 * flip_flops;
  unit.flip_flops = flip_flops;
  unit.mapped.resize(1);
  unit.mapped[0].area_um2 = area_um2;
  unit.mapped[0].critical_path_ns = unit.mapped[0].period_ns = period_ns;
  unit.mapped[0].flip_flop_um2 = 4.0;
  return unit;
}

/// Against int8/24: e4m3 exact 1.2 and FP16 2.0 as a MAC, 1.0 and 1.6 as a system.
ClaimTable Table() {
  ClaimTable table;
  table.libraries = {"lib"};
  table.network = "net";
  table.units = {Unit("mac", "int8/24", 100, 24, 1),       Unit("mac", "int8/32", 125, 32, 1.25),
                 Unit("mac", "e4m3/45", 120, 45, 2),       Unit("mac", "e4m3/fp16", 200, 16, 4),
                 Unit("mac", "e5m2/fp16", 300, 16, 4),     Unit("system", "int8/24", 1000, 100, 10),
                 Unit("system", "int8/32", 1100, 120, 10), Unit("system", "e4m3/45", 1000, 180, 10),
                 Unit("system", "e4m3/fp16", 1600, 90, 20)};
  return table;
}

const ClaimLine* LineOf(const std::vector<ClaimLine>& lines, const std::string& level,
                        const std::string& baseline, const std::string& figure) {
  for (const ClaimLine& line : lines) {
    if (line.level == level && line.baseline == baseline && line.figure == figure) return &line;
  }
  return nullptr;
}

TEST(ClaimTest, TheEndsOfTheBandBelongToIt) {
  BandCount count;
  for (const double ratio : {1.49, 1.5, 2.8, 2.81}) count.Add(ratio);
  EXPECT_EQ(count, (BandCount{1, 2, 1}));
}

TEST(ClaimTest, CountsEveryLevelAgainstItsOwnBaselines) {
  const std::vector<ClaimLine> lines = CheckClaim(Table());
  const ClaimLine* mac = LineOf(lines, "mac", "int8/24", "lib area");
  ASSERT_NE(mac, nullptr);
  EXPECT_EQ(mac->count, (BandCount{1, 1, 1}));  // 1.2, 2.0, 3.0
  EXPECT_EQ(mac->highest_unit, "e5m2/fp16");
  const ClaimLine* system = LineOf(lines, "system", "int8/24", "lib area");
  ASSERT_NE(system, nullptr);
  EXPECT_EQ(system->count, (BandCount{1, 1, 0}));  // 1.0, 1.6
  EXPECT_DOUBLE_EQ(system->highest, 1.6);
  EXPECT_EQ(LineOf(lines, "system", "int8/32", "lib area")->count, (BandCount{2, 0, 0}));
  EXPECT_EQ(LineOf(lines, "row", "int8/24", "gates"), nullptr);
  EXPECT_EQ(LineOf(lines, "mac", "int8/24", "lib energy"), nullptr);
}

TEST(ClaimTest, EnergiesIncludeGlitchesAndNeedBothSides) {
  ClaimTable table = Table();
  table.units[0].mapped[0].energy = ClaimEnergy{2.0, 1.0};
  table.units[2].mapped[0].energy = ClaimEnergy{3.0, 3.0};
  const std::vector<ClaimLine> lines = CheckClaim(table);
  const ClaimLine* line = LineOf(lines, "mac", "int8/24", "lib energy");
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->count, (BandCount{0, 1, 0}));
  EXPECT_DOUBLE_EQ(line->lowest, 2.0);
  EXPECT_EQ(LineOf(lines, "mac", "int8/32", "lib energy"), nullptr);
}

TEST(ClaimTest, AreaAtAPeriodCountsStagesAndCopies) {
  ClaimUnit unit = Unit("mac", "e4m3/45", 100, 45, 4);  // Loop of 4 ns.
  unit.mapped[0].critical_path_ns = 7;
  unit.cut_bits = 10;
  EXPECT_DOUBLE_EQ(unit.AreaAt(0, 8), 100);             // Everything fits.
  EXPECT_DOUBLE_EQ(unit.AreaAt(0, 4), 100 + 10 * 4);    // One register of 10 bits of 4 um2.
  EXPECT_DOUBLE_EQ(unit.AreaAt(0, 2), 2 * (100 + 40));  // Two copies, each at 4 ns.
  EXPECT_DOUBLE_EQ(unit.AreaPeriod(0), 140.0 * 4.0);
  unit.macs = 4;
  EXPECT_DOUBLE_EQ(unit.AreaPeriod(0), 140.0);
}

TEST(ClaimTest, ASharePulledByWhatItIsProportionalTo) {
  EXPECT_DOUBLE_EQ(WithShare(1.2, 0.0, 9.0), 1.2);
  EXPECT_DOUBLE_EQ(WithShare(1.2, 0.3, 1.2), 1.2);  // In proportion to the figure itself.
  EXPECT_DOUBLE_EQ(WithShare(1.0, 0.25, 2.0), 1.2);
  EXPECT_LT(WithShare(2.0, 0.2, 1.0), 2.0);
}

TEST(ClaimTest, SensitivityCountsByLevel) {
  const std::vector<ClaimAssumption> assumptions = SensitivityOf(Table());
  const auto find = [&](const std::string& group, const std::string& name) {
    for (const ClaimAssumption& a : assumptions) {
      if (a.group == group && a.name.find(name) != std::string::npos) return a;
    }
    ADD_FAILURE() << group << " " << name;
    return ClaimAssumption{"", "", {{}, {}}};
  };
  // mac: 1.2, 2.0, 3.0 and 0.96, 1.6, 2.4; system: 1.0, 1.6 and 0.91, 1.45; areas and GE.
  EXPECT_EQ(find("area", "as mapped").by_level, (std::vector<BandCount>{{4, 6, 2}, {6, 2, 0}}));
  EXPECT_EQ(find("encoding", "e5m2").by_level, (std::vector<BandCount>{{0, 2, 2}, {0, 0, 0}}));
  EXPECT_EQ(find("accumulator", "FP16").by_level, (std::vector<BandCount>{{0, 6, 2}, {2, 2, 0}}));
  // A clock tree of 30 % by flip-flops: FP16 has 16 / 24 of them, 2.0 becomes 1.69.
  EXPECT_EQ(find("clock tree", "30 %").by_level[0], (BandCount{6, 6, 0}));
  for (const ClaimAssumption& a : assumptions) EXPECT_NE(a.group, "baseline");
  ClaimTable without_areas = Table();
  for (ClaimUnit& unit : without_areas.units) unit.mapped[0] = {};
  EXPECT_EQ(SensitivityOf(without_areas)[0].by_level,
            (std::vector<BandCount>{{2, 3, 1}, {3, 1, 0}}));
  ClaimTable with_shift = Table();
  with_shift.units.push_back(Unit("system", "int8/24 shift", 500, 90, 10));
  const std::vector<ClaimAssumption> more = SensitivityOf(with_shift);
  EXPECT_EQ(more.size(), assumptions.size() + 1);
  EXPECT_EQ(more.back().group, "baseline");
  EXPECT_EQ(more.back().by_level[1], (BandCount{0, 2, 2}));  // 2.0, 3.2
}

TEST(ClaimTest, TheVerdictFollowsFromTheNumbers) {
  const auto text = [](const ClaimTable& table) {
    std::string all;
    for (const std::string& sentence : VerdictOf(table)) all += sentence + "\n";
    return all;
  };
  ClaimTable table = Table();
  EXPECT_THAT(text(table),
              HasSubstr("exact 1.20 to 1.20 (below), FP16 2.00 to 3.00 (in and above)"));
  EXPECT_THAT(text(table), HasSubstr("accumulator changes the area by a factor of 1.67, another "
                                     "encoding by 1.50: the accumulator decides"));
  EXPECT_THAT(text(table), HasSubstr("wholly in the band: system FP16"));
  table.units[4].mapped[0].area_um2 = 700;
  EXPECT_THAT(text(table), HasSubstr("FP16 2.00 to 7.00 (in and above)"));
  table.units[3].mapped[0].area_um2 = 140;
  EXPECT_THAT(text(table), HasSubstr("FP16 1.40 to 7.00 (below to above)"));
  EXPECT_THAT(text(table), HasSubstr("the encoding decides"));
  EXPECT_THAT(text(table), Not(HasSubstr("energy")));
  table.units[0].mapped[0].network_energy = ClaimEnergy{2.0, 1.0};
  table.units[2].mapped[0].network_energy = ClaimEnergy{3.0, 0.0};
  table.units[3].mapped[0].network_energy = ClaimEnergy{3.0, 6.0};
  EXPECT_THAT(text(table), HasSubstr("mac: energy against int8/24 by accumulator: exact 1.00 to "
                                     "1.00 (below), FP16 3.00 to 3.00 (above)"));
  EXPECT_THAT(text(table), HasSubstr("changes the energy by a factor of 3.00"));
  EXPECT_THAT(text(table), Not(HasSubstr("system: energy")));
}

TEST(ClaimTest, JsonHasUnitsCountsAssumptionsAndVerdict) {
  ClaimTable table = Table();
  table.units[8].system = ClaimSystem{64, 0.9, 44027, 5000.0, 7.0, 3.0};
  const nlohmann::ordered_json json = ToJson(table);
  EXPECT_EQ(json["format"], "macloom.claim");
  EXPECT_EQ(json["units"].size(), 9u);
  EXPECT_EQ(json["units"][8]["system"]["cycles"], 44027);
  EXPECT_DOUBLE_EQ(json["units"][8]["ratios"]["int8/24"]["lib area"].get<double>(), 1.6);
  EXPECT_EQ(json["claim"][0]["level"], "mac");
  EXPECT_EQ(json["claim"][0]["below"].get<int>() + json["claim"][0]["within"].get<int>() +
                json["claim"][0]["above"].get<int>(),
            3);
  EXPECT_EQ(json["sensitivity"][0]["levels"]["system"]["below"], 6);
  EXPECT_EQ(json["verdict"].size(), VerdictOf(table).size());
}

TEST(ClaimTest, AcceleratorsTakeFormatAndAccumulator) {
  for (const std::string& text : WithBaselines(ClaimFormats())) {
    const Result<MacSpec> spec = ParseMacSpec(text);
    ASSERT_TRUE(spec.ok()) << text;
    EXPECT_EQ(spec->Text(), text);
    const Result<arch::HardwareConfig> config = ConfigOf(*spec, {});
    ASSERT_TRUE(config.ok()) << text << ": " << config.error().message;
    EXPECT_EQ(config->is_minifloat(), spec->is_minifloat);
    EXPECT_EQ(config->register_bits(), spec->accumulator_bits);
    EXPECT_EQ(config->accumulator_dropped_bits, spec->drop_bits);
    EXPECT_EQ(config->weight_bits, spec->is_minifloat ? 8 : spec->weight_bits);
  }
  const Result<MacSpec> narrow = ParseMacSpec("e2m3/21");
  ASSERT_TRUE(narrow.ok());
  const Result<arch::HardwareConfig> refused = ConfigOf(*narrow, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace macloom::cost
