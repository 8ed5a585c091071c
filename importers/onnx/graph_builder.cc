#include "importers/onnx/graph_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "importers/onnx/step_function.h"
#include "ir/accumulator_range.h"
#include "ir/shape_inference.h"

namespace macloom::importers::onnx {
namespace {

constexpr int kMaxOutputBits = 32;

/// The narrowest format of at least 2 bits that holds low..high.
ir::NumberFormat FormatOf(int64_t low, int64_t high) {
  ir::NumberFormat format;
  format.is_signed = low < 0;
  for (format.bits = 2; format.bits < 63; ++format.bits) {
    if (format.MinCode() <= low && high <= format.MaxCode()) break;
  }
  return format;
}

template <typename T>
T At(const std::vector<T>& values, int64_t channel) {
  return values.size() == 1 ? values[0] : values[static_cast<size_t>(channel)];
}

int64_t FloorDivide(__int128 a, int64_t b) {
  const __int128 quotient = a / b;
  return static_cast<int64_t>(a % b < 0 ? quotient - 1 : quotient);
}

template <typename T>
bool IsUniform(const std::vector<T>& values) {
  return std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end();
}

bool IsIdentityMap(const AffineMap& map) {
  return map.is_exact && map.div == 1 && IsUniform(map.num) && map.num[0] == 1 &&
         IsUniform(map.add) && map.add[0] == 0;
}

/// Common factors of an exact map taken out.
void Reduce(AffineMap& map) {
  int64_t divisor = map.div;
  for (const int64_t value : map.num) divisor = std::gcd(divisor, value);
  for (const int64_t value : map.add) divisor = std::gcd(divisor, value);
  if (divisor <= 1) return;
  map.div /= divisor;
  for (int64_t& value : map.num) value /= divisor;
  for (int64_t& value : map.add) value /= divisor;
}

/// The shape that the layer itself has, whatever was flattened after it.
const ir::Shape& LayerShape(const ActivationValue& value) {
  return value.image.empty() ? value.shape : value.image;
}

}  // namespace

ir::Shape ImageShape(const ir::Shape& file_shape) {
  if (file_shape.size() == 3) return {file_shape[1], file_shape[2], file_shape[0]};
  if (file_shape.size() == 2) return {1, file_shape[1], file_shape[0]};
  return file_shape;
}

Result<std::vector<Reach>> ReachOf(const ir::Graph& graph, const ir::Node& node,
                                   int64_t num_channels) {
  if (node.kind == ir::OperatorKind::kAdd) {
    Reach reach;
    for (size_t i = 0; i < 2; ++i) {
      const ir::TensorInfo& tensor = graph.tensor(node.inputs[i]);
      const int64_t m = node.add.input[i].multiplier;
      const int64_t zero_point = tensor.quantization.zero_point();
      const int64_t a = (tensor.format.MinCode() - zero_point) * m;
      const int64_t b = (tensor.format.MaxCode() - zero_point) * m;
      reach.low += std::min(a, b);
      reach.high += std::max(a, b);
    }
    return std::vector<Reach>{reach};
  }
  const std::vector<ir::AccumulatorRange> ranges =
      ir::AccumulatorRanges(graph, node, ir::InputCodeRange(graph, node));
  std::vector<Reach> reaches;
  for (const ir::AccumulatorRange& range : ranges) {
    if (range.RequiredBits() > 48) {
      return Unsupported(fmt::format("the accumulator needs {} bits; supported are at most 48",
                                     range.RequiredBits()));
    }
    reaches.push_back({range.low, range.high});
  }
  if (reaches.size() != 1 && static_cast<int64_t>(reaches.size()) != num_channels) {
    return InvalidInput("the layer's channels do not match its output");
  }
  return reaches;
}

std::string GraphBuilder::UniqueName(const std::string& wanted) {
  std::string name = wanted.empty() ? "unnamed" : wanted;
  for (int n = 2; !names_.insert(name).second; ++n) name = fmt::format("{}#{}", wanted, n);
  return name;
}

ir::TensorId GraphBuilder::AddTensor(const std::string& name, const ir::Shape& file_shape,
                                     const CodeFormat& codes) {
  ir::TensorInfo tensor;
  tensor.name = UniqueName(Printable(name));
  tensor.shape = ImageShape(file_shape);
  tensor.format = codes.format;
  tensor.quantization.scales = {static_cast<float>(codes.scale)};
  tensor.quantization.zero_points = {codes.zero_point};
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<ir::TensorId>(graph_.tensors.size()) - 1;
}

ir::ConstantId GraphBuilder::AddConstant(const std::string& name, ir::Shape shape, int bits,
                                         std::vector<int64_t> codes) {
  ir::Constant constant;
  constant.name = UniqueName(Printable(name));
  constant.shape = std::move(shape);
  constant.format.bits = bits;
  constant.codes = std::move(codes);
  num_constant_elements_ += static_cast<int64_t>(constant.codes.size());
  graph_.constants.push_back(std::move(constant));
  return static_cast<ir::ConstantId>(graph_.constants.size()) - 1;
}

Result<ActivationValue> GraphBuilder::AddInput(const std::string& name, const ir::Shape& file_shape,
                                               const CodeFormat& codes) {
  ActivationValue value;
  value.tensor = AddTensor(name, file_shape, codes);
  value.shape = file_shape;
  value.map.slope = {codes.scale};
  value.map.is_exact = codes.scale == 1;
  graph_.input = value.tensor;
  return value;
}

Result<ir::TensorId> GraphBuilder::TensorOf(const ActivationValue& value, double* scale,
                                            bool makes_padding) {
  if (value.is_graph_input) {
    return Unsupported("its input is the network's input without quantizer; supported are codes");
  }
  if (value.tensor < 0 || value.is_floored || value.has_relu || value.is_host_side) {
    return Unsupported(
        "its input is not requantized to codes (Clip, RequantShift or a quantizer); supported are "
        "operators on codes");
  }
  if (!IsUniform(value.map.slope) || !IsUniform(value.map.offset) || value.map.offset[0] != 0) {
    return Unsupported(
        "its input is an affine map of codes; supported is one scale for all channels");
  }
  *scale = value.map.slope[0];
  if (!value.has_padding() || !makes_padding) return value.tensor;
  ir::Node node;
  node.kind = ir::OperatorKind::kPad;
  node.window.pad_top = value.pad_top;
  node.window.pad_bottom = value.pad_bottom;
  node.window.pad_left = value.pad_left;
  node.window.pad_right = value.pad_right;
  node.inputs = {value.tensor};
  return AddMoving(node, value, value.shape, "pad").tensor;
}

ActivationValue GraphBuilder::AddMoving(ir::Node node, const ActivationValue& from,
                                        const ir::Shape& file_shape, const std::string& name) {
  const ir::TensorInfo source = graph_.tensor(node.inputs[0]);
  ir::TensorInfo tensor = source;
  tensor.name = UniqueName(Printable(name));
  tensor.shape = ImageShape(file_shape);
  node.requantization.clamp_min = static_cast<int32_t>(source.format.MinCode());
  node.requantization.clamp_max = static_cast<int32_t>(source.format.MaxCode());
  graph_.tensors.push_back(std::move(tensor));
  node.output = static_cast<ir::TensorId>(graph_.tensors.size()) - 1;
  node.name = fmt::format("op{:02}_{}", graph_.nodes.size(), Printable(name));
  ActivationValue value = from;
  value.tensor = node.output;
  value.shape = file_shape;
  value.pad_top = value.pad_bottom = value.pad_left = value.pad_right = 0;
  graph_.nodes.push_back(std::move(node));
  return value;
}

Result<std::shared_ptr<const ir::Node>> GraphBuilder::OpenNode(const ActivationValue& value) {
  if (value.open != nullptr) return value.open;
  if (value.is_graph_input || value.has_padding() || value.is_host_side) {
    return Unsupported("its input is not a layer of the network; supported are codes");
  }
  const ir::Shape image = graph_.tensor(value.tensor).shape;
  auto node = std::make_shared<ir::Node>();
  node->inputs = {value.tensor};
  const int64_t channels = image.back();
  if (image.size() == 3) {
    node->kind = ir::OperatorKind::kDepthwiseConv2d;
    node->weights = AddConstant("unit weights", {1, 1, channels}, 2,
                                std::vector<int64_t>(static_cast<size_t>(channels), 1));
    return std::shared_ptr<const ir::Node>(std::move(node));
  }
  constexpr int64_t kMaxVector = 1024;
  if (channels > kMaxVector) {
    return Unsupported(fmt::format("requantizes a vector of {} elements again; supported are {}",
                                   channels, kMaxVector));
  }
  node->kind = ir::OperatorKind::kFullyConnected;
  std::vector<int64_t> unit(static_cast<size_t>(channels * channels), 0);
  for (int64_t c = 0; c < channels; ++c) unit[static_cast<size_t>(c * channels + c)] = 1;
  node->weights = AddConstant("unit weights", {channels, channels}, 2, std::move(unit));
  return std::shared_ptr<const ir::Node>(std::move(node));
}

Result<ActivationValue> GraphBuilder::AddNode(ir::Node node, const ActivationValue& from,
                                              const CodeFormat& codes, const std::string& name) {
  node.output = AddTensor(name, LayerShape(from), codes);
  node.name = fmt::format("op{:02}_{}", graph_.nodes.size(), Printable(name));
  node.requantization.zero_point = codes.zero_point;
  node.requantization.clamp_min = static_cast<int32_t>(codes.min_code);
  node.requantization.clamp_max = static_cast<int32_t>(codes.max_code);
  ActivationValue value;
  value.tensor = node.output;
  value.shape = from.shape;
  value.image = from.image;
  value.map.slope = {codes.scale};
  value.map.is_exact = codes.scale == 1;
  graph_.nodes.push_back(std::move(node));
  return value;
}

Result<ActivationValue> GraphBuilder::RequantizeExactly(const ActivationValue& value, int64_t low,
                                                        int64_t high, const std::string& name) {
  AffineMap map = value.map;
  if (!map.is_exact || value.outer != 1 || value.has_relu) {
    return Unsupported(
        "rounds an expression whose constants are no integers, or too large; supported are integer "
        "factors, addends and divisors that keep products inside 63 bits");
  }
  MACLOOM_ASSIGN_OR_RETURN(const auto open, OpenNode(value));
  ir::Node node = *open;
  Reduce(map);
  ir::Requantization& requantization = node.requantization;
  requantization.kind = ir::RequantizationKind::kMultiplyAddDivide;
  requantization.divisor = map.div;
  if (node.kind == ir::OperatorKind::kAdd) {
    for (ir::FixedPointMultiplier& operand : node.add.input) {
      int32_t product = 0;
      if (!IsUniform(map.num) || !IsUniform(map.add) ||
          __builtin_mul_overflow(operand.multiplier, map.num[0], &product)) {
        return Unsupported("scales a sum per channel or by too much; supported is one factor");
      }
      operand.multiplier = product;
    }
    requantization.addends = {map.add[0]};
  } else {
    const size_t count = std::max(map.num.size(), map.add.size());
    const bool is_uniform = IsUniform(map.num) && IsUniform(map.add);
    if (!is_uniform && node.kind == ir::OperatorKind::kAveragePool2d) {
      return Unsupported("scales a pooled sum per channel; supported is one factor");
    }
    for (size_t c = 0; c < (is_uniform ? 1 : count); ++c) {
      const int64_t num = At(map.num, static_cast<int64_t>(c));
      if (num < INT32_MIN || num > INT32_MAX) {
        return Unsupported(
            fmt::format("multiplies channel {} by {}; supported are 32-bit factors", c, num));
      }
      requantization.channels.push_back({static_cast<int32_t>(num), 0});
      requantization.addends.push_back(At(map.add, static_cast<int64_t>(c)));
    }
  }
  CodeFormat codes;
  codes.format = FormatOf(low, high);
  codes.min_code = low;
  codes.max_code = high;
  if (codes.format.bits > kMaxOutputBits) {
    return Unsupported(fmt::format("its codes {} to {} need {} bits; supported are at most {}", low,
                                   high, codes.format.bits, kMaxOutputBits));
  }
  if (codes.format.bits > 16) codes.format.is_signed = true;
  return AddNode(std::move(node), value, codes, name);
}

Result<ActivationValue> GraphBuilder::RequantizeUnclamped(const ActivationValue& value,
                                                          const std::string& name) {
  MACLOOM_ASSIGN_OR_RETURN(const auto open, OpenNode(value));
  if (value.is_truncated || !value.map.is_exact) {
    return Unsupported(
        "keeps a quotient that was rounded toward zero, or of fractions; supported is Floor or a "
        "Clip from 0 of integers");
  }
  const int64_t num_channels = LayerShape(value)[0];
  // The node needs an output shape for its range.
  ir::Node node = *open;
  graph_.tensors.push_back({"probe", ImageShape(LayerShape(value)), {}, {}});
  node.output = static_cast<ir::TensorId>(graph_.tensors.size()) - 1;
  const auto reached = ReachOf(graph_, node, num_channels);
  graph_.tensors.pop_back();
  if (!reached.ok()) return reached.error();
  const std::vector<Reach>& reaches = *reached;
  int64_t low = 0;
  int64_t high = 0;
  for (int64_t c = 0; c < num_channels; ++c) {
    const Reach& reach = reaches.size() == 1 ? reaches[0] : reaches[static_cast<size_t>(c)];
    for (const int64_t x : {reach.low, reach.high}) {
      const int64_t code = FloorDivide(
          static_cast<__int128>(At(value.map.num, c)) * x + At(value.map.add, c), value.map.div);
      low = std::min(low, code);
      high = std::max(high, code);
    }
  }
  return RequantizeExactly(value, low, high, name);
}

Result<ActivationValue> GraphBuilder::Quantize(const ActivationValue& value,
                                               const CodeFormat& wanted, QuantRounding rounding,
                                               const std::string& name) {
  // max(value, 0) is the smallest code at 0: a clamp.
  CodeFormat codes = wanted;
  if (value.has_relu && rounding != QuantRounding::kBipolar) {
    codes.min_code = std::max<int64_t>(codes.min_code, codes.zero_point);
  }
  if (value.is_floored) {
    return Unsupported("quantizes a value that was rounded before; supported is one rounding");
  }
  MACLOOM_ASSIGN_OR_RETURN(const auto open, OpenNode(value));
  ir::Node node = *open;
  if (node.kind == ir::OperatorKind::kAdd) {
    return Unsupported("quantizes a sum of two tensors; supported are sums with integer factors");
  }
  ir::Graph& graph = graph_;
  node.output = AddTensor("probe", LayerShape(value), codes);
  const int64_t num_channels = LayerShape(value)[0];
  const auto reaches = ReachOf(graph, node, num_channels);
  names_.erase(graph.tensors.back().name);
  graph.tensors.pop_back();
  if (!reaches.ok()) return reaches.error();
  for (const std::vector<double>* values : {&value.map.slope, &value.map.offset}) {
    constexpr double kMaxReal = 1e30;
    for (const double real : *values) {
      if (std::fabs(real) <= kMaxReal) continue;
      return Unsupported(fmt::format("a factor or addend of {}; supported are at most 1e30", real));
    }
  }
  constexpr int64_t kMaxThresholds = int64_t{1} << 22;
  if ((codes.max_code - codes.min_code) * num_channels > kMaxThresholds) {
    return Unsupported(fmt::format("{} channels of {} codes; supported are {} together",
                                   num_channels, codes.max_code - codes.min_code + 1,
                                   kMaxThresholds));
  }
  const int64_t min_code = codes.min_code - codes.zero_point;
  const int64_t max_code = codes.max_code - codes.zero_point;
  const bool is_uniform =
      IsUniform(value.map.slope) && IsUniform(value.map.offset) && reaches->size() == 1;
  const bool is_single = is_uniform || node.kind == ir::OperatorKind::kAveragePool2d;
  if (is_single && !(IsUniform(value.map.slope) && IsUniform(value.map.offset))) {
    return Unsupported("scales a pooled sum per channel; supported is one factor");
  }
  ir::Requantization& requantization = node.requantization;
  requantization.kind = ir::RequantizationKind::kMultiplyAddDivide;
  // As many fraction bits as the largest multiplier leaves, and products inside 62 bits.
  double largest = 0;
  for (const double slope : value.map.slope) largest = std::max(largest, std::fabs(slope));
  largest /= codes.scale;
  if (rounding == QuantRounding::kBipolar) largest = 2;
  if (!std::isfinite(largest) || largest >= 1073741824.0) {
    return Unsupported(fmt::format("a factor of {}; supported are factors below 2^30", largest));
  }
  const int shift =
      largest == 0 ? 0 : std::clamp(static_cast<int>(30 - std::ilogb(largest) - 1), 0, 45);
  requantization.divisor = int64_t{1} << shift;
  for (int64_t c = 0; c < (is_single ? 1 : num_channels); ++c) {
    const double slope = At(value.map.slope, c);
    const double offset = At(value.map.offset, c);
    const Reach& reach = reaches->size() == 1 ? (*reaches)[0] : (*reaches)[static_cast<size_t>(c)];
    StepFunction function;
    function.low = reach.low;
    function.high = reach.high;
    const double half = rounding == QuantRounding::kHalfEven ? 0.5 : 0;
    function.slope = slope / codes.scale;
    function.offset = offset / codes.scale + half;
    if (rounding == QuantRounding::kBipolar) function.slope = slope < 0 ? -2 : slope > 0 ? 2 : 0;
    function.code_of = [&](int64_t x) {
      double real = slope * static_cast<double>(x) + offset;
      if (value.has_relu) real = std::max(real, 0.0);
      if (rounding == QuantRounding::kBipolar) return real >= 0 ? int64_t{1} : int64_t{-1};
      real /= codes.scale;
      real = std::clamp(real, -1e15, 1e15);
      switch (rounding) {
        case QuantRounding::kFloor:
          real = std::floor(real);
          break;
        case QuantRounding::kCeil:
          real = std::ceil(real);
          break;
        case QuantRounding::kTowardZero:
          real = std::trunc(real);
          break;
        default:
          real = std::nearbyint(real);  // The default mode: halves to even.
      }
      return std::clamp(static_cast<int64_t>(real), min_code, max_code);
    };
    const auto fit = FitMultiplyAdd(function, requantization.divisor, min_code, max_code);
    if (!fit) {
      return Unsupported(fmt::format(
          "channel {}: no 32-bit multiplier gives the same codes for every accumulator from {} to "
          "{} (factor {}, addend {})",
          c, reach.low, reach.high, function.slope, function.offset));
    }
    requantization.channels.push_back({fit->multiplier, 0});
    requantization.addends.push_back(fit->addend);
  }
  return AddNode(std::move(node), value, codes, name);
}

Result<ir::TensorId> GraphBuilder::Finish(const ActivationValue& value, const std::string& name) {
  if (value.tensor >= 0 && !value.is_floored && IsIdentityMap(value.map)) return value.tensor;
  if (value.tensor >= 0 && !value.is_floored && !value.has_relu && value.map.slope[0] > 0 &&
      IsUniform(value.map.slope)) {
    return value.tensor;
  }
  if (value.is_floored) {
    MACLOOM_ASSIGN_OR_RETURN(const ActivationValue done, RequantizeUnclamped(value, name));
    return done.tensor;
  }
  if (value.has_relu || !IsUniform(value.map.slope) || !IsUniform(value.map.offset) ||
      value.map.slope[0] <= 0) {
    return Unsupported(
        "the network's output is no code and no accumulator under one positive factor and one "
        "addend; supported are these");
  }
  ActivationValue raw = value;
  raw.map = {};
  MACLOOM_ASSIGN_OR_RETURN(const ActivationValue done, RequantizeUnclamped(raw, name));
  ir::TensorInfo& tensor = graph_.tensors[static_cast<size_t>(done.tensor)];
  tensor.quantization.scales = {static_cast<float>(value.map.slope[0])};
  return done.tensor;
}

}  // namespace macloom::importers::onnx
