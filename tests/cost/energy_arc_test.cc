// Internal energy of a single gate, by hand from its Liberty tables, against ours and OpenSTA's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.h"
#include "cost/energy.h"
#include "cost/library_file.h"
#include "sim/subprocess.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

/// One gate; `a` and `b` are what its inputs are connected to.
std::string Gate(const std::string& a, const std::string& b) {
  return "module t(clk_i, a, b, y);\ninput clk_i;\ninput a;\ninput b;\noutput y;\nwire clk_i;\n"
         "wire a;\nwire b;\nwire y;\nNAND2X1 g (.A(" +
         a + "), .B(" + b + "), .Y(y));\nendmodule\n";
}

// NAND2X1 of OSU018 at a load of 5 fF (the first; smaller ones count as it) and a slew of 0.18 ns
// (the second): mean of rise_power and fall_power, fJ.
constexpr double kArcA = (51.923 + 6.113) / 2.0;
constexpr double kArcB = (40.104 + 4.814) / 2.0;

/// Internal energy of the gate, one arc and all arcs per transition.
struct GateEnergy {
  double transitions = 0.0;  ///< Of the output, per cycle and stream.
  double one_arc_fj = 0.0;
  double all_arcs_fj = 0.0;
};

/// Both inputs of the netlist change in every cycle.
GateEnergy Drive(const cost::LibraryFile& library, const std::string& gate) {
  const Result<cost::Netlist> netlist = cost::ReadNetlist(gate, "gate");
  EXPECT_TRUE(netlist.ok());
  Result<cost::GateSimulator> simulator = cost::GateSimulator::Create(*netlist, library.library);
  EXPECT_TRUE(simulator.ok());
  constexpr int kCycles = 400;
  for (int cycle = 0; cycle < kCycles; ++cycle) {
    for (const char* input : {"a", "b"}) {
      simulator->SetInput(input, 0, cycle % 2 == 0 ? ~uint64_t{0} : 0);
    }
    simulator->Cycle();
  }
  const auto output = static_cast<size_t>(netlist->outputs.at("y")[0]);
  const cost::UnitEnergy energy = cost::EnergyOf(*netlist, library.library, *simulator);
  return {static_cast<double>(simulator->toggles()[output]) / (kCycles * 64.0),
          energy.internal_pj * 1e3, energy.internal_all_arcs_pj * 1e3};
}

/// With b = 1 only a can change the output: a transition costs the arc of A and nothing else, which
/// is what the library's author measured. The sum over arcs adds that of B, which did not happen.
TEST(EnergyArcTest, ATransitionCostsTheArcOfTheInputThatCausedIt) {
  const Result<cost::LibraryFile> library = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(library.ok()) << library.error().message;
  const GateEnergy by_a = Drive(*library, Gate("a", "1'b1"));
  EXPECT_GT(by_a.transitions, 0.98);
  EXPECT_NEAR(by_a.one_arc_fj / by_a.transitions, kArcA, 1e-3);
  EXPECT_NEAR(by_a.all_arcs_fj / by_a.transitions, kArcA + kArcB, 1e-3);
  const GateEnergy by_b = Drive(*library, Gate("1'b1", "b"));
  EXPECT_NEAR(by_b.one_arc_fj / by_b.transitions, kArcB, 1e-3);
}

/// Inputs that change together: one transition, one arc, the mean of both.
TEST(EnergyArcTest, TwoInputsAtOnceAreOneTransition) {
  const Result<cost::LibraryFile> library = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(library.ok()) << library.error().message;
  const GateEnergy both = Drive(*library, Gate("a", "b"));
  EXPECT_NEAR(both.one_arc_fj / both.transitions, (kArcA + kArcB) / 2.0, 1e-3);
}

/// OpenSTA at 0.5 transitions in 10 ns charges each of them both arcs.
TEST(EnergyArcTest, OpenStaAddsBothArcs) {
  if (sim::FindProgram("sta").empty()) GTEST_SKIP() << "opensta is not installed";
  const Result<cost::LibraryFile> library = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(library.ok()) << library.error().message;
  const testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteFileAtomically(folder / "t.v", Gate("a", "b")).ok());
  ASSERT_TRUE(WriteFileAtomically(
                  folder / "t.tcl",
                  "read_liberty {" + library->path.string() +
                      "}\nread_verilog t.v\nlink_design t\n"
                      "create_clock -name clk -period 10 [get_ports clk_i]\n"
                      "set_input_delay 0 -clock clk {a b}\nset_input_transition 0.18 {a b}\n"
                      "set_load 0.005 y\nset_power_activity -global -activity 0.5 -duty 0.5\n"
                      "report_power -instances g -digits 6\n")
                  .ok());
  const Status run = sim::RunTool({"sta", "-no_init", "-no_splash", "-exit", "t.tcl"},
                                  folder.path(), folder / "log", "opensta");
  ASSERT_TRUE(run.ok()) << run.error().message;
  const Result<std::string> log = ReadTextFile(folder / "log");
  ASSERT_TRUE(log.ok());
  const size_t rule = log->find("----");
  ASSERT_NE(rule, std::string::npos) << *log;
  const double watts = std::strtod(log->c_str() + log->find('\n', rule), nullptr);
  const double per_transition_fj = watts * 1e15 / (0.5 / 10e-9);
  EXPECT_NEAR(per_transition_fj, kArcA + kArcB, 0.01) << *log;
}

}  // namespace
}  // namespace macloom
