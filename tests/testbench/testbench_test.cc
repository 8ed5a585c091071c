// The generated testbench in both simulators, with right and broken RTL and a wrong expectation.
#include "flow/testbench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "flow/replay.h"
#include "flow/samples.h"
#include "stimulus/random_graph.h"
#include "tests/support/shell.h"
#include "tests/support/temporary_folder.h"

namespace macloom::flow {
namespace {

using ::macloom::testing::RunShell;
using ::macloom::testing::ToolRun;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kSeed = 20261121;

/// One row, one requantization lane: quick in a simulator.
arch::HardwareConfig SmallConfig() {
  arch::HardwareConfig config = *arch::Preset("m4l16");
  config.name = "small";
  config.rows = 1;
  config.requant_lanes = 1;
  return config;
}

/// A small network of several operators, with narrow accumulators that overflow.
TestbenchJob SmallJob() {
  Rng rng(kSeed);
  arch::CompileOptions options;
  options.effective_accumulator_bits = 13;
  for (;;) {
    const ir::Graph graph = stimulus::RandomChain(rng);
    Result<arch::Job> job = arch::Compile(graph, SmallConfig(), options);
    if (!job.ok() || job->steps.size() < 6) continue;
    TestbenchJob result{std::move(*job), {}};
    result.samples = *MakeJobSamples(result.job, RandomInputs(graph, 2, kSeed));
    return result;
  }
}

struct Simulator {
  const char* name;
  const char* script;
  std::vector<const char*> tools;  ///< Programs it needs.
};

class TestbenchTest : public ::testing::TestWithParam<Simulator> {
 protected:
  void SetUp() override {
    for (const std::string tool : GetParam().tools) {
      if (RunShell("command -v " + tool).status != 0) GTEST_SKIP() << tool << " is not on PATH";
    }
    const Result<TestbenchSummary> summary = GenerateTestbench(job_, folder_ / "tb");
    ASSERT_TRUE(summary.ok()) << summary.error().message;
    num_expected_ = summary->num_expected;
  }

  ToolRun Run(const std::string& arguments = "") {
    return RunShell((folder_ / "tb" / GetParam().script).string() + " " + arguments);
  }

  void Replace(const std::string& file, const std::string& from, const std::string& to) {
    const std::filesystem::path path = folder_ / "tb" / file;
    std::string text = *ReadTextFile(path);
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << file << " has no " << from;
    text.replace(at, from.size(), to);
    ASSERT_TRUE(WriteFileAtomically(path, std::string_view(text)).ok());
  }

  testing::TemporaryFolder folder_;
  const TestbenchJob job_ = SmallJob();
  int64_t num_expected_ = 0;
};

TEST_P(TestbenchTest, RightRtlPassesAndWrongExpectationsFail) {
  const std::string compared = std::to_string(num_expected_) + " elements compared, 0 differ";
  for (const char* sample : {"", "+SAMPLE=1"}) {
    const ToolRun run = Run(sample);
    EXPECT_EQ(run.status, 0) << run.text;
    EXPECT_THAT(run.text, AllOf(ContainsRegex("[1-9][0-9]* cycles"), HasSubstr(compared),
                                HasSubstr("\nPASS\n"), Not(HasSubstr("first mismatch"))));
  }
  EXPECT_THAT(Run("+SAMPLE=2").text, HasSubstr("FAIL: the job does not have this sample"));
  EXPECT_THAT(Run("+JOB=nowhere").text, HasSubstr("FAIL: no job"));

  // The last element of the output, as it is stored in external memory.
  const std::filesystem::path path = folder_ / "tb/job/sample0_expected.hex";
  std::string text = *ReadTextFile(path);
  char& digit = text[text.size() - 2];
  digit = digit == '0' ? '1' : '0';
  ASSERT_TRUE(WriteFileAtomically(path, std::string_view(text)).ok());
  const ToolRun run = Run();
  EXPECT_EQ(run.status, 1) << run.text;
  EXPECT_THAT(run.text, AllOf(HasSubstr("first mismatch: layer "), HasSubstr(", 1 differ"),
                              HasSubstr("\nFAIL\n")));
}

TEST_P(TestbenchTest, BrokenLineFails) {
  Replace("loom_requant_lane.sv", "(shifted + ProductWidth'(1)) >>> 1", "shifted >>> 1");
  const ToolRun run = Run();
  EXPECT_EQ(run.status, 1) << run.text;
  EXPECT_THAT(run.text, AllOf(ContainsRegex("first mismatch: layer [0-9]+, element \\(y [0-9]+, x "
                                            "[0-9]+, c [0-9]+\\): expected .* cycle [0-9]+"),
                              HasSubstr("\nFAIL\n"), Not(HasSubstr("PASS"))));
}

INSTANTIATE_TEST_SUITE_P(
    Simulators, TestbenchTest,
    ::testing::Values(Simulator{"Icarus", "run_icarus.sh", {"iverilog", "yosys"}},
                      Simulator{"Verilator", "run_verilator.sh", {"verilator"}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TestbenchJobTest, BadJobsAreNamed) {
  const testing::TemporaryFolder folder;
  const TestbenchJob small = SmallJob();
  ASSERT_TRUE(arch::SaveJob(small.job, folder / "bare").ok());
  const Result<TestbenchJob> bare = LoadTestbenchJob(folder / "bare", SmallConfig());
  ASSERT_FALSE(bare.ok());
  EXPECT_EQ(bare.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(bare.error().message, HasSubstr("the job has no samples with expected tensors"));
  ASSERT_TRUE(arch::SaveJob(small.job, folder / "job", small.samples).ok());
  EXPECT_TRUE(LoadTestbenchJob(folder / "job", SmallConfig()).ok());
  const Result<TestbenchJob> other = LoadTestbenchJob(folder / "job", *arch::Preset("m8l16"));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(other.error().message,
              AllOf(HasSubstr("the job is for configuration `small`"), HasSubstr("`m8l16`")));
  EXPECT_FALSE(LoadTestbenchJob(folder / "absent", SmallConfig()).ok());
}

}  // namespace
}  // namespace macloom::flow
