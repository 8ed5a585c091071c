// Random layers and chains on both presets: golden = descriptor device = RTL, values and counts.
#include <algorithm>

#include "tests/e2e/three_ways.h"
#include "tests/support/random_graph.h"

namespace macloom {
namespace {

/// MACLOOM_RANDOM_LAYERS networks (default 240), from MACLOOM_SEED (default 1).
int64_t Setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

ir::Graph RandomNetwork(Rng& rng, int64_t index) {
  const ir::OperatorKind kinds[] = {ir::OperatorKind::kConv2d, ir::OperatorKind::kDepthwiseConv2d,
                                    ir::OperatorKind::kFullyConnected,
                                    ir::OperatorKind::kAveragePool2d, ir::OperatorKind::kAdd};
  if (index % 6 == 5) {
    testing::ChainOptions options;
    options.num_layers = static_cast<int>(rng.UniformInt(1, 4));
    options.input = {rng.UniformInt(1, 14), rng.UniformInt(1, 12), rng.UniformInt(1, 24)};
    options.requantization = rng.Bernoulli(0.5) ? ir::RequantizationKind::kMultiplierDouble
                                                : ir::RequantizationKind::kMultiplierSingle;
    return testing::RandomChain(rng, options);
  }
  testing::LayerSpec spec = testing::RandomLayerSpec(rng, kinds[index % 6]);
  if (rng.Bernoulli(0.3)) spec.input.back() = rng.UniformInt(1, 70);
  if (rng.Bernoulli(0.3)) spec.output_channels = rng.UniformInt(1, 70);
  return testing::RandomLayerGraph(rng, spec);
}

TEST(RandomLayersTest, GoldenDescriptorDeviceAndRtlAgree) {
  const int64_t count = Setting("MACLOOM_RANDOM_LAYERS", 240);
  const uint64_t seed = static_cast<uint64_t>(Setting("MACLOOM_SEED", 1));
  std::printf("seed %llu, %lld networks\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(count));
  Rng rng(seed);
  int64_t executed = 0, with_events = 0, refused = 0;
  for (int64_t i = 0; executed < count && i < 4 * count; ++i) {
    const auto config = arch::Preset(i % 2 == 0 ? "m4l16" : "m8l16");
    ASSERT_TRUE(config.ok());
    const ir::Graph graph = RandomNetwork(rng, i);
    arch::CompileOptions options;
    options.overflow = rng.Bernoulli(0.4) ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
    options.effective_accumulator_bits =
        rng.Bernoulli(0.3) ? 32 : static_cast<int>(rng.UniformInt(8, 24));
    const auto job = arch::Compile(graph, *config, options);
    if (!job.ok()) {
      // Only documented refusals.
      EXPECT_EQ(job.error().kind, ErrorKind::kUnsupported) << job.error().message;
      ++refused;
      continue;
    }
    SCOPED_TRACE("network " + std::to_string(i) + " of seed " + std::to_string(seed) + "\n" +
                 ir::ToText(graph));
    const ir::TensorValue input = testing::RandomInput(rng, graph);
    const sim::MemoryTiming timing =
        i % 3 == 0 ? sim::MemoryTiming::Ideal()
                   : sim::MemoryTiming::Random(static_cast<uint64_t>(i % 5) + 1);
    testing::ExpectThreeWaysEqual(*job, input, timing);
    if (::testing::Test::HasFailure()) return;
    golden::RunOptions run;
    run.accumulation = job->accumulation;
    const auto trace = golden::Run(graph, input, run);
    ASSERT_TRUE(trace.ok());
    for (const golden::LayerEvents& events : trace->events) {
      if (events.overflow_events > 0) {
        ++with_events;
        break;
      }
    }
    ++executed;
  }
  std::printf(
      "%lld networks equal three ways, %lld with accumulator overflow, %lld refused by the "
      "compiler\n",
      static_cast<long long>(executed), static_cast<long long>(with_events),
      static_cast<long long>(refused));
  EXPECT_GE(executed, count);
  EXPECT_GE(with_events, executed / 5);
}

/// A visit of two cycles, shorter than the way of its results through the lanes: the next visit
/// with the same parameter set must wait for its own parameters.
TEST(RandomLayersTest, VeryShortVisitsUseTheirOwnParameters) {
  Rng rng(5);
  for (int i = 0; i < 20; ++i) {
    testing::LayerSpec spec;
    spec.kind = ir::OperatorKind::kConv2d;
    spec.input = {8, 7, 8};
    spec.window.kernel_h = 4;
    spec.window.stride_w = 3;
    spec.window.pad_top = spec.window.pad_bottom = 3;
    spec.output_channels = 59;
    const ir::Graph graph = testing::RandomLayerGraph(rng, spec);
    for (const std::string& preset : arch::PresetNames()) {
      const auto job = arch::Compile(graph, *arch::Preset(preset));
      ASSERT_TRUE(job.ok()) << job.error().message;
      testing::ExpectThreeWaysEqual(*job, testing::RandomInput(rng, graph),
                                    sim::MemoryTiming::Ideal());
    }
  }
}

}  // namespace
}  // namespace macloom
