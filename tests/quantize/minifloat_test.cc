// Post-training quantization to minifloats: codes, scales, whole networks, what refuses.
#include "golden/reference/minifloat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "golden/reference/executor.h"
#include "quantize/dequantize.h"
#include "quantize/evaluate.h"
#include "quantize/minifloat_grid.h"
#include "quantize/minifloat_post_training.h"
#include "tests/support/float_networks.h"

namespace macloom::quantize {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using enum ir::OperatorKind;

std::vector<FloatValues> RandomInputs(size_t count, size_t size, uint64_t seed) {
  Rng random(seed);
  std::vector<FloatValues> inputs(count, FloatValues(size));
  for (FloatValues& input : inputs) {
    for (float& value : input) value = static_cast<float>(random.UniformInt(-100, 100)) / 64;
  }
  return inputs;
}

ir::NumberFormat Format(const char* name) { return *ir::ParseMinifloat(name); }

std::vector<ir::NumberFormat> OperandFormats() {
  std::vector<ir::NumberFormat> formats;
  for (const ir::NamedMinifloat& named : ir::NamedMinifloats()) {
    if (named.format.bits <= 8) formats.push_back(named.format);
  }
  return formats;
}

MinifloatOptions OptionsOf(const ir::NumberFormat& weights, const ir::NumberFormat& activations) {
  MinifloatOptions options;
  options.weight_format = weights;
  options.activation_format = activations;
  return options;
}

// Every code, every middle between two codes (the ties), their float neighbours, both signs, and
// values beyond the largest, against the normative conversion.
TEST(MinifloatGridTest, RoundsLikeTheNormativeConversion) {
  for (const ir::NumberFormat& format : OperandFormats()) {
    SCOPED_TRACE(ir::ToString(format));
    std::vector<float> values = {0.0f, 1e-30f, 1e30f};
    for (int32_t code = 0; code <= format.MaxFiniteCode(); ++code) {
      const float value = golden::ToFloat(format, code);
      const float next =
          code < format.MaxFiniteCode() ? golden::ToFloat(format, code + 1) : value * 1.0625f;
      for (const float point : {value, (value + next) / 2}) {
        values.insert(values.end(),
                      {point, std::nextafter(point, 0.0f), std::nextafter(point, 1e38f)});
      }
    }
    for (const float magnitude : values) {
      for (const float value : {magnitude, -magnitude}) {
        const int64_t expected = *golden::FromFloat(format, value);
        for (const int exponent : {0, -7, 12}) {
          const MinifloatGrid grid{format, exponent};
          const double scaled = std::ldexp(double{value}, exponent);
          ASSERT_EQ(CodeOf(grid, scaled), expected) << value;
          ASSERT_EQ(NearestValue(grid, scaled),
                    std::ldexp(double{golden::ToFloat(format, expected)}, exponent))
              << value;
        }
      }
    }
  }
}

TEST(MinifloatGridTest, ScalesAreTheSmallestThatClipNothing) {
  Rng random(3);
  for (const ir::NumberFormat& format : OperandFormats()) {
    const double largest = double{golden::ToFloat(format, format.MaxFiniteCode())};
    for (int n = 0; n < 200; ++n) {
      const auto value = static_cast<float>(
          std::ldexp(static_cast<double>(random.UniformInt(1, 4000)), n % 40 - 30));
      const Observation observation = Observe(std::vector<float>{value, -value / 3, 0});
      const int exponent = ScaleExponent(observation, format, {});
      // Rounding half of the last step down is no clipping.
      const double room = largest * (1 + std::exp2(-format.mantissa_bits - 1));
      EXPECT_LE(std::ldexp(double{value}, -exponent), room) << ir::ToString(format);
      EXPECT_GT(std::ldexp(double{value}, 1 - exponent), largest) << ir::ToString(format);
    }
    EXPECT_EQ(ScaleExponent(Observe(std::vector<float>{0, 0}), format, {}), 0);
  }
}

TEST(MinifloatGridTest, SearchFindsTheLeastError) {
  Rng random(4);
  RangeOptions options;
  options.method = RangeMethod::kMse;
  int num_clipping = 0;
  for (const ir::NumberFormat& format : OperandFormats()) {
    // One outlier over many small values.
    std::vector<float> values = {1.5f};
    for (int n = 0; n < 4000; ++n) {
      values.push_back(static_cast<float>(random.UniformInt(-1000, 1000)) / 16384);
    }
    const Observation observation = Observe(values);
    const int widest = ScaleExponent(observation, format, {});
    const int best = ScaleExponent(observation, format, options);
    for (int exponent = widest; exponent >= widest - 8; --exponent) {
      EXPECT_LE(MeanSquareError({format, best}, values),
                MeanSquareError({format, exponent}, values))
          << ir::ToString(format);
    }
    num_clipping += best < widest ? 1 : 0;
  }
  EXPECT_GT(num_clipping, 0);  // The narrow formats give the outlier up.
}

// x [1, 1, 2], weights ((1, -1.5), (0.25, 448)), bias (0.5, -3): scales by hand.
TEST(MinifloatPostTrainingTest, ASmallNetworkByHand) {
  testing::FloatNetworkBuilder builder({1, 1, 2});
  const auto weights = builder.Constant({2, 1, 1, 2}, {1, -1.5f, 0.25f, 448});
  const auto bias = builder.Constant({2}, {0.5f, -3});
  ir::FloatNode& node = builder.Append(kConv2d, {1, 1, 2});
  node.weights = weights;
  node.bias = bias;
  node.clamp_min = 0;
  MinifloatOptions options;
  options.is_per_channel = true;
  const auto network = QuantizeToMinifloats(builder.graph(), {{448, 1}, {-2, 0.5f}}, options);
  ASSERT_TRUE(network.ok()) << network.error().message;
  const ir::Graph& graph = network->graph;
  // Largest input 448: scale 1. First channel: 1.5 = 384 * 2^-8, second: 448 itself.
  EXPECT_EQ(graph.tensor(graph.input).quantization.scale(), 1.0f);
  const ir::Constant& codes = graph.constant(graph.nodes[0].weights);
  EXPECT_THAT(codes.quantization.scales, ElementsAre(std::ldexp(1.0f, -8), 1.0f));
  // 256 = 1.000 * 2^8: e = 15, f = 0; -384: f = 4; 0.25: e = 5; 448: 0x7e.
  EXPECT_THAT(codes.codes, ElementsAre(0x78, 0xfc, 0x28, 0x7e));
  // Biases on 2^-18 times both scales.
  EXPECT_THAT(graph.constant(graph.nodes[0].bias).codes, ElementsAre(1 << 25, -3 * (1 << 18)));
  // The largest output is 448 - 1.5 + 0.5 = 447 or 0.25 * 448 + 448 - 3 = 557: FP16 holds 557 *
  // 2^6 = 35648 and not twice that, so that k = 0 - 8 + 6 and 6.
  const ir::Requantization& requantization = graph.nodes[0].requantization;
  EXPECT_EQ(requantization.channels[0].shift, -2);
  EXPECT_EQ(requantization.channels[1].shift, 6);
  EXPECT_EQ(requantization.clamp_min, 0);
  EXPECT_EQ(requantization.clamp_max, Format("e5m10").MaxFiniteCode());
  const ir::TensorInfo& out = graph.tensor(graph.output);
  const auto trace = golden::Run(graph, Codes(graph.tensor(graph.input), {448, 1}));
  ASSERT_TRUE(trace.ok());
  EXPECT_THAT(Values(out, trace->tensors[static_cast<size_t>(graph.output)]),
              ElementsAre(447, 557));
  const auto clamped = golden::Run(graph, Codes(graph.tensor(graph.input), {-2, -0.0f}));
  EXPECT_THAT(clamped->tensors[static_cast<size_t>(graph.output)].codes, ElementsAre(0, 0));
}

// A residual network whose values all formats hold: nothing is rounded, so nothing may differ.
TEST(MinifloatPostTrainingTest, IsExactWhereTheGridIs) {
  for (const ir::NumberFormat& format : OperandFormats()) {
    testing::FloatNetworkBuilder builder({2, 2, 1});
    const auto weights = builder.Constant({1, 1, 1, 1}, {0.5f});
    builder.Append(kConv2d, {2, 2, 1}).weights = weights;
    builder.Append(kAdd, {2, 2, 1}, {0, 1});
    builder.Append(kMaxPool2d, {1, 2, 1}).window = {2, 1, 1, 1, 0, 0, 0, 0, 1, 1};
    builder.Append(kAveragePool2d, {1, 1, 1}).window = {1, 2, 1, 1, 0, 0, 0, 0, 1, 1};
    const std::vector<FloatValues> samples = {{2, 4, 4, 2}, {-1, -2, 2, 2}, {0, 0, 0, 4}};
    const auto network = QuantizeToMinifloats(builder.graph(), samples, OptionsOf(format, format));
    ASSERT_TRUE(network.ok()) << network.error().message;
    for (const ir::TensorInfo& info : network->graph.tensors) EXPECT_EQ(info.format, format);
    const auto evaluation = Evaluate(*network, samples);
    ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
    for (const double sqnr : evaluation->sqnr_db) EXPECT_TRUE(std::isinf(sqnr)) << sqnr;
  }
}

// The mean of 1, 2 and 3 is 2; as a sum and a power of two 6 / 4, and 0.75 becomes 1.
TEST(MinifloatPostTrainingTest, MeansAsShiftsAreMadeUpForByTheNextWeights) {
  testing::FloatNetworkBuilder builder({1, 3, 1});
  builder.Append(kAveragePool2d, {1, 1, 1}).window = {1, 3, 1, 1, 0, 0, 0, 0, 1, 1};
  const auto weights = builder.Constant({1, 1, 1, 1}, {0.75f});
  builder.Append(kConv2d, {1, 1, 1}).weights = weights;
  MinifloatOptions options = OptionsOf(Format("e4m3"), Format("e4m3"));
  options.output_format = Format("e4m3");
  options.are_means_shifts = true;
  const std::vector<FloatValues> samples = {{1, 2, 3}, {4, -4, 6}};
  const auto network = QuantizeToMinifloats(builder.graph(), samples, options);
  ASSERT_TRUE(network.ok()) << network.error().message;
  const ir::Graph& graph = network->graph;
  const ir::Requantization& pool = graph.nodes[0].requantization;
  EXPECT_EQ(pool.kind, ir::RequantizationKind::kToMinifloat);
  const auto scale = [&](ir::TensorId id) { return graph.tensor(id).quantization.scale(); };
  EXPECT_EQ(std::ldexp(1.0f, pool.channels[0].shift),
            scale(graph.input) / scale(graph.nodes[0].output) / 4);
  const ir::Constant& codes = graph.constant(graph.nodes[1].weights);
  EXPECT_EQ(quantize::ValueOf(codes.format, codes.quantization, codes.codes[0]), 1.0);
  const auto evaluation = Evaluate(*network, samples);
  ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
  for (const double sqnr : evaluation->sqnr_db) EXPECT_TRUE(std::isinf(sqnr)) << sqnr;
}

TEST(MinifloatPostTrainingTest, EveryNetworkIsValidAndBetterWithMoreMantissa) {
  const char* accumulators[] = {"exact", "fixed24,saturate,drop20,step4", "fp16,step4", "fp32"};
  const ir::FloatGraph graph = testing::SmallFloatNetwork(3);
  std::vector<double> exact_sqnr;
  for (const ir::NumberFormat& format : OperandFormats()) {
    for (const char* accumulator : accumulators) {
      for (const bool is_per_channel : {false, true}) {
        MinifloatOptions options = OptionsOf(format, format);
        options.is_per_channel = is_per_channel;
        options.accumulation = *ir::ParseAccumulation(accumulator);
        const auto network = QuantizeToMinifloats(graph, RandomInputs(8, 96, 1), options);
        ASSERT_TRUE(network.ok()) << network.error().message;
        ASSERT_TRUE(ir::Verify(network->graph).ok());
        EXPECT_EQ(network->graph.nodes.size(), graph.nodes.size() - 1) << "without SOFTMAX";
        for (const ir::Node& node : network->graph.nodes) {
          const bool is_output = node.output == network->graph.output;
          EXPECT_EQ(network->graph.tensor(node.output).format,
                    is_output ? options.output_format : format);
        }
        const std::vector<ir::Accumulation> contracts(network->graph.nodes.size(),
                                                      options.accumulation);
        const auto evaluation = Evaluate(*network, RandomInputs(8, 96, 1), contracts);
        ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
        // The samples that chose the scales leave the register room.
        for (const golden::LayerEvents& events : evaluation->events) {
          EXPECT_EQ(events.overflow_events, 0) << ir::ToString(format) << " " << accumulator;
        }
        if (options.accumulation.IsExact() && is_per_channel) {
          exact_sqnr.push_back(evaluation->sqnr_db[0]);
        }
      }
    }
  }
  // e4m3, e5m2, e3m4, e2m5, e3m2, e2m3, e2m1: a mantissa bit is worth about 6 dB.
  ASSERT_EQ(exact_sqnr.size(), 7u);
  EXPECT_GT(exact_sqnr[0], exact_sqnr[1] + 3);
  EXPECT_GT(exact_sqnr[2], exact_sqnr[0] + 3);
  EXPECT_GT(exact_sqnr[3], exact_sqnr[5] + 3);
  EXPECT_GT(exact_sqnr[5], exact_sqnr[6] + 3);
  EXPECT_GT(exact_sqnr[0], 20);
}

// Without room, the largest codes of e5m2 overflow FP16; the option lowers them.
TEST(MinifloatPostTrainingTest, ScalesLeaveTheRegisterRoom) {
  const ir::FloatGraph graph = testing::SmallFloatNetwork(6);
  const auto samples = RandomInputs(6, 96, 5);
  const ir::Accumulation fp16 = *ir::ParseAccumulation("fp16,step4");
  int64_t num_events[2] = {};
  for (const bool has_room : {false, true}) {
    MinifloatOptions options = OptionsOf(Format("e4m3"), Format("e4m3"));
    if (has_room) options.accumulation = fp16;
    const auto network = QuantizeToMinifloats(graph, samples, options);
    ASSERT_TRUE(network.ok()) << network.error().message;
    const std::vector<ir::Accumulation> contracts(network->graph.nodes.size(), fp16);
    const auto evaluation = Evaluate(*network, samples, contracts);
    ASSERT_TRUE(evaluation.ok()) << evaluation.error().message;
    for (const auto& events : evaluation->events) num_events[has_room] += events.overflow_events;
    EXPECT_EQ(
        std::any_of(network->notes.begin(), network->notes.end(),
                    [](const std::string& note) { return note.find("room") != std::string::npos; }),
        has_room);
  }
  EXPECT_GT(num_events[0], 0);
  EXPECT_EQ(num_events[1], 0);
}

// A start value of more than 62 bits on the grid of e5m2 raises the scale of its weights.
TEST(MinifloatPostTrainingTest, LargeBiasesRaiseTheScale) {
  testing::FloatNetworkBuilder builder({2});
  const auto weights = builder.Constant({1, 2}, {1e-6f, -1e-6f});
  const auto bias = builder.Constant({1}, {1000});
  ir::FloatNode& node = builder.Append(kFullyConnected, {1});
  node.weights = weights;
  node.bias = bias;
  const std::vector<FloatValues> samples = {{1, 2}};
  const auto network =
      QuantizeToMinifloats(builder.graph(), samples, OptionsOf(Format("e5m2"), Format("e5m2")));
  ASSERT_TRUE(network.ok()) << network.error().message;
  EXPECT_THAT(network->notes, ElementsAre(HasSubstr("room for sums and start values")));
  const auto evaluation = Evaluate(*network, samples);
  ASSERT_TRUE(evaluation.ok());
  EXPECT_GT(evaluation->sqnr_db[0], 60);  // FP16 holds 1000.
}

TEST(MinifloatPostTrainingTest, CodesAndValuesAreInverse) {
  for (const ir::NumberFormat& format : OperandFormats()) {
    const ir::TensorInfo info{"x", {1}, format, {{0.125f}, {0}, -1}};
    for (int32_t code = 0; code <= format.MaxCode(); ++code) {
      if (!format.IsFinite(code)) continue;
      EXPECT_THAT(Codes(info, Values(info, {{1}, {code}})).codes, ElementsAre(code));
    }
  }
}

TEST(MinifloatPostTrainingTest, BadInputsAreNamed) {
  const ir::FloatGraph graph = testing::SmallFloatNetwork();
  const auto message = [&](const MinifloatOptions& options, size_t count = 2) {
    const auto network = QuantizeToMinifloats(graph, RandomInputs(count, 96, 1), options);
    EXPECT_FALSE(network.ok());
    return network.ok() ? "" : network.error().message;
  };
  MinifloatOptions options;
  EXPECT_THAT(message(options, 0), HasSubstr("sample"));
  options.weight_format = Format("e5m10");
  EXPECT_THAT(message(options), HasSubstr("format e5m10 is not supported as an operand"));
  options = {};
  options.accumulation = *ir::ParseAccumulation("int24,saturate");
  EXPECT_THAT(message(options), HasSubstr("accepted are exact, fixed point and float"));
  options = {};
  options.activation_ranges.percentile = 20;
  EXPECT_THAT(message(options), HasSubstr("percentile is 20"));
  // e4m3 without a bias above 0 has no 1.0 for the pooling.
  options = {};
  options.activation_format = Format("e4m3b0-nan");
  EXPECT_THAT(message(options), HasSubstr("has no 1.0"));
  // Scales that lie 2^64 and more apart.
  testing::FloatNetworkBuilder builder({1});
  const auto weights = builder.Constant({1, 1}, {1e-25f});
  builder.Append(kFullyConnected, {1}).weights = weights;
  builder.Append(kAdd, {1}, {0, 1});
  const auto apart =
      QuantizeToMinifloats(builder.graph(), {{1}}, OptionsOf(Format("e2m1"), Format("e2m1")));
  ASSERT_FALSE(apart.ok());
  EXPECT_THAT(apart.error().message, HasSubstr("accepted are 2^-64 to 2^64"));
  // Its own result is no source.
  const auto network = QuantizeToMinifloats(graph, RandomInputs(2, 96, 1), {});
  ASSERT_TRUE(network.ok());
  EXPECT_THAT(Dequantize(network->graph).error().message,
              HasSubstr("holds e4m3 codes; supported are integer networks"));
}

}  // namespace
}  // namespace macloom::quantize
