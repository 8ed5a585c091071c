#include "sim/scoreboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/descriptor_device.h"
#include "tests/sim/tiny_job.h"

namespace macloom::sim {
namespace {

using ::macloom::testing::JobBuilder;
using ::testing::HasSubstr;
using ::testing::Not;

/// A device that knows a cycle for every byte.
class TimedDevice : public Device {
 public:
  std::string name() const override { return "timed"; }
  Result<DeviceRun> Run(const arch::Job&, const ir::TensorValue&) override { return DeviceRun(); }
  WriteEvent LastWrite(int64_t address, int lane, uint32_t tag) const override {
    return {1000 * address + lane, tag};
  }
};

/// A 6x5x20 output in two steps of three rows each; tensor 0 is the input.
arch::Job TwoStepJob(arch::Opcode opcode) {
  JobBuilder builder(*arch::Preset("m4l16"), {1, 1, 1}, {6, 5, 20});
  arch::TensorRegion top = builder.OutputRegion(), bottom = top;
  top.num_rows = bottom.num_rows = 3;
  bottom.first_row = 3;
  bottom.placement.base += 15;
  arch::Descriptor d;
  d.set_opcode(static_cast<int>(opcode));
  builder.AddStep(d, 0, {top}, 0);
  builder.AddStep(d, 0, {bottom}, 0);
  return builder.Finish();
}

std::vector<ir::TensorValue> Zeros() { return {{}, {{6, 5, 20}, std::vector<int32_t>(600, 0)}}; }

size_t Element(size_t y, size_t x, size_t c) { return (y * 5 + x) * 20 + c; }

TEST(ScoreboardTest, CountsNothingWhereAllIsEqual) {
  DeviceRun run;
  run.tensors = Zeros();
  const auto layers = Compare(TwoStepJob(arch::Opcode::kConv), Zeros(), run, TimedDevice());
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(layers[0].node, 0);
  EXPECT_EQ(layers[0].elements, 600);
  EXPECT_EQ(layers[0].mismatches, 0);
  EXPECT_EQ(layers[0].first, "");
}

TEST(ScoreboardTest, NamesTheFirstMismatchOfAConvolution) {
  DeviceRun run;
  run.tensors = Zeros();
  run.tensors[1].codes[Element(5, 4, 18)] = -7;  // Row 2 of the second step's region.
  run.tensors[1].codes[Element(5, 4, 19)] = 1;
  const auto layers = Compare(TwoStepJob(arch::Opcode::kConv), Zeros(), run, TimedDevice());
  ASSERT_EQ(layers.size(), 1u);
  EXPECT_EQ(layers[0].mismatches, 2);
  const std::string& text = layers[0].first;
  EXPECT_THAT(text, HasSubstr("`layer`"));
  EXPECT_THAT(text, HasSubstr("(y 5, x 4, c 18)"));
  EXPECT_THAT(text, HasSubstr("expected 0, got -7"));
  // Pixel 14 of the step's 15 is in tile 0; channel 18 in group 4 of 4 channels.
  EXPECT_THAT(text, HasSubstr("pixel tile 0, channel group 4"));
  EXPECT_THAT(text, HasSubstr("step 1"));
  // Block 1 starts 30 words behind block 0; lane 18 mod 16.
  EXPECT_THAT(text, HasSubstr("word 1083 byte 2"));
  EXPECT_THAT(text, HasSubstr("cycle 1083002"));
  EXPECT_THAT(text, HasSubstr("`timed`"));
}

TEST(ScoreboardTest, NamesTheChannelBlockOfOtherOperators) {
  DeviceRun run;
  run.tensors = Zeros();
  run.tensors[1].codes[Element(0, 0, 17)] = 1;
  const auto layers = Compare(TwoStepJob(arch::Opcode::kDepthwise), Zeros(), run, TimedDevice());
  EXPECT_THAT(layers[0].first, HasSubstr("channel block 1, step 0, word 1054 byte 1"));
  EXPECT_THAT(layers[0].first, Not(HasSubstr("tile")));
}

TEST(ScoreboardTest, NamesNoCycleForADeviceWithoutTime) {
  DeviceRun run;
  run.tensors = Zeros();
  run.tensors[1].codes[0] = 1;
  const auto device = MakeDescriptorDevice();
  const auto layers = Compare(TwoStepJob(arch::Opcode::kConv), Zeros(), run, *device);
  EXPECT_THAT(layers[0].first, HasSubstr("expected 0, got 1"));
  EXPECT_THAT(layers[0].first, Not(HasSubstr("cycle")));
}

TEST(ScoreboardTest, CountsAMissingTensorAsAllWrong) {
  DeviceRun run;
  run.tensors.resize(2);
  const auto layers = Compare(TwoStepJob(arch::Opcode::kConv), Zeros(), run, TimedDevice());
  EXPECT_EQ(layers[0].mismatches, 600);
  EXPECT_THAT(layers[0].first, HasSubstr("produced no output"));
}

}  // namespace
}  // namespace macloom::sim
