#include "sim/verilated_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "sim/subprocess.h"
#include "tests/sim/tiny_job.h"
#include "tests/sim/tiny_layer.h"

namespace macloom::sim {
namespace {

using ::macloom::testing::MakeTinyLayer;
using ::macloom::testing::TinyKind;
using ::macloom::testing::TinyLayer;
using ::testing::HasSubstr;

constexpr uint64_t kVerilatedSeed = 20261122;

class VerilatedDeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (FindProgram("verilator").empty()) GTEST_SKIP() << "verilator is not on PATH";
  }

  static std::unique_ptr<Device> Make(const MemoryTiming& timing = MemoryTiming::Ideal()) {
    Result<std::unique_ptr<Device>> device = MakeVerilatedDevice(*arch::Preset("m4l16"), {timing});
    EXPECT_TRUE(device.ok()) << device.error().message;
    return std::move(*device);
  }
};

void ExpectNaiveResults(Device& device, uint64_t seed, int num_layers) {
  Rng rng(seed);
  for (int i = 0; i < num_layers; ++i) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed << " layer " << i);
    const TinyKind kind = static_cast<TinyKind>(rng.UniformInt(0, 5));
    const int bits = static_cast<int>(
        kind == TinyKind::kMean || rng.Bernoulli(0.3) ? 32 : rng.UniformInt(12, 24));
    const TinyLayer layer = MakeTinyLayer(rng, *arch::Preset("m4l16"), kind, bits);
    const Result<DeviceRun> run = device.Run(layer.job, layer.input);
    ASSERT_TRUE(run.ok()) << run.error().message;
    ASSERT_EQ(run->tensors[1], layer.output) << arch::ToText(layer.job.steps[1].descriptor);
    ASSERT_EQ(run->total.overflow_events, layer.events);
    ASSERT_EQ(run->total.clamped_low, layer.clamped_low);
    ASSERT_EQ(run->total.clamped_high, layer.clamped_high);
    StepCounters sum;
    for (const StepResult& step : run->steps) sum += step.counters;
    ASSERT_EQ(sum.total_cycles, run->total.total_cycles);
    ASSERT_EQ(sum.macs, layer.macs);
    ASSERT_EQ(run->steps.size(), 3u);
    ASSERT_LT(run->steps[0].done_cycle, run->steps[1].done_cycle);
    ASSERT_LT(run->steps[1].done_cycle, run->steps[2].done_cycle);
  }
}

TEST_F(VerilatedDeviceTest, EqualsNaiveCodeOnHandMadeJobs) {
  ExpectNaiveResults(*Make(), kVerilatedSeed, 400);
}

TEST_F(VerilatedDeviceTest, EqualsNaiveCodeUnderRandomStalls) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    ExpectNaiveResults(*Make(MemoryTiming::Random(seed)), kVerilatedSeed + seed, 100);
  }
}

TEST_F(VerilatedDeviceTest, RepeatsARunCycleByCycle) {
  Rng rng(kVerilatedSeed);
  const TinyLayer layer = MakeTinyLayer(rng, *arch::Preset("m4l16"), TinyKind::kConv, 16);
  const std::unique_ptr<Device> device = Make(MemoryTiming::Random(3));
  const Result<DeviceRun> first = device->Run(layer.job, layer.input);
  const Result<DeviceRun> second = device->Run(layer.job, layer.input);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->total.total_cycles, second->total.total_cycles);
  EXPECT_EQ(first->tensors[1], second->tensors[1]);
}

TEST_F(VerilatedDeviceTest, SlowMemoryCostsCyclesOnly) {
  Rng rng(kVerilatedSeed);
  const TinyLayer layer = MakeTinyLayer(rng, *arch::Preset("m4l16"), TinyKind::kDepthwise, 16);
  MemoryTiming slow;
  slow.latency_cycles = 200;
  const Result<DeviceRun> fast_run = Make()->Run(layer.job, layer.input);
  const Result<DeviceRun> slow_run = Make(slow)->Run(layer.job, layer.input);
  ASSERT_TRUE(fast_run.ok() && slow_run.ok());
  EXPECT_EQ(fast_run->tensors[1], slow_run->tensors[1]);
  // At least the first descriptor, the load and the stream wait for the longer latency.
  EXPECT_GT(slow_run->total.total_cycles, fast_run->total.total_cycles + 2 * 180);
}

TEST_F(VerilatedDeviceTest, KnowsWhenAByteWasWritten) {
  Rng rng(kVerilatedSeed);
  const TinyLayer layer = MakeTinyLayer(rng, *arch::Preset("m4l16"), TinyKind::kConv, 32);
  const std::unique_ptr<Device> device = Make();
  const Result<DeviceRun> run = device->Run(layer.job, layer.input);
  ASSERT_TRUE(run.ok()) << run.error().message;
  const WriteEvent written = device->LastWrite(testing::kOutputWord, 0, 1);
  EXPECT_GT(written.cycle, run->steps[0].done_cycle);
  EXPECT_LE(written.cycle, run->steps[1].done_cycle);
  EXPECT_EQ(written.tag, 1u);
  EXPECT_EQ(device->LastWrite(4095, 0, 1).cycle, -1) << "never written";
  EXPECT_EQ(device->LastWrite(1 << 20, 0, 1).cycle, -1) << "no such word";
}

/// Message of a run with step 1 of a convolution changed in the image only.
std::string MessageAfter(Device& device, const std::function<void(arch::Descriptor&)>& change,
                         const std::function<void(arch::Job&)>& change_job = {}) {
  Rng rng(kVerilatedSeed + 1);
  TinyLayer layer = MakeTinyLayer(rng, *arch::Preset("m4l16"), TinyKind::kConv, 32);
  arch::Descriptor d = layer.job.steps[1].descriptor;
  if (change) change(d);
  for (size_t w = 0; w < arch::kDescriptorWords; ++w) {
    for (size_t b = 0; b < 4; ++b) {
      layer.job.image[128 + 4 * w + b] = static_cast<uint8_t>(d.words()[w] >> (8 * b));
    }
  }
  if (change_job) change_job(layer.job);
  const Result<DeviceRun> run = device.Run(layer.job, layer.input);
  if (run.ok()) return "accepted";
  EXPECT_EQ(run.error().kind, ErrorKind::kCheckFailed);
  return run.error().message;
}

TEST_F(VerilatedDeviceTest, ReportsWhatTheHardwareOrTheCountersSay) {
  const std::unique_ptr<Device> device = Make();
  EXPECT_EQ(MessageAfter(*device, {}), "accepted");
  EXPECT_THAT(MessageAfter(*device, [](auto& d) { d.set_opcode(9); }), HasSubstr("status"));
  EXPECT_THAT(MessageAfter(*device, [](auto& d) { d.set_record(0); }), HasSubstr("record"));
  EXPECT_THAT(MessageAfter(*device, [](auto& d) { d.set_tag(7); }), HasSubstr("record"));
  EXPECT_THAT(MessageAfter(*device, {}, [](arch::Job& job) { job.steps[1].macs += 1; }),
              HasSubstr("MAC"));
  EXPECT_THAT(MessageAfter(*device, [](auto& d) { d.set_stream_address(0x3FFC0); }),
              HasSubstr("leaves the memory"));
}

TEST_F(VerilatedDeviceTest, NamesTheStepInWhichTheHardwareHangs) {
  // A list that never ends; little memory keeps the limit low.
  const std::string message = MessageAfter(
      *Make(), [](auto& d) { d.set_next_address(128); },
      [](arch::Job& job) {
        job.memory_bytes = testing::kData + 0x2000;
        job.image.resize(job.memory_bytes);
      });
  EXPECT_THAT(message, HasSubstr("no interrupt after"));
  EXPECT_THAT(message, HasSubstr("tag 1"));
}

TEST_F(VerilatedDeviceTest, RefusesAJobOfAnotherConfiguration) {
  EXPECT_THAT(MessageAfter(*Make(), {}, [](arch::Job& job) { job.config.rows = 8; }),
              HasSubstr("another configuration"));
}

}  // namespace
}  // namespace macloom::sim
