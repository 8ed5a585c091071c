// Accesses of the memories follow from what the layers are.
#include "flow/memory_accesses.h"

#include <gtest/gtest.h>

#include "cost/memory_model.h"
#include "flow/estimate.h"
#include "networks/untrained_network.h"

namespace macloom {
namespace {

arch::Job JobOf(const arch::HardwareConfig& config) {
  const auto job = arch::Compile(networks::MakeUntrainedKwsNetwork(), config);
  EXPECT_TRUE(job.ok()) << job.error().message;
  return *job;
}

/// Steps of the network alone, as if each were the whole job.
flow::MemoryAccesses OfNode(const arch::Job& job, int node) {
  arch::Job one = job;
  std::erase_if(one.steps, [&](const arch::JobStep& step) { return step.node != node; });
  EXPECT_EQ(one.steps.size(), 1u);
  return flow::CountMemoryAccesses(one);
}

// 25 x 5 pixels, 64 channels in 4 blocks of 16; m4l16 has 4 rows and tiles of 16 pixels.
TEST(MemoryAccessesTest, APointwiseLayerReadsAWordPerStepAndARowPerTile) {
  const arch::Job job = JobOf({});
  const flow::MemoryAccesses accesses = OfNode(job, 2);
  const int64_t groups = 16, pixels = 125, steps = 4, tiles = 8;
  EXPECT_EQ(accesses.activation_words, groups * pixels * steps + groups * pixels);
  const arch::Descriptor* d = nullptr;
  for (const arch::JobStep& step : job.steps) {
    if (step.node == 2) d = &step.descriptor;
  }
  const int64_t parameter_rows = (d->stream_param_bytes() + 63) / 64;
  EXPECT_EQ(accesses.ring_words, 4 * groups * (2 * parameter_rows + steps + tiles * steps));
  EXPECT_EQ(accesses.staging_words, 0);
}

TEST(MemoryAccessesTest, ADepthwiseLayerFillsWindowsAndWritesChunks) {
  const flow::MemoryAccesses accesses = OfNode(JobOf({}), 1);
  const int64_t blocks = 4, pixels = 125, chunks = 2;
  // Every output needs at least its own word once per line of the kernel, at most 9 of them.
  EXPECT_GE(accesses.activation_words, blocks * pixels * (chunks + 3));
  EXPECT_LE(accesses.activation_words, blocks * pixels * (chunks + 9));
}

TEST(MemoryAccessesTest, TheFirstLayerReadsStagingOncePerRun) {
  const flow::MemoryAccesses accesses = OfNode(JobOf({}), 0);
  EXPECT_EQ(accesses.staging_words, 125 * 10);  // 10 kernel rows of 4 bytes.
}

TEST(MemoryAccessesTest, EnergyIsThatOfTheModel) {
  const arch::HardwareConfig config;
  const double word =
      cost::MemoryAccessPj(config.activation_words() / config.activation_banks, 128);
  EXPECT_DOUBLE_EQ(flow::MemoryEnergyPj({.activation_words = 3}, config), 3 * word);
  EXPECT_GT(flow::MemoryEnergyPj({.ring_words = 1}, config), 0.0);
  EXPECT_GT(flow::MemoryEnergyPj({.staging_words = 1}, config), 0.0);
}

}  // namespace
}  // namespace macloom
