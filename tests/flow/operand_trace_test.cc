// The operands of a network, added up, are its accumulators.
#include "flow/operand_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "flow/samples.h"
#include "golden/reference/executor.h"
#include "networks/untrained_network.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;

int64_t Code(uint16_t bits) { return static_cast<int8_t>(static_cast<uint8_t>(bits)); }

/// Every whole sum of a stream, with the start value, is an accumulator that golden reports.
TEST(NetworkOperandsTest, SumsAreAccumulatorsOfTheNetwork) {
  const ir::Graph graph = networks::MakeUntrainedKwsNetwork();
  const flow::Samples samples = flow::RandomInputs(graph, 2, 7);
  std::set<int64_t> accumulators;
  for (const ir::TensorValue& input : samples.inputs) {
    const auto trace = golden::Run(graph, input, {.accumulation = {}, .keep_accumulators = true});
    ASSERT_TRUE(trace.ok());
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const ir::Node& node = graph.nodes[n];
      if (node.kind != ir::OperatorKind::kConv2d &&
          node.kind != ir::OperatorKind::kFullyConnected) {
        continue;
      }
      const int64_t channels = graph.constant(node.weights).shape[0];
      for (size_t i = 0; i < trace->accumulators[n].size(); ++i) {
        accumulators.insert(trace->accumulators[n][i] -
                            ir::AccumulatorStart(graph, node, static_cast<int64_t>(i) % channels));
      }
    }
  }
  for (const int lanes : {1, 4}) {
    for (const cost::MacShape shape : {cost::MacShape::kBare, cost::MacShape::kRow}) {
      if (lanes == 1 && shape == cost::MacShape::kRow) continue;
      auto spec = *cost::ParseMacSpec("int8/24");
      spec.lanes = lanes;
      spec.shape = shape;
      const int entries = shape == cost::MacShape::kRow ? lanes : 1;
      const auto operands = flow::NetworkOperands(graph, samples.inputs, spec, 600, 3);
      ASSERT_TRUE(operands.ok()) << operands.error().message;
      int checked = 0;
      for (int stream = 0; stream < cost::kOperandStreams; ++stream) {
        std::vector<int64_t> sums(static_cast<size_t>(entries), 0);
        std::vector<bool> is_open(static_cast<size_t>(entries), false);
        for (int cycle = 0; cycle < operands->cycles; ++cycle) {
          const auto entry = static_cast<size_t>(cycle % entries);
          if (((operands->starts[static_cast<size_t>(cycle)] >> stream) & 1) != 0) {
            if (is_open[entry]) {
              EXPECT_EQ(accumulators.count(sums[entry]), 1u) << sums[entry];
              ++checked;
            }
            is_open[entry] = true;
            sums[entry] = 0;
          }
          for (int lane = 0; lane < lanes; ++lane) {
            const size_t index = operands->Index(cycle, lane, stream);
            sums[entry] += Code(operands->a[index]) * Code(operands->b[index]);
          }
        }
      }
      EXPECT_GT(checked, 300) << lanes;
    }
  }
}

TEST(NetworkOperandsTest, OtherFormatsAreRefused) {
  const ir::Graph graph = networks::MakeUntrainedKwsNetwork();
  const flow::Samples samples = flow::RandomInputs(graph, 1, 7);
  const auto operands =
      flow::NetworkOperands(graph, samples.inputs, *cost::ParseMacSpec("e4m3/45"), 10, 3);
  ASSERT_FALSE(operands.ok());
  EXPECT_THAT(operands.error().message, HasSubstr("has operands of e4m3"));
}

}  // namespace
}  // namespace macloom
