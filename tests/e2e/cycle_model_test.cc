// The cycle model against the RTL's own counters: equal in every class of every step with ideal
// memory, within 2 % of the total with random stalls.
#include "arch/cycle_model.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <tuple>

#include "arch/corner_configs.h"
#include "campaign/random_networks.h"
#include "importers/tflite/importer.h"
#include "networks/untrained_network.h"
#include "tests/e2e/three_ways.h"
#include "tests/support/data_pack.h"
#include "tests/support/setting.h"

namespace macloom {
namespace {

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
        estimate.steps[i], run.steps[i].counters);
  }
  compare("total", estimate.total, run.total);
  return lines;
}

void ExpectEqual(const arch::Job& job, const ir::TensorValue& input, sim::Device& device,
                 const arch::MemoryModel& memory = {}) {
  const auto run = device.Run(job, input);
  ASSERT_TRUE(run.ok()) << run.error().message;
  const auto estimate = arch::EstimateCycles(job, memory);
  ASSERT_TRUE(estimate.ok()) << estimate.error().message;
  for (const std::string& line : Differences(job, *estimate, *run)) ADD_FAILURE() << line;
}

void ExpectEqual(const arch::Job& job, const ir::TensorValue& input) {
  ExpectEqual(job, input, testing::RtlDevice(job.config, sim::MemoryTiming::Ideal()));
}

/// Prints how much faster the model is than the simulation, in processor time.
void PrintSpeed(const arch::Job& job, const ir::TensorValue& input) {
  sim::Device& device = testing::RtlDevice(job.config, sim::MemoryTiming::Ideal());
  const std::clock_t start = std::clock();
  const auto run = device.Run(job, input);
  const std::clock_t simulated = std::clock();
  constexpr int kRepetitions = 20;
  for (int i = 0; i < kRepetitions; ++i) ASSERT_TRUE(arch::EstimateCycles(job).ok());
  const std::clock_t estimated = std::clock();
  const auto milliseconds = [](std::clock_t ticks) {
    return 1000.0 * static_cast<double>(ticks) / CLOCKS_PER_SEC;
  };
  const double model = milliseconds(estimated - simulated) / kRepetitions;
  std::printf("RTL %.1f ms, cycle model %.3f ms of processor time: factor %.0f\n",
              milliseconds(simulated - start), model, milliseconds(simulated - start) / model);
}

/// Mean of eight draws with the statistics of sim::MemoryTiming::Random().
int64_t MeanCyclesWithStalls(const arch::Job& job) {
  int64_t sum = 0;
  for (uint64_t seed = 101; seed <= 108; ++seed) {
    const sim::MemoryTiming timing = sim::MemoryTiming::Random(seed);
    const auto estimate = arch::EstimateCycles(
        job,
        {timing.latency_cycles, timing.stall_probability, timing.max_extra_latency_cycles, seed});
    EXPECT_TRUE(estimate.ok()) << estimate.error().message;
    sum += estimate->total.total_cycles;
  }
  return sum / 8;
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
  const ir::TensorValue input = stimulus::RandomInput(rng, *graph);
  ExpectEqual(*job, input);
  PrintSpeed(*job, input);
  const int64_t predicted = MeanCyclesWithStalls(*job);
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const auto run =
        testing::RtlDevice(job->config, sim::MemoryTiming::Random(seed)).Run(*job, input);
    ASSERT_TRUE(run.ok()) << run.error().message;
    const double percent = DeviationPercent(predicted, run->total.total_cycles);
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
    const ir::Graph graph = campaign::RandomNetwork(rng, config, i);
    arch::CompileOptions options;
    if (config.accumulator_policy == arch::AccumulatorPolicy::kSaturate)
      options.overflow = ir::Overflow::kSaturate;
    const auto job = arch::Compile(graph, config, options);
    if (!job.ok()) continue;
    SCOPED_TRACE("network " + std::to_string(i) + " on " + config.name + "\n" + ir::ToText(graph));
    ExpectEqual(*job, stimulus::RandomInput(rng, graph));
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
  ExpectEqualOnRandomNetworks({arch::CornerConfigs()[GetParam()]},
                              testing::Setting("MACLOOM_RANDOM_LAYERS", 240) / 4);
}

INSTANTIATE_TEST_SUITE_P(Corners, CycleModelCornerTest,
                         ::testing::Range(size_t{0}, arch::CornerConfigs().size()),
                         [](const auto& info) { return arch::CornerConfigs()[info.param].name; });

TEST(CycleModelTest, PredictsOtherLatenciesAndStripes) {
  const ir::Graph graph = networks::MakeUntrainedKwsNetwork();
  arch::HardwareConfig small = *arch::Preset("m4l16");
  small.activation_bytes = 8192;
  Rng rng(4);
  const ir::TensorValue input = stimulus::RandomInput(rng, graph);
  for (const arch::HardwareConfig& config : {*arch::Preset("m4l16"), small}) {
    const auto job = arch::Compile(graph, config);
    ASSERT_TRUE(job.ok()) << job.error().message;
    for (const int latency : {1, 7, 20, 150}) {
      SCOPED_TRACE(std::to_string(job->steps.size()) + " steps, latency " +
                   std::to_string(latency));
      sim::MemoryTiming timing;
      timing.latency_cycles = latency;
      const auto device = sim::MakeVerilatedDevice(config, {timing});
      ASSERT_TRUE(device.ok()) << device.error().message;
      ExpectEqual(*job, input, **device, {.latency_cycles = latency});
    }
  }
}

/// Random networks are short, so only their sum can be expected to be near.
TEST(CycleModelTest, PredictsTheSumOfRandomNetworksWithStalls) {
  Rng rng(2);
  const arch::HardwareConfig config = *arch::Preset("m4l16");
  int64_t predicted = 0, measured = 0;
  for (int64_t i = 0; i < 60; ++i) {
    const ir::Graph graph = campaign::RandomNetwork(rng, config, i);
    const auto job = arch::Compile(graph, config);
    if (!job.ok()) continue;
    const ir::TensorValue input = stimulus::RandomInput(rng, graph);
    predicted += MeanCyclesWithStalls(*job);
    // Another seed for each: the first stalls of a seed are the same for every network.
    const auto device =
        sim::MakeVerilatedDevice(config, {sim::MemoryTiming::Random(static_cast<uint64_t>(i) + 1)});
    ASSERT_TRUE(device.ok()) << device.error().message;
    const auto run = (*device)->Run(*job, input);
    ASSERT_TRUE(run.ok()) << run.error().message;
    measured += run->total.total_cycles;
  }
  std::printf("60 networks with stalls: %lld cycles, predicted %+.2f %%\n",
              static_cast<long long>(measured), DeviationPercent(predicted, measured));
  EXPECT_LT(std::abs(DeviationPercent(predicted, measured)), 2);
}

/// The comparison sees a wrong latency, one burst in flight, half the
/// requantization lanes, and a layer with a column less.
TEST(CycleModelTest, AWrongModelIsCaught) {
  const ir::Graph graph = networks::MakeUntrainedKwsNetwork();
  const auto job = arch::Compile(graph, *arch::Preset("m4l16"));
  ASSERT_TRUE(job.ok());
  Rng rng(4);
  const auto run = testing::RtlDevice(job->config, sim::MemoryTiming::Ideal())
                       .Run(*job, stimulus::RandomInput(rng, graph));
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(Differences(*job, *arch::EstimateCycles(*job), *run).size(), 0u);
  EXPECT_GT(Differences(*job, *arch::EstimateCycles(*job, {.latency_cycles = 21}), *run).size(),
            0u);
  arch::Job wrong = *job;
  wrong.config.outstanding_bursts = 1;
  EXPECT_GT(Differences(*job, *arch::EstimateCycles(wrong), *run).size(), 0u);
  wrong = *job;
  wrong.config.requant_lanes = 4;
  EXPECT_GT(Differences(*job, *arch::EstimateCycles(wrong), *run).size(), 0u);
  wrong = *job;
  for (arch::JobStep& step : wrong.steps) {
    if (step.descriptor.opcode() != static_cast<uint32_t>(arch::Opcode::kConv)) continue;
    step.descriptor.set_out_w(step.descriptor.out_w() - 1);
    break;
  }
  EXPECT_GT(Differences(*job, *arch::EstimateCycles(wrong), *run).size(), 0u);
}

}  // namespace
}  // namespace macloom
