// Random layers and chains on both presets: golden = descriptor device = RTL, values and counts.
#include <algorithm>

#include "arch/corner_configs.h"
#include "campaign/random_networks.h"
#include "tests/e2e/three_ways.h"
#include "tests/support/setting.h"

namespace macloom {
namespace {

/// `count` networks on the configurations in turn; refusals by the compiler are not counted.
void ExpectAgreement(const std::vector<arch::HardwareConfig>& configs, int64_t count,
                     uint64_t seed) {
  std::printf("seed %llu, %lld networks\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(count));
  Rng rng(seed);
  int64_t executed = 0, with_events = 0, refused = 0;
  for (int64_t i = 0; executed < count && i < 8 * count; ++i) {
    const arch::HardwareConfig& config = configs[static_cast<size_t>(i) % configs.size()];
    const ir::Graph graph = campaign::RandomNetwork(rng, config, i);
    arch::CompileOptions options;
    const bool may_saturate = config.accumulator_policy != arch::AccumulatorPolicy::kWrap;
    const bool must_saturate = config.accumulator_policy == arch::AccumulatorPolicy::kSaturate;
    options.overflow = must_saturate || (may_saturate && rng.Bernoulli(0.4))
                           ? ir::Overflow::kSaturate
                           : ir::Overflow::kWrap;
    const int bits = config.accumulator_bits;
    int required_bits = 8;
    for (const ir::Node& node : graph.nodes) {
      required_bits = std::max(required_bits, ir::RequiredAccumulatorBits(graph, node));
    }
    options.effective_accumulator_bits =
        rng.Bernoulli(0.3) ? bits
                           : static_cast<int>(rng.UniformInt(8, std::min(required_bits, bits)));
    const auto job = arch::Compile(graph, config, options);
    if (!job.ok()) {
      // Only documented refusals.
      EXPECT_EQ(job.error().kind, ErrorKind::kUnsupported) << job.error().message;
      ++refused;
      continue;
    }
    SCOPED_TRACE("network " + std::to_string(i) + " of seed " + std::to_string(seed) + " on " +
                 config.name + "\n" + ir::ToText(graph));
    const ir::TensorValue input = stimulus::RandomInput(rng, graph);
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
  // Narrow codes rarely leave the narrowest accumulator.
  EXPECT_GE(with_events, executed / 20);
}

TEST(RandomLayersTest, GoldenDescriptorDeviceAndRtlAgree) {
  ExpectAgreement({*arch::Preset("m4l16"), *arch::Preset("m8l16")},
                  testing::Setting("MACLOOM_RANDOM_LAYERS", 240),
                  static_cast<uint64_t>(testing::Setting("MACLOOM_SEED", 1)));
}

class PinnedConfigTest : public ::testing::TestWithParam<size_t> {};

TEST_P(PinnedConfigTest, GoldenDescriptorDeviceAndRtlAgree) {
  ExpectAgreement({arch::CornerConfigs()[GetParam()]},
                  testing::Setting("MACLOOM_RANDOM_LAYERS", 240) / 4,
                  static_cast<uint64_t>(testing::Setting("MACLOOM_SEED", 1)));
}

INSTANTIATE_TEST_SUITE_P(Corners, PinnedConfigTest,
                         ::testing::Range(size_t{0}, arch::CornerConfigs().size()),
                         [](const auto& info) { return arch::CornerConfigs()[info.param].name; });

/// A visit of two cycles, shorter than the way of its results through the lanes: the next visit
/// with the same parameter set must wait for its own parameters.
TEST(RandomLayersTest, VeryShortVisitsUseTheirOwnParameters) {
  Rng rng(5);
  for (int i = 0; i < 20; ++i) {
    stimulus::LayerSpec spec;
    spec.kind = ir::OperatorKind::kConv2d;
    spec.input = {8, 7, 8};
    spec.window.kernel_h = 4;
    spec.window.stride_w = 3;
    spec.window.pad_top = spec.window.pad_bottom = 3;
    spec.output_channels = 59;
    const ir::Graph graph = stimulus::RandomLayerGraph(rng, spec);
    for (const std::string& preset : arch::PresetNames()) {
      const auto job = arch::Compile(graph, *arch::Preset(preset));
      ASSERT_TRUE(job.ok()) << job.error().message;
      testing::ExpectThreeWaysEqual(*job, stimulus::RandomInput(rng, graph),
                                    sim::MemoryTiming::Ideal());
    }
  }
}

}  // namespace
}  // namespace macloom
