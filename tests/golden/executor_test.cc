#include "golden/reference/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stimulus/random_graph.h"

namespace macloom::golden {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kExecutorSeed = 20261126;

ir::Graph SmallConvolution(ir::RequantizationKind kind) {
  Rng rng(kExecutorSeed);
  stimulus::LayerSpec spec;
  spec.input = {3, 3, 2};
  spec.window = {2, 2, 1, 1, 0, 0, 0, 0};
  spec.requantization = kind;
  return stimulus::RandomConvGraph(rng, spec);
}

ir::TensorValue ZeroInput(const ir::Graph& graph) {
  const ir::Shape& shape = graph.tensor(graph.input).shape;
  return {shape, std::vector<int32_t>(static_cast<size_t>(ir::NumElements(shape)), 0)};
}

std::string MessageOf(const ir::Graph& graph, const ir::TensorValue& input,
                      const std::vector<ir::Accumulation>& accumulation = {}) {
  const auto trace = golden::Run(graph, input, {accumulation, false});
  if (trace.ok()) return "no error";
  EXPECT_EQ(trace.error().kind, ErrorKind::kInvalidInput);
  return trace.error().message;
}

TEST(ExecutorTest, RefusesBadInputShape) {
  const ir::Graph graph = SmallConvolution(ir::RequantizationKind::kShift);
  ir::TensorValue input = ZeroInput(graph);
  input.shape = {9, 2};
  EXPECT_THAT(MessageOf(graph, input), HasSubstr("input has shape 9x2; accepted"));
}

TEST(ExecutorTest, RefusesBadInputElementCount) {
  const ir::Graph graph = SmallConvolution(ir::RequantizationKind::kShift);
  ir::TensorValue input = ZeroInput(graph);
  input.codes.pop_back();
  EXPECT_THAT(MessageOf(graph, input), HasSubstr("input has 17 codes; accepted for shape 3x3x2"));
}

TEST(ExecutorTest, RefusesBadInputCode) {
  const ir::Graph graph = SmallConvolution(ir::RequantizationKind::kShift);
  for (int32_t code : {-129, 128}) {
    ir::TensorValue input = ZeroInput(graph);
    input.codes[5] = code;
    EXPECT_EQ(MessageOf(graph, input),
              "input code 5 is " + std::to_string(code) + "; accepted by int8 are -128 to 127");
  }
}

TEST(ExecutorTest, RefusesBadNumberOfContracts) {
  const ir::Graph graph = SmallConvolution(ir::RequantizationKind::kShift);
  EXPECT_THAT(MessageOf(graph, ZeroInput(graph), {{}, {}}),
              HasSubstr("2 accumulation contracts are given; accepted are 0 or 1"));
}

TEST(ExecutorTest, RefusesBadAccumulatorWidths) {
  const ir::Graph graph = SmallConvolution(ir::RequantizationKind::kShift);
  const ir::TensorValue input = ZeroInput(graph);
  ir::Accumulation accumulation;
  accumulation.width_bits = 65;
  EXPECT_THAT(MessageOf(graph, input, {accumulation}),
              HasSubstr("node 0 \"n0\" (CONV_2D): accumulator width is 65 bits; accepted"));
  accumulation.width_bits = 7;
  EXPECT_THAT(MessageOf(graph, input, {accumulation}), HasSubstr("width is 7 bits"));
  for (int width : {8, 33, 63, 64}) {
    accumulation.width_bits = width;
    EXPECT_EQ(MessageOf(graph, input, {accumulation}), "no error") << width;
  }
}

TEST(ExecutorTest, RefusesBadWidthForMultipliers) {
  for (const auto kind :
       {ir::RequantizationKind::kMultiplierDouble, ir::RequantizationKind::kMultiplierSingle}) {
    const ir::Graph graph = SmallConvolution(kind);
    ir::Accumulation accumulation;
    for (int width : {33, 63}) {
      accumulation.width_bits = width;
      EXPECT_THAT(MessageOf(graph, ZeroInput(graph), {accumulation}),
                  HasSubstr("accepted are 8 to 32, or 64 for the exact sum"));
    }
    for (int width : {8, 32, 64}) {
      accumulation.width_bits = width;
      EXPECT_EQ(MessageOf(graph, ZeroInput(graph), {accumulation}), "no error") << width;
    }
  }
}

TEST(ExecutorTest, RefusesBadTapSerialOrderOverChannels) {
  const ir::Graph graph = SmallConvolution(ir::RequantizationKind::kShift);
  ir::Accumulation accumulation;
  accumulation.order = ir::AccumulationOrder::kTapSerial;
  EXPECT_THAT(MessageOf(graph, ZeroInput(graph), {accumulation}),
              HasSubstr("over 2 channels per tap; accepted is 1 channel"));
}

TEST(ExecutorTest, RefusesBadStartValueUnderSaturationOnly) {
  ir::Graph graph = SmallConvolution(ir::RequantizationKind::kShift);
  std::vector<int64_t>& weights =
      graph.constants[static_cast<size_t>(graph.nodes[0].weights)].codes;
  std::vector<int64_t>& biases = graph.constants[static_cast<size_t>(graph.nodes[0].bias)].codes;
  weights.assign(weights.size(), 0);
  biases = {0, 127, -129, 0};
  ASSERT_TRUE(ir::Verify(graph).ok());
  ir::Accumulation accumulation{8, ir::Overflow::kSaturate, 1, ir::AccumulationOrder::kBlockTap};
  EXPECT_EQ(MessageOf(graph, ZeroInput(graph), {accumulation}),
            "node 0 \"n0\" (CONV_2D): start value of output channel 2 is -129; accepted by a "
            "saturating 8-bit accumulator are -128 to 127");
  biases[2] = -128;
  EXPECT_EQ(MessageOf(graph, ZeroInput(graph), {accumulation}), "no error");
  biases[2] = -129;
  accumulation.overflow = ir::Overflow::kWrap;
  const auto trace = golden::Run(graph, ZeroInput(graph), {{accumulation}, true});
  ASSERT_TRUE(trace.ok());
  EXPECT_EQ(trace->accumulators[0][2], 127);
  // The reduced start is no event, but the output is wrong: 4 output positions.
  EXPECT_EQ(trace->events[0].overflow_events, 0);
  EXPECT_EQ(trace->events[0].wrong_outputs, 4);
}

TEST(ExecutorTest, KeepsAccumulatorsOnlyWhenAsked) {
  const ir::Graph graph = SmallConvolution(ir::RequantizationKind::kShift);
  const auto without = golden::Run(graph, ZeroInput(graph));
  ASSERT_TRUE(without.ok());
  ASSERT_EQ(without->accumulators.size(), 1u);
  EXPECT_TRUE(without->accumulators[0].empty());
  const auto with = golden::Run(graph, ZeroInput(graph), {{}, true});
  ASSERT_TRUE(with.ok());
  EXPECT_EQ(with->accumulators[0].size(), with->tensors[1].codes.size());
}

TEST(ExecutorTest, RunsRandomChainsWithEveryTensorInShapeAndRange) {
  SCOPED_TRACE(kExecutorSeed);
  Rng rng(kExecutorSeed);
  for (int round = 0; round < 100; ++round) {
    const ir::Graph graph = stimulus::RandomChain(rng);
    const ir::TensorValue input = stimulus::RandomInput(rng, graph);
    const auto trace = golden::Run(graph, input);
    ASSERT_TRUE(trace.ok()) << trace.error().message;
    ASSERT_EQ(trace->tensors.size(), graph.tensors.size());
    ASSERT_EQ(trace->events.size(), graph.nodes.size());
    EXPECT_EQ(trace->tensors[static_cast<size_t>(graph.input)], input);
    for (size_t id = 0; id < graph.tensors.size(); ++id) {
      const ir::TensorInfo& info = graph.tensors[id];
      const ir::TensorValue& value = trace->tensors[id];
      ASSERT_EQ(value.shape, info.shape);
      ASSERT_EQ(static_cast<int64_t>(value.codes.size()), ir::NumElements(info.shape));
      for (int32_t code : value.codes) {
        ASSERT_TRUE(code >= info.format.MinCode() && code <= info.format.MaxCode());
      }
    }
    for (const LayerEvents& events : trace->events) ASSERT_EQ(events.overflow_events, 0);
  }
}

TEST(ExecutorTest, EventsOfSamplesAddUp) {
  LayerEvents sum{1, 2, 3, 4, 5};
  sum += LayerEvents{10, 20, 30, 40, 50};
  EXPECT_EQ(sum, (LayerEvents{11, 22, 33, 44, 55}));
}

}  // namespace
}  // namespace macloom::golden
