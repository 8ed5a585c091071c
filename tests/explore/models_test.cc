// Certificates of the public and the shipped models, and what happens at them.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "explore/certificate.h"
#include "explore/explore.h"
#include "golden/fast/plan.h"
#include "importers/max78000/importer.h"
#include "importers/tflite/importer.h"
#include "ir/network_file.h"
#include "tests/support/data_pack.h"

namespace macloom::explore {
namespace {

enum class Origin { kMlperfTiny, kMax78000, kShipped };

struct Model {
  const char* file;  ///< kMax78000: TABLE@FOLDER@SHAPE; kShipped: a name.
  int bits;          ///< Certificate over all codes of the formats.
  Origin origin;
};

Result<ir::Graph> Load(const Model& model) {
  if (model.origin == Origin::kShipped) {
    const std::string name = model.file;
    return ir::LoadNetwork(MACLOOM_SOURCE_DIR "/models/" + name + "/" + name + ".safetensors");
  }
  if (model.origin == Origin::kMlperfTiny) {
    return importers::ImportTfliteFile(
        testing::FindDataPack(std::string("mlperf-tiny-models/") + model.file));
  }
  std::string text = model.file;
  const std::string root = testing::FindDataPack("max78000-qat-models").string() + "/";
  return importers::ImportMax78000(root + text.insert(text.find('@') + 1, root));
}

std::vector<ir::TensorValue> Inputs(const ir::Graph& graph, int count) {
  Rng rng(5);
  const ir::TensorInfo& info = graph.tensor(graph.input);
  std::vector<ir::TensorValue> inputs;
  for (int n = 0; n < count; ++n) {
    ir::TensorValue value{info.shape, {}};
    for (int64_t i = 0; i < ir::NumElements(info.shape); ++i) {
      const int64_t code =
          n % 2 == 0 ? rng.UniformInt(info.format.MinCode(), info.format.MaxCode())
                     : (rng.Bernoulli(0.5) ? info.format.MinCode() : info.format.MaxCode());
      value.codes.push_back(static_cast<int32_t>(code));
    }
    inputs.push_back(std::move(value));
  }
  return inputs;
}

class ModelTest : public ::testing::TestWithParam<Model> {};

TEST_P(ModelTest, AtTheCertificateWrapSaturateAndExactAreEqual) {
  if (GetParam().origin != Origin::kShipped) {
    MACLOOM_DATA_PACK(pack, GetParam().origin == Origin::kMax78000 ? "max78000-qat-models"
                                                                   : "mlperf-tiny-models");
  }
  const auto graph = Load(GetParam());
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto accumulation = HardwareAccumulation(*graph, *arch::Preset("m4l16"));
  ASSERT_TRUE(accumulation.ok()) << accumulation.error().message;
  const std::vector<LayerCertificate> layers = Certify(*graph, *accumulation);
  const Widths widths = SummarizeNetwork(layers);
  EXPECT_EQ(widths.hardware_order[0], GetParam().bits);
  EXPECT_LE(widths.final_sum[0], widths.hardware_order[0]);
  EXPECT_LE(widths.hardware_order[1], widths.hardware_order[0]);
  int required = 0;
  for (const ir::Node& node : graph->nodes) {
    required = std::max(required, ir::RequiredAccumulatorBits(*graph, node));
  }
  EXPECT_EQ(widths.any_order[0], required);

  const auto exact = golden::fast::Plan::Create(*graph);
  ASSERT_TRUE(exact.ok());
  const bool is_whole_network[] = {true, false};
  for (const bool is_whole : is_whole_network) {
    for (const ir::Overflow overflow : {ir::Overflow::kWrap, ir::Overflow::kSaturate}) {
      std::vector<ir::Accumulation> contracts = *accumulation;
      for (ir::Accumulation& contract : contracts) contract.overflow = overflow;
      for (const LayerCertificate& layer : layers) {
        // One width for all, and each layer at its own: clamps are proofs too.
        const int bits = is_whole ? widths.hardware_order[1] : layer.widths.hardware_order[1];
        contracts[static_cast<size_t>(layer.node)].width_bits = std::max(bits, 8);
      }
      const auto plan = golden::fast::Plan::Create(*graph, {contracts, std::nullopt});
      ASSERT_TRUE(plan.ok()) << plan.error().message;
      for (const ir::TensorValue& input : Inputs(*graph, 4)) {
        const auto want = exact->Run(input);
        const auto have = plan->Run(input);
        ASSERT_TRUE(want.ok() && have.ok());
        ASSERT_EQ(have->tensors, want->tensors);
        for (const golden::LayerEvents& events : have->events) {
          ASSERT_EQ(events.overflow_events, 0);
          ASSERT_EQ(events.wrong_outputs, 0);
        }
      }
    }
  }
}

TEST_P(ModelTest, AdversarialInputsReachEveryCertificate) {
  if (GetParam().origin != Origin::kShipped) {
    MACLOOM_DATA_PACK(pack, GetParam().origin == Origin::kMax78000 ? "max78000-qat-models"
                                                                   : "mlperf-tiny-models");
  }
  const auto graph = Load(GetParam());
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto result = Explore(*graph, *arch::Preset("m4l16"), {}, {}, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  for (const auto& summary : {result->adversarial_hardware_order, result->adversarial_final_sum}) {
    ASSERT_TRUE(summary.has_value());
    EXPECT_GT(summary->num_inputs, 0);
    EXPECT_EQ(summary->held_at_width, summary->num_inputs);
    EXPECT_EQ(summary->failed_below + summary->num_below_minimum, summary->num_inputs);
  }
}

// The first three are known answers; the others are this program's.
INSTANTIATE_TEST_SUITE_P(
    Models, ModelTest,
    ::testing::Values(Model{"kws_ref_model.tflite", 21, Origin::kMlperfTiny},
                      Model{"pretrainedResnet_quant.tflite", 23, Origin::kMlperfTiny},
                      Model{"ad01_int8.tflite", 22, Origin::kMlperfTiny},
                      Model{"str_ww_ref_model.tflite", 21, Origin::kMlperfTiny},
                      Model{"kws20-hwc.yaml@kws20@128x128@8", 25, Origin::kMax78000},
                      Model{"kws20-v3-hwc.yaml@kws20_v3_noise@128x128@8", 21, Origin::kMax78000},
                      Model{"mnist-chw-extrasmall-ai85.yaml@mnist_extrasmall@1x28x28@8", 22,
                            Origin::kMax78000},
                      Model{"digits-w8a8", 20, Origin::kShipped},
                      Model{"digits-w4a8", 16, Origin::kShipped},
                      Model{"digits-w4a4", 12, Origin::kShipped}),
    [](const auto& info) {
      std::string name = info.param.file;
      name = name.substr(0, name.find('@'));
      std::replace_if(
          name.begin(), name.end(), [](char c) { return std::isalnum(c) == 0; }, '_');
      return name;
    });

}  // namespace
}  // namespace macloom::explore
