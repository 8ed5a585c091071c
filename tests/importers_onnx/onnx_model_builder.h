// Small .onnx files for tests, written with the importer's own container subset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "importers/onnx/subset.pb.h"

namespace macloom::testing {

/// Builds a model node by node; names are values.
class OnnxModelBuilder {
 public:
  using Model = importers::onnx::schema::ModelRecord;
  using Node = importers::onnx::schema::NodeRecord;

  OnnxModelBuilder() { model_.set_ir_version(8); }

  OnnxModelBuilder& Input(const std::string& name, const std::vector<int64_t>& shape) {
    auto* value = model_.mutable_graph()->add_inputs();
    value->set_name(name);
    auto* type = value->mutable_type()->mutable_tensor_type();
    type->set_element_type(1);
    for (const int64_t d : shape) type->mutable_shape()->add_dimensions()->set_size(d);
    return *this;
  }
  OnnxModelBuilder& Output(const std::string& name) {
    model_.mutable_graph()->add_outputs()->set_name(name);
    return *this;
  }
  /// A float32 initializer.
  OnnxModelBuilder& Floats(const std::string& name, const std::vector<int64_t>& shape,
                           const std::vector<float>& values) {
    auto* tensor = Tensor(name, shape, 1);
    for (const float value : values) tensor->add_float_data(value);
    return *this;
  }
  /// An integer initializer of ONNX element type 3 (int8), 6 (int32) and so on.
  OnnxModelBuilder& Integers(const std::string& name, const std::vector<int64_t>& shape, int type,
                             const std::vector<int64_t>& values) {
    auto* tensor = Tensor(name, shape, type);
    for (const int64_t value : values) {
      if (type == 7) {
        tensor->add_int64_data(value);
      } else {
        tensor->add_int32_data(static_cast<int32_t>(value));
      }
    }
    return *this;
  }
  /// A node; attributes are added to what this returns.
  Node* Add(const std::string& type, const std::vector<std::string>& inputs,
            const std::string& output) {
    Node* node = model_.mutable_graph()->add_nodes();
    node->set_operator_type(type);
    for (const std::string& input : inputs) node->add_inputs(input);
    node->add_outputs(output);
    return node;
  }
  static void SetNumber(Node* node, const std::string& name, int64_t value) {
    auto* attribute = node->add_attributes();
    attribute->set_name(name);
    attribute->set_int_value(value);
  }
  static void SetNumbers(Node* node, const std::string& name, const std::vector<int64_t>& values) {
    auto* attribute = node->add_attributes();
    attribute->set_name(name);
    for (const int64_t value : values) attribute->add_int_values(value);
  }

  Model& model() { return model_; }
  std::vector<uint8_t> Bytes() const {
    const std::string text = model_.SerializeAsString();
    return {text.begin(), text.end()};
  }

 private:
  importers::onnx::schema::TensorRecord* Tensor(const std::string& name,
                                                const std::vector<int64_t>& shape, int type) {
    auto* tensor = model_.mutable_graph()->add_initializers();
    tensor->set_name(name);
    tensor->set_element_type(type);
    for (const int64_t d : shape) tensor->add_shape(d);
    return tensor;
  }

  Model model_;
};

/// A QDQ network as onnxruntime writes it: Conv 3x3 (per-channel int8 weights, int32 bias), Relu,
/// depthwise Conv, Flatten, Gemm; all codes int8. `seed` draws its numbers.
inline OnnxModelBuilder QdqModel(uint32_t seed) {
  OnnxModelBuilder model;
  uint32_t state = seed * 2654435761u + 12345u;
  const auto draw = [&](int64_t low, int64_t high) {
    state = state * 1664525u + 1013904223u;
    return low + static_cast<int64_t>(state >> 8) % (high - low + 1);
  };
  const auto codes = [&](size_t count, int64_t low, int64_t high) {
    std::vector<int64_t> values(count);
    for (int64_t& value : values) value = draw(low, high);
    return values;
  };
  const auto scale = [&](float base) { return base * static_cast<float>(draw(70, 130)) / 100.0f; };
  model.Input("x", {1, 2, 6, 5}).Output("y");
  struct Activation {
    const char* name;
    float base;
  };
  std::vector<float> s;
  for (const Activation a : {Activation{"x", 0.02f}, {"a", 0.05f}, {"b", 0.04f}, {"y", 0.2f}}) {
    s.push_back(scale(a.base));
    model.Floats(std::string(a.name) + ".s", {}, {s.back()});
    model.Integers(std::string(a.name) + ".z", {}, 3, {draw(-40, 40)});
  }
  const auto weights = [&](const std::string& name, const std::vector<int64_t>& shape, float base,
                           float input_scale) {
    size_t count = 1;
    for (const int64_t d : shape) count *= static_cast<size_t>(d);
    const auto channels = static_cast<size_t>(shape[0]);
    std::vector<float> scales;
    std::vector<float> bias_scales;
    for (size_t c = 0; c < channels; ++c) {
      scales.push_back(scale(base));
      bias_scales.push_back(scales.back() * input_scale);
    }
    model.Integers(name + ".q", shape, 3, codes(count, -127, 127));
    model.Floats(name + ".s", {shape[0]}, scales);
    model.Integers(name + ".bias.q", {shape[0]}, 6, codes(channels, -3000, 3000));
    model.Floats(name + ".bias.s", {shape[0]}, bias_scales);
    for (const std::string& of : {name, name + ".bias"}) {
      OnnxModelBuilder::SetNumber(model.Add("DequantizeLinear", {of + ".q", of + ".s"}, of), "axis",
                                  0);
    }
  };
  const auto pair = [&](const std::string& from, const std::string& to) {
    model.Add("QuantizeLinear", {from, to + ".s", to + ".z"}, to + ".codes");
    model.Add("DequantizeLinear", {to + ".codes", to + ".s", to + ".z"}, to + ".real");
  };
  weights("w0", {3, 2, 3, 3}, 0.01f, s[0]);
  weights("w1", {3, 1, 3, 3}, 0.02f, s[1]);
  weights("w2", {4, 18}, 0.01f, s[2]);
  pair("x", "x");
  auto* conv = model.Add("Conv", {"x.real", "w0", "w0.bias"}, "conv0");
  OnnxModelBuilder::SetNumbers(conv, "kernel_shape", {3, 3});
  OnnxModelBuilder::SetNumbers(conv, "pads", {1, 1, 1, 1});
  model.Add("Relu", {"conv0"}, "relu0");
  pair("relu0", "a");
  auto* depthwise = model.Add("Conv", {"a.real", "w1", "w1.bias"}, "conv1");
  OnnxModelBuilder::SetNumbers(depthwise, "kernel_shape", {3, 3});
  OnnxModelBuilder::SetNumbers(depthwise, "strides", {2, 2});
  OnnxModelBuilder::SetNumbers(depthwise, "pads", {1, 1, 1, 0});
  OnnxModelBuilder::SetNumber(depthwise, "group", 3);
  pair("conv1", "b");
  model.Add("Flatten", {"b.real"}, "flat");
  OnnxModelBuilder::SetNumber(model.Add("Gemm", {"flat", "w2", "w2.bias"}, "gemm"), "transB", 1);
  model.Add("QuantizeLinear", {"gemm", "y.s", "y.z"}, "y.codes");
  model.Add("DequantizeLinear", {"y.codes", "y.s", "y.z"}, "y");
  return model;
}

}  // namespace macloom::testing
