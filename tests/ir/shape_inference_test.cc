#include "ir/shape_inference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stimulus/random_graph.h"

namespace macloom::ir {
namespace {

using ::testing::HasSubstr;

TEST(OutputExtentTest, EqualsCountingThePositions) {
  for (int in = 1; in <= 6; ++in) {
    for (int kernel = 1; kernel <= 4; ++kernel) {
      for (int stride = 1; stride <= 3; ++stride) {
        for (int before = 0; before < kernel; ++before) {
          for (int after = 0; after < kernel; ++after) {
            for (int dilation = 1; dilation <= 3; ++dilation) {
              int64_t count = 0;
              const int last = (kernel - 1) * dilation;
              for (int at = -before; at + last < in + after; at += stride) ++count;
              const Result<int64_t> extent =
                  OutputExtent(in, kernel, stride, dilation, before, after);
              ASSERT_EQ(extent.ok(), count > 0);
              if (count > 0) {
                ASSERT_EQ(*extent, count);
              }
            }
          }
        }
      }
    }
  }
}

TEST(OutputExtentTest, BadParametersAreNamed) {
  EXPECT_THAT(OutputExtent(0, 1, 1, 1, 0, 0).error().message, HasSubstr("input size is 0"));
  EXPECT_THAT(OutputExtent(5, 0, 1, 1, 0, 0).error().message, HasSubstr("kernel size is 0"));
  EXPECT_THAT(OutputExtent(5, 5000, 1, 1, 0, 0).error().message, HasSubstr("kernel size is 5000"));
  EXPECT_THAT(OutputExtent(5, 1, 0, 1, 0, 0).error().message, HasSubstr("stride is 0"));
  EXPECT_THAT(OutputExtent(5, 3, 1, 0, 0, 0).error().message, HasSubstr("dilation is 0"));
  EXPECT_THAT(OutputExtent(5, 3, 1, 1, -1, 0).error().message,
              HasSubstr("padding is -1; accepted are 0 to 2"));
  EXPECT_THAT(OutputExtent(5, 3, 1, 1, 0, 3).error().message, HasSubstr("padding is 3"));
  EXPECT_THAT(OutputExtent(5, 8, 1, 1, 1, 1).error().message,
              HasSubstr("kernel extent 8 exceeds the padded input size 7"));
}

TEST(OutputShapeTest, FollowsFromEveryOperator) {
  Rng rng(9);
  for (int kind = 0; kind <= 9; ++kind) {
    for (int i = 0; i < 20; ++i) {
      const Graph graph = stimulus::RandomLayerGraph(
          rng, stimulus::RandomLayerSpec(rng, static_cast<OperatorKind>(kind)));
      const Node& node = graph.nodes.back();
      EXPECT_EQ(*OutputShape(graph, node), graph.tensor(node.output).shape);
    }
  }
}

TEST(NumMacsTest, CountsPaddingToo) {
  Rng rng(9);
  stimulus::LayerSpec spec;
  spec.input = {6, 5, 3};
  spec.window = {3, 3, 1, 1, 1, 1, 1, 1};
  spec.output_channels = 4;
  Graph graph = stimulus::RandomConvGraph(rng, spec);
  EXPECT_EQ(NumMacs(graph, graph.nodes[0]), 6 * 5 * 4 * 3 * 3 * 3);
  spec.depth_multiplier = 2;
  graph = stimulus::RandomDepthwiseGraph(rng, spec);
  EXPECT_EQ(NumMacs(graph, graph.nodes[0]), 6 * 5 * 6 * 3 * 3);
  graph = stimulus::RandomFullyConnectedGraph(rng, spec);
  EXPECT_EQ(NumMacs(graph, graph.nodes[0]), 4 * 90);
  graph = stimulus::RandomAveragePoolGraph(rng, spec);
  EXPECT_EQ(NumMacs(graph, graph.nodes[0]), 0);
}

}  // namespace
}  // namespace macloom::ir
