#include <gtest/gtest.h>

#include "stimulus/random_graph.h"

namespace macloom::ir {
namespace {

// Appends a node that writes the tensor after its last input.
Node& Append(Graph& graph, const char* name, OperatorKind kind, std::vector<TensorId> inputs) {
  Node node;
  node.name = name;
  node.kind = kind;
  node.output = inputs.back() + 1;
  node.inputs = std::move(inputs);
  graph.nodes.push_back(std::move(node));
  return graph.nodes.back();
}

// A network with one node of every operator, all numbers chosen by hand.
Graph HandMadeGraph() {
  Graph graph;
  graph.name = "demo";
  graph.origin = "made by hand";
  graph.licence = "Apache-2.0";
  graph.class_labels = {"no", "yes"};
  graph.is_untrained = true;
  graph.tensors = {{"in", {2, 2, 1}, NumberFormat::Int8(), {{0.5f}, {-1}, -1}},
                   {"a", {2, 2, 2}, NumberFormat::Int8(), {{0.25f}, {0}, -1}},
                   {"b", {2, 2, 2}, NumberFormat::Int8(), {{0.1f}, {7}, -1}},
                   {"sum", {2, 2, 2}, NumberFormat::Int8(), {{0.2f}, {0}, -1}},
                   {"mean", {1, 1, 2}, NumberFormat::Int8(), {{0.2f}, {0}, -1}},
                   {"flat", {2}, NumberFormat::Int8(), {{0.2f}, {0}, -1}},
                   {"logits", {2}, NumberFormat::Int8(), {{0.3f}, {5}, -1}},
                   {"p", {2}, NumberFormat::Int8(), {{0.00390625f}, {-128}, -1}}};
  graph.input = 0;
  graph.output = 7;
  NumberFormat bias;
  bias.bits = 32;
  graph.constants = {
      {"w", {2, 1, 1, 1}, NumberFormat::Int8(), {{0.5f, 0.125f}, {}, 0}, {100, -100}},
      {"wb", {2}, bias, {}, {1000, -1000}},
      {"d", {3, 3, 2}, NumberFormat::Int8(), {}, std::vector<int64_t>(18, 1)},
      {"f", {2, 2}, NumberFormat::Int8(), {{0.01f}, {0}, -1}, {1, 2, 3, 4}}};
  Node& conv = Append(graph, "conv", OperatorKind::kConv2d, {0});
  conv.weights = 0;
  conv.bias = 1;
  conv.requantization.kind = RequantizationKind::kMultiplierDouble;
  conv.requantization.channels = {{1 << 30, -7}, {1 << 30, -3}};
  conv.required_accumulator_bits = 18;
  Node& depthwise = Append(graph, "dw", OperatorKind::kDepthwiseConv2d, {1});
  depthwise.window = {3, 3, 1, 1, 1, 1, 1, 1};
  depthwise.weights = 2;
  depthwise.requantization = {RequantizationKind::kShift, {{0, 3}}, 7, 7, 127};
  Node& add = Append(graph, "add", OperatorKind::kAdd, {1, 2});
  add.requantization.kind = RequantizationKind::kMultiplierSingle;
  add.add = {{{1 << 30, 0}, {1717986918, -1}}, {1 << 30, -17}};
  Node& pool = Append(graph, "pool", OperatorKind::kAveragePool2d, {3});
  pool.window = {2, 2, 1, 1, 0, 0, 0, 0};
  pool.requantization.kind = RequantizationKind::kMean;
  Append(graph, "reshape", OperatorKind::kReshape, {4});
  Node& classifier = Append(graph, "fc", OperatorKind::kFullyConnected, {5});
  classifier.weights = 3;
  classifier.requantization = {RequantizationKind::kMultiplierSingle, {{1 << 30, 0}}, 5, -128, 127};
  Append(graph, "softmax", OperatorKind::kSoftmax, {6}).softmax = {1288490189, 25, -62,
                                                                   Rounding::kDouble};
  return stimulus::Verified(std::move(graph));
}

TEST(GraphTextTest, IsReadableAndStable) {
  EXPECT_EQ(ToText(HandMadeGraph()),
            R"(network "demo" input=t0 output=t7 UNTRAINED
origin made by hand
licence Apache-2.0
labels "no" "yes"
t0 "in" 2x2x1 int8 scale=0.5 zero=-1
t1 "a" 2x2x2 int8 scale=0.25
t2 "b" 2x2x2 int8 scale=0.1 zero=7
t3 "sum" 2x2x2 int8 scale=0.2
t4 "mean" 1x1x2 int8 scale=0.2
t5 "flat" 2 int8 scale=0.2
t6 "logits" 2 int8 scale=0.3 zero=5
t7 "p" 2 int8 scale=0.00390625 zero=-128
c0 "w" 2x1x1x1 int8 scales=0.125..0.5 (axis 0, 2)
c1 "wb" 2 int32
c2 "d" 3x3x2 int8
c3 "f" 2x2 int8 scale=0.01
n0 CONV_2D "conv" t0 -> t1 weights=c0 2x1x1x1 int8 bias=c1 kernel=1x1 stride=1x1 pad=0,0,0,0 requantize=multiplier-double 2 multipliers, shifts -7..-3 zero=0 clamp=-128..127 macs=8 accumulator=15 trained_for=18
n1 DEPTHWISE_CONV_2D "dw" t1 -> t2 weights=c2 3x3x2 int8 bias=none kernel=3x3 stride=1x1 pad=1,1,1,1 multiplier=1 requantize=shift 0@3 zero=7 clamp=7..127 macs=72 accumulator=10
n2 ADD "add" t1,t2 -> t3 a=1073741824@0 b=1717986918@-1 sum=1073741824@-17 requantize=multiplier-single zero=0 clamp=-128..127
n3 AVERAGE_POOL_2D "pool" t3 -> t4 kernel=2x2 stride=1x1 pad=0,0,0,0 requantize=mean zero=0 clamp=-128..127 accumulator=10
n4 RESHAPE "reshape" t4 -> t5
n5 FULLY_CONNECTED "fc" t5 -> t6 weights=c3 2x2 int8 bias=none requantize=multiplier-single 1073741824@0 zero=5 clamp=-128..127 macs=4 accumulator=11
n6 SOFTMAX "softmax" t6 -> t7 beta=1288490189@25 diff_min=-62 rounding=double
)");
}

}  // namespace
}  // namespace macloom::ir
