#include "ir/network_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/digest.h"
#include "base/files.h"
#include "base/safetensors.h"
#include "ir/network_serialization.h"
#include "stimulus/random_graph.h"
#include "tests/support/temporary_folder.h"

namespace macloom::ir {
namespace {

using ::macloom::stimulus::RandomChain;
using ::macloom::testing::TemporaryFolder;
using ::testing::HasSubstr;

constexpr uint64_t kFileSeed = 31;

void ExpectEqual(const Quantization& a, const Quantization& b) {
  EXPECT_EQ(a.scales, b.scales);
  EXPECT_EQ(a.zero_points, b.zero_points);
  EXPECT_EQ(a.axis, b.axis);
}

void ExpectEqual(const Node& a, const Node& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.output, b.output);
  EXPECT_EQ(a.window, b.window);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.bias, b.bias);
  EXPECT_EQ(a.depth_multiplier, b.depth_multiplier);
  EXPECT_EQ(a.requantization.kind, b.requantization.kind);
  EXPECT_EQ(a.requantization.channels, b.requantization.channels);
  EXPECT_EQ(a.requantization.zero_point, b.requantization.zero_point);
  EXPECT_EQ(a.requantization.clamp_min, b.requantization.clamp_min);
  EXPECT_EQ(a.requantization.clamp_max, b.requantization.clamp_max);
  EXPECT_EQ(a.add.input[0], b.add.input[0]);
  EXPECT_EQ(a.add.input[1], b.add.input[1]);
  EXPECT_EQ(a.add.output, b.add.output);
  EXPECT_EQ(a.softmax.input_multiplier, b.softmax.input_multiplier);
  EXPECT_EQ(a.softmax.input_left_shift, b.softmax.input_left_shift);
  EXPECT_EQ(a.softmax.diff_min, b.softmax.diff_min);
  EXPECT_EQ(a.softmax.rounding, b.softmax.rounding);
  EXPECT_EQ(a.required_accumulator_bits, b.required_accumulator_bits);
}

void ExpectEqual(const Graph& a, const Graph& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.input, b.input);
  EXPECT_EQ(a.output, b.output);
  EXPECT_EQ(a.class_labels, b.class_labels);
  EXPECT_EQ(a.front_end, b.front_end);
  EXPECT_EQ(a.origin, b.origin);
  EXPECT_EQ(a.licence, b.licence);
  EXPECT_EQ(a.is_untrained, b.is_untrained);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    EXPECT_EQ(a.tensors[i].name, b.tensors[i].name);
    EXPECT_EQ(a.tensors[i].shape, b.tensors[i].shape);
    EXPECT_EQ(a.tensors[i].format, b.tensors[i].format);
    ExpectEqual(a.tensors[i].quantization, b.tensors[i].quantization);
  }
  ASSERT_EQ(a.constants.size(), b.constants.size());
  for (size_t i = 0; i < a.constants.size(); ++i) {
    EXPECT_EQ(a.constants[i].name, b.constants[i].name);
    EXPECT_EQ(a.constants[i].shape, b.constants[i].shape);
    EXPECT_EQ(a.constants[i].format, b.constants[i].format);
    EXPECT_EQ(a.constants[i].codes, b.constants[i].codes);
    ExpectEqual(a.constants[i].quantization, b.constants[i].quantization);
  }
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i) ExpectEqual(a.nodes[i], b.nodes[i]);
}

Graph SmallGraph() {
  Rng rng(kFileSeed);
  stimulus::LayerSpec spec;
  spec.input = {2, 2, 1};
  spec.output_channels = 2;
  Graph graph = stimulus::RandomConvGraph(rng, spec);
  graph.constants[0].quantization = {{0.1f, 0.2f}, {0, 0}, 0};
  return stimulus::Verified(std::move(graph));
}

TEST(NetworkFileTest, RoundTripsEveryField) {
  const TemporaryFolder folder;
  Rng rng(kFileSeed);
  for (int i = 0; i < 60; ++i) {
    Graph graph = RandomChain(rng);
    graph.name = "net \"quoted\" caf\xc3\xa9";
    graph.origin = "kws.tflite sha256 00ff";
    graph.licence = "Apache-2.0";
    graph.class_labels = {"a", "", "c"};
    if (i % 2 == 1) graph.front_end = R"({"kind":"mfcc","mean":[0.1]})";
    graph.is_untrained = i % 2 == 0;
    graph.nodes[0].required_accumulator_bits = 18;
    // Names that collide with each other and with the keys derived from them.
    for (TensorInfo& tensor : graph.tensors) tensor.name = i % 3 == 0 ? "" : "x";
    for (Constant& constant : graph.constants) constant.name = i % 3 == 0 ? "" : "x.scales";
    for (Node& node : graph.nodes) node.name = i % 3 == 0 ? "__metadata__" : "x";
    ASSERT_TRUE(SaveNetwork(graph, folder / "net.safetensors").ok());
    const Result<Graph> read = LoadNetwork(folder / "net.safetensors");
    ASSERT_TRUE(read.ok()) << read.error().message;
    ExpectEqual(graph, *read);
    EXPECT_EQ(Digest(graph), Digest(*read));
    EXPECT_EQ(ToText(graph), ToText(*read));
  }
}

TEST(NetworkFileTest, RoundTripsEveryIntegerFormat) {
  Rng rng(kFileSeed);
  for (int bits = 2; bits <= 16; ++bits) {
    for (bool is_signed : {false, true}) {
      stimulus::LayerSpec spec;
      spec.requantization = RequantizationKind::kShift;
      spec.weight_style = stimulus::CodeStyle::kExtremes;
      for (NumberFormat* format : {&spec.input_format, &spec.weight_format, &spec.output_format}) {
        *format = {NumberFamily::kFixedPoint, bits, is_signed, bits - 3, 0, 0, 0};
      }
      const Graph graph = stimulus::RandomConvGraph(rng, spec);
      const Result<Graph> read = ParseNetwork(*SerializeNetwork(graph));
      ASSERT_TRUE(read.ok()) << read.error().message;
      ExpectEqual(graph, *read);
    }
  }
}

TEST(NetworkFileTest, DigestIsTheSha256OfTheFile) {
  const TemporaryFolder folder;
  const Graph graph = SmallGraph();
  ASSERT_TRUE(SaveNetwork(graph, folder / "net").ok());
  EXPECT_EQ(Digest(graph), Sha256Hex(*ReadFile(folder / "net")));
  Graph other = graph;
  other.constants[0].codes[0] ^= 1;
  EXPECT_NE(Digest(graph), Digest(other));
  other = graph;
  other.nodes[0].requantization.clamp_max -= 1;
  EXPECT_NE(Digest(graph), Digest(other));
}

TEST(NetworkFileTest, OpensAsPlainSafetensors) {
  const Graph graph = SmallGraph();
  const Safetensors container = *ParseSafetensors(*SerializeNetwork(graph));
  EXPECT_EQ(container.tensors.at("c0").dtype, "I8");
  EXPECT_EQ(container.tensors.at("c0").shape, (Shape{2, 1, 1, 1}));
  EXPECT_EQ(container.tensors.at("c0.scales").dtype, "F32");
  EXPECT_EQ(container.tensors.at("c1").dtype, "I64");
  EXPECT_EQ(container.tensors.at("n0.multipliers").dtype, "I32");
  EXPECT_EQ(container.tensors.at("n0.shifts").dtype, "I32");
}

TEST(NetworkFileTest, BadGraphIsNotWritten) {
  const TemporaryFolder folder;
  Graph graph = SmallGraph();
  graph.output = 7;
  EXPECT_THAT(SaveNetwork(graph, folder / "net").error().message, HasSubstr("output is tensor 7"));
  EXPECT_EQ(folder.NumEntries(), 0);
  EXPECT_EQ(SaveNetwork(SmallGraph(), folder / "no/net").error().kind, ErrorKind::kOutput);
}

// The message for a network file whose graph JSON has `from` replaced by `to`.
std::string MessageAfter(const std::string& from, const std::string& to) {
  Safetensors container = *ParseSafetensors(*SerializeNetwork(SmallGraph()));
  std::string& json = container.metadata["macloom.graph"];
  const size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from << " in " << json;
  if (at == std::string::npos) return "";
  json.replace(at, from.size(), to);
  const Result<Graph> graph = ParseNetwork(*SerializeSafetensors(container));
  return graph.ok() ? "accepted" : graph.error().message;
}

TEST(NetworkFileTest, TheFrontEndIsPartOfTheDigestWhenThereIsOne) {
  Graph graph = SmallGraph();
  const std::string without = Digest(graph);
  graph.front_end = "{}";
  EXPECT_NE(Digest(graph), without);
  EXPECT_NE(ToText(graph).find("\nfront_end {}\n"), std::string::npos);
}

TEST(NetworkFileTest, BadFieldsAreNamed) {
  EXPECT_EQ(MessageAfter("\"name\":\"random\"", "\"name\":\"x\""), "accepted");
  EXPECT_EQ(MessageAfter("\"version\":1", "\"version\":2"), "version is 2; accepted are 1 to 1");
  EXPECT_EQ(MessageAfter("\"macloom.network\"", "\"other\""),
            "format is \"other\"; accepted is \"macloom.network\"");
  EXPECT_EQ(MessageAfter("\"licence\":\"\",", ""), "licence is missing");
  EXPECT_EQ(MessageAfter("\"licence\":\"\"", "\"licence\":[]"), "licence is not a text");
  const auto with_front_end = [](const std::string& value) {
    return MessageAfter("\"input\":0", "\"front_end\":" + value + ",\"input\":0");
  };
  EXPECT_EQ(with_front_end("\"{}\""), "accepted");
  EXPECT_EQ(with_front_end("{}"), "front_end is not a text");
  EXPECT_EQ(with_front_end("\"\""), "front_end is empty; leave the field out");
  EXPECT_EQ(with_front_end("\"[1]\""), "front_end is not the text of a JSON object");
  EXPECT_EQ(with_front_end("\"{\""), "front_end is not the text of a JSON object");
  EXPECT_EQ(with_front_end("\"{\\n}\""),
            "front_end is not printable text; accepted is UTF-8 without control characters");
  EXPECT_EQ(with_front_end("\"" + std::string(65537, ' ') + "\""),
            "front_end has 65537 bytes; accepted are at most 65536");
  EXPECT_EQ(MessageAfter("\"is_untrained\":true", "\"is_untrained\":1"),
            "is_untrained is not true or false");
  EXPECT_EQ(MessageAfter("\"class_labels\":[]", "\"class_labels\":[1]"),
            "class_labels holds something else than texts");
  EXPECT_EQ(MessageAfter("\"class_labels\":[]", "\"class_labels\":{}"),
            "class_labels is not an array");
  EXPECT_EQ(MessageAfter("\"input\":0", "\"input\":0.5"),
            "input is not a whole number of at most 63 bits");
  EXPECT_EQ(MessageAfter("\"input\":0", "\"input\":18446744073709551615"),
            "input is not a whole number of at most 63 bits");
  EXPECT_EQ(MessageAfter("\"input\":0", "\"input\":-1"),
            "input is -1; accepted are 0 to 2147483647");
  EXPECT_EQ(MessageAfter("\"input\":0", "\"imput\":0"), "input is missing");
  EXPECT_EQ(MessageAfter("\"input\":0", "\"input\":0,\"more\":0"),
            "more is not a field of this format version");
  EXPECT_EQ(MessageAfter("\"kernel\":[1,1]", "\"kernel\":[1]"),
            "nodes[0].window.kernel has 1 elements; accepted are 2");
  EXPECT_EQ(MessageAfter("\"kernel\":[1,1]", "\"kernel\":[1,9999]"),
            "nodes[0].window.kernel is 9999; accepted are 0 to 4096");
  EXPECT_EQ(MessageAfter("\"CONV_2D\"", "\"CONV_3D\""),
            "nodes[0].operator is \"CONV_3D\"; accepted are CONV_2D, DEPTHWISE_CONV_2D, "
            "FULLY_CONNECTED, AVERAGE_POOL_2D, MAX_POOL_2D, ADD, CONCATENATION, PAD, RESHAPE, "
            "SOFTMAX");
  EXPECT_EQ(MessageAfter("\"codes\":\"c0\"", "\"codes\":\"c9\""),
            "constants[0].codes names tensor \"c9\", which the file does not hold");
  EXPECT_EQ(MessageAfter("\"codes\":\"c1\"", "\"codes\":\"c0\""),
            "constants[1].codes names tensor \"c0\", which another field names already");
  EXPECT_EQ(MessageAfter("\"codes\":\"c0\"", "\"codes\":\"c0.scales\""),
            "constants[0].codes names tensor \"c0.scales\", which another field names already");
  EXPECT_EQ(MessageAfter("\"codes\":\"c0\"", "\"codes\":\"t0.scales\""),
            "constants[0].codes names tensor \"t0.scales\", which another field names already");
  EXPECT_EQ(MessageAfter("\"scales\":\"t0.scales\"", "\"scales\":\"c0\""),
            "tensors[0].scales is a tensor of I8 with 4 axes; accepted is F32 with 1");
  EXPECT_EQ(MessageAfter("\"shifts\":\"n0.shifts\"", "\"shifts\":\"n0.multipliers\""),
            "nodes[0].requantization.shifts names tensor \"n0.multipliers\", which another field "
            "names already");
  EXPECT_EQ(MessageAfter("\"format\":{", "\"format\":1,\"x\":{"),
            "constants[0].format is not an object");
  EXPECT_EQ(MessageAfter("{", "[{"), "__metadata__ \"macloom.graph\" is not JSON");
  EXPECT_THAT(MessageAfter("\"output\":1", "\"output\":7"), HasSubstr("output is tensor 7"));
}

TEST(NetworkFileTest, BadTensorTypesAreNamed) {
  const auto message = [](const std::string& name, const SafetensorsTensor& tensor) {
    Safetensors container = *ParseSafetensors(*SerializeNetwork(SmallGraph()));
    container.tensors.at(name) = tensor;
    const Result<Graph> graph = ParseNetwork(*SerializeSafetensors(container));
    return graph.ok() ? "accepted" : graph.error().message;
  };
  EXPECT_EQ(message("c0", {"F16", {2, 1, 1, 1}, {0, 0, 0, 0}}),
            "constants[0].codes names a tensor of F16; accepted are I8, U8, I16, U16, I32, I64");
  EXPECT_EQ(message("c0", {"I32", {2, 1, 1, 1}, {1, 0, 0, 0, 255, 255, 255, 255}}), "accepted");
  EXPECT_EQ(
      message("n0.shifts", {"I32", {1}, {0, 0, 0, 0}}),
      "nodes[0].requantization.shifts has 1 elements; accepted are as many as multipliers: 2");
  EXPECT_EQ(
      message("c0", {"I8", {(1 << 26) + 1}, std::vector<uint8_t>((1 << 26) + 1)}),
      "constants[0].codes names a tensor of more than 67108864 elements; accepted are at most "
      "that many");
}

TEST(NetworkFileTest, BadOperatorParametersAreNamed) {
  Rng rng(kFileSeed);
  stimulus::LayerSpec spec;
  const auto message = [&](OperatorKind kind, const std::string& from, const std::string& to) {
    spec.kind = kind;
    Safetensors container =
        *ParseSafetensors(*SerializeNetwork(stimulus::RandomLayerGraph(rng, spec)));
    std::string& json = container.metadata["macloom.graph"];
    EXPECT_NE(json.find(from), std::string::npos) << from << " in " << json;
    json.replace(json.find(from), from.size(), to);
    const Result<Graph> graph = ParseNetwork(*SerializeSafetensors(container));
    return graph.ok() ? "accepted" : graph.error().message;
  };
  EXPECT_THAT(message(OperatorKind::kSoftmax, "\"rounding\":\"double\"", "\"rounding\":\"up\""),
              HasSubstr("nodes[0].softmax.rounding is \"up\"; accepted are double, single"));
  EXPECT_THAT(message(OperatorKind::kDepthwiseConv2d, "\"depth_multiplier\":1,", ""),
              HasSubstr("nodes[0].depth_multiplier is missing"));
  EXPECT_THAT(message(OperatorKind::kAdd, "\"add\":{", "\"add\":[],\"x\":{"),
              HasSubstr(".add is not an object"));
}

TEST(NetworkFileTest, BadContainersAreNamed) {
  const TemporaryFolder folder;
  EXPECT_THAT(LoadNetwork(folder / "none").error().message, HasSubstr("no such file"));
  ASSERT_TRUE(WriteSafetensors(folder / "x", Safetensors{}).ok());
  EXPECT_EQ(
      LoadNetwork(folder / "x").error().message,
      (folder / "x").string() + ": not a network file: its __metadata__ has no \"macloom.graph\"");
  Safetensors deep;
  deep.metadata["macloom.graph"] = std::string(1 << 20, '[') + std::string(1 << 20, ']');
  EXPECT_EQ(ParseNetwork(*SerializeSafetensors(deep)).error().message,
            "the graph is not an object");
}

TEST(NetworkFileTest, BadTruncationAtEveryByteIsRefused) {
  const std::vector<uint8_t> file = *SerializeNetwork(SmallGraph());
  for (size_t size = 0; size < file.size(); ++size) {
    ASSERT_FALSE(ParseNetwork(std::span(file).first(size)).ok()) << size;
  }
}

TEST(NetworkFileTest, BadBitFlipsNeverCrash) {
  const std::vector<uint8_t> file = *SerializeNetwork(SmallGraph());
  int num_refused = 0;
  for (size_t bit = 0; bit < file.size() * 8; ++bit) {
    std::vector<uint8_t> flipped = file;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const Result<Graph> graph = ParseNetwork(flipped);
    num_refused += !graph.ok();
    if (graph.ok()) {
      ASSERT_TRUE(Verify(*graph).ok());
    }
  }
  EXPECT_GT(num_refused, static_cast<int>(file.size()) * 4);
}

// Damage inside the graph JSON alone, which reaches deeper than damage of the container.
TEST(NetworkFileTest, BadJsonBytesNeverCrash) {
  const Safetensors good = *ParseSafetensors(*SerializeNetwork(SmallGraph()));
  Rng rng(kFileSeed);
  for (int i = 0; i < 4000; ++i) {
    Safetensors container = good;
    std::string& json = container.metadata["macloom.graph"];
    for (int k = 0; k < 2; ++k) {
      const auto at = static_cast<size_t>(rng.UniformInt(0, static_cast<int64_t>(json.size()) - 1));
      json[at] = "0123456789-,:[]{}\"aet"[rng.UniformInt(0, 20)];
    }
    const Result<Graph> graph = ParseNetwork(*SerializeSafetensors(container));
    if (graph.ok()) {
      ASSERT_TRUE(Verify(*graph).ok());
    }
  }
}

}  // namespace
}  // namespace macloom::ir
