// Random layers and chains on both presets: golden = descriptor device = RTL, values and counts.
#include <algorithm>

#include "tests/e2e/three_ways.h"
#include "tests/support/pinned_configs.h"
#include "tests/support/random_graph.h"

namespace macloom {
namespace {

/// MACLOOM_RANDOM_LAYERS networks (default 240), from MACLOOM_SEED (default 1).
int64_t Setting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

/// Formats and requantization that `config` can have, narrower than its widths half of the time.
void Fit(Rng& rng, const arch::HardwareConfig& config, testing::LayerSpec& spec) {
  const auto bits = [&](int most) {
    return rng.Bernoulli(0.5) ? most : static_cast<int>(rng.UniformInt(2, most));
  };
  spec.input_format.bits = bits(config.activation_bits);
  spec.output_format.bits = bits(config.activation_bits);
  spec.weight_format.bits = bits(config.weight_bits);
  const auto zero_point = [&](const ir::NumberFormat& format) {
    return static_cast<int32_t>(
        rng.Bernoulli(0.3) ? 0 : rng.UniformInt(format.MinCode(), format.MaxCode()));
  };
  spec.input_zero_point = zero_point(spec.input_format);
  spec.output_zero_point = zero_point(spec.output_format);
  if (spec.kind == ir::OperatorKind::kAveragePool2d) spec.output_format = spec.input_format;
  const bool only_shifts = config.requant_kind == arch::RequantKind::kShift;
  if (only_shifts || rng.Bernoulli(0.25)) spec.requantization = ir::RequantizationKind::kShift;
}

ir::Graph RandomNetwork(Rng& rng, const arch::HardwareConfig& config, int64_t index) {
  const ir::OperatorKind kinds[] = {ir::OperatorKind::kConv2d,
                                    ir::OperatorKind::kDepthwiseConv2d,
                                    ir::OperatorKind::kFullyConnected,
                                    ir::OperatorKind::kAveragePool2d,
                                    ir::OperatorKind::kAdd,
                                    ir::OperatorKind::kMaxPool2d,
                                    ir::OperatorKind::kPad,
                                    ir::OperatorKind::kConcatenation};
  constexpr int64_t kKinds = std::size(kinds);
  const int64_t kind = index % (kKinds + 1);
  if (kind == kKinds && config.activation_bits == 8 && config.weight_bits == 8) {
    testing::ChainOptions options;
    options.num_layers = static_cast<int>(rng.UniformInt(1, 4));
    options.input = {rng.UniformInt(1, 14), rng.UniformInt(1, 12), rng.UniformInt(1, 24)};
    options.requantization = rng.Bernoulli(0.5) ? ir::RequantizationKind::kMultiplierDouble
                                                : ir::RequantizationKind::kMultiplierSingle;
    return testing::RandomChain(rng, options);
  }
  testing::LayerSpec spec = testing::RandomLayerSpec(rng, kinds[kind % kKinds]);
  if (rng.Bernoulli(0.3)) spec.input.back() = rng.UniformInt(1, 70);
  if (rng.Bernoulli(0.3)) spec.output_channels = rng.UniformInt(1, 70);
  if (spec.kind == ir::OperatorKind::kConcatenation && spec.axis == 2) {
    spec.input.back() = rng.UniformInt(1, 2) * config.lanes;
  }
  Fit(rng, config, spec);
  return testing::RandomLayerGraph(rng, spec);
}

/// `count` networks on the configurations in turn; refusals by the compiler are not counted.
void ExpectAgreement(const std::vector<arch::HardwareConfig>& configs, int64_t count,
                     uint64_t seed) {
  std::printf("seed %llu, %lld networks\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(count));
  Rng rng(seed);
  int64_t executed = 0, with_events = 0, refused = 0;
  for (int64_t i = 0; executed < count && i < 8 * count; ++i) {
    const arch::HardwareConfig& config = configs[static_cast<size_t>(i) % configs.size()];
    const ir::Graph graph = RandomNetwork(rng, config, i);
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
  // Narrow codes rarely leave the narrowest accumulator.
  EXPECT_GE(with_events, executed / 20);
}

TEST(RandomLayersTest, GoldenDescriptorDeviceAndRtlAgree) {
  ExpectAgreement({*arch::Preset("m4l16"), *arch::Preset("m8l16")},
                  Setting("MACLOOM_RANDOM_LAYERS", 240),
                  static_cast<uint64_t>(Setting("MACLOOM_SEED", 1)));
}

class PinnedConfigTest : public ::testing::TestWithParam<size_t> {};

TEST_P(PinnedConfigTest, GoldenDescriptorDeviceAndRtlAgree) {
  ExpectAgreement({testing::PinnedConfigs()[GetParam()]}, Setting("MACLOOM_RANDOM_LAYERS", 240) / 4,
                  static_cast<uint64_t>(Setting("MACLOOM_SEED", 1)));
}

INSTANTIATE_TEST_SUITE_P(Corners, PinnedConfigTest,
                         ::testing::Range(size_t{0}, testing::PinnedConfigs().size()),
                         [](const auto& info) {
                           return testing::PinnedConfigs()[info.param].name;
                         });

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
