// The cycle model against the RTL's own counters: equal in every class of every step with ideal
// memory, within 2 % of the total with random stalls.
#include "arch/cycle_model.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "importers/tflite/importer.h"
#include "tests/e2e/random_networks.h"
#include "tests/e2e/three_ways.h"
#include "tests/support/data_pack.h"
#include "tests/support/pinned_configs.h"

namespace macloom {
namespace {

arch::CycleCounts ToCounts(const sim::StepCounters& c) {
  return {c.total_cycles,
          c.busy_cycles,
          c.stall_activation_cycles,
          c.stall_weight_cycles,
          c.stall_output_cycles,
          c.stall_dma_read_cycles,
          c.stall_dma_write_cycles,
          c.idle_cycles,
          c.read_beats,
          c.write_beats};
}

std::string ToText(const arch::CycleCounts& c) {
  std::string text;
  for (const int64_t value :
       {c.total_cycles, c.busy_cycles, c.stall_activation_cycles, c.stall_weight_cycles,
        c.stall_output_cycles, c.stall_dma_read_cycles, c.stall_dma_write_cycles, c.idle_cycles,
        c.read_beats, c.write_beats}) {
    text += std::to_string(value) + " ";
  }
  return text;
}

/// Steps whose counters differ, one line each; the total is a step too.
std::vector<std::string> Differences(const arch::Job& job, const arch::CycleEstimate& estimate,
                                     const sim::DeviceRun& run) {
  std::vector<std::string> lines;
  const auto compare = [&](const std::string& name, const arch::CycleCounts& predicted,
                           const arch::CycleCounts& measured) {
    if (predicted == measured) return;
    lines.push_back(name + ": predicted " + ToText(predicted) + "measured " + ToText(measured));
  };
  EXPECT_EQ(estimate.steps.size(), run.steps.size());
  for (size_t i = 0; i < std::min(estimate.steps.size(), run.steps.size()); ++i) {
    compare(
        "step " + std::to_string(i) + " opcode " + std::to_string(job.steps[i].descriptor.opcode()),
        estimate.steps[i], ToCounts(run.steps[i].counters));
  }
  compare("total", estimate.total, ToCounts(run.total));
  return lines;
}

void ExpectEqual(const arch::Job& job, const ir::TensorValue& input) {
  const auto run = testing::RtlDevice(job.config, sim::MemoryTiming::Ideal()).Run(job, input);
  ASSERT_TRUE(run.ok()) << run.error().message;
  const auto estimate = arch::EstimateCycles(job);
  ASSERT_TRUE(estimate.ok()) << estimate.error().message;
  for (const std::string& line : Differences(job, *estimate, *run)) ADD_FAILURE() << line;
}

/// The statistics of sim::MemoryTiming::Random().
arch::MemoryModel RandomStalls(uint64_t seed) {
  const sim::MemoryTiming timing = sim::MemoryTiming::Random(seed);
  return {timing.latency_cycles, timing.stall_probability, timing.max_extra_latency_cycles, seed};
}

double DeviationPercent(int64_t predicted, int64_t measured) {
  return 100.0 * (static_cast<double>(predicted) / static_cast<double>(measured) - 1);
}

class CycleModelOnModelTest
    : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(CycleModelOnModelTest, PredictsTheRealModels) {
  const auto [model, preset] = GetParam();
  MACLOOM_DATA_PACK(path, std::string("mlperf-tiny-models/") + model);
  const auto graph = importers::ImportTfliteFile(path);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto job = arch::Compile(*graph, *arch::Preset(preset));
  ASSERT_TRUE(job.ok()) << job.error().message;
  Rng rng(1);
  const ir::TensorValue input = testing::RandomInput(rng, *graph);
  ExpectEqual(*job, input);
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const auto run =
        testing::RtlDevice(job->config, sim::MemoryTiming::Random(seed)).Run(*job, input);
    ASSERT_TRUE(run.ok()) << run.error().message;
    const auto estimate = arch::EstimateCycles(*job, RandomStalls(seed + 100));
    ASSERT_TRUE(estimate.ok()) << estimate.error().message;
    const double percent = DeviationPercent(estimate->total.total_cycles, run->total.total_cycles);
    std::printf("%s on %s with stalls: %lld cycles, predicted %+.2f %%\n", model, preset,
                static_cast<long long>(run->total.total_cycles), percent);
    EXPECT_LT(std::abs(percent), 2);
  }
}

INSTANTIATE_TEST_SUITE_P(
    MlperfTiny, CycleModelOnModelTest,
    ::testing::Combine(::testing::Values("kws_ref_model.tflite", "pretrainedResnet_quant.tflite",
                                         "ad01_int8.tflite", "str_ww_ref_model.tflite"),
                       ::testing::Values("m4l16", "m8l16")),
    [](const auto& info) {
      std::string name = std::string(std::get<0>(info.param)) + "_" + std::get<1>(info.param);
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

/// `count` random networks on each configuration, stripes included: every counter of every step.
void ExpectEqualOnRandomNetworks(const std::vector<arch::HardwareConfig>& configs, int64_t count) {
  const uint64_t seed = static_cast<uint64_t>(testing::Setting("MACLOOM_SEED", 1));
  std::printf("seed %llu, %lld networks\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(count));
  Rng rng(seed);
  int64_t executed = 0, cycles = 0;
  for (int64_t i = 0; executed < count && i < 8 * count; ++i) {
    const arch::HardwareConfig& config = configs[static_cast<size_t>(i) % configs.size()];
    const ir::Graph graph = testing::RandomNetwork(rng, config, i);
    arch::CompileOptions options;
    if (config.accumulator_policy == arch::AccumulatorPolicy::kSaturate)
      options.overflow = ir::Overflow::kSaturate;
    const auto job = arch::Compile(graph, config, options);
    if (!job.ok()) continue;
    SCOPED_TRACE("network " + std::to_string(i) + " on " + config.name + "\n" + ir::ToText(graph));
    ExpectEqual(*job, testing::RandomInput(rng, graph));
    if (::testing::Test::HasFailure()) return;
    cycles += arch::EstimateCycles(*job)->total.total_cycles;
    ++executed;
  }
  std::printf("%lld networks, %lld cycles, every counter equal\n", static_cast<long long>(executed),
              static_cast<long long>(cycles));
  EXPECT_GE(executed, count);
}

TEST(CycleModelTest, PredictsRandomNetworks) {
  ExpectEqualOnRandomNetworks({*arch::Preset("m4l16"), *arch::Preset("m8l16")},
                              testing::Setting("MACLOOM_RANDOM_LAYERS", 240));
}

class CycleModelCornerTest : public ::testing::TestWithParam<size_t> {};

TEST_P(CycleModelCornerTest, PredictsRandomNetworks) {
  ExpectEqualOnRandomNetworks({testing::PinnedConfigs()[GetParam()]},
                              testing::Setting("MACLOOM_RANDOM_LAYERS", 240) / 4);
}

INSTANTIATE_TEST_SUITE_P(Corners, CycleModelCornerTest,
                         ::testing::Range(size_t{0}, testing::PinnedConfigs().size()),
                         [](const auto& info) {
                           return testing::PinnedConfigs()[info.param].name;
                         });

}  // namespace
}  // namespace macloom
