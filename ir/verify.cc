// Verify(): tensors, constants and order; what one node must satisfy is in verify_node.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/graph.h"
#include "ir/shape_inference.h"
#include "ir/verify_minifloat.h"
#include "ir/verify_node.h"
#include "ir/verify_structure.h"

namespace macloom::ir {
namespace {

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

/// `is_inner`: neither input nor output of the graph.
Status CheckTensor(const TensorInfo& tensor, bool is_read, bool is_inner,
                   const std::string& where) {
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
  const bool has_zero_point = tensor.format.family == NumberFamily::kAffine ||
                              (tensor.format.family == NumberFamily::kFixedPoint && is_inner);
  const int64_t low = has_zero_point ? tensor.format.MinCode() : 0;
  const int64_t high = has_zero_point ? tensor.format.MaxCode() : 0;
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
    const bool is_inner = static_cast<int>(i) != graph.input && static_cast<int>(i) != graph.output;
    MACLOOM_RETURN_IF_ERROR(CheckTensor(graph.tensors[i], is_read[i] != 0, is_inner, where));
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

}  // namespace

Status Verify(const Graph& graph) {
  MACLOOM_RETURN_IF_ERROR(CheckTexts(graph));
  MACLOOM_RETURN_IF_ERROR(CheckTensors(graph));
  return CheckNodes(graph, [&graph](const Node& node) { return VerifyNode(graph, node); });
}

}  // namespace macloom::ir
