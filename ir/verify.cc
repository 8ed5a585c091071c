// Verify(): tensors, constants and order; what one node must satisfy is in verify_node.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/graph.h"
#include "ir/shape_inference.h"
#include "ir/verify_minifloat.h"
#include "ir/verify_node.h"

namespace macloom::ir {
namespace {

// Names go into JSON and into one-line listings.
bool IsPrintableUtf8(const std::string& text) {
  size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x20 || lead == 0x7f) return false;
    size_t length = 1;
    uint32_t code = lead;
    uint32_t smallest = 0;
    if (lead >= 0x80) {
      if (lead >= 0xc2 && lead <= 0xdf) {
        length = 2, code = lead & 0x1f, smallest = 0x80;
      } else if (lead >= 0xe0 && lead <= 0xef) {
        length = 3, code = lead & 0x0f, smallest = 0x800;
      } else if (lead >= 0xf0 && lead <= 0xf4) {
        length = 4, code = lead & 0x07, smallest = 0x10000;
      } else {
        return false;
      }
    }
    if (i + length > text.size()) return false;
    for (size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + k]);
      if ((byte & 0xc0) != 0x80) return false;
      code = code << 6 | (byte & 0x3f);
    }
    if (code < smallest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    i += length;
  }
  return true;
}

Status CheckName(const std::string& name, const std::string& what) {
  if (IsPrintableUtf8(name)) return {};
  return InvalidInput(
      fmt::format("{} is not printable text; accepted is UTF-8 without control characters", what));
}

// Element count of a shape from outside, without overflow.
Result<int64_t> CheckedElements(const Shape& shape, const std::string& where) {
  if (shape.empty() || shape.size() > static_cast<size_t>(kMaxRank)) {
    return InvalidInput(
        fmt::format("{}: has {} axes; accepted are 1 to {}", where, shape.size(), kMaxRank));
  }
  int64_t count = 1;
  for (int64_t dimension : shape) {
    if (dimension < 1 || dimension > kMaxElements || count * dimension > kMaxElements) {
      return InvalidInput(
          fmt::format("{}: shape {} is out of range; accepted are axes of at least 1 "
                      "and at most {} elements",
                      where, ToString(shape), kMaxElements));
    }
    count *= dimension;
  }
  return count;
}

Status CheckQuantization(const NumberFormat& format, const Quantization& quantization,
                         const Shape& shape, const std::string& where) {
  size_t num_groups = 1;
  if (quantization.axis != -1) {
    if (quantization.axis < 0 || quantization.axis >= static_cast<int>(shape.size())) {
      return InvalidInput(fmt::format("{}: quantization axis is {}; accepted are -1 to {}", where,
                                      quantization.axis, shape.size() - 1));
    }
    num_groups = static_cast<size_t>(shape[static_cast<size_t>(quantization.axis)]);
  }
  for (const auto& [count, noun] : {std::pair{quantization.scales.size(), "scales"},
                                    std::pair{quantization.zero_points.size(), "zero points"}}) {
    if (count != 0 && count != num_groups) {
      return InvalidInput(
          fmt::format("{}: has {} {}; accepted are 0 or {}", where, count, noun, num_groups));
    }
  }
  if (format.family != NumberFamily::kAffine && !format.IsMinifloat() &&
      !quantization.scales.empty()) {
    return InvalidInput(fmt::format("{}: format {} has {} scales; accepted are 0", where,
                                    ToString(format), quantization.scales.size()));
  }
  for (float scale : quantization.scales) {
    if (!std::isfinite(scale) || scale <= 0) {
      return InvalidInput(
          fmt::format("{}: scale is {}; accepted are finite values above 0", where, scale));
    }
    int exponent = 0;
    if (format.IsMinifloat() && std::frexp(scale, &exponent) != 0.5f) {
      return InvalidInput(fmt::format("{}: scale of {} is {}; accepted are powers of two", where,
                                      ToString(format), scale));
    }
  }
  return {};
}

// A tensor that nothing reads, so that no multiplier sees its codes, may hold whole accumulators.
constexpr int kMaxFinalBits = 32;

Status CheckFormat(const NumberFormat& format, bool is_read, const std::string& where) {
  if (format.IsMinifloat()) {
    const Status status = is_read ? CheckOperandFormat(format) : Validate(format);
    if (status.ok()) return {};
    return Error{status.error().kind, fmt::format("{}: {}", where, status.error().message)};
  }
  if (!format.IsInteger()) {
    return Unsupported(
        fmt::format("{}: format {} is not supported; supported are affine and "
                    "fixed-point integers of 2 to 16 bits, and minifloats",
                    where, ToString(format)));
  }
  NumberFormat checked = format;
  const bool is_wide = !is_read && format.is_signed && format.bits <= kMaxFinalBits;
  if (is_wide) checked.bits = std::min(format.bits, 16);
  const Status status = Validate(checked);
  if (!status.ok()) return InvalidInput(fmt::format("{}: {}", where, status.error().message));
  return {};
}

Status CheckTensor(const TensorInfo& tensor, bool is_read, const std::string& where) {
  MACLOOM_RETURN_IF_ERROR(CheckFormat(tensor.format, is_read, where));
  const Quantization& quantization = tensor.quantization;
  if (quantization.axis != -1) {
    return Unsupported(
        fmt::format("{}: activations have one scale per index of axis {}; supported "
                    "is one scale per tensor",
                    where, quantization.axis));
  }
  MACLOOM_RETURN_IF_ERROR(CheckQuantization(tensor.format, quantization, tensor.shape, where));
  const int64_t zero_point = quantization.zero_point();
  const bool is_affine = tensor.format.family == NumberFamily::kAffine;
  const int64_t low = is_affine ? tensor.format.MinCode() : 0;
  const int64_t high = is_affine ? tensor.format.MaxCode() : 0;
  if (zero_point < low || zero_point > high) {
    return InvalidInput(fmt::format("{}: zero point is {}; accepted are {} to {} ({})", where,
                                    zero_point, low, high, ToString(tensor.format)));
  }
  return {};
}

Status CheckMinifloatConstant(const Constant& constant, const std::string& where) {
  const NumberFormat& format = constant.format;
  MACLOOM_RETURN_IF_ERROR(CheckFormat(format, true, where));
  MACLOOM_RETURN_IF_ERROR(CheckQuantization(format, constant.quantization, constant.shape, where));
  for (const int32_t zero_point : constant.quantization.zero_points) {
    if (zero_point == 0) continue;
    return InvalidInput(fmt::format("{}: zero point is {}; accepted is 0 ({})", where, zero_point,
                                    ToString(format)));
  }
  for (const int64_t code : constant.codes) {
    if (code >= format.MinCode() && code <= format.MaxCode() && format.IsFinite(code)) continue;
    return InvalidInput(
        fmt::format("{}: code {} is out of range; accepted are the finite codes "
                    "among {} to {} ({})",
                    where, code, format.MinCode(), format.MaxCode(), ToString(format)));
  }
  return {};
}

Status CheckConstant(const Constant& constant, const std::string& where) {
  MACLOOM_ASSIGN_OR_RETURN(const int64_t count, CheckedElements(constant.shape, where));
  if (static_cast<int64_t>(constant.codes.size()) != count) {
    return InvalidInput(fmt::format("{}: has {} codes; accepted are {} (shape {})", where,
                                    constant.codes.size(), count, ToString(constant.shape)));
  }
  const NumberFormat& format = constant.format;
  if (format.IsMinifloat()) return CheckMinifloatConstant(constant, where);
  if (!format.IsInteger()) {
    return Unsupported(
        fmt::format("{}: format {} is not supported; supported are integers and minifloats", where,
                    ToString(format)));
  }
  // Signed up to 64 bits for biases; what weights may have is checked where they are used.
  const int max_bits = format.is_signed ? 64 : 16;
  if (format.bits < 2 || format.bits > max_bits) {
    return InvalidInput(fmt::format("{}: {} integer has {} bits; accepted are 2 to {}", where,
                                    format.is_signed ? "signed" : "unsigned", format.bits,
                                    max_bits));
  }
  if (format.family == NumberFamily::kFixedPoint && std::abs(format.fraction_bits) > 64) {
    return InvalidInput(fmt::format("{}: has {} fraction bits; accepted are -64 to 64", where,
                                    format.fraction_bits));
  }
  MACLOOM_RETURN_IF_ERROR(CheckQuantization(format, constant.quantization, constant.shape, where));
  for (int32_t zero_point : constant.quantization.zero_points) {
    if (zero_point != 0) {
      return Unsupported(fmt::format("{}: zero point is {}; supported is 0 for weights and biases",
                                     where, zero_point));
    }
  }
  if (format.bits == 64) return {};
  const int64_t low = format.MinCode();
  const int64_t high = format.MaxCode();
  for (int64_t code : constant.codes) {
    if (code < low || code > high) {
      return InvalidInput(fmt::format("{}: code {} is out of range; accepted are {} to {} ({})",
                                      where, code, low, high, ToString(format)));
    }
  }
  return {};
}

Status CheckTexts(const Graph& graph) {
  MACLOOM_RETURN_IF_ERROR(CheckName(graph.name, "the graph's name"));
  MACLOOM_RETURN_IF_ERROR(CheckName(graph.origin, "the graph's origin"));
  MACLOOM_RETURN_IF_ERROR(CheckName(graph.licence, "the graph's licence"));
  for (size_t i = 0; i < graph.class_labels.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(CheckName(graph.class_labels[i], fmt::format("class label {}", i)));
  }
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(
        CheckName(graph.tensors[i].name, fmt::format("the name of tensor {}", i)));
  }
  for (size_t i = 0; i < graph.constants.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(
        CheckName(graph.constants[i].name, fmt::format("the name of constant {}", i)));
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(CheckName(graph.nodes[i].name, fmt::format("the name of node {}", i)));
  }
  return {};
}

Status CheckTensors(const Graph& graph) {
  int64_t total = 0;
  std::vector<char> is_read(graph.tensors.size(), 0);
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.inputs) {
      if (id >= 0 && id < static_cast<int>(is_read.size())) is_read[static_cast<size_t>(id)] = 1;
    }
  }
  if (graph.input >= 0 && graph.input < static_cast<int>(is_read.size())) {
    is_read[static_cast<size_t>(graph.input)] = 1;
  }
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    const std::string where = fmt::format("tensor {} \"{}\"", i, graph.tensors[i].name);
    MACLOOM_ASSIGN_OR_RETURN(const int64_t count, CheckedElements(graph.tensors[i].shape, where));
    MACLOOM_RETURN_IF_ERROR(CheckTensor(graph.tensors[i], is_read[i] != 0, where));
    total += count;
    if (total > kMaxTotalElements) {
      return InvalidInput(
          fmt::format("tensors have more than {} elements together; accepted are at "
                      "most {}",
                      kMaxTotalElements, kMaxTotalElements));
    }
  }
  for (size_t i = 0; i < graph.constants.size(); ++i) {
    MACLOOM_RETURN_IF_ERROR(CheckConstant(
        graph.constants[i], fmt::format("constant {} \"{}\"", i, graph.constants[i].name)));
  }
  return {};
}

Status CheckTensorId(const Graph& graph, TensorId id, const std::string& what) {
  if (id >= 0 && id < static_cast<int>(graph.tensors.size())) return {};
  return InvalidInput(fmt::format("{} is tensor {}; accepted are 0 to {}", what, id,
                                  static_cast<int>(graph.tensors.size()) - 1));
}

// Indices of one node, and that its inputs exist by the time it runs.
Status CheckOrder(const Graph& graph, const Node& node, const std::string& where,
                  std::vector<char>& is_produced) {
  for (TensorId id : node.inputs) {
    MACLOOM_RETURN_IF_ERROR(CheckTensorId(graph, id, where + ": input"));
    if (!is_produced[static_cast<size_t>(id)]) {
      return InvalidInput(
          fmt::format("{}: input tensor {} \"{}\" is not produced by an earlier node; "
                      "accepted are nodes in execution order",
                      where, id, graph.tensor(id).name));
    }
  }
  MACLOOM_RETURN_IF_ERROR(CheckTensorId(graph, node.output, where + ": output"));
  if (is_produced[static_cast<size_t>(node.output)]) {
    return InvalidInput(
        fmt::format("{}: output tensor {} \"{}\" is written a second time; accepted "
                    "is one producer per tensor",
                    where, node.output, graph.tensor(node.output).name));
  }
  is_produced[static_cast<size_t>(node.output)] = 1;
  return {};
}

}  // namespace

Status Verify(const Graph& graph) {
  MACLOOM_RETURN_IF_ERROR(CheckTexts(graph));
  MACLOOM_RETURN_IF_ERROR(CheckTensors(graph));
  MACLOOM_RETURN_IF_ERROR(CheckTensorId(graph, graph.input, "the graph's input"));
  MACLOOM_RETURN_IF_ERROR(CheckTensorId(graph, graph.output, "the graph's output"));
  if (graph.nodes.empty()) return InvalidInput("the graph has 0 nodes; accepted is at least 1");
  std::vector<char> is_produced(graph.tensors.size(), 0);
  is_produced[static_cast<size_t>(graph.input)] = 1;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::string where = fmt::format("node {} \"{}\" ({})", i, node.name, ToString(node.kind));
    MACLOOM_RETURN_IF_ERROR(CheckOrder(graph, node, where, is_produced));
    const Status status = VerifyNode(graph, node);
    if (!status.ok()) {
      return Error{status.error().kind, fmt::format("{}: {}", where, status.error().message)};
    }
  }
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    if (!is_produced[i]) {
      return InvalidInput(
          fmt::format("tensor {} \"{}\" is neither the graph's input nor the output of "
                      "a node",
                      i, graph.tensors[i].name));
    }
  }
  return {};
}

}  // namespace macloom::ir
