// Two-input gates of single multiply-accumulate units, as Yosys maps their structural bodies: the
// register has a synchronous clear and an enable, inverters and flip-flops are not counted.
#include <gtest/gtest.h>

#include <cstdio>
#include <regex>
#include <string>

#include "base/files.h"
#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace macloom::rtl_gen {
namespace {

struct GateLimit {
  const char* name;
  /// Accumulator bits and the instance that computes `next` from `acc`.
  int acc_bits;
  const char* instance;
  int most_gates;
};

/// Product and accumulation of one pair of minifloats. `format`: parameters of one factor.
#define MACLOOM_FP_UNIT(EXP, MAN, SPECIALS, MAX_SHIFT, ACC)                                       \
  "logic sign, unused_nan, unused_inf, unused_event;"                                             \
  "logic [2*" #MAN "+1:0] significand; logic [" #EXP                                              \
  ":0] shift;"                                                                                    \
  "loom_fp_multiplier #(.AExp(" #EXP "), .AMan(" #MAN "), .ASpecials(" #SPECIALS "), .BExp(" #EXP \
  "), .BMan(" #MAN "), .BSpecials(" #SPECIALS                                                     \
  ")) u_multiplier (.a_i, .b_i, .sign_o(sign), .significand_o(significand), .shift_o(shift), "    \
  ".nan_o(unused_nan), .inf_o(unused_inf));"                                                      \
  "loom_fp_accumulate #(.Lanes(1), .SigWidth(2*" #MAN "+2), .ShiftWidth(" #EXP                    \
  "+1), .MaxShift(" #MAX_SHIFT "), .Registered(0), .Body(1), " ACC                                \
  ") u_accumulate (.clk_i, .load_i(1'b0), .valid_i(1'b1), .sign_i(sign), "                        \
  ".significand_i(significand), .shift_i(shift), .base_i(acc_o), .saturate_i(1'b0), "             \
  ".acc_o(next), .event_o(unused_event));"

const GateLimit kLimits[] = {
    {"int8_acc24", 24,
     "loom_dot #(.Lanes(1), .AWidth(8), .BWidth(8), .SumWidth(24)) u_dot "
     "(.a_i, .b_i, .addend_i(acc_o), .sum_o(next));",
     460},
    {"int8_acc32", 32,
     "loom_dot #(.Lanes(1), .AWidth(8), .BWidth(8), .SumWidth(32)) u_dot "
     "(.a_i, .b_i, .addend_i(acc_o), .sum_o(next));",
     500},
    {"e4m3_exact45", 45, MACLOOM_FP_UNIT(4, 3, 1, 28, ".AccWidth(45)"), 600},
    {"e4m3_fp16", 16, MACLOOM_FP_UNIT(4, 3, 1, 28, ".AccKind(1), .GridLsb(-18)"), 935},
    {"e4m3_fp32", 32,
     MACLOOM_FP_UNIT(4, 3, 1, 28, ".AccKind(1), .AccExp(8), .AccMan(23), .GridLsb(-18)"), 1775},
    {"e5m2_exact75", 75, MACLOOM_FP_UNIT(5, 2, 2, 58, ".AccWidth(75)"), 907},
};

class UnitGatesTest : public ::testing::TestWithParam<GateLimit> {};

TEST_P(UnitGatesTest, StaysBelowItsLimit) {
  MACLOOM_NEED_TOOL("yosys");
  const GateLimit& unit = GetParam();
  const std::string last = std::to_string(unit.acc_bits - 1);
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "unit.sv").string();
  ASSERT_TRUE(
      WriteFileAtomically(path,
                          "module unit (input logic clk_i, clear_i, enable_i,\n"
                          "  input logic [7:0] a_i, b_i, output logic [" +
                              last +
                              ":0] acc_o);\n"
                              "  logic [" +
                              last + ":0] next;\n  " + unit.instance +
                              "\n  always_ff @(posedge clk_i)\n    if (clear_i) acc_o <= '0;\n"
                              "    else if (enable_i) acc_o <= next;\nendmodule\n")
          .ok());
  const std::string library = std::string(MACLOOM_SOURCE_DIR) + "/rtl/lib/";
  const testing::ToolRun run = testing::RunShell(
      "yosys -p \"read_verilog -sv " + library + "loom_pkg.sv " + library + "loom_bit_heap.sv " +
      library + "loom_dot.sv " + library + "loom_multiplier.sv " + library + "loom_fp_*.sv " +
      path +
      "; synth -flatten -top unit; abc -g AND,NAND,OR,NOR,XOR,XNOR,ANDNOT,ORNOT; opt_clean; stat\" "
      "| tail -30");
  ASSERT_EQ(run.status, 0) << run.text;
  int gates = 0;
  const std::regex cell(R"(\$_(AND|NAND|OR|NOR|XOR|XNOR|ANDNOT|ORNOT)_ +(\d+))");
  for (auto it = std::sregex_iterator(run.text.begin(), run.text.end(), cell);
       it != std::sregex_iterator(); ++it) {
    gates += std::stoi((*it)[2]);
  }
  std::printf("%s: %d gates\n", unit.name, gates);
  EXPECT_GT(gates, 100) << run.text;
  EXPECT_LE(gates, unit.most_gates);
}

INSTANTIATE_TEST_SUITE_P(Units, UnitGatesTest, ::testing::ValuesIn(kLimits),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace macloom::rtl_gen
