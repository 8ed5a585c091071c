// verify --rtl and --waves: the generated RTL given back as a user's, whole and with a broken line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/files.h"
#include "tests/cli/tool.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::RunTool;
using testing::ToolRun;

/// A small accelerator, quickly built.
constexpr const char* kHardware = " --set array.rows=1 --set requant.lanes=1 ";

/// Signals of a VCD file's header as GTKWave names them.
std::set<std::string> SignalsOf(const fs::path& vcd) {
  std::ifstream file(vcd);
  std::vector<std::string> scopes;
  std::set<std::string> signals;
  std::string word, type, bits, code;
  while (file >> word && word != "$enddefinitions") {
    if (word == "$scope") {
      std::string name;
      file >> type >> name;
      scopes.push_back(name);
    } else if (word == "$upscope") {
      scopes.pop_back();
    } else if (word == "$var") {
      file >> type >> bits >> code;
      std::string path;
      for (const std::string& scope : scopes) path += scope + ".";
      while (file >> word && word != "$end") path += word;
      signals.insert(path);
    }
  }
  return signals;
}

/// Signals that a save file names.
std::vector<std::string> NamedBy(const fs::path& save_file) {
  std::ifstream file(save_file);
  std::vector<std::string> names;
  for (std::string line; std::getline(file, line);) {
    if (line.find("TOP.") == 0) names.push_back(line);
  }
  return names;
}

class OwnRtlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::RunShell("command -v verilator").status != 0) GTEST_SKIP() << "no verilator";
    const ToolRun run = RunTool("generate" + std::string(kHardware) + "-o " + Path("rtl"));
    ASSERT_EQ(run.status, 0) << run.text;
  }

  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }

  void Replace(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = *ReadTextFile(Path("rtl/" + file));
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << file << " has no " << from;
    text.replace(at, from.size(), to);
    ASSERT_TRUE(WriteFileAtomically(Path("rtl/" + file), std::string_view(text)).ok());
  }

  /// The products of the requantization are no longer rounded.
  void BreakRounding() {
    Replace("loom_requant_lane.sv", "(shifted + ProductWidth'(1)) >>> 1", "shifted >>> 1");
  }

  ToolRun Verify(const std::string& options = "") {
    return RunTool("verify --random 1" + std::string(kHardware) + "--rtl " + Path("rtl/macloom.f") +
                   " --top loom_m4l16_top " + options);
  }

  void ExpectSignalsExist(const fs::path& save_file, const fs::path& vcd) {
    const std::set<std::string> in_trace = SignalsOf(vcd);
    const std::vector<std::string> named = NamedBy(save_file);
    EXPECT_GT(named.size(), 60u);
    for (const std::string& name : named) EXPECT_EQ(in_trace.count(name), 1u) << name;
    for (const char* end :
         {".u_sequencer.state_q[2:0]", ".u_array.valid_i", ".u_array.first_i", ".u_array.last_i",
          ".u_conv_feeder.act_addr_o[15:0]", ".u_drain.active_o", ".u_writeback.waddr_o[15:0]",
          "TOP.m_axi_araddr_o[31:0]"}) {
      EXPECT_TRUE(std::any_of(named.begin(), named.end(), [&](const std::string& name) {
        return name.find(end) != std::string::npos;
      })) << end;
    }
  }

  testing::TemporaryFolder folder_;
};

TEST_F(OwnRtlTest, GeneratedRtlGivenBackPasses) {
  const ToolRun run = Verify("--waves " + Path("waves") + " --json " + Path("r.json"));
  EXPECT_EQ(run.status, 0) << run.text;
  EXPECT_THAT(run.text, AllOf(HasSubstr("= RTL: PASS"), HasSubstr("module loom_m4l16_top of")));
  EXPECT_FALSE(fs::exists(Path("waves"))) << "no mismatch, no waves";
  EXPECT_EQ(nlohmann::json::parse(*ReadTextFile(Path("r.json")))["rtl_top"], "loom_m4l16_top");
}

TEST_F(OwnRtlTest, BrokenLineFailsWithWavesOfTheFirstMismatch) {
  BreakRounding();
  const ToolRun run =
      Verify("--waves " + Path("waves") + " --waves-format vcd --json " + Path("r.json"));
  EXPECT_EQ(run.status, 1) << run.text;
  EXPECT_THAT(run.text, AllOf(HasSubstr("first mismatch: sample 0: layer `"),
                              HasSubstr("= RTL: FAIL"), HasSubstr("waves of cycles ")));
  const fs::path trace =
      nlohmann::json::parse(*ReadTextFile(Path("r.json")))["waves"].get<std::string>();
  ASSERT_TRUE(fs::exists(trace)) << trace;
  const fs::path save_file = fs::path(trace).replace_extension(".gtkw");
  ExpectSignalsExist(save_file, trace);

  // The window holds the cycle of the message, and starts and ends where the message says.
  const size_t at = run.text.find("written in cycle ");
  ASSERT_NE(at, std::string::npos) << run.text;
  const long cycle = std::stol(run.text.substr(at + 17));
  std::ifstream file(trace);
  long first = -1, last = -1;
  for (std::string line; std::getline(file, line);) {
    if (line[0] != '#') continue;
    last = std::stol(line.substr(1));
    if (first < 0) first = last;
  }
  EXPECT_EQ(first, 10 * std::max(cycle - 400, 0L));
  EXPECT_EQ(last, 10 * (cycle + 100) + 5);
  EXPECT_THAT(*ReadTextFile(save_file), HasSubstr("*-6.0 " + std::to_string(10 * cycle)));
}

TEST_F(OwnRtlTest, FstNamesTheSameSignals) {
  if (testing::RunShell("command -v fst2vcd").status != 0) GTEST_SKIP() << "no fst2vcd (gtkwave)";
  BreakRounding();
  const ToolRun run =
      Verify("--waves " + Path("waves") + " --waves-format fst --json " + Path("r.json"));
  EXPECT_EQ(run.status, 1) << run.text;
  const fs::path trace =
      nlohmann::json::parse(*ReadTextFile(Path("r.json")))["waves"].get<std::string>();
  EXPECT_EQ(trace.extension(), ".fst");
  ASSERT_EQ(testing::RunShell("fst2vcd " + trace.string() + " -o " + Path("t.vcd")).status, 0);
  ExpectSignalsExist(fs::path(trace).replace_extension(".gtkw"), Path("t.vcd"));
}

TEST_F(OwnRtlTest, RunThatBreaksAnAxiRuleLeavesWavesOfItsEnd) {
  // Bursts of another type than INCR.
  Replace("loom_dma_read.sv", "arburst_o = 2'b01", "arburst_o = 2'b10");
  const ToolRun run = Verify("--waves " + Path("waves") + " --waves-format vcd");
  EXPECT_EQ(run.status, 1) << run.text;
  EXPECT_THAT(run.text, AllOf(HasSubstr("AXI AR"), HasSubstr("; waves: " + Path("waves"))));
}

TEST_F(OwnRtlTest, BadRtlIsNamed) {
  Replace("loom_m4l16_top.sv", "input  logic [11:0]    s_axil_awaddr_i",
          "input  logic [10:0] s_axil_awaddr_i");
  ToolRun run = Verify();
  EXPECT_EQ(run.status, 2) << run.text;
  EXPECT_THAT(run.text,
              HasSubstr("port s_axil_awaddr_i is input of 11 bits: expected input of 12 bits"));
  Replace("loom_m4l16_top.sv", "module loom", "modul loom");
  run = Verify();
  EXPECT_EQ(run.status, 2) << run.text;
  EXPECT_THAT(run.text, AllOf(HasSubstr("Verilator does not accept module loom_m4l16_top"),
                              HasSubstr("loom_m4l16_top.sv:6")));
  fs::remove(Path("rtl/loom_row.sv"));
  run = Verify();
  EXPECT_EQ(run.status, 2) << run.text;
  EXPECT_THAT(run.text, HasSubstr("`loom_row.sv`: no such file"));
  run = RunTool("verify --rtl " + Path("rtl/macloom.f"));
  EXPECT_EQ(run.status, 2) << "needs --top";
}

}  // namespace
}  // namespace macloom
