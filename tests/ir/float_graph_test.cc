#include "ir/float_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/files.h"
#include "base/safetensors.h"
#include "ir/float_network_file.h"
#include "tests/support/float_networks.h"
#include "tests/support/temporary_folder.h"

namespace macloom::ir {
namespace {

using ::macloom::testing::SmallFloatNetwork;
using ::macloom::testing::TemporaryFolder;
using ::testing::HasSubstr;

TEST(FloatGraphTest, VerifiesANetworkWithEveryPart) {
  const FloatGraph graph = SmallFloatNetwork();
  const Status status = Verify(graph);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(NumMacs(graph, graph.nodes[0]), 8 * 6 * 4 * 3 * 3 * 2);
  EXPECT_EQ(NumMacs(graph, graph.nodes[1]), 8 * 6 * 4 * 3 * 3);
  EXPECT_EQ(NumMacs(graph, graph.nodes[3]), 0);
  EXPECT_EQ(NumMacs(graph, graph.nodes[7]), 12);
}

TEST(FloatGraphTest, TextNamesWhatANodeDoes) {
  const std::string text = ToText(SmallFloatNetwork());
  EXPECT_THAT(text, HasSubstr("float network \"small\" input=t0 output=t9\n"));
  EXPECT_THAT(text, HasSubstr("n0 CONV_2D \"node0\" t0 -> t1 weights=c0 4x3x3x2 bias=c1 "
                              "kernel=3x3 stride=1x1 pad=1,1,1,1 batch_norm=c2,c3,c4,c5 "
                              "epsilon=0.001 clamp=0..inf macs=3456\n"));
  EXPECT_THAT(text, HasSubstr("n8 SOFTMAX \"node8\" t8 -> t9\n"));
}

TEST(FloatGraphTest, RefusesBadNetworksByNameAndValue) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const struct {
    std::function<void(FloatGraph&)> damage;
    const char* message;
  } cases[] = {
      {[](FloatGraph& g) { g.nodes.clear(); }, "0 nodes"},
      {[](FloatGraph& g) { g.output = 77; },
       "the graph's output is tensor 77; accepted are 0 to 9"},
      {[](FloatGraph& g) { g.nodes[1].inputs = {5}; }, "not produced by an earlier node"},
      {[](FloatGraph& g) { g.nodes[1].weights = 99; }, "weights are constant 99"},
      {[](FloatGraph& g) {
         g.tensors[1].shape = {8, 6, 5};
       },
       "output has shape 8x6x5"},
      {[](FloatGraph& g) { g.tensors[1].shape = {}; }, "has 0 axes"},
      {[=](FloatGraph& g) { g.constants[0].values[3] = nan; },
       "value 3 is nan; accepted are finite"},
      {[](FloatGraph& g) { g.constants[0].values.pop_back(); }, "has 71 values; accepted are 72"},
      {[](FloatGraph& g) { g.nodes[0].batch_norm.beta = -1; },
       "batch normalization's beta is constant -1"},
      {[](FloatGraph& g) { g.nodes[0].batch_norm.gamma = 0; },
       "batch normalization's gamma has shape 4x3x3x2; accepted is 4"},
      {[](FloatGraph& g) { g.nodes[3].batch_norm = g.nodes[0].batch_norm; },
       "accepted is one behind weights"},
      {[](FloatGraph& g) { g.constants[5].values[0] = -1; }, "variance is -1"},
      {[](FloatGraph& g) { g.nodes[0].batch_norm.epsilon = -1; }, "epsilon is -1"},
      {[](FloatGraph& g) { g.nodes[0].clamp_max = -1; }, "clamp is 0 to -1"},
      {[=](FloatGraph& g) { g.nodes[0].clamp_max = nan; }, "clamp is 0 to nan"},
      {[](FloatGraph& g) { g.nodes[6].clamp_min = 0; }, "accepted is none where values only move"},
      {[](FloatGraph& g) { g.front_end = "a\nb"; }, "front_end is not printable"},
      {[](FloatGraph& g) {
         g.tensors.push_back({"lost", {1}});
       },
       "neither the graph's input"},
  };
  for (const auto& test : cases) {
    FloatGraph graph = SmallFloatNetwork();
    test.damage(graph);
    const Status status = Verify(graph);
    ASSERT_FALSE(status.ok()) << test.message;
    EXPECT_THAT(status.error().message, HasSubstr(test.message));
  }
}

TEST(FloatNetworkFileTest, ReadsBackWhatItWrote) {
  FloatGraph graph = SmallFloatNetwork();
  graph.front_end = "{\"kind\":\"mfcc\"}";
  graph.nodes[0].clamp_max = 6;
  graph.constants[1].name = graph.constants[0].name;  // Names need not differ.
  const auto bytes = SerializeFloatNetwork(graph);
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  EXPECT_TRUE(LooksLikeFloatNetwork(*bytes));
  const auto read = ParseFloatNetwork(*bytes);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(ToText(*read), ToText(graph));
  EXPECT_EQ(read->front_end, graph.front_end);
  for (size_t i = 0; i < graph.constants.size(); ++i) {
    EXPECT_EQ(read->constants[i].values, graph.constants[i].values);
  }
  const auto again = SerializeFloatNetwork(*read);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *bytes);
  EXPECT_EQ(Digest(*read), Digest(graph));
}

TEST(FloatNetworkFileTest, BadFilesAreRefusedByField) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "net.safetensors";
  ASSERT_TRUE(SaveFloatNetwork(SmallFloatNetwork(), path).ok());
  const auto original = ReadSafetensors(path);
  ASSERT_TRUE(original.ok());
  const struct {
    const char *from, *to, *message;
  } cases[] = {
      {"\"version\":1", "\"version\":2", "version is 2; accepted are 1 to 1"},
      {"macloom.float_network", "macloom.other", "format is \"macloom.other\""},
      {"\"values\":\"constant1\"", "\"values\":\"constant0\"", "which another field names already"},
      {"\"values\":\"constant1\"", "\"values\":\"nothing\"", "which the file does not hold"},
      {"\"CONV_2D\"", "\"CONVOLUTION\"", "operator is \"CONVOLUTION\""},
      {"\"clamp_min\":0.0", "\"clamp_min\":1e300", "accepted are float32 values"},
      {"\"clamp_min\":0.0", "\"clamp\":0.0", "is not a field of this format version"},
      {"\"epsilon\":0.001", "\"epsilon\":\"small\"", "epsilon is not a number"},
      {"\"input\":0", "\"input\":-1", "input is -1"},
  };
  for (const auto& test : cases) {
    Safetensors container = *original;
    std::string& json = container.metadata["macloom.float_graph"];
    const size_t at = json.find(test.from);
    ASSERT_NE(at, std::string::npos) << test.from;
    json.replace(at, std::string(test.from).size(), test.to);
    ASSERT_TRUE(WriteSafetensors(path, container).ok());
    const auto graph = LoadFloatNetwork(path);
    ASSERT_FALSE(graph.ok()) << test.to;
    EXPECT_THAT(graph.error().message, HasSubstr(test.message));
    EXPECT_THAT(graph.error().message, HasSubstr("net.safetensors"));
  }
  Safetensors container = *original;
  container.tensors["constant0"].dtype = "I32";
  ASSERT_TRUE(WriteSafetensors(path, container).ok());
  EXPECT_THAT(LoadFloatNetwork(path).error().message, HasSubstr("accepted is F32"));
  container.metadata.clear();
  ASSERT_TRUE(WriteSafetensors(path, container).ok());
  EXPECT_THAT(LoadFloatNetwork(path).error().message, HasSubstr("not a float network file"));
  EXPECT_FALSE(LoadFloatNetwork(folder.path() / "missing").ok());
}

}  // namespace
}  // namespace macloom::ir
