// Verify(): tensors, constants and order; what one node must satisfy is in verify_node.cc.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "ir/graph.h"
#include "ir/shape_inference.h"
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
  if (format.family != NumberFamily::kAffine && !quantization.scales.empty()) {
    return InvalidInput(fmt::format("{}: format {} has {} scales; accepted are 0", where,
                                    ToString(format), quantization.scales.size()));
  }
  for (float scale : quantization.scales) {
    if (!std::isfinite(scale) || scale <= 0) {
      return InvalidInput(
          fmt::format("{}: scale is {}; accepted are finite values above 0", where, scale));
    }
  }
  return {};
}

// A tensor that nothing reads, so that no multiplier sees its codes, may hold whole accumulators.
constexpr int kMaxFinalBits = 32;

Status CheckIntegerFormat(const NumberFormat& format, bool is_read, const std::string& where) {
  if (!format.IsInteger()) {
    return Unsupported(
        fmt::format("{}: format {} is not supported; supported are affine and "
                    "fixed-point integers of 2 to 16 bits",
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
  MACLOOM_RETURN_IF_ERROR(CheckIntegerFormat(tensor.format, is_read, where));
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

Status CheckConstant(const Constant& constant, const std::string& where) {
  MACLOOM_ASSIGN_OR_RETURN(const int64_t count, CheckedElements(constant.shape, where));
  if (static_cast<int64_t>(constant.codes.size()) != count) {
    return InvalidInput(fmt::format("{}: has {} codes; accepted are {} (shape {})", where,
                                    constant.codes.size(), count, ToString(constant.shape)));
  }
  const NumberFormat& format = constant.format;
  if (!format.IsInteger()) {
    return Unsupported(fmt::format("{}: format {} is not supported; supported are integers", where,
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

// What the recipe says is the front end's matter; here it is a JSON object of bounded size.
Status CheckFrontEnd(const std::string& text) {
  constexpr size_t kMaxBytes = 65536;
  if (text.empty()) return {};
  if (text.size() > kMaxBytes) {
    return InvalidInput(
        fmt::format("front_end has {} bytes; accepted are at most {}", text.size(), kMaxBytes));
  }
  MACLOOM_RETURN_IF_ERROR(CheckName(text, "front_end"));
  if (nlohmann::json::parse(text, nullptr, false).is_object()) return {};
  return InvalidInput("front_end is not the text of a JSON object");
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

}  // namespace

Status Verify(const Graph& graph) {
  MACLOOM_RETURN_IF_ERROR(CheckTexts(graph));
  MACLOOM_RETURN_IF_ERROR(CheckFrontEnd(graph.front_end));
  MACLOOM_RETURN_IF_ERROR(CheckTensors(graph));
  return CheckNodes(graph, [&graph](const Node& node) { return VerifyNode(graph, node); });
}

}  // namespace macloom::ir
