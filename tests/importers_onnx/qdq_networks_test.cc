// QuantizeLinear / DequantizeLinear networks against the second model on real numbers.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/rng.h"
#include "golden/reference/executor.h"
#include "importers/onnx/importer.h"
#include "tests/importers_onnx/onnx_model_builder.h"
#include "tests/importers_onnx/real_valued_model.h"

namespace macloom::importers {
namespace {

using testing::OnnxModelBuilder;
using testing::QdqModel;
using testing::RealTensor;
using testing::RealValuedModel;

TEST(QdqNetworks, EveryQuantizerEqualsTheSecondModel) {
  Rng random(7);
  int64_t num_codes = 0;
  int64_t num_inner_codes = 0;  // Neither at the smallest nor at the largest code.
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    const std::vector<uint8_t> bytes = QdqModel(seed).Bytes();
    const auto graph = ImportOnnx(bytes);
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    EXPECT_EQ(graph->nodes.size(), 3u);
    const auto file = onnx::OpenContainer(bytes);
    ASSERT_TRUE(file.ok());
    for (int sample = 0; sample < 5; ++sample) {
      RealTensor input{{1, 2, 6, 5}, std::vector<double>(60)};
      for (double& value : input.values) {
        value = static_cast<double>(random.UniformInt(-3000, 3000)) / 1000;
      }
      RealValuedModel model(*file);
      const auto tensors = model.Run(input);
      const auto codes_of = [&](const std::string& name) {
        const RealTensor& tensor = tensors.at(name);
        const size_t channels = static_cast<size_t>(tensor.shape[1]);
        const size_t positions = tensor.values.size() / channels;
        std::vector<int32_t> codes(tensor.values.size());
        for (size_t i = 0; i < codes.size(); ++i) {
          codes[i % positions * channels + i / positions] =
              static_cast<int32_t>(std::lround(tensor.values[i]));
        }
        return codes;
      };
      const auto trace =
          golden::Run(*graph, {graph->tensor(graph->input).shape, codes_of("x.codes")});
      ASSERT_TRUE(trace.ok()) << trace.error().message;
      for (const ir::Node& node : graph->nodes) {
        const ir::TensorInfo& tensor = graph->tensor(node.output);
        const std::vector<int32_t>& got = trace->tensors[static_cast<size_t>(node.output)].codes;
        EXPECT_EQ(got, codes_of(tensor.name)) << tensor.name;
        for (const int32_t code : got) {
          ++num_codes;
          num_inner_codes += code > -128 && code < 127 ? 1 : 0;
        }
      }
    }
  }
  // Else the comparison would be one of clamps.
  EXPECT_GT(num_inner_codes * 2, num_codes);
}

/// One broken property of a file that imports otherwise, and the words the message must hold.
struct Case {
  const char* name;
  void (*change)(OnnxModelBuilder::Model&);
  const char* part;
};

importers::onnx::schema::TensorRecord* Initializer(OnnxModelBuilder::Model& model,
                                                   const std::string& name) {
  for (auto& tensor : *model.mutable_graph()->mutable_initializers()) {
    if (tensor.name() == name) return &tensor;
  }
  return nullptr;
}

void SetAttribute(OnnxModelBuilder::Model& model, const std::string& output,
                  const std::string& name, std::vector<int64_t> values) {
  for (auto& node : *model.mutable_graph()->mutable_nodes()) {
    if (node.outputs(0) != output) continue;
    for (auto& attribute : *node.mutable_attributes()) {
      if (attribute.name() != name) continue;
      attribute.clear_int_values();
      for (const int64_t value : values) attribute.add_int_values(value);
      attribute.set_int_value(values[0]);
    }
  }
}

constexpr Case kCases[] = {
    {"ZeroScale", [](auto& m) { Initializer(m, "a.s")->set_float_data(0, 0); },
     "scale is 0; accepted are finite values above 0"},
    {"NegativeScale", [](auto& m) { Initializer(m, "w0.s")->set_float_data(1, -1); },
     "scale is -1; accepted are finite values above 0"},
    {"NanScale", [](auto& m) { Initializer(m, "w1.s")->set_float_data(0, NAN); },
     "accepted are finite numbers"},
    {"UnknownOperator",
     [](auto& m) { m.mutable_graph()->mutable_nodes(7)->set_operator_type("Sin"); },
     "unsupported operators: node 7 (Sin); supported are Add"},
    {"MissingInput", [](auto& m) { m.mutable_graph()->mutable_nodes(8)->set_inputs(0, "nothing"); },
     "input 0 is 'nothing', which no earlier node makes"},
    {"SecondWriter", [](auto& m) { m.mutable_graph()->mutable_nodes(9)->set_outputs(0, "conv0"); },
     "writes 'conv0' a second time"},
    {"NegativePad",
     [](auto& m) {
       SetAttribute(m, "conv0", "pads", {-1, 1, 1, 1});
     },
     "pads holds -1; accepted are 0 to"},
    {"ZeroStride",
     [](auto& m) {
       SetAttribute(m, "conv1", "strides", {0, 2});
     },
     "strides holds 0; accepted are 1 to"},
    {"ThreePads",
     [](auto& m) {
       SetAttribute(m, "conv0", "pads", {1, 1, 1});
     },
     "pads has 3 numbers; accepted are 4"},
    {"WrongKernel",
     [](auto& m) {
       SetAttribute(m, "conv0", "kernel_shape", {3, 5});
     },
     "kernel_shape differs from the weights"},
    {"TwoGroups", [](auto& m) { SetAttribute(m, "conv1", "group", {2}); },
     "has 2 groups of 3 channels"},
    {"ShortData", [](auto& m) { Initializer(m, "w0.q")->mutable_int32_data()->RemoveLast(); },
     "53 values; accepted are 54"},
    {"LargeShape", [](auto& m) { Initializer(m, "w0.q")->set_shape(0, int64_t{1} << 40); },
     "an axis of 1099511627776 elements"},
    {"ElementType", [](auto& m) { Initializer(m, "w0.q")->set_element_type(16); },
     "element type 16; supported are"},
    {"WeightZeroPoint", [](auto& m) { m.mutable_graph()->mutable_nodes(0)->add_inputs("a.z"); },
     "weights have a zero point"},
    {"OtherScale", [](auto& m) { m.mutable_graph()->mutable_nodes(7)->set_inputs(1, "b.s"); },
     "scale or zero point differ from the quantizer's"},
    {"TwoInputs", [](auto& m) { *m.mutable_graph()->add_inputs() = m.graph().inputs(0); },
     "2 inputs and 1 outputs"},
    {"BatchOfTwo",
     [](auto& m) {
       m.mutable_graph()
           ->mutable_inputs(0)
           ->mutable_type()
           ->mutable_tensor_type()
           ->mutable_shape()
           ->mutable_dimensions(0)
           ->set_size(2);
     },
     "has a batch of 2; supported is 1"},
    {"NoGraph", [](auto& m) { m.clear_graph(); }, "not an ONNX file"},
    {"NoNodes", [](auto& m) { m.mutable_graph()->clear_nodes(); }, "the graph has 0 nodes"},
    {"OutputOfNobody", [](auto& m) { m.mutable_graph()->mutable_outputs(0)->set_name("q"); },
     "output 'q' is not made by a node"},
};

class OnnxBad : public ::testing::TestWithParam<Case> {};

TEST_P(OnnxBad, IsRefusedWithTheReason) {
  OnnxModelBuilder builder = QdqModel(3);
  ASSERT_TRUE(ImportOnnx(builder.Bytes()).ok());
  GetParam().change(builder.model());
  const auto graph = ImportOnnx(builder.Bytes());
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().message.find(GetParam().part), std::string::npos)
      << graph.error().message;
}

INSTANTIATE_TEST_SUITE_P(Cases, OnnxBad, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace macloom::importers
