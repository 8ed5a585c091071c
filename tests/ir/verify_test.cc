// Every message of Verify(), each provoked by one change to a valid graph.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "stimulus/random_graph.h"

namespace macloom::ir {
namespace {

using ::macloom::stimulus::LayerSpec;
using ::testing::AllOf;
using ::testing::HasSubstr;

Graph ValidGraph(OperatorKind kind) {
  LayerSpec spec;
  spec.kind = kind;
  spec.input = {6, 5, 3};
  spec.window = {3, 3, 1, 1, 1, 1, 1, 1};
  spec.input_zero_point = 3;
  spec.output_zero_point = -4;
  Rng rng(1);
  Graph graph = stimulus::StartGraph(spec);
  stimulus::AppendLayer(rng, graph, spec, graph.input, graph.input);
  return stimulus::Verified(std::move(graph));
}

std::string MessageAfter(OperatorKind kind, const std::function<void(Graph&)>& change) {
  Graph graph = ValidGraph(kind);
  change(graph);
  const Status status = Verify(graph);
  return status.ok() ? "accepted" : status.error().message;
}

void ExpectConvMessage(const std::function<void(Graph&)>& change, const std::string& part) {
  EXPECT_THAT(MessageAfter(OperatorKind::kConv2d, change), HasSubstr(part));
}

Node& OnlyNode(Graph& graph) { return graph.nodes[0]; }

TEST(VerifyTest, BadTextsAreRefused) {
  for (const char* text :
       {"a\nb", "\x01", "\x7f", "\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf5\x80\x80\x80", "\xf4\x90\x80\x80", "\xc3(", "\xf0\x80\x80\x80"}) {
    ExpectConvMessage([&](Graph& g) { g.name = text; }, "the graph's name is not printable text");
  }
  for (const char* text : {"", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_EQ(MessageAfter(OperatorKind::kConv2d, [&](Graph& g) { g.name = text; }), "accepted");
  }
  ExpectConvMessage([](Graph& g) { g.origin = "\n"; }, "the graph's origin");
  ExpectConvMessage([](Graph& g) { g.licence = "\n"; }, "the graph's licence");
  ExpectConvMessage([](Graph& g) { g.class_labels = {"a", "\n"}; }, "class label 1");
  ExpectConvMessage([](Graph& g) { g.tensors[1].name = "\n"; }, "the name of tensor 1");
  ExpectConvMessage([](Graph& g) { g.constants[0].name = "\n"; }, "the name of constant 0");
  ExpectConvMessage([](Graph& g) { g.nodes[0].name = "\n"; }, "the name of node 0");
}

TEST(VerifyTest, BadShapesAndFormatsOfTensors) {
  ExpectConvMessage([](Graph& g) { g.tensors[0].shape = {}; },
                    "tensor 0 \"t0\": has 0 axes; accepted are 1 to 8");
  ExpectConvMessage([](Graph& g) { g.tensors[0].shape.assign(9, 1); }, "has 9 axes");
  for (const Shape& shape : {Shape{0, 5, 3}, Shape{-1, 5, 3}, Shape{1 << 14, 1 << 13, 1},
                             Shape{std::numeric_limits<int64_t>::max(), 2, 2}}) {
    ExpectConvMessage([&](Graph& g) { g.tensors[0].shape = shape; }, "is out of range");
  }
  ExpectConvMessage(
      [](Graph& g) {
        for (int i = 0; i < 5; ++i) {
          g.tensors.push_back(g.tensors[0]);
          g.tensors.back().shape = {1 << 26};
        }
      },
      "tensors have more than 268435456 elements together");
  ExpectConvMessage([](Graph& g) { g.tensors[0].format.family = NumberFamily::kFloat32; },
                    "format float32 is not supported");
  ExpectConvMessage([](Graph& g) { g.tensors[0].format.bits = 17; },
                    "tensor 0 \"t0\": integer format has 17 bits");
}

TEST(VerifyTest, BadQuantizationOfTensors) {
  ExpectConvMessage([](Graph& g) { g.tensors[0].quantization.axis = 2; },
                    "activations have one scale per index of axis 2");
  ExpectConvMessage(
      [](Graph& g) {
        g.tensors[0].quantization.scales = {1, 2};
      },
      "has 2 scales; accepted are 0 or 1");
  ExpectConvMessage(
      [](Graph& g) {
        g.tensors[0].quantization.zero_points = {1, 2};
      },
      "has 2 zero points; accepted are 0 or 1");
  for (float scale : {0.0f, -1.0f, std::numeric_limits<float>::infinity(),
                      std::numeric_limits<float>::quiet_NaN()}) {
    ExpectConvMessage([&](Graph& g) { g.tensors[0].quantization.scales = {scale}; },
                      "accepted are finite values above 0");
  }
  ExpectConvMessage([](Graph& g) { g.tensors[0].quantization.zero_points = {128}; },
                    "zero point is 128; accepted are -128 to 127 (int8)");
  const auto fixed_point = [](Graph& g) {
    g.tensors[0].format = {NumberFamily::kFixedPoint, 8, true, 6, 0, 0, 0};
  };
  ExpectConvMessage(fixed_point, "format q1.6 has 1 scales; accepted are 0");
  ExpectConvMessage(
      [&](Graph& g) {
        fixed_point(g);
        g.tensors[0].quantization.scales.clear();
      },
      "zero point is 3; accepted are 0 to 0 (q1.6)");
  // Inside a network any code may be the zero point.
  ExpectConvMessage(
      [&](Graph& g) {
        fixed_point(g);
        g.tensors[0].quantization = {{}, {-129}, -1};
        g.input = 1;
      },
      "zero point is -129; accepted are -128 to 127 (q1.6)");
}

TEST(VerifyTest, BadConstants) {
  ExpectConvMessage([](Graph& g) { g.constants[0].codes.pop_back(); },
                    "constant 0 \"c0\": has 107 codes; accepted are 108 (shape 4x3x3x3)");
  ExpectConvMessage([](Graph& g) { g.constants[0].shape = {}; }, "constant 0 \"c0\": has 0 axes");
  ExpectConvMessage([](Graph& g) { g.constants[0].format.family = NumberFamily::kFloat32; },
                    "supported are integers");
  ExpectConvMessage([](Graph& g) { g.constants[1].format.bits = 65; },
                    "signed integer has 65 bits; accepted are 2 to 64");
  ExpectConvMessage(
      [](Graph& g) {
        g.constants[0].format.is_signed = false;
        g.constants[0].format.bits = 17;
      },
      "unsigned integer has 17 bits; accepted are 2 to 16");
  ExpectConvMessage(
      [](Graph& g) { g.constants[1].format = {NumberFamily::kFixedPoint, 32, true, 65, 0, 0, 0}; },
      "has 65 fraction bits");
  ExpectConvMessage([](Graph& g) { g.constants[0].quantization.axis = 4; },
                    "quantization axis is 4; accepted are -1 to 3");
  ExpectConvMessage(
      [](Graph& g) {
        g.constants[0].quantization = {{1, 1, 1}, {}, 0};
      },
      "has 3 scales; accepted are 0 or 4");
  ExpectConvMessage(
      [](Graph& g) {
        g.constants[0].quantization = {{1, 1, 1, 1}, {0, 0, 1, 0}, 0};
      },
      "zero point is 1; supported is 0 for weights and biases");
  ExpectConvMessage([](Graph& g) { g.constants[0].codes[5] = 128; },
                    "code 128 is out of range; accepted are -128 to 127 (int8)");
  ExpectConvMessage([](Graph& g) { g.constants[0].format.bits = 64; },
                    "weights: integer format has 64 bits");
}

TEST(VerifyTest, BadOrder) {
  ExpectConvMessage([](Graph& g) { g.input = 2; },
                    "the graph's input is tensor 2; accepted are 0 to 1");
  ExpectConvMessage([](Graph& g) { g.output = -1; }, "the graph's output is tensor -1");
  ExpectConvMessage([](Graph& g) { g.nodes.clear(); }, "the graph has 0 nodes");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).inputs = {7}; },
                    "node 0 \"n0\" (CONV_2D): input is tensor 7");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).inputs = {1}; },
                    "input tensor 1 \"t1\" is not produced by an earlier node");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).output = 9; }, "output is tensor 9");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).output = 0; },
                    "output tensor 0 \"t0\" is written a second time");
  ExpectConvMessage([](Graph& g) { g.nodes.push_back(OnlyNode(g)); },
                    "output tensor 1 \"t1\" is written a second time");
  ExpectConvMessage([](Graph& g) { g.tensors.push_back(g.tensors[0]); },
                    "tensor 2 \"t0\" is neither the graph's input nor the output of a node");
  EXPECT_FALSE(Verify(Graph{}).ok());
}

TEST(VerifyTest, BadOperands) {
  ExpectConvMessage([](Graph& g) { OnlyNode(g).inputs = {0, 0}; }, "has 2 inputs; accepted are 1");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).inputs = {}; }, "has 0 inputs; accepted are 1");
  EXPECT_THAT(MessageAfter(OperatorKind::kAdd, [](Graph& g) { OnlyNode(g).inputs = {0}; }),
              HasSubstr("has 1 inputs; accepted are 2"));
  ExpectConvMessage([](Graph& g) { OnlyNode(g).weights = -1; },
                    "weights are constant -1; accepted are 0 to 1");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).bias = 2; },
                    "bias is constant 2; accepted are -1 (none) to 1");
  EXPECT_THAT(MessageAfter(OperatorKind::kReshape, [](Graph& g) { OnlyNode(g).weights = 0; }),
              HasSubstr("has weights 0 and bias -1; accepted are -1 (none)"));
}

TEST(VerifyTest, BadShapesOfOperators) {
  ExpectConvMessage(
      [](Graph& g) {
        g.tensors[1].shape = {6, 5, 5};
      },
      "output has shape 6x5x5; accepted is 6x5x4");
  ExpectConvMessage(
      [](Graph& g) {
        g.tensors[0].shape = {30, 3};
      },
      "input has shape 30x3; accepted are three axes");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).window.kernel_h = 2; },
                    "weights have shape 4x3x3x3; accepted is 4x2x3x3 (OHWI)");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).window.pad_top = 3; }, "along y: padding is 3");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).window.stride_w = 0; }, "along x: stride is 0");
  ExpectConvMessage(
      [](Graph& g) {
        g.constants[1].shape = {2, 2};
      },
      "bias has shape 2x2; accepted is 4 (one per output channel)");
  EXPECT_THAT(MessageAfter(OperatorKind::kDepthwiseConv2d,
                           [](Graph& g) { OnlyNode(g).depth_multiplier = 2; }),
              HasSubstr("weights have shape 3x3x3; accepted is 3x3x6 (HWC)"));
  EXPECT_THAT(MessageAfter(OperatorKind::kDepthwiseConv2d,
                           [](Graph& g) { OnlyNode(g).depth_multiplier = 0; }),
              HasSubstr("depth multiplier is 0"));
  EXPECT_THAT(
      MessageAfter(OperatorKind::kFullyConnected, [](Graph& g) { g.tensors[0].shape = {91}; }),
      HasSubstr("weights have shape 4x90; accepted is 4x91 (OI)"));
  EXPECT_THAT(MessageAfter(OperatorKind::kReshape, [](Graph& g) { g.tensors[1].shape = {91}; }),
              HasSubstr("reshapes 6x5x3 (90 elements) to 91 (91 elements)"));
  EXPECT_THAT(MessageAfter(OperatorKind::kReshape, [](Graph& g) { g.tensors[1].format.bits = 7; }),
              HasSubstr("takes int8 with zero point 3 to int7 with zero point 3"));
  const std::string add = MessageAfter(OperatorKind::kAdd, [](Graph& g) {
    Node reshape;
    reshape.kind = OperatorKind::kReshape;
    reshape.inputs = {0};
    reshape.output = 2;
    g.tensors.push_back(g.tensors[0]);
    g.tensors[2].shape = {90};
    g.nodes.insert(g.nodes.begin(), reshape);
    g.nodes[1].inputs = {0, 2};
  });
  EXPECT_THAT(add, HasSubstr("operands have shapes 6x5x3 and 90; accepted are equal shapes"));
}

TEST(VerifyTest, BadRequantization) {
  ExpectConvMessage(
      [](Graph& g) { OnlyNode(g).requantization.kind = RequantizationKind::kMean; },
      "requantization is mean; accepted is shift, multiply-add-divide, multiplier-double");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).requantization.channels.pop_back(); },
                    "requantization has 3 multipliers; accepted are 1 or 4");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).requantization.channels.clear(); },
                    "requantization has 0 multipliers");
  for (int32_t multiplier : {1, -1, (1 << 30) - 1, INT32_MIN}) {
    ExpectConvMessage(
        [&](Graph& g) { OnlyNode(g).requantization.channels[2].multiplier = multiplier; },
        "multiplier is " + std::to_string(multiplier) +
            "; accepted are 0 and 1073741824 to 2147483647");
  }
  for (int32_t shift : {-32, 8}) {
    ExpectConvMessage([&](Graph& g) { OnlyNode(g).requantization.channels[0].shift = shift; },
                      "shift of multiplier is " + std::to_string(shift));
  }
  for (const std::pair<int, int>& range : {std::pair{-129, 0}, {0, 128}, {5, 4}}) {
    ExpectConvMessage(
        [&](Graph& g) {
          OnlyNode(g).requantization.clamp_min = range.first;
          OnlyNode(g).requantization.clamp_max = range.second;
        },
        "accepted are ascending codes of the output's int8: -128 to 127");
  }
  ExpectConvMessage([](Graph& g) { OnlyNode(g).requantization.zero_point = 0; },
                    "requantization adds zero point 0; accepted is -4");
  ExpectConvMessage([](Graph& g) { OnlyNode(g).required_accumulator_bits = 7; },
                    "required accumulator width is 7 bits; accepted are 8 to 80");
  const auto as_shift = [](Graph& g) {
    OnlyNode(g).requantization.kind = RequantizationKind::kShift;
    OnlyNode(g).requantization.channels = {{0, 5}};
  };
  EXPECT_EQ(MessageAfter(OperatorKind::kConv2d, as_shift), "accepted");
  ExpectConvMessage(
      [&](Graph& g) {
        as_shift(g);
        OnlyNode(g).requantization.channels = {{0, -1}};
      },
      "shift is -1; accepted are 0 to 31");
  ExpectConvMessage(
      [&](Graph& g) {
        as_shift(g);
        OnlyNode(g).requantization.channels = {{1 << 30, 1}};
      },
      "shift requantization has multiplier 1073741824; accepted is 0");
}

TEST(VerifyTest, BadRequantizationOfUnweightedOperators) {
  EXPECT_THAT(
      MessageAfter(OperatorKind::kAveragePool2d,
                   [](Graph& g) { OnlyNode(g).requantization.kind = RequantizationKind::kShift; }),
      HasSubstr("requantization has 0 multipliers; accepted are 1"));
  EXPECT_THAT(MessageAfter(OperatorKind::kAveragePool2d,
                           [](Graph& g) {
                             OnlyNode(g).requantization.channels = {{0, 0}};
                           }),
              HasSubstr("has 1 multipliers; accepted are 0"));
  EXPECT_THAT(MessageAfter(OperatorKind::kAveragePool2d,
                           [](Graph& g) { OnlyNode(g).requantization.zero_point = 3; }),
              HasSubstr("adds zero point 3; accepted is 0"));
  EXPECT_THAT(
      MessageAfter(OperatorKind::kReshape,
                   [](Graph& g) { OnlyNode(g).requantization.kind = RequantizationKind::kMean; }),
      HasSubstr("requantization is mean; accepted is none"));
}

TEST(VerifyTest, BadAccumulators) {
  const auto with_bias = [](int64_t bias, int32_t shift) {
    return [=](Graph& g) {
      g.constants[1].codes[1] = bias;
      OnlyNode(g).requantization.channels[1].shift = shift;
    };
  };
  EXPECT_EQ(MessageAfter(OperatorKind::kConv2d, with_bias(int64_t{1} << 30, 0)), "accepted");
  ExpectConvMessage(with_bias(int64_t{1} << 30, 1),
                    "output channel 1 needs 32 bits and is shifted left by 1; accepted are at most "
                    "32 bits together (multiplier-double)");
  ExpectConvMessage(with_bias((int64_t{1} << 31) - 1, 0), "needs 33 bits");
  for (int64_t bias : {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(),
                       int64_t{1} << 62}) {
    ExpectConvMessage(with_bias(bias, 0), "the accumulator of output channel 1 may leave 63 bits");
  }
  const auto as_shift = [](Graph& g) {
    OnlyNode(g).requantization.kind = RequantizationKind::kShift;
    OnlyNode(g).requantization.channels = {{0, 31}};
    g.constants[1].codes[1] = (int64_t{1} << 62) - (int64_t{1} << 40);
  };
  EXPECT_EQ(MessageAfter(OperatorKind::kConv2d, as_shift), "accepted");
}

TEST(VerifyTest, BadAdd) {
  const auto message = [](const std::function<void(Node&)>& change) {
    return MessageAfter(OperatorKind::kAdd, [&](Graph& g) { change(OnlyNode(g)); });
  };
  EXPECT_EQ(message([](Node&) {}), "accepted");
  EXPECT_THAT(
      message([](Node& n) { n.requantization.kind = RequantizationKind::kMean; }),
      HasSubstr("accepted is shift, multiply-add-divide, multiplier-double or multiplier-single"));
  EXPECT_THAT(message([](Node& n) { n.requantization.kind = RequantizationKind::kShift; }),
              HasSubstr("accepted are multiplier 0 and left shifts 0 to 19"));
  EXPECT_THAT(message([](Node& n) {
                n.requantization.channels = {{0, 0}};
              }),
              HasSubstr("accepted are 0"));
  EXPECT_THAT(message([](Node& n) { n.add.input[0].multiplier = 5; }),
              HasSubstr("input 0's multiplier is 5"));
  EXPECT_THAT(message([](Node& n) { n.add.input[1].shift = 8; }),
              HasSubstr("shift of input 1's multiplier is 8"));
  EXPECT_THAT(message([](Node& n) { n.add.output.multiplier = 5; }),
              HasSubstr("output multiplier is 5"));
  // 131 * 2^20 * 2^4 = 2^31.03
  EXPECT_THAT(
      message([](Node& n) {
        n.add.input[1] = {1 << 30, 4};
      }),
      HasSubstr("input 1 reaches 131 from its zero point, which shifted left by 24 leaves 32 "
                "bits; accepted are at most 127"));
  EXPECT_THAT(message([](Node& n) {
                n.add.input[0] = {2147483647, 0};
                n.add.input[1] = {2147483647, 0};
                n.add.output = {1 << 30, 3};
              }),
              AllOf(HasSubstr("the sum of both operands may reach 2747"),
                    HasSubstr("shifted left by 3 leaves 32 bits; accepted are at most 268435455")));
}

TEST(VerifyTest, BadSoftmax) {
  const auto message = [](const std::function<void(Graph&)>& change) {
    return MessageAfter(OperatorKind::kSoftmax, change);
  };
  EXPECT_THAT(message([](Graph& g) { g.tensors[0].format.bits = 9; }),
              HasSubstr("tensor \"t0\" has format int9; supported is int8"));
  EXPECT_THAT(message([](Graph& g) { g.tensors[1].quantization.zero_points = {0}; }),
              HasSubstr("output zero point is 0; accepted is -128"));
  EXPECT_THAT(message([](Graph& g) {
                g.tensors[0].shape = {4096};
                g.tensors[1].shape = {4096};
              }),
              HasSubstr("last axis has 4096 elements; supported are at most 4095"));
  EXPECT_THAT(message([](Graph& g) { OnlyNode(g).softmax.input_multiplier = 1; }),
              HasSubstr("input multiplier is 1"));
  for (int shift : {-1, 32}) {
    EXPECT_THAT(message([&](Graph& g) { OnlyNode(g).softmax.input_left_shift = shift; }),
                HasSubstr("input left shift is " + std::to_string(shift)));
  }
  EXPECT_THAT(message([](Graph& g) { OnlyNode(g).softmax.diff_min = 1; }),
              HasSubstr("diff_min is 1; accepted are -"));
  EXPECT_THAT(message([](Graph& g) { OnlyNode(g).softmax.diff_min = INT32_MIN; }),
              HasSubstr("diff_min is -2147483648"));
  EXPECT_THAT(message([](Graph& g) {
                OnlyNode(g).requantization.kind = RequantizationKind::kMultiplierDouble;
              }),
              HasSubstr("accepted is none"));
}

// Random damage of plain data: Verify() answers, whatever the numbers are.
TEST(VerifyTest, BadRandomNumbersNeverCrash) {
  Rng rng(4242);
  int num_refused = 0;
  for (int i = 0; i < 3000; ++i) {
    Graph graph = stimulus::RandomChain(rng);
    const auto pick = [&](size_t size) {
      return static_cast<size_t>(rng.UniformInt(0, static_cast<int64_t>(size) - 1));
    };
    const int64_t wild = rng.Bernoulli(0.5)
                             ? rng.UniformInt(-300, 300)
                             : static_cast<int64_t>(rng.Next()) >> rng.UniformInt(0, 63);
    const int narrow = static_cast<int>(wild);
    Node& node = graph.nodes[pick(graph.nodes.size())];
    TensorInfo& tensor = graph.tensors[pick(graph.tensors.size())];
    Constant& constant = graph.constants[pick(graph.constants.size())];
    switch (rng.UniformInt(0, 13)) {
      case 0:
        node.output = narrow;
        break;
      case 1:
        node.inputs[0] = narrow;
        break;
      case 2:
        node.weights = narrow;
        break;
      case 3:
        node.bias = narrow;
        break;
      case 4:
        node.window.kernel_h = narrow;
        break;
      case 5:
        node.window.stride_w = narrow;
        break;
      case 6:
        node.window.pad_left = narrow;
        break;
      case 7:
        node.depth_multiplier = narrow;
        break;
      case 8:
        tensor.shape[pick(tensor.shape.size())] = wild;
        break;
      case 9:
        tensor.format.bits = narrow;
        break;
      case 10:
        constant.shape[pick(constant.shape.size())] = wild;
        break;
      case 11:
        constant.codes[pick(constant.codes.size())] = wild;
        break;
      case 12:
        constant.format.bits = narrow;
        break;
      default:
        node.kind = static_cast<OperatorKind>(rng.UniformInt(0, 9));
        break;
    }
    num_refused += !Verify(graph).ok();
  }
  EXPECT_GT(num_refused, 1500);
}

}  // namespace
}  // namespace macloom::ir
