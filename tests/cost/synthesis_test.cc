// Netlists, the result cache, and small units through Yosys and OpenSTA.
#include "cost/synthesis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "cost/mac_cost.h"
#include "cost/yosys.h"
#include "tests/cost/new_synthesizer.h"
#include "tests/support/data_pack.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;

cost::RtlUnit UnitOf(const std::string& text) {
  cost::RtlUnit unit;
  unit.name = "unit under test";
  unit.top = "top";
  unit.files["top.sv"] = text;
  unit.order = {"top.sv"};
  return unit;
}

TEST(NetlistTest, ReadsWhatYosysWrites) {
  const Result<cost::Netlist> netlist = cost::ReadNetlist(
      "/* Generated */\nmodule top(clk_i, x, y);\n  wire _0_;\n  input clk_i;\n  wire clk_i;\n"
      "  input [1:0] x;\n  wire [1:0] x;\n  output [1:0] y;\n  wire [1:0] y;\n"
      "  wire \\u.q ;\n  INV _1_ (\n    .A(x[1]),\n    .Y(_0_)\n  );\n"
      "  DFF \\u.reg  (\n    .CLK(clk_i),\n    .D(_0_),\n    .Q(\\u.q )\n  );\n"
      "  assign y = { \\u.q , 1'b1 };\nendmodule\n",
      "n.v");
  ASSERT_TRUE(netlist.ok()) << netlist.error().message;
  ASSERT_EQ(netlist->instances.size(), 2u);
  EXPECT_EQ(netlist->instances[1].name, "u.reg");
  EXPECT_EQ(netlist->outputs.at("y")[0], cost::kNetOne);
  EXPECT_EQ(netlist->outputs.at("y")[1], netlist->instances[1].Net("Q"));
  EXPECT_EQ(netlist->instances[0].Net("A"), netlist->inputs.at("x")[1]);
}

TEST(NetlistTest, BadTextIsRefused) {
  for (const char* text :
       {"", "module", "module t(a);", "module t(a); input a; wire a; X y (.A(b));",
        "module t(a); input [9:1] a;", "module t(a); assign a = b; endmodule"}) {
    EXPECT_FALSE(cost::ReadNetlist(text, "n.v").ok()) << text;
  }
}

TEST(ResultCacheTest, KeepsFirstAndFindsIt) {
  const testing::TemporaryFolder folder;
  Result<cost::ResultCache> cache = cost::ResultCache::Open(folder / "c.sqlite");
  ASSERT_TRUE(cache.ok()) << cache.error().message;
  EXPECT_FALSE(cache->Find("a")->has_value());
  EXPECT_TRUE(cache->Insert("a", "1").ok());
  EXPECT_TRUE(cache->Insert("a", "2").ok());
  EXPECT_EQ(cache->Find("a")->value(), "1");
  std::ofstream(folder / "other") << std::string(5000, 'x');
  EXPECT_THAT(cost::ResultCache::Open(folder / "other").error().message,
              HasSubstr("is not a cache of macloom"));
}

TEST(SynthesisTest, CountsGatesAndFindsThemAgain) {
  const testing::TemporaryFolder folder;
  cost::Synthesizer synthesizer = NewSynthesizer(folder);
  const cost::RtlUnit unit = UnitOf(
      "module top (input logic clk_i, input logic a, b, output logic q_o);\n"
      "always_ff @(posedge clk_i) q_o <= a & b;\nendmodule\n");
  for (int i = 0; i < 2; ++i) {
    const Result<cost::GateCount> count = synthesizer.Gates(unit);
    ASSERT_TRUE(count.ok()) << count.error().message;
    EXPECT_EQ(*count, (cost::GateCount{.gates = 1, .inverters = 0, .flip_flops = 1}));
  }
  EXPECT_EQ(synthesizer.num_made(), 1);
  EXPECT_EQ(synthesizer.num_cached(), 1);
}

TEST(SynthesisTest, BadRtlShowsTheToolsLastLinesAndIsNotKept) {
  const testing::TemporaryFolder folder;
  cost::Synthesizer synthesizer = NewSynthesizer(folder);
  for (int i = 0; i < 2; ++i) {
    const Result<cost::GateCount> count = synthesizer.Gates(UnitOf("module top (;\n"));
    ASSERT_FALSE(count.ok());
    EXPECT_EQ(count.error().kind, ErrorKind::kToolFailed);
    EXPECT_THAT(count.error().message, HasSubstr("syntax error"));
    EXPECT_THAT(count.error().message, HasSubstr("unit under test"));
  }
  const Result<cost::GateCount> undriven = synthesizer.Gates(
      UnitOf("module top (input logic a, output logic y);\nassign y = a & nobody;\nendmodule\n"));
  ASSERT_FALSE(undriven.ok());
  EXPECT_THAT(undriven.error().message, HasSubstr("nobody"));
  EXPECT_EQ(synthesizer.num_made(), 0);
}

TEST(SynthesisTest, Int8MacMeetsItsBudgetInGatesAndHasALoop) {
  const testing::TemporaryFolder folder;
  cost::Synthesizer synthesizer = NewSynthesizer(folder);
  const Result<cost::MacSpec> spec = cost::ParseMacSpec("int8/24");
  const Result<cost::RtlUnit> unit = cost::MacRtl(*spec);
  const Result<cost::GateCount> count = synthesizer.Gates(*unit);
  ASSERT_TRUE(count.ok()) << count.error().message;
  EXPECT_LE(count->gates, 460);
  EXPECT_EQ(count->flip_flops, 24);
  const Result<cost::LibraryFile> library = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(library.ok()) << library.error().message;
  const Result<std::vector<cost::MappedArea>> areas = synthesizer.Map(*unit, {*library});
  ASSERT_TRUE(areas.ok()) << areas.error().message;
  const cost::MappedArea* area = &areas->front();
  EXPECT_EQ(area->flip_flops, 24);
  EXPECT_EQ(area->flip_flop_area_um2, 24 * 96.0);
  EXPECT_GT(area->area_um2, 15000.0);
  EXPECT_LT(area->area_um2, 21000.0);
  EXPECT_GT(area->loop_path_ns, 0.5);
  EXPECT_LT(area->loop_path_ns, area->critical_path_ns);
}

TEST(SynthesisTest, ExactE4M3CostsMoreThanInt8) {
  const testing::TemporaryFolder folder;
  cost::Synthesizer synthesizer = NewSynthesizer(folder);
  const Result<cost::MacSpec> spec = cost::ParseMacSpec("e4m3/45");
  const Result<cost::GateCount> count = synthesizer.Gates(*cost::MacRtl(*spec));
  ASSERT_TRUE(count.ok()) << count.error().message;
  EXPECT_GT(count->gates, 460);
  EXPECT_LE(count->gates, 640);
  EXPECT_EQ(count->flip_flops, 45);
}

TEST(SynthesisTest, DelaysAreInNanosecondsWhateverUnitTheLibraryHas) {
  MACLOOM_DATA_PACK(path, "liberty/asap7/asap7sc7p5t_RVT_TT_nldm_merged.lib.gz");
  const testing::TemporaryFolder folder;
  cost::Synthesizer synthesizer = NewSynthesizer(folder);
  const Result<cost::LibraryFile> library = cost::OpenLibrary(path.string());
  ASSERT_TRUE(library.ok()) << library.error().message;
  const auto unit = cost::MacRtl(*cost::ParseMacSpec("int4/12"));
  const Result<cost::LibraryFile> other = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(other.ok()) << other.error().message;
  const Result<std::vector<cost::MappedArea>> areas = synthesizer.Map(*unit, {*other, *library});
  ASSERT_TRUE(areas.ok()) << areas.error().message;
  // 7 nm, time_unit 1 ps: some 0.6 ns.
  EXPECT_GT(areas->back().critical_path_ns, 0.05);
  EXPECT_LT(areas->back().critical_path_ns, 10.0);
  EXPECT_EQ(synthesizer.num_made(), 2);

  // Libraries mapped one by one have the same areas and netlists.
  const testing::TemporaryFolder fresh;
  cost::Synthesizer again = NewSynthesizer(fresh);
  const Result<std::vector<cost::MappedArea>> alone = again.Map(*unit, {*library});
  ASSERT_TRUE(alone.ok()) << alone.error().message;
  EXPECT_EQ(alone->front().area_um2, areas->back().area_um2);
  EXPECT_EQ(alone->front().critical_path_ns, areas->back().critical_path_ns);
  EXPECT_EQ(alone->front().cells, areas->back().cells);
  // From the cache, and each library under its own key.
  const Result<std::vector<cost::MappedArea>> both = again.Map(*unit, {*other, *library});
  ASSERT_TRUE(both.ok()) << both.error().message;
  EXPECT_EQ(again.num_cached(), 1);
  EXPECT_EQ(again.num_made(), 2);
  EXPECT_EQ(both->front().area_um2, areas->front().area_um2);
}

TEST(SynthesisTest, RowsHoldOperandsProductsAccumulatorsAndShadow) {
  const testing::TemporaryFolder folder;
  cost::Synthesizer synthesizer = NewSynthesizer(folder);
  Result<cost::MacSpec> spec = cost::ParseMacSpec("int4/16");
  ASSERT_TRUE(spec.ok());
  spec->lanes = 2;
  spec->shape = cost::MacShape::kRow;
  const Result<cost::GateCount> row = synthesizer.Gates(*cost::MacRtl(*spec));
  ASSERT_TRUE(row.ok()) << row.error().message;
  // Two lanes of 4 + 4 operand and 8 product bits, a sum of 9, two accumulators and shadows of 16.
  EXPECT_GE(row->flip_flops, 2 * 16 + 9 + 4 * 16);
  spec->shape = cost::MacShape::kRowDepthwise;
  const Result<cost::GateCount> depthwise = synthesizer.Gates(*cost::MacRtl(*spec));
  ASSERT_TRUE(depthwise.ok()) << depthwise.error().message;
  EXPECT_GT(depthwise->gates, row->gates);
}

TEST(SynthesisTest, RowOfOneMinifloatLaneIsBuilt) {
  const testing::TemporaryFolder folder;
  cost::Synthesizer synthesizer = NewSynthesizer(folder);
  Result<cost::MacSpec> spec = cost::ParseMacSpec("e2m1/12");
  ASSERT_TRUE(spec.ok());
  spec->shape = cost::MacShape::kRow;
  const Result<cost::GateCount> row = synthesizer.Gates(*cost::MacRtl(*spec));
  ASSERT_TRUE(row.ok()) << row.error().message;
  // Operands of 4 + 4 bits, the accumulator and its shadow.
  EXPECT_GE(row->flip_flops, 8 + 2 * 12);
}

TEST(MacSpecTest, BadFormatsAreRefusedWithTheAcceptedOnes) {
  for (const char* text :
       {"int8", "int1/24", "int8/7", "int8/49", "int8x/24", "fp64/24", "", "int8/2x"}) {
    const Result<cost::MacSpec> spec = cost::ParseMacSpec(text);
    ASSERT_FALSE(spec.ok()) << text;
    EXPECT_THAT(spec.error().message, HasSubstr("int8x4/20")) << text;
  }
}

}  // namespace
}  // namespace macloom
