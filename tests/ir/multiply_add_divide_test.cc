// The multiply-add-divide requantization: what Verify() accepts, text form, network file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "ir/network_file.h"
#include "ir/network_serialization.h"
#include "stimulus/random_graph.h"

namespace macloom::ir {
namespace {

using ::testing::HasSubstr;

/// A convolution, an average pool or a sum with that requantization.
Graph AddDivideGraph(OperatorKind kind) {
  macloom::stimulus::LayerSpec spec;
  spec.kind = kind;
  spec.input = {6, 5, 3};
  spec.window = {3, 3, 1, 1, 1, 1, 1, 1};
  spec.input_zero_point = kind == OperatorKind::kAveragePool2d ? 0 : 3;
  spec.output_zero_point = kind == OperatorKind::kAveragePool2d ? 0 : -4;
  Rng rng(1);
  Graph graph = macloom::stimulus::StartGraph(spec);
  macloom::stimulus::AppendLayer(rng, graph, spec, graph.input, graph.input);
  Node& node = graph.nodes[0];
  node.requantization.kind = RequantizationKind::kMultiplyAddDivide;
  node.requantization.channels.clear();
  node.requantization.addends = {-77};
  node.requantization.divisor = 1000;
  if (kind == OperatorKind::kAdd) {
    node.add = {{{-5, 0}, {7, 0}}, {0, 0}};
  } else {
    node.requantization.channels = {{-31, 0}};
  }
  return graph;
}

std::string MessageAfter(OperatorKind kind, const std::function<void(Node&)>& change) {
  Graph graph = AddDivideGraph(kind);
  change(graph.nodes[0]);
  const Status status = Verify(graph);
  return status.ok() ? "accepted" : status.error().message;
}

TEST(MultiplyAddDivideTest, IsAcceptedWhereCodesAreMade) {
  for (const OperatorKind kind :
       {OperatorKind::kConv2d, OperatorKind::kAveragePool2d, OperatorKind::kAdd}) {
    EXPECT_EQ(MessageAfter(kind, [](Node&) {}), "accepted") << ToString(kind);
  }
}

TEST(MultiplyAddDivideTest, BadParametersAreRefused) {
  for (const OperatorKind kind :
       {OperatorKind::kConv2d, OperatorKind::kAveragePool2d, OperatorKind::kAdd}) {
    SCOPED_TRACE(ToString(kind));
    EXPECT_THAT(MessageAfter(kind, [](Node& n) { n.requantization.divisor = 0; }),
                HasSubstr("divisor is 0; accepted are values above 0"));
    EXPECT_THAT(MessageAfter(kind,
                             [](Node& n) {
                               n.requantization.addends = {1, 2};
                             }),
                HasSubstr("has 2 addends; accepted are 1"));
    EXPECT_THAT(MessageAfter(kind, [](Node& n) { n.requantization.addends[0] = int64_t{1} << 62; }),
                HasSubstr("beyond 62 bits"));
    EXPECT_THAT(MessageAfter(kind,
                             [](Node& n) {
                               n.requantization.addends[0] = std::numeric_limits<int64_t>::min();
                             }),
                HasSubstr("beyond 62 bits"));
  }
  EXPECT_THAT(
      MessageAfter(OperatorKind::kConv2d, [](Node& n) { n.requantization.channels[0].shift = 1; }),
      HasSubstr("multiply-add-divide requantization has shift 1; accepted is 0"));
  EXPECT_THAT(MessageAfter(OperatorKind::kAdd, [](Node& n) { n.add.input[1].shift = -1; }),
              HasSubstr("operand has shift -1; accepted is 0"));
  EXPECT_THAT(MessageAfter(OperatorKind::kMaxPool2d, [](Node&) {}), HasSubstr("accepted is none"));
}

TEST(MultiplyAddDivideTest, ATensorThatIsReadHasAtMost16Bits) {
  Graph graph = AddDivideGraph(OperatorKind::kConv2d);
  graph.tensors[1].format.bits = 32;
  EXPECT_TRUE(Verify(graph).ok());
  graph.tensors[1].format.bits = 33;
  EXPECT_THAT(Verify(graph).error().message, HasSubstr("integer format has 33 bits"));
  graph.tensors[1].format.bits = 8;
  graph.tensors[0].format.bits = 32;
  EXPECT_THAT(Verify(graph).error().message, HasSubstr("integer format has 32 bits"));
}

TEST(MultiplyAddDivideTest, SurvivesTheNetworkFile) {
  for (const OperatorKind kind :
       {OperatorKind::kConv2d, OperatorKind::kAveragePool2d, OperatorKind::kAdd}) {
    SCOPED_TRACE(ToString(kind));
    const Graph graph = AddDivideGraph(kind);
    const auto bytes = SerializeNetwork(graph);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    const auto read = ParseNetwork(*bytes);
    ASSERT_TRUE(read.ok()) << read.error().message;
    const Requantization& a = graph.nodes[0].requantization;
    const Requantization& b = read->nodes[0].requantization;
    EXPECT_EQ(a.kind, b.kind);
    EXPECT_EQ(a.channels, b.channels);
    EXPECT_EQ(a.addends, b.addends);
    EXPECT_EQ(a.divisor, b.divisor);
    EXPECT_EQ(ToText(graph), ToText(*read));
    EXPECT_EQ(Digest(graph), Digest(*read));
    EXPECT_THAT(ToText(graph), HasSubstr("requantize=multiply-add-divide"));
    EXPECT_THAT(ToText(graph), HasSubstr("add=-77 divide=1000"));
  }
}

}  // namespace
}  // namespace macloom::ir
