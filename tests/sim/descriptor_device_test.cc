#include "sim/descriptor_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "tests/sim/tiny_job.h"
#include "tests/sim/tiny_layer.h"

namespace macloom::sim {
namespace {

using ::macloom::testing::JobBuilder;
using ::macloom::testing::MakeTinyLayer;
using ::macloom::testing::TinyKind;
using ::macloom::testing::TinyLayer;
using ::testing::HasSubstr;

constexpr uint64_t kDescriptorSeed = 20261121;

arch::HardwareConfig Config() { return *arch::Preset("m4l16"); }

class TinyLayerTest : public ::testing::TestWithParam<TinyKind> {};

TEST_P(TinyLayerTest, EqualsNaiveCodeIncludingEventsAndClamps) {
  const std::unique_ptr<Device> device = MakeDescriptorDevice();
  Rng rng(kDescriptorSeed);
  int64_t events = 0, clamps = 0;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE(::testing::Message() << "seed " << kDescriptorSeed << " layer " << i);
    // Means need room for the sum, as the compiler guarantees: the reciprocal's range is proved.
    const int bits = static_cast<int>(GetParam() == TinyKind::kMean
                                          ? rng.UniformInt(13, 32)
                                          : (rng.Bernoulli(0.3) ? 32 : rng.UniformInt(12, 24)));
    const TinyLayer layer = MakeTinyLayer(rng, Config(), GetParam(), bits);
    const Result<DeviceRun> run = device->Run(layer.job, layer.input);
    ASSERT_TRUE(run.ok()) << run.error().message;
    ASSERT_EQ(run->tensors[1], layer.output);
    ASSERT_EQ(run->total.overflow_events, layer.events);
    ASSERT_EQ(run->total.clamped_low, layer.clamped_low);
    ASSERT_EQ(run->total.clamped_high, layer.clamped_high);
    ASSERT_EQ(run->total.macs, layer.macs);
    ASSERT_EQ(run->steps.size(), layer.job.steps.size());
    ASSERT_EQ(run->steps[1].counters.macs, layer.macs);
    events += layer.events;
    clamps += layer.clamped_low + layer.clamped_high;
  }
  const bool can_overflow = GetParam() != TinyKind::kMean && GetParam() != TinyKind::kAdd;
  EXPECT_EQ(events > 0, can_overflow) << "the draw reaches what it is meant to test";
  EXPECT_GT(clamps, 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, TinyLayerTest,
                         ::testing::Values(TinyKind::kConv, TinyKind::kPixelOuterConv,
                                           TinyKind::kIm2col, TinyKind::kDepthwise, TinyKind::kMean,
                                           TinyKind::kAdd));

// A later load brings a record on chip, where the job can show it.
TEST(DescriptorDeviceTest, WritesCompletionRecords) {
  Rng rng(kDescriptorSeed);
  const TinyLayer layer = MakeTinyLayer(rng, Config(), TinyKind::kConv, 14);
  JobBuilder builder(Config(), layer.input.shape, {1, 4, 16});
  builder.job().effective_accumulator_bits = 14;
  builder.job().image = layer.job.image;
  builder.AddStep(layer.job.steps[0].descriptor);
  builder.AddStep(layer.job.steps[1].descriptor, layer.macs);
  arch::Descriptor load;
  load.set_opcode(static_cast<int>(arch::Opcode::kLoad))
      .set_ext_address(testing::kRecords + 64)
      .set_row_bytes(64)
      .set_dma_rows(1)
      .set_dma_planes(1)
      .set_out_base(testing::kOutputWord);
  builder.AddStep(load, 0, {builder.OutputRegion()}, 0);
  const Result<DeviceRun> run = MakeDescriptorDevice()->Run(builder.Finish(), layer.input);
  ASSERT_TRUE(run.ok()) << run.error().message;
  const auto word = [&](arch::RecordWord index) {
    int64_t value = 0;
    for (int b = 3; b >= 0; --b) {
      const int code =
          run->tensors[1].codes[4 * static_cast<size_t>(index) + static_cast<size_t>(b)];
      value = value * 256 + (code & 0xFF);
    }
    return value;
  };
  EXPECT_EQ(word(arch::RecordWord::kTag), 1);
  EXPECT_EQ(word(arch::RecordWord::kMagic), 0x4D4C0001);
  EXPECT_EQ(word(arch::RecordWord::kMacs), layer.macs);
  EXPECT_EQ(word(arch::RecordWord::kOverflowEvents), layer.events);
  EXPECT_EQ(word(arch::RecordWord::kClampedLow), layer.clamped_low);
  EXPECT_EQ(word(arch::RecordWord::kClampedHigh), layer.clamped_high);
}

TEST(DescriptorDeviceTest, LoadsAndStoresPartialWords) {
  arch::HardwareConfig config = Config();  // Beats of 8 bytes, words of 16.
  JobBuilder builder(config, {1, 2, 16}, {1, 2, 16});
  builder.job().input_is_raw = true;
  const auto load = [](int address, int word, int bytes) {
    return arch::Descriptor()
        .set_opcode(static_cast<int>(arch::Opcode::kLoad))
        .set_ext_address(address)
        .set_row_bytes(bytes)
        .set_dma_rows(1)
        .set_dma_planes(1)
        .set_out_base(word);
  };
  builder.AddStep(load(testing::kInput, testing::kOutputWord, 32));
  // 8 bytes of the first word are replaced by the second word's first 8 bytes.
  builder.AddStep(load(testing::kInput + 16, testing::kOutputWord, 8), 0, {builder.OutputRegion()},
                  0);
  ir::TensorValue input{{1, 2, 16}, {}};
  for (int i = 0; i < 32; ++i) input.codes.push_back(i);
  const Result<DeviceRun> run = MakeDescriptorDevice()->Run(builder.Finish(), input);
  ASSERT_TRUE(run.ok()) << run.error().message;
  for (int i = 0; i < 32; ++i) {
    EXPECT_EQ(run->tensors[1].codes[static_cast<size_t>(i)], i < 8 ? 16 + i : i) << i;
  }
}

//--- malformed descriptors ------------------------------------------------------------------

/// Runs a layer with step 1 changed; the message of the error.
std::string MessageAfter(TinyKind kind, const std::function<void(arch::Descriptor&)>& change,
                         size_t step = 1) {
  Rng rng(kDescriptorSeed + 2);
  TinyLayer layer = MakeTinyLayer(rng, Config(), kind, 32);
  arch::Descriptor d = layer.job.steps[step].descriptor;
  change(d);
  for (size_t w = 0; w < arch::kDescriptorWords; ++w) {
    for (size_t b = 0; b < 4; ++b) {
      layer.job.image[128 * step + 4 * w + b] = static_cast<uint8_t>(d.words()[w] >> (8 * b));
    }
  }
  const Result<DeviceRun> run = MakeDescriptorDevice()->Run(layer.job, layer.input);
  if (run.ok()) return "accepted";
  EXPECT_EQ(run.error().kind, ErrorKind::kCheckFailed);
  return run.error().message;
}

struct BadField {
  TinyKind kind;
  const char* field;
  int64_t value;
  void (*set)(arch::Descriptor&, int64_t);
};

#define BAD(kind, field, value)                                                             \
  BadField {                                                                                \
    TinyKind::kind, #field, value, [](arch::Descriptor& d, int64_t v) { d.set_##field(v); } \
  }

class BadFieldTest : public ::testing::TestWithParam<BadField> {};

TEST_P(BadFieldTest, IsRefusedNamingTagAndField) {
  const BadField& bad = GetParam();
  const std::string message =
      MessageAfter(bad.kind, [&](arch::Descriptor& d) { bad.set(d, bad.value); });
  EXPECT_THAT(message, HasSubstr("tag 1"));
  EXPECT_THAT(message, HasSubstr(bad.field));
}

INSTANTIATE_TEST_SUITE_P(
    Fields, BadFieldTest,
    ::testing::Values(
        BAD(kConv, version, 2), BAD(kConv, opcode, 6), BAD(kConv, opcode, 255),
        BAD(kConv, next_address, 0x101), BAD(kConv, record_address, 0x820), BAD(kConv, out_w, 0),
        BAD(kConv, out_h, 65535), BAD(kConv, in_blocks, 0), BAD(kConv, last_lanes, 0),
        BAD(kConv, last_lanes, 17), BAD(kConv, requant_mode, 3), BAD(kConv, clamp_min, 127),
        BAD(kConv, kernel_w, 0), BAD(kConv, stride_h, 0), BAD(kConv, out_channels, 0),
        BAD(kConv, out_channels, 65535), BAD(kConv, stream_address, 8),
        BAD(kConv, stream_address, 0xFFFFFFC0), BAD(kConv, stream_groups, 0),
        BAD(kConv, stream_weight_rows, 0), BAD(kConv, stream_param_bytes, 8),
        BAD(kConv, in_origin, 40000), BAD(kConv, out_base, 65535), BAD(kIm2col, run_bytes, 0),
        BAD(kIm2col, kernel_w, 2), BAD(kIm2col, pad_top, 1), BAD(kDepthwise, group_rows, 5),
        BAD(kDepthwise, group_rows, 0), BAD(kDepthwise, window_taps, 11),
        BAD(kDepthwise, in_blocks, 65535), BAD(kMean, stream_groups, 1), BAD(kMean, shift, 63),
        BAD(kMean, shift, -1), BAD(kMean, multiplier, 0x80000000), BAD(kAdd, add_shift, 1),
        BAD(kAdd, add_shift, -32), BAD(kAdd, requant_mode, 2), BAD(kAdd, shift, 8),
        BAD(kAdd, in2_origin, 60000), BAD(kAdd, multiplier, 0xFFFFFFFF)),
    [](const auto& info) {
      return std::string(info.param.field) + "_" + std::to_string(info.index);
    });

TEST(DescriptorDeviceTest, RefusesTransfersOutsideAMemory) {
  const auto load = [](const std::function<void(arch::Descriptor&)>& change) {
    return MessageAfter(TinyKind::kConv, change, 0);
  };
  EXPECT_THAT(load([](auto& d) { d.set_row_bytes(12); }), HasSubstr("tag 0: row_bytes is 12"));
  EXPECT_THAT(load([](auto& d) { d.set_row_bytes(0); }), HasSubstr("row_bytes is 0"));
  EXPECT_THAT(load([](auto& d) { d.set_ext_address(4); }), HasSubstr("ext_address is 4"));
  EXPECT_THAT(load([](auto& d) { d.set_ext_address(0x3FFF8); }), HasSubstr("external memory"));
  EXPECT_THAT(load([](auto& d) { d.set_out_base(4095).set_row_bytes(64).set_dma_rows(1); }),
              HasSubstr("out_base"));
  EXPECT_THAT(load([](auto& d) { d.set_dma_rows(65535); }), HasSubstr("dma_rows is 65535"));
  EXPECT_THAT(load([](auto& d) { d.set_dma_planes(0); }), HasSubstr("dma_planes is 0"));
}

TEST(DescriptorDeviceTest, RefusesIm2colOutsideTheStagingMemory) {
  // One byte per kernel row: rows 0 to 15 of 4096 bytes, of which staging holds one.
  const auto widen = [](arch::Descriptor& d) {
    d.set_run_bytes(1).set_stage_kernel_h(255).set_stage_pad_top(0).set_stage_pad_left(0);
    d.set_stage_rows(65535).set_stage_row_bytes(4096);
  };
  EXPECT_THAT(MessageAfter(TinyKind::kIm2col, widen),
              HasSubstr("tag 1: stage_rows 65535, stage_row_bytes 4096"));
}

TEST(DescriptorDeviceTest, RefusesAListWithoutEnd) {
  EXPECT_THAT(MessageAfter(TinyKind::kAdd, [](auto& d) { d.set_next_address(128); }),
              HasSubstr("does not end"));
  EXPECT_THAT(MessageAfter(TinyKind::kAdd, [](auto& d) { d.set_next_address(0xFFFFFF80); }),
              HasSubstr("descriptor address 0xFFFFFF80"));
}

// Any change of a descriptor ends in a result or in an error: no crash, no access outside.
TEST(DescriptorDeviceTest, SurvivesRandomDescriptorBits) {
  Rng rng(kDescriptorSeed + 3);
  const std::unique_ptr<Device> device = MakeDescriptorDevice();
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    TinyLayer layer = MakeTinyLayer(rng, Config(), static_cast<TinyKind>(rng.UniformInt(0, 5)), 32);
    for (int64_t flips = rng.UniformInt(1, 4); flips > 0; --flips) {
      // Step 1 without its link, so that lists still end.
      const size_t byte = 128 + static_cast<size_t>(rng.UniformInt(12, 127));
      layer.job.image[byte] ^= static_cast<uint8_t>(1 << rng.UniformInt(0, 7));
    }
    const Result<DeviceRun> run = device->Run(layer.job, layer.input);
    if (run.ok()) continue;
    ASSERT_EQ(run.error().kind, ErrorKind::kCheckFailed) << run.error().message;
    ++refused;
  }
  EXPECT_GT(refused, 300);
  EXPECT_LT(refused, 3000);
}

TEST(DescriptorDeviceTest, RefusesAWrongInputOrJob) {
  Rng rng(kDescriptorSeed);
  const TinyLayer layer = MakeTinyLayer(rng, Config(), TinyKind::kConv, 32);
  const std::unique_ptr<Device> device = MakeDescriptorDevice();
  const auto message = [&](const arch::Job& job, const ir::TensorValue& input) {
    const Result<DeviceRun> run = device->Run(job, input);
    return run.ok() ? std::string("accepted") : run.error().message;
  };
  ir::TensorValue input = layer.input;
  input.codes[0] = 128;
  EXPECT_THAT(message(layer.job, input), HasSubstr("input code 0 is 128"));
  input.codes.pop_back();
  EXPECT_THAT(message(layer.job, input), HasSubstr("input of shape"));
  arch::Job job = layer.job;
  job.memory_bytes = 100;
  EXPECT_THAT(message(job, layer.input), HasSubstr("memory of 100"));
  job = layer.job;
  job.steps[1].produces[0].num_rows += 1;
  EXPECT_THAT(message(job, layer.input), HasSubstr("leave the"));
  job = layer.job;
  job.steps[1].produces[0].placement.base = 4096;
  EXPECT_THAT(message(job, layer.input), HasSubstr("leaves the activation memory"));
  job = layer.job;
  job.steps[1].produces[0].tensor = 2;
  EXPECT_THAT(message(job, layer.input), HasSubstr("the network has tensors 0 to 1"));
  job = layer.job;
  job.effective_accumulator_bits = 33;
  EXPECT_THAT(message(job, layer.input), HasSubstr("effective_accumulator_bits 33"));
  job = layer.job;
  job.input_placement.base = testing::kMemoryBytes - 8;
  EXPECT_THAT(message(job, layer.input), HasSubstr("the input at"));
}

}  // namespace
}  // namespace macloom::sim
