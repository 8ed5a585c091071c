// What the cycle model keeps without RTL: its counters close, it refuses impossible memories, it
// ends when a job cannot. Equality with the RTL is tests/e2e/cycle_model_test.cc.
#include "arch/cycle_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stimulus/random_graph.h"

namespace macloom::arch {
namespace {

using ::testing::HasSubstr;

Job ChainJob(uint64_t seed) {
  Rng rng(seed);
  stimulus::ChainOptions options;
  options.num_layers = 3;
  options.input = {9, 8, 12};
  return *Compile(stimulus::RandomChain(rng, options), *Preset("m4l16"));
}

TEST(CycleModelTest, EveryCycleIsInOneClassAndStepsAddUp) {
  for (const double stall_probability : {0.0, 0.3}) {
    const Job job = ChainJob(3);
    const auto estimate = EstimateCycles(job, {.stall_probability = stall_probability});
    ASSERT_TRUE(estimate.ok()) << estimate.error().message;
    ASSERT_EQ(estimate->steps.size(), job.steps.size());
    CycleCounts sum;
    for (const CycleCounts& c : estimate->steps) {
      EXPECT_EQ(c.total_cycles, c.busy_cycles + c.stall_activation_cycles + c.stall_weight_cycles +
                                    c.stall_output_cycles + c.stall_dma_read_cycles +
                                    c.stall_dma_write_cycles + c.idle_cycles);
      sum += c;
    }
    // The last record, 64 bytes, is written after it was taken.
    sum.write_beats += 8;
    EXPECT_EQ(sum, estimate->total);
  }
}

TEST(CycleModelTest, SeedDecidesAboutStalls) {
  const Job job = ChainJob(4);
  const auto total = [&](double probability, uint64_t seed) {
    return EstimateCycles(job, {.stall_probability = probability, .seed = seed})->total;
  };
  EXPECT_EQ(total(0.4, 1), total(0.4, 1));
  EXPECT_NE(total(0.4, 1), total(0.4, 2));
  EXPECT_EQ(total(0, 1), total(0, 2));
  EXPECT_GT(total(0.4, 1).total_cycles, total(0, 1).total_cycles);
}

TEST(CycleModelTest, BadMemoryNamesValueAndRange) {
  const Job job = ChainJob(5);
  const auto refusal = [&](const MemoryModel& memory) {
    const auto estimate = EstimateCycles(job, memory);
    EXPECT_FALSE(estimate.ok());
    if (estimate.ok()) return std::string();
    EXPECT_EQ(estimate.error().kind, ErrorKind::kInvalidInput);
    return estimate.error().message;
  };
  EXPECT_THAT(refusal({.latency_cycles = 0}), HasSubstr("latency is 0; it must be 1 to 100000"));
  EXPECT_THAT(refusal({.stall_probability = 1}), HasSubstr("probability is 1; it must be 0 to"));
  EXPECT_THAT(refusal({.max_extra_latency_cycles = -1}), HasSubstr("extra memory latency is -1"));
}

TEST(CycleModelTest, BadJobThatWaitsForeverNamesItsStep) {
  Job job = ChainJob(6);
  for (JobStep& step : job.steps) {
    if (step.descriptor.stream_groups() == 0) continue;
    // A group larger than the ring, whose rows are freed only at its end.
    step.descriptor.set_stream_weight_rows(2000);
    step.descriptor.set_release_rows(0);
    if (step.descriptor.opcode() == static_cast<uint32_t>(Opcode::kConv))
      step.descriptor.set_in_blocks(2000);
  }
  const auto estimate = EstimateCycles(job);
  ASSERT_FALSE(estimate.ok());
  EXPECT_EQ(estimate.error().kind, ErrorKind::kCheckFailed);
  EXPECT_THAT(estimate.error().message, HasSubstr("does nothing from cycle"));
}

}  // namespace
}  // namespace macloom::arch
