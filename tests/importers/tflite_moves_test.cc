// PAD, MAX_POOL_2D, QUANTIZE, CONCATENATION, dilation and int4 weights.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "importers/tflite/importer.h"
#include "tests/importers/tflite_refusals.h"

namespace macloom::importers {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;

enum Tensor : int32_t { kX, kPads, kPadded, kPooled, kCoarse, kJoined };
enum Operator : size_t { kPadding, kMaximum, kQuantizing, kJoining };

/// 4x5x2 -> PAD 7x6x2 -> MAX_POOL 2x2/2 3x3x2 -> QUANTIZE -> twice on the channel axis 3x3x4.
FakeModel MovesModel() {
  FakeModel model;
  FakeTensor pads = FakeInt32("pads", {0, 0, 1, 2, 0, 1, 0, 0});
  pads.shape = {4, 2};
  model.tensors = {FakeActivation("x", {1, 4, 5, 2}, 0.5f, 3),
                   pads,
                   FakeActivation("padded", {1, 7, 6, 2}, 0.5f, 3),
                   FakeActivation("pooled", {1, 3, 3, 2}, 0.5f, 3),
                   FakeActivation("coarse", {1, 3, 3, 2}, 2.0f, -7),
                   FakeActivation("joined", {1, 3, 3, 4}, 2.0f, -7)};
  FakeOperator pad{.code = 34, .inputs = {kX, kPads}, .outputs = {kPadded}};
  FakeOperator pool{.code = 17,
                    .inputs = {kPadded},
                    .outputs = {kPooled},
                    .options = schema::OperatorOptions_PoolOptions,
                    .padding = tflite::kPaddingValid,
                    .activation = tflite::kActivationRelu,
                    .stride_h = 2,
                    .stride_w = 2,
                    .kernel_h = 2,
                    .kernel_w = 2};
  FakeOperator quantize{.code = 114, .inputs = {kPooled}, .outputs = {kCoarse}};
  FakeOperator join{.code = 2,
                    .inputs = {kCoarse, kCoarse},
                    .outputs = {kJoined},
                    .options = schema::OperatorOptions_ConcatenationOptions,
                    .axis = -1};
  model.operators = {pad, pool, quantize, join};
  model.inputs = {kX};
  model.outputs = {kJoined};
  return model;
}

TEST(TfliteMovesTest, ImportsEachOperator) {
  const auto graph = ImportTflite(Serialize(MovesModel()));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const std::vector<ir::Node>& nodes = graph->nodes;
  EXPECT_EQ(nodes[kPadding].kind, ir::OperatorKind::kPad);
  EXPECT_EQ(nodes[kPadding].window, (ir::Window{1, 1, 1, 1, 1, 2, 0, 1}));
  EXPECT_EQ(nodes[kMaximum].kind, ir::OperatorKind::kMaxPool2d);
  // RELU at zero point 3.
  EXPECT_EQ(nodes[kMaximum].requantization.clamp_min, 3);
  EXPECT_EQ(nodes[kMaximum].requantization.kind, ir::RequantizationKind::kNone);
  const ir::Node& quantize = nodes[kQuantizing];
  EXPECT_EQ(quantize.kind, ir::OperatorKind::kDepthwiseConv2d);
  EXPECT_EQ(graph->constant(quantize.weights).codes, (std::vector<int64_t>{1, 1}));
  // 0.5 / 2 = 0.25 = 2^30 / 2^31 * 2^-1.
  EXPECT_EQ(quantize.requantization.channels,
            (std::vector<ir::FixedPointMultiplier>{{1 << 30, -1}}));
  EXPECT_EQ(quantize.requantization.zero_point, -7);
  EXPECT_EQ(nodes[kJoining].kind, ir::OperatorKind::kConcatenation);
  EXPECT_EQ(nodes[kJoining].axis, 2);
}

TEST(TfliteMovesTest, BadPropertiesAreNamed) {
  const auto message = [](const std::function<void(FakeModel&)>& change) {
    FakeModel model = MovesModel();
    change(model);
    const auto graph = ImportTflite(Serialize(model));
    return graph.ok() ? std::string("imported") : graph.error().message;
  };
  EXPECT_THAT(message([](FakeModel& m) { m.operators[kJoining].axis = 0; }),
              HasSubstr("axis is 0; supported for rank 4 are 1 to 3 and -3 to -1"));
  EXPECT_THAT(message([](FakeModel& m) { m.operators[kJoining].axis = 4; }),
              HasSubstr("axis is 4"));
  EXPECT_THAT(message([](FakeModel& m) { m.operators[kJoining].activation = 1; }),
              HasSubstr("fused activation RELU; supported is NONE"));
  EXPECT_THAT(message([](FakeModel& m) { m.tensors[kJoined].scales = {1.0f}; }),
              HasSubstr("supported are equal scales"));
  EXPECT_THAT(message([](FakeModel& m) { m.tensors[kJoined].shape[2] = 4; }),
              HasSubstr("output has shape 3x4x4; accepted is 3x3x4"));
  EXPECT_THAT(message([](FakeModel& m) {
                m.operators[kJoining].inputs = {kCoarse, -1};
              }),
              HasSubstr("input 1 is absent"));
  EXPECT_THAT(message([](FakeModel& m) { m.tensors[kPads].data[28] = 1; }),
              HasSubstr("padding after axis 3 is 1; supported are 0 to 0"));
  EXPECT_THAT(message([](FakeModel& m) { m.tensors[kPads].data[11] = 0x80; }),
              HasSubstr("padding before axis 1 is -2147483647; supported are 0 to 4096"));
  EXPECT_THAT(message([](FakeModel& m) {
                m.tensors[kPads].shape = {2, 4};
              }),
              HasSubstr("'pads' has the shape 2x4; supported is 4x2"));
  EXPECT_THAT(message([](FakeModel& m) { m.tensors[kPads].data.clear(); }),
              HasSubstr("'pads' holds no data"));
  EXPECT_THAT(message([](FakeModel& m) { m.operators[kPadding].inputs[1] = -1; }),
              HasSubstr("an operand is absent"));
  EXPECT_THAT(message([](FakeModel& m) { m.tensors[kPooled].zero_points = {4}; }),
              HasSubstr("different quantization"));
  EXPECT_THAT(message([](FakeModel& m) { m.operators[kQuantizing].inputs = {kX}; }),
              HasSubstr("accepted are equal shapes"));
}

TEST(TfliteMovesTest, Int4WeightsAreUnpackedLowHalfFirst) {
  FakeModel model = SmallModel();
  FakeTensor& weights = model.tensors[kConvWeights];
  weights.type = tflite::kTypeInt4;
  weights.data.resize(36);
  for (size_t i = 0; i < weights.data.size(); ++i) weights.data[i] = static_cast<uint8_t>(i * 7);
  const auto graph = ImportTflite(Serialize(model));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const ir::Constant& constant = graph->constant(graph->nodes[0].weights);
  EXPECT_EQ(constant.format.bits, 4);
  ASSERT_EQ(constant.codes.size(), 72u);
  // Bytes 0x00, 0x07, 0x0e, 0x15, ...
  EXPECT_THAT(std::vector<int64_t>(constant.codes.begin(), constant.codes.begin() + 8),
              ::testing::ElementsAre(0, 0, 7, 0, -2, 0, 5, 1));
}

TEST(TfliteMovesTest, DilationWidensSamePadding) {
  FakeModel model = SmallModel();
  model.operators[kConv].dilation_h = 2;
  const auto graph = ImportTflite(Serialize(model));
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  // Extent 5 on 6 rows, stride 2: out 3, total 2*2 + 5 - 6 = 3.
  EXPECT_EQ(graph->nodes[0].window, (ir::Window{3, 3, 2, 2, 1, 2, 0, 1, 2, 1}));
}

}  // namespace
}  // namespace macloom::importers
