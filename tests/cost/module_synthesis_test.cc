// Designs module by module: text of elaborated modules, cache, sums over the hierarchy.
#include "cost/module_synthesis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cost/hierarchy.h"
#include "cost/sta.h"
#include "tests/cost/new_synthesizer.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Design(int first_number) {
  const auto name = [&](int offset) { return std::to_string(first_number + offset); };
  return "# Generated\nautoidx " + name(99) +
         "\nattribute \\src \"a.sv:1\"\nattribute \\keep 1\nmodule \\a\n"
         "  wire input 1 \\clk_i\n  wire width 6 input 2 \\narrow_i\n  wire output 3 \\y_o\n"
         "  wire $and$a.sv:5$" +
         name(1) + "_Y\n  attribute \\src \"a.sv:5\"\n  cell $and $and$a.sv:5$" + name(1) +
         "\n    connect \\A \\narrow_i [2]\n    connect \\Y $and$a.sv:5$" + name(1) +
         "_Y\n  end\n  cell \\b \\u_b\n    connect \\x_i $and$a.sv:5$" + name(1) +
         "_Y\n  end\n  connect $0\\y_o[0:0] \\y_o\nend\nmodule \\b\n  wire input 1 \\x_i\nend\n";
}

TEST(RtlilTest, ModulesDependOnNothingButThemselves) {
  const auto first = cost::SplitRtlil(Design(100));
  const auto second = cost::SplitRtlil(Design(7000));
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_TRUE(second.ok());
  const cost::RtlilModule& a = first->at("\\a");
  EXPECT_EQ(a.text, second->at("\\a").text);
  EXPECT_THAT(a.text, HasSubstr("attribute \\keep 1\nmodule \\a\n"));
  EXPECT_THAT(a.text, Not(HasSubstr("\\src")));
  EXPECT_THAT(a.text, HasSubstr("  cell $and $and$a.sv:5$0\n"));
  EXPECT_THAT(a.text, HasSubstr("$0\\y_o[0:0]"));  // A process value, not a number.
  EXPECT_EQ(a.stub,
            "attribute \\blackbox 1\nmodule \\a\n  wire input 1 \\clk_i\n"
            "  wire width 6 input 2 \\narrow_i\n  wire output 3 \\y_o\nend\n");
  EXPECT_THAT(cost::ModulesBelow(*first, "\\a"), ElementsAre("\\a", "\\b"));
  EXPECT_EQ(cost::DesignOf(*first, {"\\a"}), a.text + first->at("\\b").stub);
}

TEST(RtlilTest, AnInputIsTiedAndItsPortStays) {
  const auto modules = cost::SplitRtlil(Design(100));
  const std::string text = cost::WithInputAtZero(modules->at("\\a"), "narrow_i", 6).text;
  EXPECT_THAT(text, HasSubstr("  wire width 6 input 2 \\narrow_i\n"));
  EXPECT_THAT(text, HasSubstr("connect \\A \\narrow_i_at_zero [2]\n"));
  EXPECT_THAT(text, HasSubstr("  connect \\narrow_i_at_zero 6'000000\nend\n"));
  EXPECT_EQ(cost::WithInputAtZero(modules->at("\\b"), "narrow_i", 6).text, modules->at("\\b").text);
}

TEST(RtlilTest, BadTextIsRefused) {
  EXPECT_THAT(cost::SplitRtlil("autoidx 1\n").error().message, HasSubstr("without modules"));
  EXPECT_THAT(cost::SplitRtlil("module \\a\n  wire \\x\n").error().message,
              HasSubstr("only a part of module \\a"));
}

/// Two instances of a multiplier behind registers, and a parity that `parity` writes.
cost::RtlUnit ParityUnit(const std::string& parity) {
  cost::RtlUnit unit;
  unit.name = "unit under test";
  unit.top = "top";
  unit.order = {"top.sv"};
  unit.files["top.sv"] =
      "module product (input logic clk_i, input logic signed [3:0] a_i, b_i,\n"
      "  output logic signed [7:0] y_o);\n"
      "always_ff @(posedge clk_i) y_o <= 8'(a_i) * 8'(b_i);\nendmodule\n"
      "module parity (input logic [7:0] a_i, output logic y_o);\nassign y_o = " +
      parity +
      ";\nendmodule\n"
      "module top (input logic clk_i, input logic [3:0] a_i, b_i, c_i, output logic y_o);\n"
      "logic [7:0] p, q;\nproduct u_p (.clk_i, .a_i(a_i), .b_i(b_i), .y_o(p));\n"
      "product u_q (.clk_i, .a_i(a_i), .b_i(c_i), .y_o(q));\n"
      "parity u_parity (.a_i({p[7:4], q[3:0]}), .y_o(y_o));\nendmodule\n";
  return unit;
}

class ModuleSynthesisTest : public ::testing::Test {
 protected:
  void SetUp() override { synthesizer_.emplace(NewSynthesizer(folder_)); }

  /// All modules of `unit` by themselves, or as one if `is_flat`.
  cost::SynthesizedModules Synthesize(const cost::RtlUnit& unit, bool is_flat,
                                      const cost::LibraryFile* library = nullptr) {
    const auto modules = cost::Elaborate(unit, *synthesizer_);
    EXPECT_TRUE(modules.ok()) << modules.error().message;
    if (!modules.ok()) return {};
    std::vector<cost::ModuleRequest> requests;
    const std::vector<std::string> names = cost::ModulesBelow(*modules, "\\top");
    if (is_flat) {
      requests = {{names, true}};
    } else {
      for (const std::string& name : names) requests.push_back({{name}});
    }
    const auto parts = cost::SynthesizeModules(*modules, requests, library, *synthesizer_, 2, {});
    EXPECT_TRUE(parts.ok()) << parts.error().message;
    if (!parts.ok()) return {};
    cost::SynthesizedModules all;
    std::set<std::string> seen;
    for (const cost::SynthesizedModules& part : *parts) {
      all.stat += part.stat;
      all.netlist += cost::NewModules(part.netlist, seen);
    }
    return all;
  }

  testing::TemporaryFolder folder_;
  std::optional<cost::Synthesizer> synthesizer_;
};

TEST_F(ModuleSynthesisTest, OnlyTheModuleThatChangesIsMadeAgain) {
  const auto composed = cost::Compose(Synthesize(ParityUnit("^a_i"), false).stat, "top");
  ASSERT_TRUE(composed.ok()) << composed.error().message;
  EXPECT_EQ(composed->flip_flops, 16);
  EXPECT_EQ(synthesizer_->num_made(), 3);
  int64_t multipliers = 0;
  for (const cost::HwBlock& block : composed->blocks) {
    if (block.module == "loom_bit_heap") multipliers += block.instances;
  }
  EXPECT_EQ(multipliers, 2);  // The structural body, in both instances.

  const auto same = cost::Compose(Synthesize(ParityUnit("^a_i"), false).stat, "top");
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(synthesizer_->num_made(), 3);
  EXPECT_EQ(same->gates, composed->gates);

  const auto changed = cost::Compose(Synthesize(ParityUnit("&a_i[7:1]"), false).stat, "top");
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(synthesizer_->num_made(), 4);
  EXPECT_EQ(changed->gates, composed->gates - 1);  // An input less.

  const auto flat = cost::Compose(Synthesize(ParityUnit("^a_i"), true).stat, "top");
  ASSERT_TRUE(flat.ok()) << flat.error().message;
  EXPECT_EQ(flat->blocks.size(), 1u);
  EXPECT_LE(flat->gates, composed->gates);
  EXPECT_GT(flat->gates, composed->gates / 2);
}

TEST_F(ModuleSynthesisTest, MappedModulesAddUpToANetlistWithAPath) {
  const auto library = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(library.ok()) << library.error().message;
  auto composed = cost::Compose(Synthesize(ParityUnit("^a_i"), false).stat, "top");
  ASSERT_TRUE(composed.ok());
  const cost::SynthesizedModules mapped = Synthesize(ParityUnit("^a_i"), false, &*library);
  const Status added = cost::AddAreas(mapped.stat, "top", *library, *composed);
  ASSERT_TRUE(added.ok()) << added.error().message;
  EXPECT_GT(composed->area_um2[0], 16 * 96.0);
  const auto timing = cost::AnalyseTiming(mapped.netlist, "top", *library, {});
  ASSERT_TRUE(timing.ok()) << timing.error().message;
  EXPECT_GT(timing->critical_path_ns, 0.5);  // Multiplier, through three modules.
}

TEST_F(ModuleSynthesisTest, AFailureShowsTheToolsLinesAndIsNotKept) {
  const auto modules = cost::SplitRtlil("module \\top\n  cell \\nobody \\u\n  end\nend\n");
  ASSERT_TRUE(modules.ok());
  for (int i = 0; i < 2; ++i) {
    const auto parts =
        cost::SynthesizeModules(*modules, {{{"\\top"}}}, nullptr, *synthesizer_, 2, {});
    ASSERT_FALSE(parts.ok());
    EXPECT_EQ(parts.error().kind, ErrorKind::kToolFailed);
    EXPECT_THAT(parts.error().message, HasSubstr("nobody"));
  }
}

}  // namespace
}  // namespace macloom
