// Refusals of containers, indices, order, types, shapes and windows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/files.h"
#include "importers/tflite/importer.h"
#include "tests/importers/tflite_refusals.h"
#include "tests/support/temporary_folder.h"

namespace macloom::importers {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace)
using ::testing::HasSubstr;

TEST(TfliteBadTest, RefusesWhatIsNotATfliteFile) {
  ExpectRefusal({}, ErrorKind::kInvalidInput, "not a TFLite file: 0 bytes");
  ExpectRefusal(std::vector<uint8_t>(7), ErrorKind::kInvalidInput, "not a TFLite file: 7 bytes");
  const std::string text = "PK\3\4TFL2 is another format";
  ExpectRefusal({reinterpret_cast<const uint8_t*>(text.data()), text.size()},
                ErrorKind::kInvalidInput, "the identifier at byte 4 is \"TFL2\"");

  ExpectRefusal(std::vector<uint8_t>{16, 0, 0, 0, 'T', 'F', 'L', '3'}, ErrorKind::kInvalidInput,
                "damaged or truncated");
}

TEST(TfliteBadTest, RefusesEveryTruncation) {
  const std::vector<uint8_t> bytes = Serialize(SmallModel());
  for (size_t size = 8; size < bytes.size(); size += 3) {
    ExpectRefusal(std::span(bytes).first(size), ErrorKind::kInvalidInput, "damaged or truncated");
  }
}

TEST(TfliteBadTest, RefusesACorruptRootOffset) {
  std::vector<uint8_t> bytes = Serialize(SmallModel());
  bytes[3] = 0x7f;
  ExpectRefusal(bytes, ErrorKind::kInvalidInput, "damaged or truncated");
}

TEST(TfliteBadTest, RefusesOversizedFiles) {
  std::vector<uint8_t> bytes = Serialize(SmallModel());
  bytes.resize((size_t{1} << 27) + 1);
  ExpectRefusal(bytes, ErrorKind::kUnsupported, "at most 134217728 bytes");
}

TEST(TfliteBadTest, FileErrorsStartWithThePath) {
  const macloom::testing::TemporaryFolder folder;
  const auto missing = ImportTfliteFile(folder / "missing.tflite");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(missing.error().message, HasSubstr((folder / "missing.tflite").string()));
  const auto path = folder / "text.tflite";
  ASSERT_TRUE(WriteFileAtomically(path, "this is only text").ok());
  const auto text = ImportTfliteFile(path);
  ASSERT_FALSE(text.ok());
  EXPECT_THAT(text.error().message, ::testing::StartsWith(path.string() + ": not a TFLite file"));
}

TEST(TfliteBadTest, RefusesContainersOutsideTheSubset) {
  ExpectUnsupported({
      {"schema version 2; supported is 3", [](FakeModel& m) { m.version = 2; }},
      {"2 subgraphs; supported is exactly one", [](FakeModel& m) { m.num_subgraphs = 2; }},
      {"2 inputs; supported is one",
       [](FakeModel& m) {
         m.inputs = {kInput, kConvOutput};
       }},
      {"2 outputs; supported is one",
       [](FakeModel& m) {
         m.outputs = {kSoftmaxOutput, kDenseOutput};
       }},
      {"65537 tensors; supported are at most 65536",
       [](FakeModel& m) { m.tensors.resize((1 << 16) + 1); }},
      {"16385 operators; supported are at most 16384",
       [](FakeModel& m) { m.operators.resize((1 << 14) + 1); }},
  });
  ExpectInvalid({
      {"no subgraph", [](FakeModel& m) { m.num_subgraphs = 0; }},
      {"no input", [](FakeModel& m) { m.has_null_lists = true; }},
      {"no input", [](FakeModel& m) { m.inputs.clear(); }},
      {"no output", [](FakeModel& m) { m.outputs.clear(); }},
      {"no operators", [](FakeModel& m) { m.operators.clear(); }},
  });
}

TEST(TfliteBadTest, RefusesIndicesOutOfRange) {
  ExpectInvalid({
      {"operator 0 refers to operator code 7; accepted are 0 to 6",
       [](FakeModel& m) { m.operators[kConv].code_index = 7; }},
      {"refers to buffer 4294967295", [](FakeModel& m) { m.tensors[kInput].buffer = 0xffffffffu; }},
      {"refers to buffer 16", [](FakeModel& m) { m.tensors[kInput].buffer = 16; }},
      {"operator 0: an input refers to tensor 15",
       [](FakeModel& m) { m.operators[kConv].inputs[1] = 15; }},
      {"operator 0: an input refers to tensor -2",
       [](FakeModel& m) { m.operators[kConv].inputs[1] = -2; }},
      {"operator 2: an output refers to tensor -1",
       [](FakeModel& m) { m.operators[kAdd].outputs = {-1}; }},
      {"the list of inputs refers to tensor 99", [](FakeModel& m) { m.inputs = {99}; }},
      {"the list of outputs refers to tensor -1", [](FakeModel& m) { m.outputs = {-1}; }},
  });
}

TEST(TfliteBadTest, RefusesOtherOperatorsAndNamesThemAll) {
  ExpectUnsupported({
      {"unsupported operators: SVDF (operator 1), operator code 207 (operator 3); supported are "
       "CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, AVERAGE_POOL_2D, MAX_POOL_2D, ADD, "
       "CONCATENATION, PAD, QUANTIZE, RESHAPE, SOFTMAX",
       [](FakeModel& m) {
         m.operators[kDepthwise].code = m.operators[kAdd].code = 27;
         m.operators[kPool].code = 207;
       }},
      {"DEQUANTIZE (operator 6)", [](FakeModel& m) { m.operators[kSoftmax].code = 6; }},
      {"WHILE (operator 6)", [](FakeModel& m) { m.operators[kSoftmax].code = 119; }},
      {"operator code -5 (operator 6)", [](FakeModel& m) { m.operators[kSoftmax].code = -5; }},
      {"CUSTOM 'Ours?' (operator 4)",
       [](FakeModel& m) {
         m.operators[kReshape].code = tflite::kOperatorCustom;
         m.operators[kReshape].custom_name = "Ours\n";
       }},
      {", ...; supported",
       [](FakeModel& m) {
         m.operators.resize(40);
         for (size_t i = 0; i < 40; ++i) m.operators[i].code = static_cast<int32_t>(1000 + i);
       }},
  });
}

TEST(TfliteBadTest, RefusesWrongNumbersOfOperands) {
  ExpectInvalid({
      {"operator 0 (CONV_2D): 1 inputs; accepted are 2 to 3",
       [](FakeModel& m) { m.operators[kConv].inputs = {kInput}; }},
      {"operator 0 (CONV_2D): 0 inputs", [](FakeModel& m) { m.operators[kConv].inputs.clear(); }},
      {"operator 2 (ADD): 3 inputs",
       [](FakeModel& m) { m.operators[kAdd].inputs.push_back(kInput); }},
      {"operator 6 (SOFTMAX): 0 outputs",
       [](FakeModel& m) { m.operators[kSoftmax].outputs.clear(); }},
      {"operator 6 (SOFTMAX): 2 outputs",
       [](FakeModel& m) {
         m.operators[kSoftmax].outputs = {kSoftmaxOutput, kInput};
       }},
      {"input 0 is absent", [](FakeModel& m) { m.operators[kConv].inputs[0] = -1; }},
      {"the weights are absent", [](FakeModel& m) { m.operators[kConv].inputs[1] = -1; }},
  });
}

TEST(TfliteBadTest, RefusesMissingOrForeignOptions) {
  ExpectInvalid({
      {"operator 0 (CONV_2D): the options (stride, padding, beta) are missing",
       [](FakeModel& m) { m.operators[kConv].options = schema::OperatorOptions_NONE; }},
      {"operator 2 (ADD): the options are those of another operator",
       [](FakeModel& m) { m.operators[kAdd].options = schema::OperatorOptions_PoolOptions; }},
  });
}

TEST(TfliteBadTest, RefusesUnorderedOrCyclicOperators) {
  ExpectInvalid({
      {"operator 0 (DEPTHWISE_CONV_2D): tensor 3 'conv' is used before any operator produces it",
       [](FakeModel& m) { std::swap(m.operators[0], m.operators[1]); }},
      {"is used before any operator produces it",
       [](FakeModel& m) { m.operators[kAdd].inputs[1] = kAddOutput; }},
      {"operator 3 (AVERAGE_POOL_2D): tensor 7 'add' is produced twice",
       [](FakeModel& m) { m.operators[kPool].outputs = {kAddOutput}; }},
      {"tensor 0 'input' is produced twice",
       [](FakeModel& m) { m.operators[kConv].outputs = {kInput}; }},
      {"the network's output: tensor 14 'softmax' is used before any operator produces it",
       [](FakeModel& m) { m.operators.pop_back(); }},
      {"is both a constant and an activation",
       [](FakeModel& m) {
         m.tensors[kConvOutput].data = {1, 2, 3};
       }},
  });
}

TEST(TfliteBadTest, RefusesTypesOutsideTheSubset) {
  ExpectUnsupported({
      {"tensor 0 'input' (activation) has type FLOAT32; supported are INT8",
       [](FakeModel& m) { m.tensors[kInput].type = 0; }},
      {"has type UINT8", [](FakeModel& m) { m.tensors[kInput].type = 3; }},
      {"tensor 3 'conv' (activation) has type INT16",
       [](FakeModel& m) { m.tensors[kConvOutput].type = 7; }},
      {"tensor 1 'conv/weights' (weights) has type INT16",
       [](FakeModel& m) { m.tensors[kConvWeights].type = 7; }},
      {"has type type code -7", [](FakeModel& m) { m.tensors[kConvWeights].type = -7; }},
      {"tensor 2 'conv/bias' (bias) has type INT64",
       [](FakeModel& m) { m.tensors[kConvBias].type = 4; }},
  });
}

TEST(TfliteBadTest, RefusesStorageOutsideTheSubset) {
  ExpectUnsupported({
      {"'input' is a variable", [](FakeModel& m) { m.tensors[kInput].is_variable = true; }},
      {"'conv/weights' is sparse", [](FakeModel& m) { m.tensors[kConvWeights].is_sparse = true; }},
      {"'conv/bias' is sparse", [](FakeModel& m) { m.tensors[kConvBias].is_sparse = true; }},
      {"'conv/weights' is stored behind the flatbuffer",
       [](FakeModel& m) { m.tensors[kConvWeights].external_offset = 4096; }},
      {"'conv/weights' holds no data", [](FakeModel& m) { m.tensors[kConvWeights].data.clear(); }},
      {"'conv/bias' holds no data", [](FakeModel& m) { m.tensors[kConvBias].data.clear(); }},
      {"'add/constant' is a constant operand",
       [](FakeModel& m) {
         m.tensors.push_back(FakeWeights("add/constant", {1, 2, 2, 8}, {1.0f}, 0));
         m.operators[kAdd].inputs[1] = 15;
       }},
  });
  ExpectInvalid({
      {"'conv/weights' holds 71 bytes; accepted are 72",
       [](FakeModel& m) { m.tensors[kConvWeights].data.pop_back(); }},
      {"'conv/bias' holds 15 bytes; accepted are 16",
       [](FakeModel& m) { m.tensors[kConvBias].data.pop_back(); }},
      {"'conv/bias' has 3 elements; accepted are 4",
       [](FakeModel& m) { m.tensors[kConvBias].shape = {3}; }},
  });
}

TEST(TfliteBadTest, RefusesShapes) {
  constexpr int32_t kLargest = std::numeric_limits<int32_t>::max();
  constexpr int32_t kSmallest = std::numeric_limits<int32_t>::min();
  ExpectUnsupported({
      {"'input' has rank 0", [](FakeModel& m) { m.tensors[kInput].shape.clear(); }},
      {"'input' has rank 1", [](FakeModel& m) { m.tensors[kInput].shape = {72}; }},
      {"'input' has rank 6", [](FakeModel& m) { m.tensors[kInput].shape = {1, 1, 1, 6, 6, 2}; }},
      {"'conv/weights' has rank 3; supported is 4",
       [](FakeModel& m) {
         m.tensors[kConvWeights].shape = {4, 9, 2};
       }},
      {"'input' has batch 2; supported is batch 1",
       [](FakeModel& m) { m.tensors[kInput].shape[0] = 2; }},
      {"'input' has a dynamic dimension (axis 1)",
       [](FakeModel& m) { m.tensors[kInput].shape[1] = -1; }},
      {"'input' has a dynamic dimension (axis 2)",
       [](FakeModel& m) {
         m.tensors[kInput].shape_signature = {1, 6, -1, 2};
       }},
      {"'input' has more than 67108864 elements",
       [](FakeModel& m) {
         m.tensors[kInput].shape = {1, 8193, 8192, 1};
       }},
      {"'input' has more than 67108864 elements",
       [](FakeModel& m) {
         m.tensors[kInput].shape = {kLargest, kLargest, kLargest, kLargest, 1};
       }},
      {"'conv/weights' has more than 67108864 elements",
       [](FakeModel& m) {
         m.tensors[kConvWeights].shape = {65536, 65536, 65536, 65536};
       }},
  });
  ExpectInvalid({
      {"'input': dimension 1 is 0", [](FakeModel& m) { m.tensors[kInput].shape[1] = 0; }},
      {"'input': dimension 3 is -2147483648",
       [](FakeModel& m) { m.tensors[kInput].shape[3] = kSmallest; }},
      {"a shape signature of rank 2; accepted are equal ranks",
       [](FakeModel& m) {
         m.tensors[kInput].shape_signature = {1, 72};
       }},
      {"output 'conv' has the shape 3x3x5; accepted is 3x3x4",
       [](FakeModel& m) { m.tensors[kConvOutput].shape[3] = 5; }},
      {"output 'pool' has the shape 2x1x8; accepted is 1x1x8",
       [](FakeModel& m) { m.tensors[kPoolOutput].shape[1] = 2; }},
      {"'input' has the shape 12x6 without batch axis; accepted are feature maps",
       [](FakeModel& m) {
         m.tensors[kInput].shape = {1, 12, 6};
       }},
      {"weights have 3 input channels; accepted are 2",
       [](FakeModel& m) {
         m.tensors[kConvWeights] = FakeWeights("w", {4, 2, 3, 3}, {1.0f}, 0);
       }},
      {"first dimension 2; accepted is 1",
       [](FakeModel& m) {
         m.tensors[kDepthwiseWeights] = FakeWeights("w", {2, 2, 1, 8}, {1.0f}, 3);
       }},
      {"depthwise weights have 6 channels; accepted are multiples of 4",
       [](FakeModel& m) {
         m.tensors[kDepthwiseWeights] = FakeWeights("w", {1, 2, 2, 6}, {1.0f}, 3);
       }},
      {"depth multiplier is 3; accepted is 2",
       [](FakeModel& m) { m.operators[kDepthwise].depth_multiplier = 3; }},
      {"weights have 5 columns; accepted are 8",
       [](FakeModel& m) {
         m.tensors[kDenseWeights] = FakeWeights("w", {3, 5}, {1.0f}, 0);
       }},
      {"output 'dense' has the shape 4; accepted is 3",
       [](FakeModel& m) {
         m.tensors[kDenseOutput].shape = {1, 4};
       }},
      {"reshapes 1x1x8 to 9",
       [](FakeModel& m) {
         m.tensors[kReshapeOutput].shape = {1, 9};
       }},
      {"'dense' has the shape 3 and 'softmax' 1x3",
       [](FakeModel& m) {
         m.tensors[kSoftmaxOutput].shape = {1, 1, 3};
       }},
      {"'depthwise' has the shape 2x2x8 and 'add' 4x8",
       [](FakeModel& m) {
         m.tensors[kAddOutput].shape = {1, 4, 8};
       }},
  });
}

TEST(TfliteBadTest, RefusesWindows) {
  ExpectInvalid({
      {"vertical stride is 0", [](FakeModel& m) { m.operators[kConv].stride_h = 0; }},
      {"horizontal stride is -1", [](FakeModel& m) { m.operators[kConv].stride_w = -1; }},
      {"kernel height is 0", [](FakeModel& m) { m.operators[kPool].kernel_h = 0; }},
      {"kernel width is -3", [](FakeModel& m) { m.operators[kPool].kernel_w = -3; }},
      {"horizontal dilation is 0", [](FakeModel& m) { m.operators[kDepthwise].dilation_w = 0; }},
      {"'conv/weights' holds 72 bytes; accepted are 36",
       [](FakeModel& m) { m.tensors[kConvWeights].type = tflite::kTypeInt4; }},
      {"padding code is 2", [](FakeModel& m) { m.operators[kConv].padding = 2; }},
      {"the window's height 3 is larger than the unpadded input's 2",
       [](FakeModel& m) { m.operators[kPool].kernel_h = 3; }},
      {"the window's width 4 is larger than the unpadded input's 2",
       [](FakeModel& m) { m.operators[kPool].kernel_w = 4; }},
  });
  ExpectUnsupported({
      {"vertical stride is 4097; supported are 1 to 4096",
       [](FakeModel& m) { m.operators[kConv].stride_h = 4097; }},
      {"kernel width is 2147483647",
       [](FakeModel& m) { m.operators[kPool].kernel_w = std::numeric_limits<int32_t>::max(); }},
  });
}

TEST(TfliteBadTest, RefusesSharedWeightsThatMultiplyBeyondBounds) {
  FakeModel model = SmallModel();
  // One buffer of 2^20 weights used by 40 operators: 40 * 2^20 > 2^25.
  constexpr int32_t kSize = 1024;
  model.tensors = {FakeActivation("x0", {1, kSize}, 1.0f, 0),
                   FakeWeights("w", {kSize, kSize}, {0.5f}, 0)};
  model.operators.clear();
  for (int32_t i = 0; i < 40; ++i) {
    model.tensors.push_back(FakeActivation("x", {1, kSize}, 1.0f, 0));
    FakeOperator dense{tflite::kOperatorFullyConnected, {i == 0 ? 0 : i + 1, 1}, {i + 2}};
    dense.options = schema::OperatorOptions_FullyConnectedOptions;
    model.operators.push_back(dense);
  }
  model.inputs = {0};
  model.outputs = {41};
  ExpectRefusal(Serialize(model), ErrorKind::kUnsupported,
                "the weights and biases of all operators have more than 33554432 elements");
}

TEST(TfliteBadTest, ReportsWhatTheGraphVerifierRefuses) {
  // 2^18 weights of 127 with codes up to 127: the accumulator leaves 32 bits.
  FakeModel model = SmallModel();
  constexpr int32_t kSize = 1 << 18;
  model.tensors = {FakeActivation("x", {1, kSize}, 1.0f, -128),
                   FakeWeights("w", {1, kSize}, {0.5f}, 0), FakeActivation("y", {1, 1}, 1.0f, 0)};
  model.tensors[1].data.assign(kSize, 127);
  FakeOperator dense{tflite::kOperatorFullyConnected, {0, 1}, {2}};
  dense.options = schema::OperatorOptions_FullyConnectedOptions;
  model.operators = {dense};
  model.inputs = {0};
  model.outputs = {2};
  ExpectRefusal(Serialize(model), ErrorKind::kInvalidInput, "op00_fully_connected");
}

}  // namespace
}  // namespace macloom::importers
