// Elementwise operators, kept as one affine map until a Clip, RequantShift or quantizer ends it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "importers/onnx/converter.h"

namespace macloom::importers::onnx {
namespace {

constexpr double kMaxInteger = 4611686018427387904.0;  // 2^62

bool IsInteger(double value) {
  return value == std::floor(value) && std::fabs(value) < kMaxInteger;
}

bool IsSmall(int64_t value) { return value > -(int64_t{1} << 62) && value < int64_t{1} << 62; }

bool AreIntegers(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), IsInteger);
}

template <typename T>
void Widen(std::vector<T>& values, size_t count) {
  if (values.size() == 1 && count > 1) values.assign(count, values[0]);
}

/// map *= factors, one or one per channel.
void Multiply(AffineMap& map, const std::vector<double>& factors) {
  for (std::vector<double>* values : {&map.slope, &map.offset}) {
    Widen(*values, factors.size());
    for (size_t c = 0; c < values->size(); ++c) {
      (*values)[c] *= factors.size() == 1 ? factors[0] : factors[c];
    }
  }
  map.is_exact = map.is_exact && AreIntegers(factors);
  if (!map.is_exact) return;
  for (std::vector<int64_t>* values : {&map.num, &map.add}) {
    Widen(*values, factors.size());
    for (size_t c = 0; c < values->size(); ++c) {
      const auto factor = static_cast<int64_t>(factors.size() == 1 ? factors[0] : factors[c]);
      if (__builtin_mul_overflow((*values)[c], factor, &(*values)[c])) map.is_exact = false;
      if (!IsSmall((*values)[c])) map.is_exact = false;
    }
  }
}

/// map += addends, one or one per channel.
void Offset(AffineMap& map, const std::vector<double>& addends) {
  Widen(map.offset, addends.size());
  for (size_t c = 0; c < map.offset.size(); ++c) {
    map.offset[c] += addends.size() == 1 ? addends[0] : addends[c];
  }
  map.is_exact = map.is_exact && AreIntegers(addends);
  if (!map.is_exact) return;
  Widen(map.add, addends.size());
  for (size_t c = 0; c < map.add.size(); ++c) {
    int64_t scaled = static_cast<int64_t>(addends.size() == 1 ? addends[0] : addends[c]);
    if (__builtin_mul_overflow(scaled, map.div, &scaled) ||
        __builtin_add_overflow(map.add[c], scaled, &map.add[c]) || !IsSmall(map.add[c])) {
      map.is_exact = false;
    }
  }
}

/// map /= divisor.
Status Divide(AffineMap& map, double divisor) {
  if (divisor == 0) return InvalidInput("divides by 0; accepted are other numbers");
  for (double& value : map.slope) value /= divisor;
  for (double& value : map.offset) value /= divisor;
  map.is_exact = map.is_exact && IsInteger(divisor) && divisor > 0;
  if (map.is_exact && __builtin_mul_overflow(map.div, static_cast<int64_t>(divisor), &map.div)) {
    map.is_exact = false;
  }
  return {};
}

/// A list of n numbers, whatever axes of 1 it has, as [1, n, 1...] of the activation's rank.
ConstantValue AsList(const ConstantValue& constant, const ActivationValue& activation) {
  ConstantValue list = constant;
  std::erase(list.shape, 1);
  if (list.shape.size() != 1) return list;
  list.shape.insert(list.shape.begin(), 1);
  list.shape.resize(activation.shape.size() + 1, 1);
  return list;
}

Status CheckUnrounded(const ActivationValue& value) {
  if (value.is_graph_input || !value.is_floored) {
    if (!value.has_relu) return {};
    return Unsupported("follows a Relu; supported after a Relu are quantizers");
  }
  return Unsupported(
      "follows a rounding; supported after one are Mul, Div, Cast and Clip with integers");
}

}  // namespace

Result<Value> Converter::FoldConstants(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const auto a, Constant(node, 0));
  MACLOOM_ASSIGN_OR_RETURN(const auto b, Constant(node, 1));
  const bool is_b_scalar = b->values.size() == 1;
  if (!is_b_scalar && a->values.size() != 1 && a->shape != b->shape) {
    return Unsupported(
        "combines constants of different shapes; supported are equal shapes and "
        "one element");
  }
  ConstantValue result;
  result.shape = is_b_scalar ? a->shape : b->shape;
  for (size_t i = 0; i < std::max(a->values.size(), b->values.size()); ++i) {
    const double x = a->values.size() == 1 ? a->values[0] : a->values[i];
    const double y = is_b_scalar ? b->values[0] : b->values[i];
    double value = x + y;
    if (node.type == "Sub") value = x - y;
    if (node.type == "Mul") value = x * y;
    if (node.type == "Div") value = x / y;
    if (node.type == "Pow") value = std::pow(x, y);
    if (!std::isfinite(value)) {
      return InvalidInput(
          fmt::format("gives {} from {} and {}; accepted are finite results", value, x, y));
    }
    result.values.push_back(value);
  }
  return Of(std::move(result));
}

Result<Value> Converter::ConvertPow(const FileNode& node) { return FoldConstants(node); }

Result<Value> Converter::ConvertMul(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const Value a, Operand(node, 0));
  MACLOOM_ASSIGN_OR_RETURN(const Value b, Operand(node, 1));
  if (a.constant != nullptr && b.constant != nullptr) return FoldConstants(node);
  if (a.constant == nullptr && b.constant == nullptr) {
    return Unsupported("multiplies two activations; supported is one by a constant");
  }
  ActivationValue value = a.constant == nullptr ? a.activation : b.activation;
  const ConstantValue& constant = a.constant == nullptr ? *b.constant : *a.constant;
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<double> factors, PerChannel(constant, value));
  if (value.is_floored) {
    constexpr double kMaxOuter = 1 << 30;
    if (factors.size() != 1 || !IsInteger(factors[0]) || factors[0] < 1 ||
        factors[0] * static_cast<double>(value.outer) > kMaxOuter) {
      return Unsupported("scales a rounded value; supported is one factor, a positive integer");
    }
    value.outer *= static_cast<int64_t>(factors[0]);
    return Of(std::move(value));
  }
  MACLOOM_RETURN_IF_ERROR(CheckUnrounded(value));
  Multiply(value.map, factors);
  return Of(std::move(value));
}

Result<Value> Converter::AddTensors(ActivationValue a, ActivationValue b) {
  if (a.shape != b.shape || a.image != b.image || a.has_padding() || b.has_padding()) {
    return Unsupported(fmt::format("adds shapes {} and {}; supported are equal shapes",
                                   ir::ToString(a.shape), ir::ToString(b.shape)));
  }
  auto open = std::make_shared<ir::Node>();
  open->kind = ir::OperatorKind::kAdd;
  ActivationValue result;
  result.shape = a.shape;
  result.image = a.image;
  int64_t offset = 0;
  const int64_t divisor = std::lcm(a.map.div, b.map.div);
  ActivationValue* operands[] = {&a, &b};
  for (size_t i = 0; i < 2; ++i) {
    const ActivationValue& operand = *operands[i];
    const AffineMap& map = operand.map;
    if (operand.tensor < 0 || operand.is_floored || operand.has_relu || !map.is_exact ||
        map.num.size() != 1 || map.add.size() != 1 || divisor > (1 << 30)) {
      return Unsupported(
          "adds something else than two tensors of codes under integer factors; supported is that");
    }
    const int64_t common = divisor / map.div;
    int32_t factor = 0;
    int64_t addend = 0;
    if (__builtin_mul_overflow(map.num[0], common, &factor) ||
        __builtin_mul_overflow(map.add[0], common, &addend) ||
        __builtin_add_overflow(offset, addend, &offset)) {
      return Unsupported("adds operands with factors beyond 32 bits; supported are smaller ones");
    }
    open->inputs.push_back(operand.tensor);
    open->add.input[i] = {factor, 0};
  }
  result.map.div = divisor;
  result.map.add = {offset};
  result.map.slope = {1 / static_cast<double>(divisor)};
  result.map.offset = {static_cast<double>(offset) / static_cast<double>(divisor)};
  result.open = std::move(open);
  return Of(std::move(result));
}

Result<Value> Converter::ConvertAdd(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const Value a, Operand(node, 0));
  MACLOOM_ASSIGN_OR_RETURN(const Value b, Operand(node, 1));
  if (a.constant != nullptr && b.constant != nullptr) return FoldConstants(node);
  if (a.constant == nullptr && b.constant == nullptr) {
    return AddTensors(a.activation, b.activation);
  }
  ActivationValue value = a.constant == nullptr ? a.activation : b.activation;
  const ConstantValue& constant = a.constant == nullptr ? *b.constant : *a.constant;
  MACLOOM_RETURN_IF_ERROR(CheckUnrounded(value));
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<double> addends, PerChannel(constant, value));
  Offset(value.map, addends);
  return Of(std::move(value));
}

Result<Value> Converter::ConvertSub(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const Value a, Operand(node, 0));
  if (a.constant != nullptr) return FoldConstants(node);
  ActivationValue value = a.activation;
  MACLOOM_ASSIGN_OR_RETURN(const auto constant, Constant(node, 1));
  MACLOOM_RETURN_IF_ERROR(CheckUnrounded(value));
  MACLOOM_ASSIGN_OR_RETURN(std::vector<double> addends, PerChannel(*constant, value));
  for (double& addend : addends) addend = -addend;
  Offset(value.map, addends);
  return Of(std::move(value));
}

Result<Value> Converter::ConvertDiv(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const Value a, Operand(node, 0));
  if (a.constant != nullptr) return FoldConstants(node);
  ActivationValue value = a.activation;
  MACLOOM_ASSIGN_OR_RETURN(const double divisor, Scalar(node, 1));
  if (!value.is_floored) {
    if (value.has_relu) return Unsupported("follows a Relu; supported after it are quantizers");
    MACLOOM_RETURN_IF_ERROR(Divide(value.map, divisor));
    if (value.is_integer_type) value.is_floored = value.is_truncated = true;
    return Of(std::move(value));
  }
  if (!IsInteger(divisor) || divisor < 1 || !value.is_integer_type) {
    return Unsupported("divides a rounded value by a fraction; supported are integers after Cast");
  }
  const auto d = static_cast<int64_t>(divisor);
  if (value.outer % d == 0) {
    value.outer /= d;
    return Of(std::move(value));
  }
  if (d % value.outer != 0) {
    // floor(k * floor(v) / d) is no single floor: the inner one becomes a tensor.
    const int64_t outer = value.outer;
    value.outer = 1;
    MACLOOM_ASSIGN_OR_RETURN(value,
                             builder_.RequantizeUnclamped(value, node.outputs[0] + " dividend"));
    Multiply(value.map, {static_cast<double>(outer)});
    MACLOOM_RETURN_IF_ERROR(Divide(value.map, divisor));
  } else {
    // floor(floor(v) / n) = floor(v / n).
    MACLOOM_RETURN_IF_ERROR(Divide(value.map, static_cast<double>(d / value.outer)));
    value.outer = 1;
  }
  value.is_integer_type = value.is_floored = value.is_truncated = true;
  return Of(std::move(value));
}

Result<Value> Converter::ConvertFloor(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, Activation(node, 0));
  if (value.is_graph_input || value.has_relu) {
    return Unsupported("rounds the network's input or a Relu; supported are layers' results");
  }
  value.is_floored = true;
  return Of(std::move(value));
}

Result<Value> Converter::ConvertCast(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const Value operand, Operand(node, 0));
  const double to = Number(node, "to", 0);
  const bool is_float = to == 1 || to == 11;
  const bool is_integer = to == 6 || to == 7;
  if (!is_float && !is_integer) {
    return Unsupported(
        fmt::format("casts to type {}; supported are float32 (1), int32 (6), int64 (7), float64 "
                    "(11)",
                    to));
  }
  if (operand.constant != nullptr) return operand;
  ActivationValue value = operand.activation;
  const bool was_fraction = !value.is_floored && !(value.map.is_exact && value.map.div == 1);
  if (is_integer && was_fraction) value.is_floored = value.is_truncated = true;
  value.is_integer_type = is_integer;
  return Of(std::move(value));
}

Result<Value> Converter::ConvertRelu(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, Activation(node, 0));
  if (value.is_graph_input || value.is_floored) {
    return Unsupported("follows the network's input or a rounding; supported is Clip there");
  }
  value.has_relu = true;
  return Of(std::move(value));
}

Result<Value> Converter::ConvertClip(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(const ActivationValue value, Activation(node, 0));
  double low = Number(node, "min", -INFINITY);
  double high = Number(node, "max", INFINITY);
  if (HasOperand(node, 1)) {
    MACLOOM_ASSIGN_OR_RETURN(low, Scalar(node, 1));
  }
  if (HasOperand(node, 2)) {
    MACLOOM_ASSIGN_OR_RETURN(high, Scalar(node, 2));
  }
  constexpr double kMaxCode = 32768;
  if (!(low >= -kMaxCode && low < high && high <= 2 * kMaxCode - 1 && IsInteger(low) &&
        IsInteger(high))) {
    return Unsupported(fmt::format(
        "clips to {} to {}; supported are ascending integers from -32768 to 65535", low, high));
  }
  if (value.is_truncated && low < 0) {
    return Unsupported(
        "clips to negative values after a division that rounds toward zero; supported is Floor, or "
        "a clip from 0");
  }
  if (!value.is_floored && !(value.map.is_exact && value.map.div == 1)) {
    return Unsupported("clips fractions; supported is Clip after Floor, Cast or integer Div");
  }
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue codes,
                           builder_.RequantizeExactly(value, static_cast<int64_t>(low),
                                                      static_cast<int64_t>(high), node.outputs[0]));
  codes.is_integer_type = value.is_integer_type;
  return Of(std::move(codes));
}

Result<Value> Converter::ConvertRequantShift(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, Activation(node, 0));
  MACLOOM_ASSIGN_OR_RETURN(const auto factors, Constant(node, 1));
  MACLOOM_ASSIGN_OR_RETURN(const auto addends, Constant(node, 2));
  const double divisor = Number(node, "div", 0);
  const double levels = Number(node, "n_levels_out", Number(node, "n_levels", 0));
  const bool is_signed = Number(node, "signed", 1) != 0;
  if (!IsInteger(divisor) || divisor < 1 || !IsInteger(levels) || levels < 2 || levels > 65536) {
    return InvalidInput(
        fmt::format("div is {}, n_levels {}; accepted are a positive integer, and 2 to 65536",
                    divisor, levels));
  }
  MACLOOM_RETURN_IF_ERROR(CheckUnrounded(value));
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<double> m, PerChannel(AsList(*factors, value), value));
  MACLOOM_ASSIGN_OR_RETURN(std::vector<double> b, PerChannel(AsList(*addends, value), value));
  // The operator rounds halves up: floor((x*m + b + div/2) / div).
  for (double& addend : b) addend += std::floor(divisor / 2);
  Multiply(value.map, m);
  Offset(value.map, b);
  MACLOOM_RETURN_IF_ERROR(Divide(value.map, divisor));
  const auto count = static_cast<int64_t>(levels);
  const int64_t low = is_signed ? -(count / 2) : 0;
  MACLOOM_ASSIGN_OR_RETURN(
      ActivationValue codes,
      builder_.RequantizeExactly(value, low, low + count - 1, node.outputs[0]));
  return Of(std::move(codes));
}

Result<Value> Converter::ConvertBatchNormalization(const FileNode& node) {
  MACLOOM_ASSIGN_OR_RETURN(ActivationValue value, Activation(node, 0));
  MACLOOM_RETURN_IF_ERROR(CheckUnrounded(value));
  std::vector<double> operands[4];
  for (size_t i = 0; i < 4; ++i) {
    MACLOOM_ASSIGN_OR_RETURN(const auto constant, Constant(node, i + 1));
    operands[i] = constant->values;
    if (static_cast<int64_t>(operands[i].size()) != value.shape[0]) {
      return InvalidInput(fmt::format("input {} has {} elements; accepted are {} (channels)", i + 1,
                                      operands[i].size(), value.shape[0]));
    }
  }
  const double epsilon = Number(node, "epsilon", 1e-5);
  std::vector<double> factors;
  std::vector<double> addends;
  for (size_t c = 0; c < operands[0].size(); ++c) {
    const double variance = operands[3][c] + epsilon;
    if (!(variance > 0)) {
      return InvalidInput(fmt::format("channel {} has variance {}; accepted are values above 0", c,
                                      operands[3][c]));
    }
    const double factor = operands[0][c] / std::sqrt(variance);
    factors.push_back(factor);
    addends.push_back(operands[1][c] - operands[2][c] * factor);
  }
  Multiply(value.map, factors);
  Offset(value.map, addends);
  return Of(std::move(value));
}

}  // namespace macloom::importers::onnx
