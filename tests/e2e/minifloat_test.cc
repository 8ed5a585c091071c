// Minifloat networks: golden = descriptor device = simulated RTL, by format and accumulator.
#include "arch/minifloat.h"

#include "tests/e2e/minifloat_hardware.h"
#include "tests/e2e/minifloat_network.h"
#include "tests/e2e/three_ways.h"
#include "tests/support/setting.h"

namespace macloom {
namespace {

using testing::AllMinifloatHardware;
using testing::MinifloatNetwork;

ir::Window RandomWindow(Rng& rng, bool has_padding = true) {
  ir::Window window;
  window.kernel_h = static_cast<int>(rng.UniformInt(1, 3));
  window.kernel_w = static_cast<int>(rng.UniformInt(1, 3));
  window.stride_h = window.stride_w = static_cast<int>(rng.UniformInt(1, 2));
  if (has_padding) {
    window.pad_top = window.pad_bottom = window.kernel_h / 2;
    window.pad_left = window.pad_right = window.kernel_w / 2;
  }
  return window;
}

/// Convolution, a window layer, a pooling or PAD, FULLY_CONNECTED on an image of 8 or 16 channels.
MinifloatNetwork RandomNetwork(Rng& rng, const arch::HardwareConfig& config) {
  const int64_t channels = rng.Bernoulli(0.4) ? 1 : rng.UniformInt(2, 19);
  MinifloatNetwork network(rng, arch::MinifloatOf(config.mac_format),
                           {rng.UniformInt(3, 9), rng.UniformInt(3, 9), channels});
  if (rng.Bernoulli(0.2)) network.AddMaxPool(RandomWindow(rng));
  network.AddConvolution(RandomWindow(rng), 8 * rng.UniformInt(1, 2));
  const bool is_aligned = config.accumulator_alignment_bits >= 0;
  network.AddDepthwise(RandomWindow(rng), is_aligned || rng.Bernoulli(0.8) ? 1 : 2);
  switch (rng.UniformInt(0, 3)) {
    case 0:
      network.AddMaxPool(RandomWindow(rng));
      break;
    case 1:
      network.AddAveragePool(RandomWindow(rng), false);
      break;
    case 2: {
      ir::Window pad;
      pad.pad_top = pad.pad_right = 1;
      network.AddPad(pad);
      break;
    }
    default: {
      ir::Window square;
      square.kernel_h = square.kernel_w = 2;
      square.pad_bottom = square.pad_right = 1;
      network.AddAveragePool(square, true);
      break;
    }
  }
  network.AddFullyConnected(rng.UniformInt(1, 12));
  return network;
}

class MinifloatTest : public ::testing::TestWithParam<int> {};

/// The RTL of the first configurations by default; MACLOOM_MINIFLOAT_HARDWARE builds more of them.
/// The descriptor device runs every configuration.
TEST_P(MinifloatTest, RandomNetworksAreEqualThreeWays) {
  const arch::HardwareConfig config = AllMinifloatHardware()[static_cast<size_t>(GetParam())];
  ASSERT_TRUE(arch::Validate(config).ok()) << arch::Validate(config).error().message;
  const bool has_rtl = GetParam() < testing::Setting("MACLOOM_MINIFLOAT_HARDWARE", 2);
  const int64_t count = testing::Setting("MACLOOM_MINIFLOAT_NETWORKS", 12);
  Rng rng(100 + static_cast<uint64_t>(GetParam()));
  int64_t num_events = 0;
  for (int64_t i = 0; i < count; ++i) {
    SCOPED_TRACE(i);
    MinifloatNetwork network = RandomNetwork(rng, config);
    ASSERT_TRUE(ir::Verify(network.graph()).ok()) << ir::Verify(network.graph()).error().message;
    arch::CompileOptions options;
    options.overflow = rng.Bernoulli(0.5) ? ir::Overflow::kWrap : ir::Overflow::kSaturate;
    auto job = arch::Compile(network.graph(), config, options);
    ASSERT_TRUE(job.ok()) << job.error().message;
    const ir::TensorValue input = network.RandomInput();
    if (has_rtl) {
      testing::ExpectThreeWaysEqual(*job, input, sim::MemoryTiming::Ideal());
    } else {
      testing::ExpectEqualToGolden(*job, input, *sim::MakeDescriptorDevice());
    }
    const auto run = sim::MakeDescriptorDevice()->Run(*job, input);
    ASSERT_TRUE(run.ok()) << run.error().message;
    num_events += run->total.overflow_events;
    if (HasFailure()) break;
  }
  // Wide registers never overflow, FP32 has room for every sum; the others do now and then.
  const bool is_wide =
      config.accumulator_bits >= 46 || config.accumulator_kind == arch::AccumulatorKind::kFp32;
  EXPECT_EQ(num_events == 0, is_wide) << num_events << " events";
}

ir::Window Window(int kernel_h, int kernel_w, int stride, int pad_h, int pad_w) {
  ir::Window window;
  window.kernel_h = kernel_h;
  window.kernel_w = kernel_w;
  window.stride_h = window.stride_w = stride;
  window.pad_top = window.pad_bottom = pad_h;
  window.pad_left = window.pad_right = pad_w;
  return window;
}

/// The layers of the keyword-spotting network (49x10 features, 64 channels, 12 classes) with random
/// weights, a sum instead of the mean of 125 positions.
TEST(MinifloatNetworkTest, KeywordSizedNetworkIsEqualThreeWays) {
  const arch::HardwareConfig config = AllMinifloatHardware()[0];
  Rng rng(7);
  MinifloatNetwork network(rng, arch::MinifloatOf(config.mac_format), {49, 10, 1});
  network.AddConvolution(Window(10, 4, 2, 5, 1), 64);
  for (int i = 0; i < 4; ++i) {
    network.AddDepthwise(Window(3, 3, 1, 1, 1));
    network.AddConvolution(Window(1, 1, 1, 0, 0), 64);
  }
  const ir::Shape& last = network.graph().tensor(network.graph().output).shape;
  network.AddAveragePool(Window(static_cast<int>(last[0]), static_cast<int>(last[1]), 1, 0, 0),
                         false);
  network.AddFullyConnected(12);
  ASSERT_TRUE(ir::Verify(network.graph()).ok()) << ir::Verify(network.graph()).error().message;
  const auto job = arch::Compile(network.graph(), config);
  ASSERT_TRUE(job.ok()) << job.error().message;
  const ir::TensorValue input = network.RandomInput();
  testing::ExpectEqualToGolden(*job, input, *sim::MakeDescriptorDevice());
  if (testing::Setting("MACLOOM_MINIFLOAT_HARDWARE", 2) == 0) return;
  testing::ExpectEqualToGolden(*job, input, testing::RtlDevice(config, sim::MemoryTiming::Ideal()));
}

INSTANTIATE_TEST_SUITE_P(Hardware, MinifloatTest, ::testing::Range(0, 10));

}  // namespace
}  // namespace macloom
