// Minifloat configurations: settings, start registers, and what the compiler refuses.
#include "arch/minifloat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "base/rng.h"
#include "ir/shape_inference.h"

namespace macloom::arch {
namespace {

using ::testing::HasSubstr;

HardwareConfig E4m3(AccumulatorKind kind = AccumulatorKind::kFixed) {
  HardwareConfig config;
  config.mac_format = MacFormat::kE4m3;
  config.accumulator_kind = kind;
  config.accumulator_bits = 46;
  return config;
}

TEST(MinifloatConfigTest, SettingsAreReadBack) {
  HardwareConfig config = E4m3();
  config.accumulator_dropped_bits = 9;
  config.accumulator_alignment_bits = 6;
  ASSERT_TRUE(Validate(config).ok()) << Validate(config).error().message;
  EXPECT_EQ(*ParseConfig(ToToml(config), "x"), config);
  const HardwareConfig half =
      *WithSetting(*WithSetting(HardwareConfig(), "mac.format=e5m2"), "acc.kind=fp16");
  EXPECT_EQ(half.register_bits(), 16);
  EXPECT_EQ(MinifloatOf(half.mac_format), ir::NumberFormat::E5M2());
}

TEST(MinifloatConfigTest, BadCombinationsAreRefused) {
  const std::pair<const char*, const char*> integer[] = {
      {"acc.width_bits=46", "acc.width_bits = 46: accepted are 8 to 32"},
      {"acc.kind=fp16", "float accumulators take minifloats"},
      {"acc.dropped_bits=1",
       "acc.dropped_bits = 1, acc.alignment_bits = -1: accepted are 0 and -1"},
      {"mac.format=e9m9", "int, e4m3, e5m2, e3m4, e2m5"}};
  for (const auto& [setting, message] : integer) {
    EXPECT_THAT(WithSetting(HardwareConfig(), setting).error().message, HasSubstr(message));
  }
  const std::pair<const char*, const char*> minifloat[] = {
      {"acc.width_bits=81", "accepted are 8 to 80"},
      {"acc.dropped_bits=36", "acc.dropped_bits = 36: accepted are 0 to 35"},
      {"array.weight_bits=4", "accepted are 8 and 8 with minifloats"}};
  for (const auto& [setting, message] : minifloat) {
    EXPECT_THAT(WithSetting(E4m3(), setting).error().message, HasSubstr(message));
  }
  EXPECT_THAT(WithSetting(E4m3(AccumulatorKind::kFp32), "acc.alignment_bits=4").error().message,
              HasSubstr("with a float accumulator, which takes exact sums"));
}

/// The compiler's FP32 against the machine's own conversion of integers and its scaling.
TEST(FloatStartTest, Fp32EqualsTheMachineConversion) {
  Rng rng(5);
  for (int i = 0; i < 200000; ++i) {
    const int bits = static_cast<int>(rng.UniformInt(1, 62));
    int64_t bias = rng.UniformInt(0, int64_t{1} << bits);
    // Ties: a one below 24 significant bits.
    if (bits > 30 && rng.Bernoulli(0.5)) bias = bias >> (bits - 25) << (bits - 25);
    if (rng.Bernoulli(0.5)) bias = -bias;
    const int lsb = static_cast<int>(rng.UniformInt(-32, 0));
    const float expected = std::ldexp(static_cast<float>(bias), lsb);
    EXPECT_EQ(FloatStart(bias, lsb, 8, 23), int64_t{std::bit_cast<uint32_t>(expected)})
        << bias << " * 2^" << lsb;
  }
}

TEST(FloatStartTest, Fp16RoundsSubnormalsToEvenAndRefusesOverflow) {
  // In units of 2^-32: the smallest subnormal is 2^8 units; 2^-14, the smallest normal one, 2^18.
  EXPECT_EQ(FloatStart(0x80, -32, 5, 10), 0);  // Half of it: a tie, to the even 0.
  EXPECT_EQ(FloatStart(-0x80, -32, 5, 10), 0);
  EXPECT_EQ(FloatStart(0x81, -32, 5, 10), 1);
  EXPECT_EQ(FloatStart(0x180, -32, 5, 10), 2);  // 1.5: to the even 2.
  EXPECT_EQ(FloatStart(-0x40000, -32, 5, 10), 0x8400);
  EXPECT_EQ(FloatStart(0x3FFFF, -32, 5, 10), 0x0400);  // Rounds up to the smallest normal.
  EXPECT_EQ(FloatStart(65504, 0, 5, 10), 0x7BFF);
  EXPECT_EQ(FloatStart(65519, 0, 5, 10), 0x7BFF);
  EXPECT_EQ(FloatStart(65520, 0, 5, 10), std::nullopt);  // The tie rounds to 2^16.
}

/// CONV_2D or AVERAGE_POOL_2D 3x2 on [4, 4, 3], then whatever the test changes.
ir::Graph OneNode(ir::OperatorKind kind) {
  const ir::NumberFormat e4m3 = ir::NumberFormat::E4M3();
  ir::Graph graph;
  graph.name = "one";
  graph.tensors = {{"x", {4, 4, 3}, e4m3, {}}, {"y", {2, 3, 3}, e4m3, {}}};
  ir::Node node;
  node.name = "node";
  node.kind = kind;
  node.inputs = {0};
  node.output = 1;
  node.window.kernel_h = 3;
  node.window.kernel_w = 2;
  node.requantization = {ir::RequantizationKind::kToMinifloat, {{0, 0}}, 0, 0xfe, 0x7e};
  if (kind == ir::OperatorKind::kAveragePool2d) {
    node.requantization.kind = ir::RequantizationKind::kMean;
    node.requantization.channels.clear();
  } else {
    graph.constants = {{"w", {3, 3, 2, 3}, e4m3, {}, std::vector<int64_t>(54, 0x38)}};
    node.weights = 0;
  }
  graph.nodes = {node};
  graph.input = 0;
  graph.output = 1;
  return graph;
}

std::string Refusal(const ir::Graph& graph, const HardwareConfig& config,
                    const CompileOptions& options = {}) {
  EXPECT_TRUE(ir::Verify(graph).ok()) << ir::Verify(graph).error().message;
  const auto job = Compile(graph, config, options);
  return job.ok() ? "" : job.error().message;
}

TEST(MinifloatCompileTest, BadNetworksAreRefusedWithTheReason) {
  const ir::Graph conv = OneNode(ir::OperatorKind::kConv2d);
  EXPECT_EQ(Refusal(conv, E4m3()), "");
  EXPECT_THAT(Refusal(OneNode(ir::OperatorKind::kAveragePool2d), E4m3()),
              HasSubstr("a mean of 6 positions; minifloat lanes only scale by powers of two"));

  HardwareConfig other = E4m3();
  other.mac_format = MacFormat::kE5m2;
  EXPECT_THAT(Refusal(conv, other), HasSubstr("tensor `x`: format e4m3; the lanes take e5m2"));
  ir::Graph wide = conv;
  wide.tensors[1].format = *ir::ParseMinifloat("e5m10");
  wide.nodes[0].requantization.clamp_min = 0xfbff;
  wide.nodes[0].requantization.clamp_max = 0x7bff;
  EXPECT_THAT(Refusal(wide, E4m3()), HasSubstr("tensor `y`: format e5m10"));
  ir::Graph mixed = conv;
  mixed.constants[0].format = ir::NumberFormat::E5M2();
  EXPECT_THAT(Refusal(mixed, E4m3()), HasSubstr("weights: format e5m2"));

  CompileOptions narrow;
  narrow.effective_accumulator_bits = 20;
  EXPECT_THAT(Refusal(conv, E4m3(), narrow),
              HasSubstr("accumulators of minifloats are not narrow"));

  ir::Graph biased = conv;
  ir::Constant bias;
  bias.name = "b";
  bias.format.bits = 64;
  bias.shape = {3};
  bias.codes = {0, int64_t{1} << 50, 0};
  biased.constants.push_back(bias);
  biased.nodes[0].bias = 1;
  CompileOptions saturate;
  saturate.overflow = ir::Overflow::kSaturate;
  EXPECT_THAT(Refusal(biased, E4m3(), saturate), HasSubstr("of output channel 1 does not fit"));
  EXPECT_THAT(Refusal(biased, E4m3(AccumulatorKind::kFp16)),
              HasSubstr("start value 1125899906842624 * 2^-18 of output channel 1"));
  EXPECT_EQ(Refusal(biased, E4m3()), "");
}

TEST(MinifloatCompileTest, BadAdditionsAndOrdersAreRefused) {
  ir::Graph add = OneNode(ir::OperatorKind::kConv2d);
  add.constants.clear();
  add.tensors[1].shape = {4, 4, 3};
  ir::Node& node = add.nodes[0];
  node.kind = ir::OperatorKind::kAdd;
  node.inputs = {0, 0};
  node.weights = -1;
  node.window = {};
  node.requantization.channels.clear();
  EXPECT_THAT(Refusal(add, E4m3()), HasSubstr("the accelerator adds integers only"));

  // 3 channels per position: the flattened order is not the order of blocks.
  ir::Graph dense = OneNode(ir::OperatorKind::kConv2d);
  dense.tensors[1].shape = {3};
  dense.constants[0].shape = {3, 48};
  dense.constants[0].codes.assign(144, 0x38);
  dense.nodes[0].kind = ir::OperatorKind::kFullyConnected;
  dense.nodes[0].window = {};
  HardwareConfig no_im2col = E4m3(AccumulatorKind::kFp32);
  EXPECT_EQ(Refusal(dense, E4m3()), "");
  EXPECT_THAT(Refusal(dense, no_im2col), HasSubstr("that needs an exact accumulator"));

  ir::Graph dilated = OneNode(ir::OperatorKind::kConv2d);
  ir::Window& window = dilated.nodes[0].window;
  window.kernel_w = 2;
  window.dilation_w = 2;
  window.pad_left = 1;
  dilated.tensors[1].shape = *ir::OutputShape(dilated, dilated.nodes[0]);
  EXPECT_EQ(Refusal(dilated, E4m3()), "");
  HardwareConfig aligned = E4m3();
  aligned.accumulator_alignment_bits = 6;
  EXPECT_THAT(Refusal(dilated, aligned), HasSubstr("would take part in the alignment"));
}

}  // namespace
}  // namespace macloom::arch
