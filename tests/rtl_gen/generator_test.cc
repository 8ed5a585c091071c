// The generated RTL: reproducible, complete, accepted by Verilator -Wall and by Yosys; every
// library module also alone; bad parameters stop elaboration.
#include "rtl/gen/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <sstream>

#include "rtl/gen/embedded_rtl.h"
#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace macloom::rtl_gen {
namespace {

using testing::RunShell;
using testing::ToolRun;

const std::string kLibrary = std::string(MACLOOM_SOURCE_DIR) + "/rtl/lib/";
const std::string kPackages = kLibrary + "loom_pkg.sv " + kLibrary + "loom_desc_pkg.sv ";
const std::string kWaivers = std::string(MACLOOM_SOURCE_DIR) + "/rtl/lint/loom.vlt ";

std::string LintCommand(const std::string& module, const std::string& options = "") {
  return "verilator --lint-only -Wall -y " + kLibrary + " " + options + " " + kWaivers + kPackages +
         kLibrary + module + ".sv --top-module " + module;
}

class PresetTest : public ::testing::TestWithParam<std::string> {};

TEST_P(PresetTest, GeneratedSetIsReproducibleAndComplete) {
  const auto config = arch::Preset(GetParam());
  ASSERT_TRUE(config.ok());
  const auto first = RenderRtl(*config);
  const auto second = RenderRtl(*config);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, *second);
  const std::string& top = first->at(TopName(*config) + ".sv");
  EXPECT_NE(top.find("Do not edit"), std::string::npos);
  EXPECT_NE(top.find(arch::Digest(*config).substr(0, 16)), std::string::npos);
  // The file list names every source once, packages first, the top last.
  std::istringstream list(first->at("macloom.f"));
  std::vector<std::string> names;
  for (std::string line; std::getline(list, line);) names.push_back(line);
  EXPECT_EQ(names.front(), "loom_pkg.sv");
  EXPECT_EQ(names.back(), TopName(*config) + ".sv");
  EXPECT_EQ(names.size(), EmbeddedRtl().size() + 1);
  const auto signature = nlohmann::json::parse(first->at("signature.json"));
  EXPECT_EQ(signature["top"], TopName(*config));
  EXPECT_EQ(signature["parameters"]["Rows"], config->rows);
  EXPECT_EQ(signature["registers"].size(), 14u + 28u);
}

TEST_P(PresetTest, GeneratedSetLintsAndReadsInYosys) {
  MACLOOM_NEED_TOOL("verilator");
  MACLOOM_NEED_TOOL("yosys");
  const auto config = arch::Preset(GetParam());
  const testing::TemporaryFolder folder;
  const std::string rtl = (folder.path() / "rtl").string();
  ASSERT_TRUE(GenerateRtl(*config, rtl).ok());
  const ToolRun lint = RunShell("cd " + rtl + " && verilator --lint-only -Wall " + kWaivers +
                                " $(cat macloom.f) --top-module " + TopName(*config));
  EXPECT_EQ(lint.status, 0) << lint.text;
  EXPECT_EQ(lint.text, "");
  const ToolRun yosys = RunShell(
      "cd " + rtl +
      " && yosys -q -p \"read_verilog -sv $(tr '\\n' ' ' < macloom.f); hierarchy -check -top " +
      TopName(*config) + "; proc; check -assert\"");
  EXPECT_EQ(yosys.status, 0) << yosys.text;
  // An array of structs or a misspelt name is only a warning in Yosys: make it an error.
  EXPECT_EQ(yosys.text.find("implicitly declared"), std::string::npos) << yosys.text;
  const ToolRun header =
      RunShell("cd " + rtl +
               " && echo '#include \"macloom_regs.h\"' > t.c && gcc -Wall -Werror "
               "-c t.c && g++ -Wall -Werror -x c++ -c t.c");
  EXPECT_EQ(header.status, 0) << header.text;
}

INSTANTIATE_TEST_SUITE_P(Presets, PresetTest, ::testing::ValuesIn(arch::PresetNames()),
                         [](const auto& info) { return info.param; });

std::vector<std::string> Modules() {
  std::vector<std::string> modules;
  for (const auto& [file, text] : EmbeddedRtl()) {
    const std::string name = file.substr(0, file.size() - 3);
    if (!name.ends_with("_pkg")) modules.push_back(name);
  }
  return modules;
}

class ModuleTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ModuleTest, LintsAloneInVerilatorAndReadsInYosys) {
  MACLOOM_NEED_TOOL("verilator");
  MACLOOM_NEED_TOOL("yosys");
  const ToolRun lint = RunShell(LintCommand(GetParam()));
  EXPECT_EQ(lint.status, 0) << lint.text;
  EXPECT_EQ(lint.text, "");
  const ToolRun yosys = RunShell(
      "yosys -q -p \"read_verilog -sv " + kPackages + "; read_verilog -sv " + kLibrary +
      "loom_[!pd]*.sv " + kLibrary + "loom_param_loader.sv " + kLibrary + "loom_d[!e]*.sv " +
      kLibrary + "loom_descriptor_fetch.sv; hierarchy -check -top " + GetParam() + "; proc\"");
  EXPECT_EQ(yosys.status, 0) << yosys.text;
}

INSTANTIATE_TEST_SUITE_P(Library, ModuleTest, ::testing::ValuesIn(Modules()),
                         [](const auto& info) { return info.param; });

struct BadParameter {
  const char* module;
  const char* option;
  const char* message;
};

class BadParameterTest : public ::testing::TestWithParam<BadParameter> {};

TEST_P(BadParameterTest, StopsElaboration) {
  MACLOOM_NEED_TOOL("verilator");
  const ToolRun lint = RunShell(LintCommand(GetParam().module, GetParam().option));
  EXPECT_NE(lint.status, 0);
  EXPECT_THAT(lint.text, ::testing::HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Library, BadParameterTest,
    ::testing::Values(
        BadParameter{"loom_array", "-GRows=3", "loom_array: Rows must be"},
        BadParameter{"loom_array", "-GLanes=12", "loom_array: Lanes must be"},
        BadParameter{"loom_array", "-GRequantLanes=3", "loom_array: RequantLanes must be"},
        BadParameter{"loom_array", "-GAccWidth=33", "loom_array: AccWidth must be"},
        BadParameter{"loom_array", "-GAccPolicy=3", "loom_array: AccPolicy must be"},
        BadParameter{"loom_row", "-GLanes=3", "loom_row: Lanes must be"},
        BadParameter{"loom_row", "-GAccWidth=49", "loom_row: AccWidth must be"},
        BadParameter{"loom_dot", "-GLanes=33", "loom_dot: Lanes must be"},
        BadParameter{"loom_dot", "-GAWidth=1", "loom_dot: AWidth and BWidth must be"},
        BadParameter{"loom_dot", "-GASigned=2", "loom_dot: ASigned and BSigned must be"},
        BadParameter{"loom_dot", "-GBody=2", "loom_dot: Body must be"},
        BadParameter{"loom_bit_heap", "-GAdder=2", "loom_bit_heap: Adder must be"},
        BadParameter{"loom_fp_multiplier", "-GAExp=6", "loom_fp_multiplier: AExp and BExp must be"},
        BadParameter{"loom_fp_multiplier", "-GBMan=7", "loom_fp_multiplier: AMan and BMan must be"},
        BadParameter{"loom_fp_add", "-GExp=9", "loom_fp_add: Exp must be"},
        BadParameter{"loom_fp_add", "-GMan=24", "loom_fp_add: Man must be"},
        BadParameter{"loom_fp_sum", "-GMaxShift=32", "loom_fp_sum: MaxShift must be"},
        BadParameter{"loom_fp_accumulate", "-GAccKind=2", "loom_fp_accumulate: AccKind must be"},
        BadParameter{"loom_fp_accumulate", "-GAccWidth=81", "loom_fp_accumulate: AccWidth must be"},
        BadParameter{"loom_fp_row", "-GLanes=3", "loom_fp_row: Lanes must be"},
        BadParameter{"loom_fp_row", "-GActMan=4", "loom_fp_row: a code has at most 8 bits"},
        BadParameter{"loom_fp_row", "-GWeightBias=15", "loom_fp_row: WeightBias must be"},
        BadParameter{"loom_fp_row", "-GAccKind=1 -GDrop=1", "loom_fp_row: a float accumulator"},
        BadParameter{"loom_fp_row", "-GRequantLanes=3", "loom_fp_row: RequantLanes must be"},
        BadParameter{"loom_array", "-GFormat=5", "loom_array: Format must be"},
        BadParameter{"loom_array", "-GAccDrop=1", "loom_array: integers need AccKind 0"},
        BadParameter{"loom_array", "-GFormat=1 -GAccKind=1 -GAccWidth=24",
                     "loom_array: a float accumulator has an AccWidth of 16 or 32"},
        BadParameter{"loom_array", "-GFormat=1 -GActBits=4", "loom_array: minifloats need ActBits"},
        BadParameter{"loom_param_loader", "-GAccWidth=33", "loom_param_loader: AccWidth must be"},
        BadParameter{"loom_fp_requant_lane", "-GExp=6", "loom_fp_requant_lane: Exp must be"},
        BadParameter{"loom_window", "-GBanks=3", "loom_window: Banks must be"},
        BadParameter{"loom_window", "-GWindowWords=33", "loom_window: WindowWords must be"},
        BadParameter{"loom_conv_feeder", "-GTilePixels=12", "loom_conv_feeder: TilePixels must be"},
        BadParameter{"loom_dw_feeder", "-GBanks=3", "loom_dw_feeder: Banks must be"},
        BadParameter{"loom_im2col", "-GStageWords=100", "loom_im2col: StageWords must be"},
        BadParameter{"loom_param_loader", "-GRingRows=100", "loom_param_loader: RingRows must be"},
        BadParameter{"loom_dma_read", "-GMaxOutstanding=17",
                     "loom_dma_read: MaxOutstanding must be"},
        BadParameter{"loom_dma_read", "-GAxiDataWidth=32", "loom_dma_read: AxiDataWidth must be"},
        BadParameter{"loom_dma_write", "-GAxiDataWidth=32", "loom_dma_write: AxiDataWidth must be"},
        BadParameter{"loom_weight_ring", "-GLanes=8 -GAxiDataWidth=128",
                     "loom_weight_ring: a beat must not be"},
        BadParameter{"loom_activation_dma", "-GLanes=8 -GAxiDataWidth=128",
                     "loom_activation_dma: a beat must not be"},
        BadParameter{"loom_core", "-GActWords=5000", "loom_core: ActWords must be"}));

TEST(GeneratorTest, BadNamesAreRefused) {
  for (const char* name : {"", "M4", "4m", "a-b", "a b", "../x"}) {
    arch::HardwareConfig config;
    config.name = name;
    const auto files = RenderRtl(config);
    ASSERT_FALSE(files.ok()) << name;
    EXPECT_EQ(files.error().kind, ErrorKind::kInvalidInput);
  }
}

}  // namespace
}  // namespace macloom::rtl_gen
