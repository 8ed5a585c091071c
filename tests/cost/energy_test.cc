// The gate-level simulator against exact sums, and what the energy is made of.
#include "cost/energy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;

TEST(LogicFunctionTest, PrecedenceIsThatOfLiberty) {
  const std::vector<std::string> names = {"A", "B", "C"};
  const auto value = [&](const std::string& text, uint64_t a, uint64_t b, uint64_t c) {
    const Result<cost::LogicFunction> function = cost::LogicFunction::Parse(text, names);
    EXPECT_TRUE(function.ok()) << text;
    return function->Evaluate({a, b, c}, {0, 1, 2}) & 1;
  };
  for (uint64_t i = 0; i < 8; ++i) {
    const uint64_t a = i & 1, b = (i >> 1) & 1, c = i >> 2;
    EXPECT_EQ(value("!(A & B) | C", a, b, c), ((a & b) ^ 1) | c);
    EXPECT_EQ(value("A B + C'", a, b, c), (a & b) | (c ^ 1));
    EXPECT_EQ(value("A*B^C", a, b, c), a & (b ^ c)) << "xor binds tighter than and";
    EXPECT_EQ(value("((A))", a, b, c), a);
    EXPECT_EQ(value("A + 1", a, b, c), 1u);
  }
  for (const char* bad : {"", "A &", "(A", "A)", "D", "!"}) {
    EXPECT_FALSE(cost::LogicFunction::Parse(bad, names).ok()) << bad;
  }
  EXPECT_FALSE(cost::LogicFunction::Parse(std::string(100000, '('), names).ok());
}

TEST(GateSimulatorTest, RefusesLoopsAndUnknownCells) {
  const Result<cost::LibraryFile> library = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(library.ok()) << library.error().message;
  const auto refused = [&](const std::string& body) {
    const Result<cost::Netlist> netlist = cost::ReadNetlist(
        "module t(y);\noutput y;\nwire y;\nwire z;\n" + body + "endmodule\n", "n");
    EXPECT_TRUE(netlist.ok());
    const Result<cost::GateSimulator> simulator =
        cost::GateSimulator::Create(*netlist, library->library);
    return simulator.ok() ? std::string("accepted") : simulator.error().message;
  };
  EXPECT_THAT(refused("INVX1 a (.A(y), .Y(z));\nINVX1 b (.A(z), .Y(y));\n"),
              HasSubstr("combinational loop"));
  EXPECT_THAT(refused("NOSUCH a (.A(y), .Y(z));\n"), HasSubstr("has no cell NOSUCH"));
}

/// The mapped INT8 unit computes exact sums in all streams, and its energy is positive throughout.
TEST(GateSimulatorTest, MappedInt8MacAccumulatesExactly) {
  const testing::TemporaryFolder folder;
  Result<cost::ResultCache> cache = cost::ResultCache::Open(folder / "cost.sqlite");
  ASSERT_TRUE(cache.ok());
  Result<cost::Synthesizer> synthesizer = cost::Synthesizer::Create(std::move(*cache));
  ASSERT_TRUE(synthesizer.ok());
  const Result<cost::LibraryFile> library = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(library.ok()) << library.error().message;
  const Result<cost::MacSpec> spec = cost::ParseMacSpec("int8/24");
  const Result<cost::RtlUnit> unit = cost::MacRtl(*spec);
  const Result<std::string> verilog = synthesizer->MappedVerilog(*unit, *library);
  ASSERT_TRUE(verilog.ok()) << verilog.error().message;
  const Result<cost::Netlist> netlist = cost::ReadNetlist(*verilog, "int8");
  ASSERT_TRUE(netlist.ok()) << netlist.error().message;
  Result<cost::GateSimulator> simulator = cost::GateSimulator::Create(*netlist, library->library);
  ASSERT_TRUE(simulator.ok()) << simulator.error().message;
  Rng rng(11);
  std::array<int64_t, 64> sums = {};
  simulator->SetInput("enable_i", 0, ~uint64_t{0});
  for (int cycle = 0; cycle < 300; ++cycle) {
    simulator->SetInput("clear_i", 0, cycle == 0 ? ~uint64_t{0} : 0);
    std::array<std::array<uint64_t, 8>, 2> columns = {};
    for (size_t stream = 0; stream < 64; ++stream) {
      const int64_t a = rng.UniformInt(-128, 127);
      const int64_t b = rng.UniformInt(-128, 127);
      sums[stream] = cycle == 0 ? 0 : sums[stream] + a * b;
      for (size_t bit = 0; bit < 8; ++bit) {
        columns[0][bit] |= ((static_cast<uint64_t>(a) >> bit) & 1) << stream;
        columns[1][bit] |= ((static_cast<uint64_t>(b) >> bit) & 1) << stream;
      }
    }
    for (size_t bit = 0; bit < 8; ++bit) {
      simulator->SetInput("a_i", bit, columns[0][bit]);
      simulator->SetInput("b_i", bit, columns[1][bit]);
    }
    simulator->Cycle();
    for (size_t stream = 0; stream < 64; ++stream) {
      uint64_t sum = 0;
      for (size_t bit = 0; bit < 24; ++bit) {
        sum |= ((simulator->Output("acc_o", bit) >> stream) & 1) << bit;
      }
      ASSERT_EQ(sum, static_cast<uint64_t>(sums[stream]) & 0xffffff) << cycle << " " << stream;
    }
  }
  const cost::UnitEnergy energy = cost::EnergyOf(*netlist, library->library, *simulator);
  EXPECT_GT(energy.switching_pj, 0.0);
  EXPECT_GT(energy.internal_pj, 0.0);
  EXPECT_GT(energy.sequential_pj, 0.0);
  EXPECT_GT(energy.internal_all_arcs_pj, energy.internal_pj);
  EXPECT_GT(energy.toggles_per_net, 0.1);
  EXPECT_LT(energy.toggles_per_net, 1.0);
  EXPECT_GT(energy.glitch_factor, 1.0);
  EXPECT_LT(energy.glitch_factor, 5.0);
  EXPECT_GT(energy.glitch_pj, 0.0);
}

/// a & !...!a is always 0 without delays. With an odd number of inverters, each rising edge of `a`
/// gives a pulse as long as the inverters take; the gate swallows it if its own delay is longer.
TEST(GateSimulatorTest, PulsesLongerThanTheGateDelayAreCounted) {
  const Result<cost::LibraryFile> library = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(library.ok()) << library.error().message;
  bool was_swallowed = false, was_seen = false;
  for (const int inverters : {1, 3, 9}) {
    std::string text = "module t(a, y);\ninput a;\noutput y;\nwire a;\nwire y;\n";
    for (int i = 1; i <= inverters; ++i) text += "wire n" + std::to_string(i) + ";\n";
    for (int i = 1; i <= inverters; ++i) {
      text += "INVX1 i" + std::to_string(i) + " (.A(" +
              (i == 1 ? "a" : "n" + std::to_string(i - 1)) + "), .Y(n" + std::to_string(i) +
              "));\n";
    }
    text += "AND2X2 g (.A(a), .B(n" + std::to_string(inverters) + "), .Y(y));\nendmodule\n";
    const Result<cost::Netlist> netlist = cost::ReadNetlist(text, "pulse");
    ASSERT_TRUE(netlist.ok()) << netlist.error().message;
    Result<cost::GateSimulator> simulator = cost::GateSimulator::Create(*netlist, library->library);
    ASSERT_TRUE(simulator.ok()) << simulator.error().message;
    const std::vector<double> loads = cost::NetLoadsFf(*netlist, library->library);
    int64_t pulse_fs = 0, gate_fs = 0;
    for (const cost::NetlistInstance& instance : netlist->instances) {
      const cost::LibertyPin& pin = *library->library.cells.at(instance.cell).Find("Y");
      (instance.cell == "INVX1" ? pulse_fs : gate_fs) +=
          cost::GateDelayFs(pin, loads[static_cast<size_t>(instance.Net("Y"))]);
    }
    const int output = netlist->outputs.at("y")[0];
    // Streams 0 to 9 see a rising edge every other cycle, the others nothing.
    for (int cycle = 0; cycle < 20; ++cycle) {
      simulator->SetInput("a", 0, cycle % 2 == 0 ? 0x3ff : 0);
      simulator->Cycle();
    }
    EXPECT_EQ(simulator->toggles()[static_cast<size_t>(output)], 0);
    const bool is_seen = pulse_fs > gate_fs;
    EXPECT_EQ(simulator->transitions()[static_cast<size_t>(output)], is_seen ? 10 * 10 * 2 : 0)
        << inverters << " inverters, pulse " << pulse_fs << " fs, gate " << gate_fs << " fs";
    (is_seen ? was_seen : was_swallowed) = true;
  }
  EXPECT_TRUE(was_seen);
  EXPECT_TRUE(was_swallowed);
}

}  // namespace
}  // namespace macloom
