// What a well-formed file becomes. Files are written by the test; numbers are worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

#include "base/digest.h"
#include "importers/tflite/importer.h"
#include "tests/importers/tflite_model_builder.h"

namespace macloom::importers {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using ::testing::ElementsAre;

constexpr int32_t kHalf = 1 << 30;  // The multiplier of a power of two.

ir::Graph MustImport(const FakeModel& model, const TfliteOptions& options = {}) {
  auto graph = ImportTflite(Serialize(model), options);
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  return graph.ok() ? std::move(graph).value() : ir::Graph();
}

/// Identifies everything but the origin, which names the file's bytes.
std::string DigestOfContent(const FakeModel& model) {
  ir::Graph graph = MustImport(model);
  graph.origin.clear();
  return ir::Digest(graph);
}

TEST(TfliteImporterTest, ImportsEveryOperatorOfTheSubset) {
  const ir::Graph graph = MustImport(SmallModel());
  ASSERT_EQ(graph.nodes.size(), 7u);
  std::vector<std::string> names;
  std::vector<std::string> shapes;
  for (const ir::Node& node : graph.nodes) {
    names.push_back(node.name);
    shapes.push_back(ir::ToString(graph.tensor(node.output).shape));
  }
  EXPECT_THAT(names, ElementsAre("op00_conv_2d", "op01_depthwise_conv_2d", "op02_add",
                                 "op03_average_pool_2d", "op04_reshape", "op05_fully_connected",
                                 "op06_softmax"));
  EXPECT_THAT(shapes, ElementsAre("3x3x4", "2x2x8", "2x2x8", "1x1x8", "8", "3", "3"));
  EXPECT_EQ(graph.name, "small");
  EXPECT_EQ(graph.tensor(graph.input).shape, (ir::Shape{6, 6, 2}));
  EXPECT_EQ(graph.tensor(graph.input).name, "input");
  EXPECT_EQ(graph.tensor(graph.output).name, "softmax");
  EXPECT_TRUE(graph.class_labels.empty());
  EXPECT_TRUE(ir::Verify(graph).ok());
}

TEST(TfliteImporterTest, ResolvesSamePaddingWithTheOddRowBehindTheImage) {
  const ir::Graph graph = MustImport(SmallModel());
  // 6 -> ceil(6/2) = 3; total = 2*2 + 3 - 6 = 1.
  EXPECT_EQ(graph.nodes[kConv].window, (ir::Window{3, 3, 2, 2, 0, 1, 0, 1}));
  EXPECT_EQ(graph.nodes[kDepthwise].window, (ir::Window{2, 2, 1, 1, 0, 0, 0, 0}));
}

TEST(TfliteImporterTest, SamePaddingWithStrideAboveKernelLeavesRowsOut) {
  FakeModel model = SmallModel();
  // Kernel 1, stride 4 on 6: out = 2, (2-1)*4 + 1 - 6 < 0 gives no padding.
  model.tensors[kConvWeights] = FakeWeights("w", {4, 1, 1, 2}, {0.25f}, 0);
  model.operators[kConv].stride_h = model.operators[kConv].stride_w = 4;
  model.tensors[kConvOutput].shape = {1, 2, 2, 4};
  model.tensors[kDepthwiseOutput].shape = model.tensors[kAddOutput].shape = {1, 1, 1, 8};
  model.operators[kPool].kernel_h = model.operators[kPool].kernel_w = 1;
  EXPECT_EQ(MustImport(model).nodes[kConv].window, (ir::Window{1, 1, 4, 4, 0, 0, 0, 0}));
}

TEST(TfliteImporterTest, TakesConvolutionMultipliersPerChannel) {
  const ir::Node node = MustImport(SmallModel()).nodes[kConv];
  // 0.5 * {1/4, 1/8, 1/2, 1/16} / 0.25 = {1/2, 1/4, 1, 1/8}; frexp has 1 = 0.5 * 2^1.
  EXPECT_THAT(node.requantization.channels,
              ElementsAre(ir::FixedPointMultiplier{kHalf, 0}, ir::FixedPointMultiplier{kHalf, -1},
                          ir::FixedPointMultiplier{kHalf, 1}, ir::FixedPointMultiplier{kHalf, -2}));
  EXPECT_EQ(node.requantization.kind, ir::RequantizationKind::kMultiplierDouble);
  EXPECT_EQ(node.requantization.zero_point, -128);
  EXPECT_EQ(node.requantization.clamp_min, -128);
  EXPECT_EQ(node.requantization.clamp_max, 127);
}

TEST(TfliteImporterTest, SingleRoundingChangesKindsAndSoftmax) {
  const ir::Graph graph = MustImport(SmallModel(), {ir::Rounding::kSingle});
  for (const size_t index : {size_t{kConv}, size_t{kDepthwise}, size_t{kAdd}, size_t{kDense}}) {
    EXPECT_EQ(graph.nodes[index].requantization.kind, ir::RequantizationKind::kMultiplierSingle);
  }
  EXPECT_EQ(graph.nodes[kSoftmax].softmax.rounding, ir::Rounding::kSingle);
}

TEST(TfliteImporterTest, KeepsWeightAndBiasCodesInTheirLayouts) {
  const ir::Graph graph = MustImport(SmallModel());
  const ir::Constant& conv = graph.constant(graph.nodes[kConv].weights);
  EXPECT_EQ(conv.shape, (ir::Shape{4, 3, 3, 2}));
  EXPECT_EQ(conv.quantization.axis, 0);
  const ir::Constant& depthwise = graph.constant(graph.nodes[kDepthwise].weights);
  EXPECT_EQ(depthwise.shape, (ir::Shape{2, 2, 8}));
  EXPECT_EQ(depthwise.quantization.axis, 2);
  EXPECT_EQ(graph.nodes[kDepthwise].depth_multiplier, 2);
  for (size_t i = 0; i < conv.codes.size(); ++i)
    EXPECT_EQ(conv.codes[i], static_cast<int>(i % 7) - 3);
  const ir::Constant& dense = graph.constant(graph.nodes[kDense].weights);
  EXPECT_EQ(dense.shape, (ir::Shape{3, 8}));
  EXPECT_EQ(dense.quantization.axis, -1);
  EXPECT_THAT(graph.constant(graph.nodes[kDense].bias).codes, ElementsAre(100, -100, 7));
  EXPECT_THAT(graph.constant(graph.nodes[kConv].bias).codes, ElementsAre(10, -20, 30, -40));
}

// (1 + 3*2^-13)^2 = 1 + 3*2^-12 + 9*2^-26. float32 has steps of 2^-23 here: 9*2^-26 becomes
// 8*2^-26.
TEST(TfliteImporterTest, OnlyFullyConnectedPerTensorRoundsTheScaleProductToFloat32) {
  const float scale = 1.0f + 3.0f / 8192.0f;
  const int32_t first_terms = kHalf + (3 << 18);
  FakeModel model = SmallModel();
  model.tensors[kInput].scales = {scale};
  model.tensors[kConvWeights].scales = {scale, scale, scale, scale};
  model.tensors[kConvOutput].scales = {2.0f};
  EXPECT_EQ(MustImport(model).nodes[kConv].requantization.channels[3],
            (ir::FixedPointMultiplier{first_terms + 144, 0}));
  model = SmallModel();
  for (const int32_t tensor : {kAddOutput, kPoolOutput, kReshapeOutput, kDenseWeights}) {
    model.tensors[static_cast<size_t>(tensor)].scales = {scale};
  }
  model.tensors[kDenseOutput].scales = {2.0f};
  EXPECT_THAT(MustImport(model).nodes[kDense].requantization.channels,
              ElementsAre(ir::FixedPointMultiplier{first_terms + 128, 0}));
}

TEST(TfliteImporterTest, FullyConnectedTakesOneScalePerOutput) {
  const float scale = 1.0f + 3.0f / 8192.0f;
  FakeModel model = SmallModel();
  for (const int32_t tensor : {kAddOutput, kPoolOutput, kReshapeOutput}) {
    model.tensors[static_cast<size_t>(tensor)].scales = {scale};
  }
  model.tensors[kDenseWeights].scales = {scale, 0.5f, 0.25f};
  model.tensors[kDenseWeights].zero_points = {0, 0, 0};
  model.tensors[kDenseOutput].scales = {2.0f};
  const ir::Graph graph = MustImport(model);
  EXPECT_EQ(graph.constant(graph.nodes[kDense].weights).quantization.axis, 0);
  EXPECT_THAT(graph.nodes[kDense].requantization.channels,
              ElementsAre(ir::FixedPointMultiplier{kHalf + (3 << 18) + 144, 0},
                          ir::FixedPointMultiplier{kHalf + (3 << 17), -1},
                          ir::FixedPointMultiplier{kHalf + (3 << 17), -2}));
}

struct ClampCase {
  int8_t activation;
  float scale;
  int64_t zero_point;
  int clamp_min, clamp_max;
};

TEST(TfliteImporterTest, ClampsFusedActivationsOnTheOutputGrid) {
  const ClampCase cases[] = {
      {tflite::kActivationNone, 0.25f, 5, -128, 127},
      {tflite::kActivationRelu, 0.25f, 5, 5, 127},
      {tflite::kActivationRelu6, 0.25f, 5, 5, 29},
      {tflite::kActivationRelu6, 4.0f, 0, 0, 2},  // 6/4 = 1.5: halves go away from zero.
      {tflite::kActivationRelu6, 1e-30f, -128, -128, 127},
      {tflite::kActivationReluN1To1, 0.25f, 5, 1, 9},
      {tflite::kActivationReluN1To1, 2.0f, 5, 4, 6},  // -1/2 and 1/2 round away from zero.
      {tflite::kActivationReluN1To1, 0.25f, -127, -128, -123},
  };
  for (const ClampCase& test_case : cases) {
    FakeModel model = SmallModel();
    model.operators[kDepthwise].activation = test_case.activation;
    model.tensors[kDepthwiseOutput] =
        FakeActivation("d", {1, 2, 2, 8}, test_case.scale, test_case.zero_point);
    // Input and weights scale with the output, so that multipliers stay in range.
    model.tensors[kDepthwiseWeights].scales.assign(8, test_case.scale);
    model.tensors[kAddOutput].scales = model.tensors[kPoolOutput].scales =
        model.tensors[kReshapeOutput].scales = {test_case.scale};
    model.tensors[kDenseOutput].scales = {test_case.scale < 1e-6f ? 0.0625f : test_case.scale};
    model.tensors[kDenseWeights].scales = {test_case.scale < 1e-6f ? 0.0625f : 0.015625f};
    const ir::Graph graph = MustImport(model);
    ASSERT_EQ(graph.nodes.size(), 7u);
    const ir::Requantization& requantization = graph.nodes[kDepthwise].requantization;
    EXPECT_EQ(requantization.clamp_min, test_case.clamp_min) << int{test_case.activation};
    EXPECT_EQ(requantization.clamp_max, test_case.clamp_max) << int{test_case.activation};
  }
}

TEST(TfliteImporterTest, AverageOfCodesGetsNoZeroPoint) {
  const ir::Graph graph = MustImport(SmallModel());
  const ir::Node& node = graph.nodes[kPool];
  EXPECT_EQ(node.requantization.kind, ir::RequantizationKind::kMean);
  EXPECT_EQ(node.requantization.zero_point, 0);
  EXPECT_EQ(node.window, (ir::Window{2, 2, 2, 2, 0, 0, 0, 0}));
}

TEST(TfliteImporterTest, AddUsesTwiceTheLargerScale) {
  FakeModel model = SmallModel();
  const ir::Node same = MustImport(model).nodes[kAdd];
  // 0.125 / (2 * 0.125) = 1/2; 0.25 / (2^20 * 0.25) = 2^-20 = 0.5 * 2^-19.
  EXPECT_EQ(same.add.input[0], (ir::FixedPointMultiplier{kHalf, 0}));
  EXPECT_EQ(same.add.input[1], (ir::FixedPointMultiplier{kHalf, 0}));
  EXPECT_EQ(same.add.output, (ir::FixedPointMultiplier{kHalf, -19}));
  EXPECT_EQ(same.requantization.zero_point, -7);
  EXPECT_TRUE(same.requantization.channels.empty());
}

TEST(TfliteImporterTest, SoftmaxMultiplierIsLimitedPerRounding) {
  FakeModel model = SmallModel();
  const ir::SoftmaxParameters plain = MustImport(model).nodes[kSoftmax].softmax;
  // 2^-4 * 2^26 = 2^22 = 0.5 * 2^23; 31 * 2^26 / 2^23 = 248.
  EXPECT_EQ(plain.input_multiplier, kHalf);
  EXPECT_EQ(plain.input_left_shift, 23);
  EXPECT_EQ(plain.diff_min, -248);
  model.tensors[kDenseOutput].scales = {64.0f};
  const ir::SoftmaxParameters limited = MustImport(model).nodes[kSoftmax].softmax;
  EXPECT_EQ(limited.input_multiplier, 2147483647);
  EXPECT_EQ(limited.input_left_shift, 31);
  EXPECT_EQ(limited.diff_min, 0);
  const ir::SoftmaxParameters single =
      MustImport(model, {ir::Rounding::kSingle}).nodes[kSoftmax].softmax;
  EXPECT_EQ(single.input_multiplier, 2147483646);
  EXPECT_EQ(single.input_left_shift, 30);
  EXPECT_EQ(single.diff_min, -1);
}

TEST(TfliteImporterTest, FlushesTinyEffectiveScalesToZero) {
  FakeModel model = SmallModel();
  model.tensors[kConvWeights].scales = {0.25f, 0x1p-32f, 0x1p-33f, 0x1p-34f};
  // 2 * {2^-2, 2^-32, 2^-33, 2^-34}: shifts 0, -30, -31, and one below the range.
  EXPECT_THAT(MustImport(model).nodes[kConv].requantization.channels,
              ElementsAre(ir::FixedPointMultiplier{kHalf, 0}, ir::FixedPointMultiplier{kHalf, -30},
                          ir::FixedPointMultiplier{kHalf, -31}, ir::FixedPointMultiplier{0, 0}));
}

TEST(TfliteImporterTest, BiasMayBeAbsent) {
  FakeModel model = SmallModel();
  model.operators[kConv].inputs = {kInput, kConvWeights};
  model.operators[kDense].inputs = {kReshapeOutput, kDenseWeights, -1};
  const ir::Graph graph = MustImport(model);
  EXPECT_EQ(graph.nodes[kConv].bias, -1);
  EXPECT_EQ(graph.nodes[kDense].bias, -1);
}

TEST(TfliteImporterTest, OptionsWithUsefulDefaultsMayBeAbsent) {
  FakeModel model = SmallModel();
  for (const size_t index : {size_t{kAdd}, size_t{kReshape}, size_t{kDense}}) {
    model.operators[index].options = schema::OperatorOptions_NONE;
  }
  model.operators[kReshape].inputs = {kPoolOutput};
  model.operators[kDepthwise].depth_multiplier = 0;
  EXPECT_EQ(DigestOfContent(model), DigestOfContent(SmallModel()));
}

TEST(TfliteImporterTest, ReadsOperatorCodesOfOldFiles) {
  FakeModel model = SmallModel();
  for (FakeOperator& op : model.operators) op.has_small_code_only = true;
  EXPECT_EQ(DigestOfContent(model), DigestOfContent(SmallModel()));
}

TEST(TfliteImporterTest, OpenBatchInTheSignatureIsBatchOne) {
  FakeModel model = SmallModel();
  model.tensors[kInput].shape_signature = {-1, 6, 6, 2};
  EXPECT_EQ(MustImport(model).tensors[0].shape, (ir::Shape{6, 6, 2}));
}

TEST(TfliteImporterTest, NamesAreMadeUniqueAndPrintable) {
  FakeModel model = SmallModel();
  model.tensors[kConvOutput].name = "input";
  model.tensors[kDepthwiseOutput].name.clear();
  model.tensors[kAddOutput].name = "a\n\"\xff";
  model.tensors[kPoolOutput].name = std::string(1000, 'x');
  const ir::Graph graph = MustImport(model);
  std::set<std::string> names;
  for (const ir::TensorInfo& tensor : graph.tensors) names.insert(tensor.name);
  for (const ir::Constant& constant : graph.constants) names.insert(constant.name);
  EXPECT_EQ(names.size(), graph.tensors.size() + graph.constants.size());
  EXPECT_TRUE(names.contains("input"));
  EXPECT_TRUE(names.contains("input#3"));
  EXPECT_TRUE(names.contains("tensor_6"));
  EXPECT_TRUE(names.contains("a???"));
  EXPECT_TRUE(names.contains(std::string(256, 'x')));
}

TEST(TfliteImporterTest, OperatorsMayShareOneWeightBuffer) {
  FakeModel model = SmallModel();
  model.tensors[kDenseWeights].buffer = 5;
  model.tensors[kDenseWeights].shape = {4, 8};
  model.tensors[kDenseBias] = FakeInt32("b", {0, 0, 0, 0});
  model.tensors[kDenseOutput].shape = model.tensors[kSoftmaxOutput].shape = {1, 4};
  const ir::Graph graph = MustImport(model);
  EXPECT_EQ(graph.constant(graph.nodes[kDense].weights).codes,
            graph.constant(graph.nodes[kDepthwise].weights).codes);
}

TEST(TfliteImporterTest, OperatorsMayShareOneWeightTensor) {
  FakeModel model = SmallModel();
  model.tensors = {FakeActivation("x", {1, 4}, 1.0f, 0), FakeWeights("w", {4, 4}, {0.5f}, 0)};
  model.operators.clear();
  for (int32_t i = 0; i < 4; ++i) {
    model.tensors.push_back(FakeActivation("", {1, 4}, 1.0f, 0));
    FakeOperator dense{tflite::kOperatorFullyConnected, {i == 0 ? 0 : i + 1, 1}, {i + 2}};
    model.operators.push_back(dense);
  }
  model.inputs = {0};
  model.outputs = {5};
  const ir::Graph graph = MustImport(model);
  std::vector<std::string> names;
  for (const ir::Constant& constant : graph.constants) names.push_back(constant.name);
  EXPECT_THAT(names, ElementsAre("w", "w#1", "w#1.2", "w#1.3"));
}

TEST(TfliteImporterTest, BiasScalesMayBeStored) {
  FakeModel model = SmallModel();
  model.tensors[kConvBias].scales = {0.125f, 0.0625f, 0.25f, 0.03125f};
  model.tensors[kConvBias].zero_points = {0, 0, 0, 0};
  EXPECT_EQ(DigestOfContent(model), DigestOfContent(SmallModel()));
}

TEST(TfliteImporterTest, UnalignedBytesGiveTheSameGraph) {
  const std::vector<uint8_t> bytes = Serialize(SmallModel());
  std::vector<uint8_t> shifted(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), shifted.begin() + 1);
  const auto graph = ImportTflite(std::span(shifted).subspan(1));
  ASSERT_TRUE(graph.ok());
  EXPECT_EQ(ir::Digest(*graph), ir::Digest(MustImport(SmallModel())));
}

TEST(TfliteImporterTest, OriginNamesFileAndDigest) {
  const std::vector<uint8_t> bytes = Serialize(SmallModel());
  const auto folder = std::filesystem::path(::testing::TempDir());
  const auto path = folder / "tiny network.tflite";
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  const auto graph = ImportTfliteFile(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_EQ(graph->name, "tiny network");
  EXPECT_EQ(graph->origin,
            "tiny network.tflite sha256 " + Sha256Hex(std::span<const uint8_t>(bytes)));
  EXPECT_EQ(MustImport(SmallModel()).origin,
            "sha256 " + Sha256Hex(std::span<const uint8_t>(bytes)));
}

}  // namespace
}  // namespace macloom::importers
