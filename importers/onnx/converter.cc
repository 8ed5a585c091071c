#include "importers/onnx/converter.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace macloom::importers::onnx {

struct OperatorTable {
  struct Entry {
    const char* type;
    Converter::Handler handler;
  };
  static constexpr auto kEntries = std::to_array<Entry>({
      {"Add", &Converter::ConvertAdd},
      {"AveragePool", &Converter::ConvertAveragePool},
      {"BatchNormalization", &Converter::ConvertBatchNormalization},
      {"BipolarQuant", &Converter::ConvertBipolarQuant},
      {"Cast", &Converter::ConvertCast},
      {"Clip", &Converter::ConvertClip},
      {"Concat", &Converter::ConvertConcat},
      {"Constant", &Converter::ConvertConstant},
      {"Conv", &Converter::ConvertConv},
      {"DequantizeLinear", &Converter::ConvertDequantizeLinear},
      {"Div", &Converter::ConvertDiv},
      {"Flatten", &Converter::ConvertReshape},
      {"Floor", &Converter::ConvertFloor},
      {"Gather", &Converter::ConvertGather},
      {"Gemm", &Converter::ConvertGemm},
      {"GlobalAveragePool", &Converter::ConvertAveragePool},
      {"GlobalMaxPool", &Converter::ConvertMaxPool},
      {"Identity", &Converter::ConvertIdentity},
      {"LogSoftmax", &Converter::ConvertSoftmax},
      {"MatMul", &Converter::ConvertMatMul},
      {"MaxPool", &Converter::ConvertMaxPool},
      {"Mul", &Converter::ConvertMul},
      {"Pad", &Converter::ConvertPad},
      {"Pow", &Converter::ConvertPow},
      {"Quant", &Converter::ConvertQuant},
      {"QuantizeLinear", &Converter::ConvertQuantizeLinear},
      {"Relu", &Converter::ConvertRelu},
      {"RequantShift", &Converter::ConvertRequantShift},
      {"Reshape", &Converter::ConvertReshape},
      {"Shape", &Converter::ConvertShapeOf},
      {"Softmax", &Converter::ConvertSoftmax},
      {"Sub", &Converter::ConvertSub},
      {"Transpose", &Converter::ConvertTranspose},
      {"Unsqueeze", &Converter::ConvertUnsqueeze},
  });
};

namespace {

constexpr int64_t kMaxExtent = 65535;
constexpr int64_t kMaxActivationElements = int64_t{1} << 24;
constexpr int64_t kMaxMadeElements = int64_t{1} << 25;

// Element types of the input whose codes the file states.
constexpr int32_t kTypeUint8 = 2;
constexpr int32_t kTypeInt8 = 3;

bool IsQuantizer(const std::string& type) {
  return type == "Quant" || type == "BipolarQuant" || type == "QuantizeLinear";
}

}  // namespace

std::string SupportedOperators() {
  std::string names;
  for (const auto& entry : OperatorTable::kEntries) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", entry.type);
  }
  return names;
}

Status Converter::AddInput() {
  const FileValue& input = file_.input;
  std::vector<int64_t> dims = input.shape;
  if (dims.size() < 2 || dims.size() > 4) {
    return Unsupported(fmt::format("input '{}' has {} axes; supported are 2 to 4, batch first",
                                   Printable(input.name), dims.size()));
  }
  if (dims[0] == -1) dims[0] = 1;  // A batch of any size.
  int64_t count = 1;
  for (const int64_t dimension : dims) {
    if (dimension < 1 || dimension > kMaxExtent || count * dimension > kMaxActivationElements) {
      return InvalidInput(fmt::format(
          "input '{}' has an axis of {} elements; accepted are 1 to {}, at most {} together",
          Printable(input.name), dimension, kMaxExtent, kMaxActivationElements));
    }
    count *= dimension;
  }
  if (dims[0] != 1) {
    return Unsupported(fmt::format("input '{}' has a batch of {}; supported is 1",
                                   Printable(input.name), dims[0]));
  }
  const ir::Shape shape(dims.begin() + 1, dims.end());
  bool has_quantizer = false;
  for (const FileNode& node : file_.nodes) has_quantizer |= IsQuantizer(node.type);
  if (has_quantizer) {
    ActivationValue value;
    value.shape = shape;
    value.is_graph_input = true;
    values_[input.name] = Of(std::move(value));
    return {};
  }
  // Integers in float tensors: int9 holds both int8 and uint8, and the file does not say which.
  CodeFormat codes;
  codes.format.bits = 9;
  if (input.element_type == kTypeInt8 || input.element_type == kTypeUint8) {
    codes.format.bits = 8;
    codes.format.is_signed = input.element_type == kTypeInt8;
  }
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, builder_.AddInput(input.name, shape, codes));
  values_[input.name] = Of(std::move(value));
  return {};
}

Result<ir::Graph> Converter::Convert() {
  std::string unsupported;
  for (const FileNode& node : file_.nodes) {
    bool is_known = false;
    for (const auto& entry : OperatorTable::kEntries) is_known |= node.type == entry.type;
    if (is_known || unsupported.size() > 1000) continue;
    unsupported += fmt::format("{}{}", unsupported.empty() ? "" : ", ", node.label);
  }
  if (!unsupported.empty()) {
    return Unsupported(fmt::format("unsupported operators: {}; supported are {}", unsupported,
                                   SupportedOperators()));
  }
  for (const FileTensor& tensor : file_.constants) {
    values_[tensor.name] = Of(ConstantValue{tensor.shape, tensor.values, {}, {}, 0});
  }
  MACLOOM_RETURN_IF_ERROR(AddInput());
  int64_t num_elements = 0;
  for (const FileNode& node : file_.nodes) {
    if (node.outputs.empty() || node.outputs[0].empty()) {
      return InvalidInput(node.label + ": has no output; accepted is one");
    }
    if (values_.count(node.outputs[0]) != 0) {
      return InvalidInput(fmt::format("{}: writes '{}' a second time; accepted is one writer",
                                      node.label, Printable(node.outputs[0])));
    }
    Handler handler = nullptr;
    for (const auto& entry : OperatorTable::kEntries) {
      if (node.type == entry.type) handler = entry.handler;
    }
    auto value = (this->*handler)(node);
    if (!value.ok()) {
      return Error{value.error().kind, node.label + ": " + value.error().message};
    }
    // Many nodes on one large constant, or on one large map, must not add up.
    const AffineMap& map = value->activation.map;
    num_elements += static_cast<int64_t>(map.slope.size() + map.offset.size() + map.num.size() +
                                         map.add.size());
    if (value->constant != nullptr) {
      num_elements += static_cast<int64_t>(value->constant->values.size());
    }
    if (num_elements + builder_.num_constant_elements() > kMaxMadeElements) {
      return Unsupported(fmt::format(
          "{}: the nodes so far make constants of more than {} elements; supported are at most "
          "that many",
          node.label, kMaxMadeElements));
    }
    values_[node.outputs[0]] = std::move(value).value();
  }
  const auto output = values_.find(file_.output);
  if (output == values_.end() || output->second.constant != nullptr) {
    return InvalidInput(
        fmt::format("output '{}' is not made by a node from the input", Printable(file_.output)));
  }
  const auto id = builder_.Finish(output->second.activation, file_.output);
  if (!id.ok()) return Error{id.error().kind, "the network's output: " + id.error().message};
  builder_.graph().output = *id;
  return std::move(builder_.graph());
}

Result<Value> Converter::Operand(const FileNode& node, size_t index) const {
  if (!HasOperand(node, index)) {
    return InvalidInput(fmt::format("has no input {}; accepted is one", index));
  }
  const auto found = values_.find(node.inputs[index]);
  if (found == values_.end()) {
    return InvalidInput(fmt::format("input {} is '{}', which no earlier node makes", index,
                                    Printable(node.inputs[index])));
  }
  return found->second;
}

Result<ActivationValue> Converter::Activation(const FileNode& node, size_t index) const {
  MACLOOM_ASSIGN_OR_RETURN(const Value value, Operand(node, index));
  if (value.constant != nullptr) {
    return Unsupported(fmt::format("input {} is a constant; supported is an activation", index));
  }
  if (value.activation.is_host_side) {
    return Unsupported("follows a Softmax; supported is a Softmax at the network's end");
  }
  return value.activation;
}

Result<ActivationValue> Converter::Codes(const FileNode& node, size_t index) {
  MACLOOM_ASSIGN_OR_RETURN(const ActivationValue value, Activation(node, index));
  if (!value.is_floored || value.outer != 1) return value;
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue codes,
                           builder_.RequantizeUnclamped(value, node.inputs[index]));
  values_[node.inputs[index]] = Of(codes);
  return codes;
}

Result<std::shared_ptr<const ConstantValue>> Converter::Constant(const FileNode& node,
                                                                 size_t index) const {
  MACLOOM_ASSIGN_OR_RETURN(const Value value, Operand(node, index));
  if (value.constant == nullptr) {
    return Unsupported(fmt::format("input {} is an activation; supported is a constant", index));
  }
  return value.constant;
}

Result<double> Converter::Scalar(const FileNode& node, size_t index) const {
  MACLOOM_ASSIGN_OR_RETURN(const auto constant, Constant(node, index));
  if (constant->values.size() == 1) return constant->values[0];
  return Unsupported(
      fmt::format("input {} has {} elements; supported is 1", index, constant->values.size()));
}

Result<std::vector<double>> Converter::PerChannel(const ConstantValue& constant,
                                                  const ActivationValue& activation) const {
  if (constant.values.size() == 1) return constant.values;
  // Right-aligned with [1, C, ...]: every axis is 1 but the channels'.
  const size_t rank = activation.shape.size() + 1;
  const ir::Shape& shape = constant.shape;
  bool matches = shape.size() <= rank;
  for (size_t i = 0; matches && i < shape.size(); ++i) {
    const size_t axis = rank - shape.size() + i;
    matches = shape[i] == (axis == 1 ? activation.shape[0] : 1);
  }
  matches = matches && static_cast<int64_t>(constant.values.size()) == activation.shape[0];
  if (matches && activation.image.empty()) return constant.values;
  return Unsupported(
      fmt::format("an operand has shape {}; supported are one element, or one per channel of {}",
                  ir::ToString(constant.shape), ir::ToString(activation.shape)));
}

double Converter::Number(const FileNode& node, const char* name, double otherwise) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return otherwise;
  const FileAttribute& attribute = found->second;
  return attribute.tensor.values.empty() ? attribute.number : attribute.tensor.values[0];
}

int64_t Converter::SmallNumber(const FileNode& node, const char* name, int64_t otherwise) {
  const double number = Number(node, name, static_cast<double>(otherwise));
  return number >= 0 && number <= 65535 ? static_cast<int64_t>(number) : -1;
}

Result<std::vector<int64_t>> Converter::Numbers(const FileNode& node, const char* name,
                                                size_t count, int64_t otherwise, int64_t low,
                                                int64_t high) {
  const auto found = node.attributes.find(name);
  if (found == node.attributes.end()) return std::vector<int64_t>(count, otherwise);
  const std::vector<int64_t>& numbers = found->second.numbers;
  if (numbers.size() != count) {
    return InvalidInput(
        fmt::format("{} has {} numbers; accepted are {}", name, numbers.size(), count));
  }
  for (const int64_t number : numbers) {
    if (number >= low && number <= high) continue;
    return InvalidInput(fmt::format("{} holds {}; accepted are {} to {}", name, number, low, high));
  }
  return numbers;
}

std::string Converter::Text(const FileNode& node, const char* name, const char* otherwise) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? otherwise : found->second.text;
}

Result<ir::Window> Converter::ReadWindow(const FileNode& node, const ActivationValue& input,
                                         const std::vector<int64_t>& kernel) const {
  const size_t axes = kernel.size();
  if (axes < 1 || axes + 1 != input.shape.size()) {
    return InvalidInput(fmt::format("a kernel of {} axes on an input of {}; accepted are equal",
                                    axes, input.shape.size() - 1));
  }
  const std::string auto_pad = Text(node, "auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID") {
    return Unsupported(
        fmt::format("auto_pad is {}; supported are NOTSET and VALID", Printable(auto_pad)));
  }
  if (Number(node, "ceil_mode", 0) != 0) {
    return Unsupported("ceil_mode is set; supported is 0");
  }
  MACLOOM_ASSIGN_OR_RETURN(const auto strides, Numbers(node, "strides", axes, 1, 1, kMaxExtent));
  MACLOOM_ASSIGN_OR_RETURN(const auto dilations,
                           Numbers(node, "dilations", axes, 1, 1, kMaxExtent));
  MACLOOM_ASSIGN_OR_RETURN(const auto pads, Numbers(node, "pads", 2 * axes, 0, 0, kMaxExtent));
  const auto at = [&](const std::vector<int64_t>& list, size_t i) {
    return static_cast<int>(list[i]);
  };
  for (const int64_t extent : kernel) {
    if (extent < 1 || extent > kMaxExtent) {
      return InvalidInput(
          fmt::format("the kernel has {} taps; accepted are 1 to {}", extent, kMaxExtent));
    }
  }
  ir::Window window;
  const size_t w = axes - 1;
  window.kernel_w = at(kernel, w);
  window.stride_w = at(strides, w);
  window.dilation_w = at(dilations, w);
  window.pad_left = at(pads, w) + input.pad_left;
  window.pad_right = at(pads, axes + w) + input.pad_right;
  if (axes == 2) {
    window.kernel_h = at(kernel, 0);
    window.stride_h = at(strides, 0);
    window.dilation_h = at(dilations, 0);
    window.pad_top = at(pads, 0) + input.pad_top;
    window.pad_bottom = at(pads, axes) + input.pad_bottom;
  }
  return window;
}

Result<ir::Shape> Converter::WindowedShape(const ActivationValue& input, const ir::Window& window,
                                           int64_t channels) {
  const auto extent = [](int64_t in, int kernel, int stride, int dilation, int before, int after) {
    const int64_t span = static_cast<int64_t>(kernel - 1) * dilation + 1;
    const int64_t rest = in + before + after - span;
    return rest < 0 ? 0 : rest / stride + 1;
  };
  const size_t axes = input.shape.size() - 1;
  // What Pad added is in the window, not in the shape.
  const int64_t width = input.shape[axes] - input.pad_left - input.pad_right;
  const int64_t out_w = extent(width, window.kernel_w, window.stride_w, window.dilation_w,
                               window.pad_left, window.pad_right);
  const int64_t padded = (width + window.pad_left + window.pad_right) *
                         ((axes == 2 ? input.shape[1] : 1) + window.pad_top + window.pad_bottom);
  if (padded > kMaxActivationElements) {
    return Unsupported(fmt::format("its padded image has {} positions; supported are at most {}",
                                   padded, kMaxActivationElements));
  }
  ir::Shape shape = {channels};
  if (axes == 2) {
    const int64_t height = input.shape[1] - input.pad_top - input.pad_bottom;
    shape.push_back(extent(height, window.kernel_h, window.stride_h, window.dilation_h,
                           window.pad_top, window.pad_bottom));
  }
  shape.push_back(out_w);
  int64_t count = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 1 || count * dimension > kMaxActivationElements) {
      return InvalidInput(fmt::format(
          "its output has the shape {}; accepted are axes of at least 1 and {} elements together",
          ir::ToString(shape), kMaxActivationElements));
    }
    count *= dimension;
  }
  return shape;
}

}  // namespace macloom::importers::onnx
