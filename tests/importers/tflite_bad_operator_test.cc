// Refusals of quantization parameters and of single operators' properties.
#include <gtest/gtest.h>

#include <limits>

#include "tests/importers/tflite_refusals.h"

namespace macloom::importers {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(TfliteBadOperatorTest, RefusesQuantizationParameters) {
  ExpectInvalid({
      {"'input' has no scale", [](FakeModel& m) { m.tensors[kInput].scales.clear(); }},
      {"'conv/weights' has no scale", [](FakeModel& m) { m.tensors[kConvWeights].scales.clear(); }},
      {"has 1 scales and 0 zero points",
       [](FakeModel& m) { m.tensors[kInput].zero_points.clear(); }},
      {"'input': scale 0 is 0", [](FakeModel& m) { m.tensors[kInput].scales = {0.0f}; }},
      {"scale 0 is -0.5", [](FakeModel& m) { m.tensors[kInput].scales = {-0.5f}; }},
      {"scale 0 is nan", [](FakeModel& m) { m.tensors[kInput].scales = {kNan}; }},
      {"'conv/weights': scale 2 is inf",
       [](FakeModel& m) { m.tensors[kConvWeights].scales[2] = kInfinity; }},
      {"zero point 0 is 128; accepted are -128 to 127",
       [](FakeModel& m) { m.tensors[kInput].zero_points = {128}; }},
      {"zero point 0 is -9223372036854775808",
       [](FakeModel& m) { m.tensors[kInput].zero_points = {std::numeric_limits<int64_t>::min()}; }},
      {"'conv/weights' has 3 scales; accepted are 1 or 4",
       [](FakeModel& m) {
         m.tensors[kConvWeights].scales.pop_back();
         m.tensors[kConvWeights].zero_points.pop_back();
       }},
      {"'conv/bias' has 2 scales; accepted are 0, 1 or 4",
       [](FakeModel& m) {
         m.tensors[kConvBias].scales = {0.125f, 0.125f};
       }},
      {"'conv/bias': scale 1 is 0.125; accepted is 0.0625 (input scale * weight scale)",
       [](FakeModel& m) { m.tensors[kConvBias].scales = {0.125f}; }},
      {"'dense/bias': scale 0 is nan", [](FakeModel& m) { m.tensors[kDenseBias].scales = {kNan}; }},
      {"the effective scale is inf because scales overflow or underflow",
       [](FakeModel& m) {
         for (const int32_t id : {kAddOutput, kPoolOutput, kReshapeOutput}) {
           m.tensors[static_cast<size_t>(id)].scales = {1e30f};
         }
         m.tensors[kDenseWeights].scales = {1e30f};
       }},
      {"the effective scale is 0 because scales overflow or underflow",
       [](FakeModel& m) {
         for (const int32_t id : {kDepthwiseOutput, kAddOutput, kPoolOutput, kReshapeOutput}) {
           m.tensors[static_cast<size_t>(id)].scales = {1e-30f};
         }
         m.tensors[kDepthwiseWeights].scales.assign(8, 1e-30f);
         m.tensors[kDenseWeights].scales = {1e-30f};
       }},
  });
  ExpectUnsupported({
      {"'input' is an activation with 2 scales; supported is one scale",
       [](FakeModel& m) {
         m.tensors[kInput].scales = {1.0f, 2.0f};
         m.tensors[kInput].zero_points = {0, 0};
       }},
      {"'input' has custom or block-wise quantization",
       [](FakeModel& m) { m.tensors[kInput].details_tag = 1; }},
      {"'conv/weights' is quantized along axis 3; supported is axis 0",
       [](FakeModel& m) { m.tensors[kConvWeights].channel_axis = 3; }},
      {"'depthwise/weights' is quantized along axis 0; supported is axis 3",
       [](FakeModel& m) { m.tensors[kDepthwiseWeights].channel_axis = 0; }},
      {"'conv/weights' has the weight zero point 1; supported is 0",
       [](FakeModel& m) { m.tensors[kConvWeights].zero_points[3] = 1; }},
      {"'conv/bias' has the bias zero point 4; supported is 0",
       [](FakeModel& m) { m.tensors[kConvBias].zero_points = {4}; }},
      {"output channel 2 (scales: input 0.5, weight 64, output 0.25): the effective scale is 128; "
       "supported are values below 128",
       [](FakeModel& m) { m.tensors[kConvWeights].scales[2] = 64.0f; }},
  });
}

TEST(TfliteBadOperatorTest, RefusesOperatorProperties) {
  ExpectUnsupported({
      {"operator 0 (CONV_2D): fused activation TANH; supported are NONE, RELU, RELU6, RELU_N1_TO_1",
       [](FakeModel& m) { m.operators[kConv].activation = 4; }},
      {"operator 2 (ADD): fused activation SIGN_BIT",
       [](FakeModel& m) { m.operators[kAdd].activation = 5; }},
      {"operator 3 (AVERAGE_POOL_2D): fused activation activation code -1",
       [](FakeModel& m) { m.operators[kPool].activation = -1; }},
      {"grouped convolution (2 groups); supported is 1 group",
       [](FakeModel& m) {
         m.tensors[kConvWeights] = FakeWeights("w", {4, 3, 3, 1}, {1.0f}, 0);
       }},
      {"weights layout 1 (shuffled); supported is 0",
       [](FakeModel& m) { m.operators[kDense].weights_layout = 1; }},
      {"the input holds 2 vectors of 4 elements; supported is 1 vector",
       [](FakeModel& m) {
         m.tensors[kDenseWeights] = FakeWeights("w", {3, 4}, {1.0f}, 0);
       }},
      {"output 'dense' has the shape 1x3 without batch axis; supported is the vector 3",
       [](FakeModel& m) {
         m.tensors[kDenseOutput].shape = {1, 1, 3};
       }},
      {"operator 3 (AVERAGE_POOL_2D): input and output have different quantization",
       [](FakeModel& m) { m.tensors[kPoolOutput].scales = {0.5f}; }},
      {"operator 3 (AVERAGE_POOL_2D): input and output have different quantization",
       [](FakeModel& m) { m.tensors[kPoolOutput].zero_points = {0}; }},
      {"operator 4 (RESHAPE): input and output have different quantization",
       [](FakeModel& m) { m.tensors[kReshapeOutput].zero_points = {0}; }},
      {"the target shape is computed at run time",
       [](FakeModel& m) { m.operators[kReshape].inputs[1] = kConvOutput; }},
      {"operands have the shapes 2x2x8 and 3x3x4 (broadcasting)",
       [](FakeModel& m) { m.operators[kAdd].inputs[1] = kConvOutput; }},
      {"the effective scale of the sum (inputs 0.125 and 0.125, output 1e-08)",
       [](FakeModel& m) { m.tensors[kAddOutput].scales = {1e-8f}; }},
      {"operator 6 (SOFTMAX): output scale 0.0078125 with zero point -128",
       [](FakeModel& m) { m.tensors[kSoftmaxOutput].scales = {1.0f / 128.0f}; }},
      {"with zero point 0; supported is 0.00390625 with -128",
       [](FakeModel& m) { m.tensors[kSoftmaxOutput].zero_points = {0}; }},
      {"beta 0 with the input scale 0.0625", [](FakeModel& m) { m.operators[kSoftmax].beta = 0; }},
      {"beta nan with", [](FakeModel& m) { m.operators[kSoftmax].beta = kNan; }},
      {"beta inf with", [](FakeModel& m) { m.operators[kSoftmax].beta = kInfinity; }},
      {"beta -1 with", [](FakeModel& m) { m.operators[kSoftmax].beta = -1.0f; }},
      {"beta 1e-09 with", [](FakeModel& m) { m.operators[kSoftmax].beta = 1e-9f; }},
  });
}

}  // namespace
}  // namespace macloom::importers
