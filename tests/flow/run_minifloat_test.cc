// Batches of a minifloat network: random inputs, predictions by value, contracts; what refuses it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arch/job.h"
#include "flow/run.h"
#include "flow/vectors.h"

namespace macloom::flow {
namespace {

using ::testing::HasSubstr;

/// e4m3 [2] -> FULLY_CONNECTED, weights ((1, 0), (-1, 0), (0, 2)) -> e4m3 [3].
ir::Graph SmallNetwork() {
  const ir::NumberFormat e4m3 = ir::NumberFormat::E4M3();
  ir::Graph graph;
  graph.name = "small";
  graph.tensors = {{"x", {2}, e4m3, {}}, {"y", {3}, e4m3, {}}};
  graph.constants = {{"w", {3, 2}, e4m3, {}, {0x38, 0, 0xb8, 0, 0, 0x40}}};
  ir::Node node;
  node.name = "dense";
  node.kind = ir::OperatorKind::kFullyConnected;
  node.inputs = {0};
  node.output = 1;
  node.weights = 0;
  node.requantization = {ir::RequantizationKind::kToMinifloat, {{0, 0}}, 0, 0xfe, 0x7e};
  graph.nodes = {node};
  graph.input = 0;
  graph.output = 1;
  return graph;
}

TEST(RunMinifloatTest, PredictsTheLargestValue) {
  const ir::Graph graph = SmallNetwork();
  ASSERT_TRUE(ir::Verify(graph).ok());
  Samples samples;
  // (-1, 0): outputs -1, 1, 0, of which -1 has the largest code. (1, 1): 1, -1, 2. (0, 0): a tie.
  for (const std::vector<int32_t>& codes : {std::vector<int32_t>{0xb8, 0}, {0x38, 0x38}, {0, 0}}) {
    samples.inputs.push_back({{2}, codes});
  }
  for (const Executor executor : {Executor::kFast, Executor::kReference}) {
    const RunResult result = *RunBatch(graph, samples, {1, 2, 0}, false, executor);
    EXPECT_THAT(result.predictions, ::testing::ElementsAre(1, 2, 0));
    EXPECT_EQ(*result.num_correct, 3);
    EXPECT_THAT(result.outputs[0].codes, ::testing::ElementsAre(0xb8, 0x38, 0));
  }
}

TEST(RunMinifloatTest, CountsWhatTheAccumulatorDoes) {
  const ir::Graph graph = SmallNetwork();
  Samples samples;
  samples.inputs = {{{2}, {0x7e, 0x7e}}};  // 448 and 2 * 448: more than e4m3 and than e4m3 sums.
  const RunResult exact = *RunBatch(graph, samples, {}, false, Executor::kFast);
  EXPECT_EQ(exact.events[0].clamped_high, 1);
  EXPECT_EQ(exact.events[0].overflow_events, 0);
  const RunResult narrow =
      *RunBatch(graph, samples, {}, false, Executor::kFast, *ir::ParseAccumulation("e4m3,step2"));
  EXPECT_EQ(narrow.events[0].overflow_events, 3);  // IEEE e4m3 ends at 240.
  EXPECT_EQ(narrow.events[0].wrong_outputs, 3);
  EXPECT_THAT(RunBatch(graph, samples, {}, false, Executor::kFast, *ir::ParseAccumulation("int24"))
                  .error()
                  .message,
              HasSubstr("node 0 \"dense\" (FULLY_CONNECTED): accumulation is 24-bit wrap"));
}

TEST(RunMinifloatTest, RandomInputsAreFinite) {
  const ir::Graph graph = SmallNetwork();
  const Samples samples = RandomInputs(graph, 200, 1);
  EXPECT_TRUE(RunBatch(graph, samples, {}, false, Executor::kFast).ok());
}

TEST(RunMinifloatTest, BadUsesAreNamed) {
  const ir::Graph graph = SmallNetwork();
  EXPECT_THAT(arch::Compile(graph, *arch::Preset("m4l16"), {}).error().message,
              HasSubstr("computes with e4m3 codes; the lanes take integers"));
  EXPECT_THAT(MakeVectors(graph, RandomInputs(graph, 1, 1), {}).error().message,
              HasSubstr("layer \"dense\" computes with e4m3 codes"));
}

}  // namespace
}  // namespace macloom::flow
