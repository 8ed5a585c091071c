// The public MLPerf Tiny models on both presets: bit-exact, and the utilization the README states.
#include "base/rng.h"
#include "base/sample_archive.h"
#include "importers/max78000/importer.h"
#include "importers/tflite/importer.h"
#include "tests/e2e/three_ways.h"
#include "tests/support/data_pack.h"

namespace macloom {
namespace {

struct RealModel {
  const char* model;
  const char* preset;
  double min_utilization_percent;            ///< Of the whole network.
  double min_depthwise_utilization_percent;  ///< Of every depthwise layer.
};

std::vector<ir::TensorValue> Inputs(const ir::Graph& graph, int uniform) {
  Rng rng(11);
  const ir::TensorInfo& info = graph.tensor(graph.input);
  const size_t size = static_cast<size_t>(ir::NumElements(info.shape));
  std::vector<ir::TensorValue> inputs;
  const auto add = [&](auto code) {
    ir::TensorValue value{info.shape, std::vector<int32_t>(size)};
    for (size_t i = 0; i < size; ++i) value.codes[i] = static_cast<int32_t>(code(i));
    inputs.push_back(std::move(value));
  };
  for (int n = 0; n < uniform; ++n) add([&](size_t) { return rng.UniformInt(-128, 127); });
  add([](size_t) { return -128; });
  add([](size_t) { return 127; });
  add([&](size_t) { return info.quantization.zero_point(); });
  add([](size_t i) { return i % 2 == 0 ? -128 : 127; });
  add([&](size_t) { return rng.Bernoulli(0.5) ? -128 : 127; });
  return inputs;
}

class RealModelTest : public ::testing::TestWithParam<RealModel> {};

TEST_P(RealModelTest, IsBitExactAndReachesItsUtilization) {
  MACLOOM_DATA_PACK(path, std::string("mlperf-tiny-models/") + GetParam().model);
  const auto graph = importers::ImportTfliteFile(path);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto config = arch::Preset(GetParam().preset);
  const auto job = arch::Compile(*graph, *config);
  ASSERT_TRUE(job.ok()) << job.error().message;
  const std::vector<ir::TensorValue> inputs = Inputs(*graph, 2);
  for (size_t i = 0; i < inputs.size(); ++i) {
    SCOPED_TRACE("input " + std::to_string(i));
    testing::ExpectThreeWaysEqual(*job, inputs[i], sim::MemoryTiming::Random(i + 1));
  }
  const auto run = testing::RtlDevice(*config, sim::MemoryTiming::Ideal()).Run(*job, inputs[0]);
  ASSERT_TRUE(run.ok()) << run.error().message;
  const double array = config->rows * config->lanes;
  const double utilization = 100.0 * static_cast<double>(run->total.macs) /
                             (array * static_cast<double>(run->total.total_cycles));
  std::printf("%s on %s: %lld cycles, %.2f %%\n", GetParam().model, GetParam().preset,
              static_cast<long long>(run->total.total_cycles), utilization);
  EXPECT_GE(utilization, GetParam().min_utilization_percent);
  for (const sim::StepResult& step : run->steps) {
    const int node = job->steps[step.tag].node;
    if (node < 0 ||
        graph->nodes[static_cast<size_t>(node)].kind != ir::OperatorKind::kDepthwiseConv2d)
      continue;
    EXPECT_GE(100.0 * static_cast<double>(step.counters.macs) /
                  (array * static_cast<double>(step.counters.total_cycles)),
              GetParam().min_depthwise_utilization_percent)
        << graph->nodes[static_cast<size_t>(node)].name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    MlperfTiny, RealModelTest,
    ::testing::Values(RealModel{"kws_ref_model.tflite", "m4l16", 90, 75},
                      RealModel{"kws_ref_model.tflite", "m8l16", 85, 60},
                      RealModel{"pretrainedResnet_quant.tflite", "m4l16", 88, 0},
                      RealModel{"pretrainedResnet_quant.tflite", "m8l16", 88, 0},
                      RealModel{"ad01_int8.tflite", "m4l16", 0, 0},
                      RealModel{"ad01_int8.tflite", "m8l16", 0, 0},
                      RealModel{"str_ww_ref_model.tflite", "m4l16", 0, 0},
                      RealModel{"str_ww_ref_model.tflite", "m8l16", 0, 0}),
    [](const auto& info) {
      std::string name = std::string(info.param.model) + "_" + info.param.preset;
      std::replace(name.begin(), name.end(), '.', '_');
      return name;
    });

TEST(RealModelTest, AutoencoderReachesItsAxiBound) {
  MACLOOM_DATA_PACK(path, "mlperf-tiny-models/ad01_int8.tflite");
  const auto graph = importers::ImportTfliteFile(path);
  ASSERT_TRUE(graph.ok());
  const auto config = arch::Preset("m4l16");
  const auto job = arch::Compile(*graph, *config);
  ASSERT_TRUE(job.ok());
  const auto run =
      testing::RtlDevice(*config, sim::MemoryTiming::Ideal()).Run(*job, Inputs(*graph, 1)[0]);
  ASSERT_TRUE(run.ok());
  // The bound: every weight byte crosses the 64-bit bus once.
  const double bound_cycles = 264192.0 / 8;
  std::printf("ad01_int8: %lld cycles, bound %.0f, %.2f %%\n",
              static_cast<long long>(run->total.total_cycles), bound_cycles,
              100 * bound_cycles / static_cast<double>(run->total.total_cycles));
  EXPECT_GE(100 * bound_cycles / static_cast<double>(run->total.total_cycles), 90.0);
}

TEST(RealModelTest, SpokenKeywordsAreEqualThreeWays) {
  MACLOOM_DATA_PACK(path, "mlperf-tiny-models/kws_ref_model.tflite");
  MACLOOM_DATA_PACK(features, "speech-commands-v2-test-sample/mfcc_int8.tar");
  const auto graph = importers::ImportTfliteFile(path);
  ASSERT_TRUE(graph.ok());
  const auto samples = ReadSampleArchive(features, 490);
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  for (const char* preset : {"m4l16", "m8l16"}) {
    const auto job = arch::Compile(*graph, *arch::Preset(preset));
    ASSERT_TRUE(job.ok());
    for (size_t i = 0; i < 32; ++i) {
      ir::TensorValue input{graph->tensor(graph->input).shape, {}};
      for (const uint8_t byte : (*samples)[i].bytes)
        input.codes.push_back(static_cast<int8_t>(byte));
      testing::ExpectThreeWaysEqual(*job, input, sim::MemoryTiming::Ideal());
    }
  }
}

/// Trained with power-of-two scales; every layer requantizes by a shift.
TEST(PowerOfTwoNetworksTest, AreBitExactOnBothPresets) {
  MACLOOM_DATA_PACK(pack, "max78000-qat-models");
  for (const char* model :
       {"kws20-hwc.yaml@{}/kws20@128x128@8", "kws20-v3-hwc.yaml@{}/kws20_v3_noise@128x128@8",
        "mnist-chw-extrasmall-ai85.yaml@{}/mnist_extrasmall@1x28x28@8"}) {
    std::string text = pack.string() + "/" + model;
    text.replace(text.find("{}"), 2, pack.string());
    const auto graph = importers::ImportMax78000(text);
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    for (const std::string& preset : arch::PresetNames()) {
      const auto job = arch::Compile(*graph, *arch::Preset(preset));
      ASSERT_TRUE(job.ok()) << job.error().message;
      // A uniform input, and alternating extremes.
      const std::vector<ir::TensorValue> inputs = Inputs(*graph, 1);
      for (const size_t n : {size_t{0}, size_t{4}}) {
        testing::ExpectThreeWaysEqual(*job, inputs[n], sim::MemoryTiming::Random(n + 1));
      }
    }
  }
}

}  // namespace
}  // namespace macloom
