#include "networks/untrained_network.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/rng.h"
#include "golden/reference/executor.h"

namespace macloom::networks {
namespace {

constexpr uint64_t kSeed = 20261127;

TEST(UntrainedNetworkTest, HasTheShapeOfTheKeywordModel) {
  const ir::Graph graph = MakeUntrainedKwsNetwork();
  ASSERT_TRUE(ir::Verify(graph).ok());
  EXPECT_EQ(graph.name, "ds-cnn-untrained");
  EXPECT_TRUE(graph.is_untrained);
  EXPECT_NE(graph.origin.find("not trained"), std::string::npos);
  EXPECT_EQ(graph.class_labels,
            (std::vector<std::string>{"down", "go", "left", "no", "off", "on", "right", "stop",
                                      "up", "yes", "silence", "unknown"}));
  EXPECT_EQ(graph.tensor(graph.input).shape, (ir::Shape{49, 10, 1}));
  EXPECT_EQ(graph.tensor(graph.output).shape, (ir::Shape{12}));
  int64_t num_macs = 0, num_parameters = 0;
  for (const ir::Node& node : graph.nodes) num_macs += ir::NumMacs(graph, node);
  for (const ir::Constant& constant : graph.constants) {
    num_parameters += static_cast<int64_t>(constant.codes.size());
  }
  EXPECT_EQ(graph.nodes.size(), 13u);
  EXPECT_EQ(num_macs, 2656768);
  EXPECT_EQ(num_parameters, 22604);
}

// Everything execution uses, independent of the network file's format.
std::string ContentDigest(const ir::Graph& graph) {
  std::string text;
  const auto append = [&](int64_t value) { text += std::to_string(value) + ' '; };
  for (const ir::Constant& constant : graph.constants) {
    for (int64_t code : constant.codes) append(code);
  }
  for (const ir::Node& node : graph.nodes) {
    for (const ir::FixedPointMultiplier& pair : node.requantization.channels) {
      append(pair.multiplier);
      append(pair.shift);
    }
    append(node.requantization.zero_point);
    append(node.softmax.input_multiplier);
    append(node.softmax.diff_min);
  }
  return Sha256Hex(text);
}

TEST(UntrainedNetworkTest, ContentDependsOnTheSeedOnly) {
  const ir::Graph graph = MakeUntrainedKwsNetwork(1);
  EXPECT_EQ(ir::Digest(graph), ir::Digest(MakeUntrainedKwsNetwork()));
  EXPECT_NE(ContentDigest(graph), ContentDigest(MakeUntrainedKwsNetwork(2)));
  EXPECT_EQ(ContentDigest(graph),
            "291b8a2047ee4e289c83e4fea7ac17daf1af47bd8f57d920ad9c280e3e067e44");
}

// What the network never saw while it was made: white inputs from another generator state.
TEST(UntrainedNetworkTest, EveryLayerUsesItsRange) {
  for (uint64_t seed : {1, 2, 3}) {
    const ir::Graph graph = MakeUntrainedKwsNetwork(seed);
    SCOPED_TRACE(seed);
    Rng rng(kSeed);
    constexpr int kNumInputs = 16;
    std::vector<std::set<int32_t>> codes(graph.nodes.size());
    std::vector<int64_t> num_outputs(graph.nodes.size()), num_high(graph.nodes.size());
    for (int i = 0; i < kNumInputs; ++i) {
      ir::TensorValue input{graph.tensor(graph.input).shape, {}};
      for (int j = 0; j < 490; ++j) {
        input.codes.push_back(static_cast<int32_t>(rng.UniformInt(-128, 127)));
      }
      const auto trace = golden::Run(graph, input);
      ASSERT_TRUE(trace.ok());
      for (size_t n = 0; n < graph.nodes.size(); ++n) {
        const auto& values = trace->tensors[static_cast<size_t>(graph.nodes[n].output)].codes;
        codes[n].insert(values.begin(), values.end());
        num_outputs[n] += static_cast<int64_t>(values.size());
        num_high[n] += std::count(values.begin(), values.end(), 127);
      }
    }
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      EXPECT_GE(codes[n].size(), 32u) << graph.nodes[n].name;
      EXPECT_LT(num_high[n] * 5, num_outputs[n]) << graph.nodes[n].name;
    }
  }
}

TEST(UntrainedNetworkTest, OutputDependsOnTheInput) {
  const ir::Graph graph = MakeUntrainedKwsNetwork();
  Rng rng(kSeed);
  std::set<std::vector<int32_t>> outputs;
  for (int i = 0; i < 16; ++i) {
    ir::TensorValue input{graph.tensor(graph.input).shape, {}};
    for (int j = 0; j < 490; ++j) {
      input.codes.push_back(static_cast<int32_t>(rng.UniformInt(-128, 127)));
    }
    outputs.insert(
        golden::Run(graph, input).value().tensors[static_cast<size_t>(graph.output)].codes);
  }
  EXPECT_EQ(outputs.size(), 16u);
}

}  // namespace
}  // namespace macloom::networks
