#include "quantize/post_training.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "golden/reference/executor.h"
#include "importers/tflite/importer.h"
#include "quantize/dequantize.h"
#include "quantize/evaluate.h"
#include "tests/support/data_pack.h"
#include "tests/support/float_networks.h"

namespace macloom::quantize {
namespace {

using ::testing::HasSubstr;
using enum ir::OperatorKind;

std::vector<FloatValues> Inputs(size_t count, size_t size, uint64_t seed) {
  Rng random(seed);
  std::vector<FloatValues> inputs(count, FloatValues(size));
  for (FloatValues& input : inputs) {
    for (float& value : input) value = static_cast<float>(random.UniformInt(-100, 100)) / 64;
  }
  return inputs;
}

QuantizedNetwork Quantized(const ir::FloatGraph& graph, const PostTrainingOptions& options) {
  const auto size = static_cast<size_t>(ir::NumElements(graph.tensor(graph.input).shape));
  auto network = QuantizePostTraining(graph, Inputs(8, size, 1), options);
  EXPECT_TRUE(network.ok()) << network.error().message;
  return std::move(*network);
}

bool IsPowerOfTwo(double value) {
  int exponent = 0;
  return std::frexp(value, &exponent) == 0.5;
}

std::vector<PostTrainingOptions> AllOptions() {
  std::vector<PostTrainingOptions> all;
  for (const int weight_bits : {2, 4, 8}) {
    for (const int activation_bits : {3, 8}) {
      for (const Scales scales : {Scales::kPowerOfTwo, Scales::kAffine}) {
        for (const RangeMethod method : {RangeMethod::kMinMax, RangeMethod::kMse}) {
          PostTrainingOptions options;
          options.weight_bits = weight_bits;
          options.activation_bits = activation_bits;
          options.scales = scales;
          options.is_per_channel = (weight_bits + activation_bits) % 3 == 0;
          options.weight_ranges.method = options.activation_ranges.method = method;
          all.push_back(options);
        }
      }
    }
  }
  return all;
}

TEST(PostTrainingTest, EveryNetworkIsValidAndOfTheWidthsAskedFor) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const ir::FloatGraph graph = testing::SmallFloatNetwork(seed);
    for (const PostTrainingOptions& options : AllOptions()) {
      const QuantizedNetwork network = Quantized(graph, options);
      ASSERT_TRUE(ir::Verify(network.graph).ok());
      ASSERT_TRUE(ir::Verify(network.float_graph).ok());
      EXPECT_EQ(network.graph.nodes.size(), graph.nodes.size() - 1) << "without SOFTMAX";
      for (const ir::Node& node : network.graph.nodes) {
        const bool is_output = node.output == network.graph.output;
        EXPECT_EQ(network.graph.tensor(node.output).format.bits,
                  is_output ? 8 : options.activation_bits);
        if (node.weights < 0) continue;
        const ir::Constant& weights = network.graph.constant(node.weights);
        EXPECT_EQ(weights.format.bits, options.weight_bits);
        EXPECT_EQ(weights.quantization.is_per_channel(), options.is_per_channel);
      }
      for (const FloatValues& input : Inputs(2, 96, seed + 50)) {
        EXPECT_TRUE(
            golden::Run(network.graph, Codes(network.graph.tensor(network.graph.input), input))
                .ok());
      }
    }
  }
}

TEST(PostTrainingTest, PowersOfTwoNeedShiftsAlone) {
  for (const PostTrainingOptions& options : AllOptions()) {
    if (options.scales != Scales::kPowerOfTwo) continue;
    const ir::Graph graph = Quantized(testing::SmallFloatNetwork(5), options).graph;
    for (const ir::TensorInfo& tensor : graph.tensors) {
      EXPECT_EQ(tensor.format.family, ir::NumberFamily::kFixedPoint);
      EXPECT_EQ(tensor.quantization.zero_point(), 0);
    }
    for (const ir::Constant& constant : graph.constants) {
      for (const float scale : constant.quantization.scales) EXPECT_TRUE(IsPowerOfTwo(scale));
    }
    for (const ir::Node& node : graph.nodes) {
      const bool moves = node.kind == kMaxPool2d || node.kind == kReshape;
      EXPECT_EQ(node.requantization.kind,
                moves ? ir::RequantizationKind::kNone : ir::RequantizationKind::kShift);
    }
  }
}

// Weights and inputs on the grid, sums inside it: nothing is rounded, so nothing may differ.
TEST(PostTrainingTest, IsExactWhereTheGridIs) {
  testing::FloatNetworkBuilder builder({1, 1, 2});
  const auto weights = builder.Constant({2, 1, 1, 2}, {1, -0.5f, 0.25f, -1});
  const auto bias = builder.Constant({2}, {0.5f, -0.25f});
  ir::FloatNode& node = builder.Append(kConv2d, {1, 1, 2});
  node.weights = weights;
  node.bias = bias;
  PostTrainingOptions options;
  const std::vector<FloatValues> samples = {{1, -1}, {-0.5f, 0.75f}, {0, 1}, {-1, -1}};
  const auto network = QuantizePostTraining(builder.graph(), samples, options);
  ASSERT_TRUE(network.ok()) << network.error().message;
  const auto evaluation = Evaluate(*network, samples);
  ASSERT_TRUE(evaluation.ok());
  EXPECT_TRUE(std::isinf(evaluation->sqnr_db[0]));
}

TEST(PostTrainingTest, MoreBitsMeanLessNoise) {
  const ir::FloatGraph graph = testing::SmallFloatNetwork(9);
  for (const Scales scales : {Scales::kPowerOfTwo, Scales::kAffine}) {
    double before = -100;
    for (const int bits : {2, 4, 6, 8}) {
      PostTrainingOptions options;
      options.weight_bits = options.activation_bits = options.input_bits = bits;
      options.scales = scales;
      const auto evaluation = Evaluate(Quantized(graph, options), Inputs(8, 96, 1));
      ASSERT_TRUE(evaluation.ok());
      double mean = 0;
      for (const double sqnr : evaluation->sqnr_db) mean += sqnr;
      mean /= static_cast<double>(evaluation->sqnr_db.size());
      EXPECT_GT(mean, before + 6) << bits;
      before = mean;
    }
    EXPECT_GT(before, 20);
  }
}

ir::FloatGraph MeanOfSix(bool is_output) {
  testing::FloatNetworkBuilder builder({2, 3, 2});
  builder.Append(kAveragePool2d, {1, 1, 2}).window = {.kernel_h = 2, .kernel_w = 3};
  if (is_output) return builder.graph();
  builder.Append(kReshape, {2});
  const auto weights = builder.Constant({1, 2}, {0.75f, -0.5f});
  builder.Append(kFullyConnected, {1}).weights = weights;
  return builder.graph();
}

TEST(PostTrainingTest, AMeanOfSixIsASumAndAShiftThatTheNextWeightsMakeUpFor) {
  PostTrainingOptions options;
  const QuantizedNetwork network = Quantized(MeanOfSix(false), options);
  const ir::Graph& graph = network.graph;
  EXPECT_EQ(graph.nodes[0].kind, kAveragePool2d);
  EXPECT_EQ(network.gains, (std::vector<double>{1, 0.75, 0.75, 1}));
  const ir::Constant& weights = graph.constant(graph.nodes[2].weights);
  EXPECT_EQ(weights.codes[0], int64_t{1} << weights.format.fraction_bits) << "0.75 / 0.75";
  const auto evaluation = Evaluate(network, Inputs(8, 12, 3));
  ASSERT_TRUE(evaluation.ok());
  for (const double sqnr : evaluation->sqnr_db) EXPECT_GT(sqnr, 30);
}

TEST(PostTrainingTest, AMeanThatNoWeightsFollowBecomesDepthwise) {
  PostTrainingOptions options;
  const QuantizedNetwork network = Quantized(MeanOfSix(true), options);
  EXPECT_EQ(network.graph.nodes[0].kind, kDepthwiseConv2d);
  const auto evaluation = Evaluate(network, Inputs(8, 12, 3));
  ASSERT_TRUE(evaluation.ok());
  EXPECT_GT(evaluation->sqnr_db[0], 30);
  options.scales = Scales::kAffine;
  EXPECT_EQ(Quantized(MeanOfSix(true), options).graph.nodes[0].kind, kAveragePool2d);
}

TEST(PostTrainingTest, AccumulatorBitsAreKeptByCoarserWeights) {
  const ir::FloatGraph float_graph = testing::SmallFloatNetwork(3);
  for (const Scales scales : {Scales::kPowerOfTwo, Scales::kAffine}) {
    for (const bool is_per_channel : {false, true}) {
      PostTrainingOptions options;
      options.scales = scales;
      options.is_per_channel = is_per_channel;
      const auto widest = [&] {
        const ir::Graph graph = Quantized(float_graph, options).graph;
        int bits = 0;
        for (const ir::Node& node : graph.nodes) {
          if (node.weights < 0) continue;
          bits = std::max(bits, ir::RequiredAccumulatorBits(graph, node));
          EXPECT_EQ(node.required_accumulator_bits.has_value(), options.accumulator_bits < 32);
        }
        return bits;
      };
      EXPECT_GT(widest(), 14);
      options.accumulator_bits = 14;
      EXPECT_LE(widest(), 14);
    }
  }
  PostTrainingOptions options;
  options.accumulator_bits = 8;
  const auto narrow = QuantizePostTraining(float_graph, Inputs(2, 96, 1), options);
  ASSERT_FALSE(narrow.ok());
  EXPECT_THAT(narrow.error().message, HasSubstr("accumulator needs"));
}

TEST(PostTrainingTest, BiasCorrectionTakesTheMeanErrorAway) {
  const ir::FloatGraph graph = testing::SmallFloatNetwork(4);
  const std::vector<FloatValues> samples = Inputs(8, 96, 1);
  for (const Scales scales : {Scales::kPowerOfTwo, Scales::kAffine}) {
    PostTrainingOptions options;
    options.weight_bits = 3;
    options.scales = scales;
    double errors[2] = {};
    for (const bool correct : {false, true}) {
      options.correct_bias = correct;
      const QuantizedNetwork network = Quantized(graph, options);
      const ir::TensorInfo& output = network.graph.tensor(network.graph.output);
      std::vector<double> mean(3, 0.0);
      for (const FloatValues& sample : samples) {
        const auto trace =
            golden::Run(network.graph, Codes(network.graph.tensor(network.graph.input), sample));
        const FloatValues values =
            Values(output, trace->tensors[static_cast<size_t>(network.graph.output)]);
        const auto exact = RunFloat(network.float_graph, sample);
        for (size_t c = 0; c < 3; ++c) {
          mean[c] += values[c] - exact->tensors[static_cast<size_t>(network.graph.output)][c];
        }
      }
      for (const double error : mean) errors[correct] += std::abs(error);
    }
    EXPECT_LT(errors[1], errors[0] / 2);
  }
}

TEST(PostTrainingTest, BadOptionsAndNetworksAreRefused) {
  const ir::FloatGraph graph = testing::SmallFloatNetwork();
  const auto message = [](const ir::FloatGraph& network, const PostTrainingOptions& options,
                          const std::vector<FloatValues>& samples = Inputs(2, 96, 1)) {
    const auto result = QuantizePostTraining(network, samples, options);
    return result.ok() ? std::string("accepted") : result.error().message;
  };
  PostTrainingOptions options;
  options.weight_bits = 9;
  EXPECT_THAT(message(graph, options), HasSubstr("weights: 9 bits; accepted are 2 to 8"));
  options = {};
  options.input_bits = 1;
  EXPECT_THAT(message(graph, options), HasSubstr("input: 1 bits"));
  options = {};
  options.accumulator_bits = 33;
  EXPECT_THAT(message(graph, options), HasSubstr("accumulator: 33 bits"));
  options = {};
  options.activation_ranges.percentile = 40;
  EXPECT_THAT(message(graph, options), HasSubstr("percentile is 40"));
  EXPECT_THAT(message(graph, {}, {}), HasSubstr("calibration has 0 samples"));
  ir::FloatGraph padded = graph;
  padded.nodes[5].window = {4, 3, 1, 1, 1, 0, 0, 0, 1, 1};
  padded.tensors[6].shape = {2, 1, 4};
  padded.nodes.resize(6);
  padded.tensors.resize(7);
  padded.output = 6;
  ASSERT_TRUE(ir::Verify(padded).ok());
  EXPECT_THAT(message(padded, {}), HasSubstr("(AVERAGE_POOL_2D) has padding"));
  options = {};
  options.scales = Scales::kAffine;
  EXPECT_EQ(message(padded, options), "accepted");
  testing::FloatNetworkBuilder softmax({2, 48});
  softmax.Append(kSoftmax, {2, 48});
  EXPECT_THAT(message(softmax.graph(), {}), HasSubstr("SOFTMAX"));
}

TEST(DequantizeTest, TheValuesOfAKeywordNetworkAreThoseOfItsCodes) {
  MACLOOM_DATA_PACK(file, "mlperf-tiny-models/kws_ref_model.tflite");
  const auto graph = importers::ImportTfliteFile(file, {});
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto float_graph = Dequantize(*graph);
  ASSERT_TRUE(float_graph.ok()) << float_graph.error().message;
  ASSERT_TRUE(ir::Verify(*float_graph).ok());
  Rng random(12);
  ir::TensorValue input{graph->tensor(graph->input).shape, {}};
  for (int i = 0; i < 490; ++i) {
    input.codes.push_back(static_cast<int32_t>(random.UniformInt(-128, 127)));
  }
  const auto trace = golden::Run(*graph, input);
  const auto exact = RunFloat(*float_graph, Values(graph->tensor(graph->input), input));
  ASSERT_TRUE(trace.ok() && exact.ok());
  // The first layer sees equal inputs: it differs by its own two roundings, half a step and half a
  // step divided by the right shift, and by the error of a 31-bit multiplier.
  const ir::Node& node = graph->nodes[0];
  const ir::TensorInfo& first = graph->tensor(node.output);
  const FloatValues values = Values(first, trace->tensors[static_cast<size_t>(node.output)]);
  const FloatValues& floats = exact->tensors[static_cast<size_t>(node.output)];
  const int64_t channels = first.shape.back();
  for (size_t i = 0; i < values.size(); ++i) {
    const int shift = node.requantization.ForChannel(static_cast<int64_t>(i) % channels).shift;
    ASSERT_LE(std::abs(values[i] - floats[i]),
              (0.5001 + std::ldexp(0.5, shift)) * first.quantization.scale())
        << i;
  }
  // Behind all layers the classes' order is that of the codes where it is not close.
  const size_t logits = static_cast<size_t>(graph->nodes.back().inputs[0]);
  const FloatValues codes = Values(graph->tensor(static_cast<int>(logits)), trace->tensors[logits]);
  for (size_t i = 0; i < codes.size(); ++i) {
    EXPECT_NEAR(codes[i], exact->tensors[logits][i],
                8 * graph->tensor(static_cast<int>(logits)).quantization.scale());
  }
}

TEST(DequantizeTest, CodesAndValuesAreInverse) {
  const QuantizedNetwork network = Quantized(testing::SmallFloatNetwork(), {});
  for (const ir::TensorInfo& info : network.graph.tensors) {
    ir::TensorValue codes{{256}, {}};
    for (int64_t q = info.format.MinCode(); q <= info.format.MaxCode(); ++q) {
      codes.codes.push_back(static_cast<int32_t>(q));
    }
    EXPECT_EQ(Codes(info, Values(info, codes)).codes, codes.codes);
  }
  EXPECT_TRUE(Dequantize(network.graph).error().message.find("is no mean") != std::string::npos);
}

TEST(DequantizeTest, RefusesNetworksWhoseValuesAreNotKnown) {
  PostTrainingOptions options;
  options.scales = Scales::kAffine;
  ir::Graph graph = Quantized(testing::SmallFloatNetwork(), options).graph;
  ASSERT_TRUE(Dequantize(graph).ok());
  ir::Graph divided = graph;
  divided.nodes[0].requantization.kind = ir::RequantizationKind::kMultiplyAddDivide;
  EXPECT_THAT(Dequantize(divided).error().message, HasSubstr("multiply-add-divide"));
  graph.tensors[1].quantization.scales.clear();
  EXPECT_THAT(Dequantize(graph).error().message, HasSubstr("has codes without scale"));
}

}  // namespace
}  // namespace macloom::quantize
