// Networks larger than the activation memory: stripes through external memory, bit-exact.
#include "arch/corner_configs.h"
#include "importers/tflite/importer.h"
#include "networks/untrained_network.h"
#include "stimulus/random_graph.h"
#include "tests/e2e/three_ways.h"
#include "tests/support/data_pack.h"

namespace macloom {
namespace {

/// m4l16 with 8 KiB of activation memory: 512 words.
arch::HardwareConfig SmallConfig() {
  for (const arch::HardwareConfig& config : arch::CornerConfigs()) {
    if (config.name == "small_memory") return config;
  }
  ADD_FAILURE() << "no corner configuration small_memory";
  return {};
}

void ExpectStripedAndEqual(const ir::Graph& graph, int64_t min_loads) {
  for (const ir::Overflow overflow : {ir::Overflow::kWrap, ir::Overflow::kSaturate}) {
    arch::CompileOptions options;
    options.overflow = overflow;
    const auto job = arch::Compile(graph, SmallConfig(), options);
    ASSERT_TRUE(job.ok()) << job.error().message;
    int64_t loads = 0;
    for (const arch::JobStep& step : job->steps) {
      loads += step.descriptor.opcode() == static_cast<uint32_t>(arch::Opcode::kLoad);
    }
    EXPECT_GE(loads, min_loads);
    Rng rng(3);
    testing::ExpectThreeWaysEqual(*job, stimulus::RandomInput(rng, graph),
                                  sim::MemoryTiming::Random(9));
  }
}

TEST(StripedTest, KeywordNetworkRunsInStripes) {
  ExpectStripedAndEqual(networks::MakeUntrainedKwsNetwork(), 12);
}

TEST(StripedTest, ResidualNetworkRunsInStripes) {
  MACLOOM_DATA_PACK(path, "mlperf-tiny-models/pretrainedResnet_quant.tflite");
  const auto graph = importers::ImportTfliteFile(path);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  ExpectStripedAndEqual(*graph, 40);
}

TEST(StripedTest, BadMemorySizeNamesNodeAndWords) {
  arch::HardwareConfig config = SmallConfig();
  config.activation_bytes = 4096;
  const auto job = arch::Compile(networks::MakeUntrainedKwsNetwork(), config);
  ASSERT_FALSE(job.ok());
  EXPECT_NE(job.error().message.find("`pool`"), std::string::npos) << job.error().message;
  EXPECT_NE(job.error().message.find("memory.activation_bytes"), std::string::npos);
}

}  // namespace
}  // namespace macloom
