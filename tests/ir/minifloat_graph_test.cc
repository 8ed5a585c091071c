// Graphs of minifloats: verified, refused by name, written, read, listed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "ir/graph.h"
#include "ir/minifloat_range.h"
#include "ir/network_serialization.h"

namespace macloom::ir {
namespace {

using ::testing::HasSubstr;

TensorInfo Tensor(const std::string& name, Shape shape, const NumberFormat& format) {
  return {name, std::move(shape), format, {{0.5f}, {}, -1}};
}

/// e4m3 [2, 2, 2] -> CONV_2D (e5m2 weights, bias) -> e4m3 -> AVERAGE_POOL_2D -> FP16 [1, 1, 3].
Graph MinifloatGraph() {
  Graph graph;
  graph.name = "small";
  const NumberFormat e4m3 = NumberFormat::E4M3();
  graph.tensors = {Tensor("x", {2, 2, 2}, e4m3), Tensor("y", {2, 2, 3}, e4m3),
                   Tensor("z", {1, 1, 3}, *ParseMinifloat("e5m10"))};
  Constant weights{"w", {3, 1, 1, 2}, NumberFormat::E5M2(), {{0.5f, 2.0f, 1.0f}, {}, 0}, {}};
  weights.codes = {0x7b, 0xfb, 0x80, 0x00, 0x01, 0x3c};
  Constant bias{"b", {3}, {}, {}, {int64_t{-1} << 40, 0, 7}};
  bias.format.bits = 64;
  graph.constants = {weights, bias};
  Node conv;
  conv.name = "conv";
  conv.kind = OperatorKind::kConv2d;
  conv.inputs = {0};
  conv.output = 1;
  conv.weights = 0;
  conv.bias = 1;
  conv.requantization = {RequantizationKind::kToMinifloat, {{0, -3}, {0, 0}, {0, 64}}, 0, 0, 0x7e};
  Node pool;
  pool.name = "pool";
  pool.kind = OperatorKind::kAveragePool2d;
  pool.inputs = {1};
  pool.output = 2;
  pool.window.kernel_h = pool.window.kernel_w = 2;
  pool.requantization = {RequantizationKind::kMean, {}, 0, 0xfbff, 0x7bff};
  graph.nodes = {conv, pool};
  graph.input = 0;
  graph.output = 2;
  return graph;
}

void ExpectMessage(const std::function<void(Graph&)>& spoil, const std::string& message) {
  Graph graph = MinifloatGraph();
  spoil(graph);
  const Status status = Verify(graph);
  ASSERT_FALSE(status.ok()) << message;
  EXPECT_THAT(status.error().message, HasSubstr(message));
}

TEST(MinifloatGraphTest, IsValid) {
  const Status status = Verify(MinifloatGraph());
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST(MinifloatGraphTest, SurvivesItsFile) {
  const Graph graph = MinifloatGraph();
  const std::vector<uint8_t> bytes = *SerializeNetwork(graph);
  const Result<Graph> read = ParseNetwork(bytes);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*SerializeNetwork(*read), bytes);
  EXPECT_EQ(read->constants[0].codes, graph.constants[0].codes);
  EXPECT_EQ(read->constants[0].format, NumberFormat::E5M2());
  EXPECT_EQ(read->tensors[2].format, graph.tensors[2].format);
  EXPECT_EQ(read->nodes[0].requantization.kind, RequantizationKind::kToMinifloat);
  EXPECT_EQ(read->nodes[0].requantization.channels, graph.nodes[0].requantization.channels);
  EXPECT_EQ(ToText(*read), ToText(graph));
}

TEST(MinifloatGraphTest, IsListed) {
  const std::string text = ToText(MinifloatGraph());
  EXPECT_THAT(text, HasSubstr("t0 \"x\" 2x2x2 e4m3 scale=0.5"));
  EXPECT_THAT(text, HasSubstr("c0 \"w\" 3x1x1x2 e5m2 scales=0.5..2 (axis 0, 3)"));
  EXPECT_THAT(text, HasSubstr("requantize=to-minifloat 3 multipliers, shifts -3..64"));
}

// e4m3 reaches 448 = 229376 * 2^-9, e5m2 57344 = 3758096384 * 2^-16. Channel 0 has two such weights
// and the bias -2^40: bits(229376 * 2 * 3758096384 + 2^40) + 1. The pool: four times 448 times 1.0.
TEST(MinifloatGraphTest, WidthsAreThoseOfTheWeights) {
  const Graph graph = MinifloatGraph();
  EXPECT_EQ(RequiredAccumulatorBits(graph, graph.nodes[0]), 52);
  EXPECT_EQ(RequiredAccumulatorBits(graph, graph.nodes[1]), 30);
}

TEST(MinifloatGraphTest, BadFormatsAndCodesAreNamed) {
  ExpectMessage([](Graph& g) { g.tensors[0].format = *ParseMinifloat("e5m10"); },
                "tensor 0 \"x\": format e5m10 is not supported as an operand");
  ExpectMessage([](Graph& g) { g.tensors[1].format = *ParseMinifloat("e4m3b40-nan"); },
                "format e4m3b40-nan is not supported as an operand");
  ExpectMessage([](Graph& g) { g.tensors[0].format.exponent_bits = 0; }, "has 0 exponent bits");
  ExpectMessage([](Graph& g) { g.tensors[0].format.is_signed = false; }, "minifloat is unsigned");
  ExpectMessage([](Graph& g) { g.tensors[0].quantization.scales = {0.3f}; },
                "scale of e4m3 is 0.3; accepted are powers of two");
  ExpectMessage([](Graph& g) { g.tensors[0].quantization.zero_points = {1}; }, "zero point is 1");
  ExpectMessage([](Graph& g) { g.constants[0].codes[4] = 0x7c; },
                "constant 0 \"w\": code 124 is out of range; accepted are the finite codes");
  ExpectMessage([](Graph& g) { g.constants[0].codes[4] = 256; }, "code 256 is out of range");
  ExpectMessage([](Graph& g) { g.constants[0].codes[4] = -1; }, "code -1 is out of range");
  ExpectMessage(
      [](Graph& g) {
        g.constants[0].quantization.zero_points = {0, 0, 1};
      },
      "constant 0 \"w\": zero point is 1; accepted is 0 (e5m2)");
  ExpectMessage(
      [](Graph& g) {
        g.constants[0].format = NumberFormat::Int8();
        g.constants[0].codes = {1, 2, 3, 4, 5, 6};
      },
      "node 0 \"conv\" (CONV_2D): weights is int8 beside minifloats");
  ExpectMessage([](Graph& g) { g.tensors[0].format = NumberFormat::Int8(); },
                "input \"x\" is int8 beside minifloats");
  ExpectMessage([](Graph& g) { g.tensors[2].format = NumberFormat::Int8(); },
                "output \"z\" is int8 beside minifloats");
  ExpectMessage(
      [](Graph& g) {
        g.constants[1].format = NumberFormat::E4M3();
        g.constants[1].codes = {0, 0, 0};
      },
      "bias is e4m3; accepted are integers on the grid of the accumulator");
  ExpectMessage([](Graph& g) { g.tensors[1].format = *ParseMinifloat("e4m3b0-nan"); },
                "format e4m3b0-nan has no 1.0");
}

TEST(MinifloatGraphTest, BadRequantizationIsNamed) {
  ExpectMessage([](Graph& g) { g.nodes[0].requantization.kind = RequantizationKind::kShift; },
                "requantization is shift; accepted with minifloats is to-minifloat");
  ExpectMessage([](Graph& g) { g.nodes[0].requantization.channels.pop_back(); },
                "requantization has 2 shifts; accepted are 1 or 3");
  ExpectMessage([](Graph& g) { g.nodes[0].requantization.channels[0].shift = 65; },
                "shift 65; accepted are multiplier 0 and shifts -64 to 64");
  ExpectMessage([](Graph& g) { g.nodes[0].requantization.channels[0].multiplier = 1; },
                "multiplier 1, shift -3; accepted are multiplier 0");
  ExpectMessage([](Graph& g) { g.nodes[0].requantization.zero_point = 3; }, "zero point 3");
  ExpectMessage([](Graph& g) { g.nodes[0].requantization.clamp_min = 0x80; },
                "accepted are finite codes of the output's e4m3 other than -0, e.g. 254 to 126");
  ExpectMessage([](Graph& g) { g.nodes[0].requantization.clamp_max = 0x7f; },
                "clamp is 0 to 127; accepted are finite codes");
  ExpectMessage([](Graph& g) { g.nodes[0].requantization.clamp_max = 0xfe; },
                "clamp is 0 to 254; accepted are codes of e4m3 whose values ascend");
  ExpectMessage([](Graph& g) { g.nodes[1].requantization.kind = RequantizationKind::kNone; },
                "requantization is none; accepted with minifloats is to-minifloat or mean");
  ExpectMessage(
      [](Graph& g) {
        g.nodes[1].kind = OperatorKind::kMaxPool2d;
        g.nodes[1].requantization.kind = RequantizationKind::kNone;
      },
      "takes e4m3 to e5m10; accepted are equal formats");
  ExpectMessage(
      [](Graph& g) {
        g.nodes[1].kind = OperatorKind::kSoftmax;
        g.tensors[2] = g.tensors[1];
      },
      "takes or gives minifloats; supported is int8");
  const auto to_add = [](Graph& g) {
    g.nodes[1].kind = OperatorKind::kAdd;
    g.nodes[1].inputs = {1, 1};
    g.nodes[1].requantization.kind = RequantizationKind::kToMinifloat;
    g.tensors[2].shape = {2, 2, 3};
  };
  ExpectMessage(
      [&](Graph& g) {
        to_add(g);
        g.nodes[1].add.input[1].shift = -65;
      },
      "operand 1 has multiplier 0, shift -65; accepted are multiplier 0");
  ExpectMessage(
      [&](Graph& g) {
        to_add(g);
        g.nodes[1].add.output.shift = 1;
      },
      "the sum has multiplier 0, shift 1; accepted are 0, 0");
}

}  // namespace
}  // namespace macloom::ir
