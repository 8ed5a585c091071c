// Quant, BipolarQuant, QuantizeLinear, DequantizeLinear: where codes begin.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "importers/onnx/converter.h"

namespace macloom::importers::onnx {
namespace {

Status CheckScale(double scale) {
  if (std::isfinite(scale) && scale > 0) return {};
  return InvalidInput(fmt::format("scale is {}; accepted are finite values above 0", scale));
}

double Round(double value, QuantRounding rounding) {
  switch (rounding) {
    case QuantRounding::kFloor:
      return std::floor(value);
    case QuantRounding::kCeil:
      return std::ceil(value);
    case QuantRounding::kTowardZero:
      return std::trunc(value);
    case QuantRounding::kBipolar:
      return value >= 0 ? 1 : -1;
    case QuantRounding::kHalfEven:
      break;
  }
  return std::nearbyint(value);
}

/// The scale of every element of `shape`: one, or broadcast along right-aligned axes of 1.
Result<std::vector<double>> BroadcastScales(const ConstantValue& scale, const ir::Shape& shape,
                                            int64_t linear_axis) {
  for (const double value : scale.values) MACLOOM_RETURN_IF_ERROR(CheckScale(value));
  const int64_t count = ir::NumElements(shape);
  std::vector<double> scales(static_cast<size_t>(count), scale.values[0]);
  if (scale.values.size() == 1) return scales;
  ir::Shape aligned = scale.shape;
  if (linear_axis >= 0 && scale.shape.size() == 1) {
    aligned.assign(shape.size(), 1);
    if (linear_axis < static_cast<int64_t>(shape.size())) {
      aligned[static_cast<size_t>(linear_axis)] = scale.shape[0];
    }
  }
  aligned.insert(aligned.begin(), shape.size() - std::min(aligned.size(), shape.size()), 1);
  bool matches = aligned.size() == shape.size();
  for (size_t i = 0; matches && i < shape.size(); ++i) {
    matches = aligned[i] == 1 || aligned[i] == shape[i];
  }
  if (!matches || ir::NumElements(aligned) != static_cast<int64_t>(scale.values.size())) {
    return InvalidInput(fmt::format("scales of shape {} do not fit a constant of shape {}",
                                    ir::ToString(scale.shape), ir::ToString(shape)));
  }
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i;
    int64_t index = 0;
    int64_t stride = 1;
    for (size_t axis = shape.size(); axis-- > 0;) {
      const int64_t at = rest % shape[axis];
      rest /= shape[axis];
      if (aligned[axis] == 1) continue;
      index += at * stride;
      stride *= aligned[axis];
    }
    scales[static_cast<size_t>(i)] = scale.values[static_cast<size_t>(index)];
  }
  return scales;
}

}  // namespace

Result<Value> Converter::QuantizeValue(const FileNode& node, const CodeFormat& codes,
                                       QuantRounding rounding) {
  MACLOOM_ASSIGN_OR_RETURN(const ActivationValue value, Activation(node, 0));
  if (!value.is_graph_input) {
    MACLOOM_ASSIGN_OR_RETURN(ActivationValue result,
                             builder_.Quantize(value, codes, rounding, node.outputs[0]));
    return Of(std::move(result));
  }
  // The host quantizes the input; the network begins with its codes.
  if (!builder_.graph().tensors.empty()) {
    return Unsupported("quantizes the network's input a second time; supported is once");
  }
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue input,
                           builder_.AddInput(file_.input.name, value.shape, codes));
  input.image = value.image;
  if (!value.image.empty()) {
    ir::TensorInfo& tensor = builder_.graph().tensors[static_cast<size_t>(builder_.graph().input)];
    tensor.shape = ImageShape(value.image);
  }
  return Of(std::move(input));
}

Result<Value> Converter::ConvertQuant(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const auto scale, Constant(node, 1));
  MACLOOM_ASSIGN_OR_RETURN(const double zero_point, Scalar(node, 2));
  MACLOOM_ASSIGN_OR_RETURN(const double bits, Scalar(node, 3));
  if (!(bits >= 2 && bits <= 16) || bits != std::floor(bits)) {
    return Unsupported(fmt::format("bit width is {}; supported are 2 to 16", bits));
  }
  CodeFormat codes;
  codes.format.bits = static_cast<int>(bits);
  codes.format.is_signed = Number(node, "signed", 1) != 0;
  const bool is_narrow = Number(node, "narrow", 0) != 0;
  codes.min_code = codes.format.MinCode() + (is_narrow && codes.format.is_signed ? 1 : 0);
  codes.max_code = codes.format.MaxCode() - (is_narrow && !codes.format.is_signed ? 1 : 0);
  if (!(zero_point >= static_cast<double>(codes.min_code) &&
        zero_point <= static_cast<double>(codes.max_code)) ||
      zero_point != std::floor(zero_point)) {
    return InvalidInput(fmt::format("zero point is {}; accepted are integers from {} to {}",
                                    zero_point, codes.min_code, codes.max_code));
  }
  codes.zero_point = static_cast<int32_t>(zero_point);
  std::string mode = Text(node, "rounding_mode", "ROUND");
  for (char& c : mode) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  QuantRounding rounding = QuantRounding::kHalfEven;
  if (mode == "FLOOR") {
    rounding = QuantRounding::kFloor;
  } else if (mode == "CEIL") {
    rounding = QuantRounding::kCeil;
  } else if (mode == "ROUND_TO_ZERO" || mode == "DOWN") {
    rounding = QuantRounding::kTowardZero;
  } else if (mode != "ROUND" && mode != "HALF_EVEN") {
    return Unsupported(fmt::format(
        "rounding_mode is {}; supported are ROUND, HALF_EVEN, FLOOR, CEIL, ROUND_TO_ZERO, DOWN",
        Printable(mode)));
  }
  MACLOOM_ASSIGN_OR_RETURN(const Value operand, Operand(node, 0));
  if (operand.constant == nullptr) {
    MACLOOM_ASSIGN_OR_RETURN(codes.scale, Scalar(node, 1));
    MACLOOM_RETURN_IF_ERROR(CheckScale(codes.scale));
    return QuantizeValue(node, codes, rounding);
  }
  if (codes.zero_point != 0) {
    return Unsupported("weights have a zero point; supported is 0");
  }
  ConstantValue result;
  result.shape = operand.constant->shape;
  MACLOOM_ASSIGN_OR_RETURN(result.scales, BroadcastScales(*scale, result.shape, -1));
  for (size_t i = 0; i < operand.constant->values.size(); ++i) {
    const double code =
        std::clamp(Round(operand.constant->values[i] / result.scales[i], rounding),
                   static_cast<double>(codes.min_code), static_cast<double>(codes.max_code));
    result.codes.push_back(code);
    result.values.push_back(code * result.scales[i]);
  }
  result.code_bits = codes.format.bits + (codes.format.is_signed ? 0 : 1);
  return Of(std::move(result));
}

Result<Value> Converter::ConvertBipolarQuant(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const double scale, Scalar(node, 1));
  MACLOOM_RETURN_IF_ERROR(CheckScale(scale));
  MACLOOM_ASSIGN_OR_RETURN(const Value operand, Operand(node, 0));
  if (operand.constant == nullptr) {
    CodeFormat codes;
    codes.format.bits = 2;
    codes.min_code = -1;
    codes.max_code = 1;
    codes.scale = scale;
    return QuantizeValue(node, codes, QuantRounding::kBipolar);
  }
  ConstantValue result;
  result.shape = operand.constant->shape;
  result.code_bits = 2;
  for (const double value : operand.constant->values) {
    result.codes.push_back(value >= 0 ? 1 : -1);
    result.scales.push_back(scale);
    result.values.push_back(result.codes.back() * scale);
  }
  return Of(std::move(result));
}

Result<Value> Converter::ConvertQuantizeLinear(const FileNode& node) {
  CodeFormat codes;
  MACLOOM_ASSIGN_OR_RETURN(codes.scale, Scalar(node, 1));
  MACLOOM_RETURN_IF_ERROR(CheckScale(codes.scale));
  codes.format.is_signed = false;
  if (HasOperand(node, 2)) {
    MACLOOM_ASSIGN_OR_RETURN(const double zero_point, Scalar(node, 2));
    // The type of the zero point is that of the codes.
    int32_t type = 0;
    for (const FileTensor& tensor : file_.constants) {
      if (tensor.name == node.inputs[2]) type = tensor.element_type;
    }
    for (const FileNode& other : file_.nodes) {
      if (!other.outputs.empty() && other.outputs[0] == node.inputs[2] &&
          other.attributes.count("value") != 0) {
        type = other.attributes.at("value").tensor.element_type;
      }
    }
    if (type < 2 || type > 5) {
      return Unsupported(
          fmt::format("zero point has element type {}; supported are 8 and 16 bits", type));
    }
    codes.format.bits = type <= 3 ? 8 : 16;
    codes.format.is_signed = type == 3 || type == 5;
    codes.zero_point =
        std::fabs(zero_point) <= 65536 ? static_cast<int32_t>(zero_point) : INT32_MAX;
  }
  codes.min_code = codes.format.MinCode();
  codes.max_code = codes.format.MaxCode();
  if (codes.zero_point < codes.min_code || codes.zero_point > codes.max_code) {
    return InvalidInput(fmt::format("zero point is {}; accepted are {} to {}", codes.zero_point,
                                    codes.min_code, codes.max_code));
  }
  MACLOOM_ASSIGN_OR_RETURN(const Value operand, Operand(node, 0));
  if (operand.constant != nullptr) {
    return Unsupported("quantizes a constant; supported are weights stored as integers");
  }
  return QuantizeValue(node, codes, QuantRounding::kHalfEven);
}

Result<Value> Converter::ConvertDequantizeLinear(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const Value operand, Operand(node, 0));
  MACLOOM_ASSIGN_OR_RETURN(const auto scale, Constant(node, 1));
  for (const double value : scale->values) MACLOOM_RETURN_IF_ERROR(CheckScale(value));
  double zero_point = 0;
  if (HasOperand(node, 2)) {
    MACLOOM_ASSIGN_OR_RETURN(const auto zero_points, Constant(node, 2));
    for (const double value : zero_points->values) {
      if (value == zero_points->values[0]) continue;
      return Unsupported("zero points differ between channels; supported is one");
    }
    zero_point = zero_points->values[0];
  }
  if (operand.constant != nullptr) {
    if (zero_point != 0) return Unsupported("weights have a zero point; supported is 0");
    ConstantValue result;
    result.shape = operand.constant->shape;
    MACLOOM_ASSIGN_OR_RETURN(result.scales,
                             BroadcastScales(*scale, result.shape, SmallNumber(node, "axis", 1)));
    result.codes = operand.constant->values;
    result.code_bits = 8;
    for (size_t i = 0; i < result.codes.size(); ++i) {
      result.values.push_back(result.codes[i] * result.scales[i]);
    }
    return Of(std::move(result));
  }
  // The quantizer's scale and zero point are known; another pair would be another value.
  const ActivationValue& value = operand.activation;
  if (value.tensor < 0 || value.is_floored || value.has_relu) {
    return Unsupported("its input is no code; supported is QuantizeLinear in front");
  }
  const ir::TensorInfo& tensor = builder_.graph().tensor(value.tensor);
  if (scale->values.size() != 1 || scale->values[0] != value.map.slope[0] ||
      zero_point != tensor.quantization.zero_point()) {
    return Unsupported("scale or zero point differ from the quantizer's; supported are equal ones");
  }
  return operand;
}

}  // namespace macloom::importers::onnx
