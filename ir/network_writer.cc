#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "base/digest.h"
#include "base/safetensors.h"
#include "ir/network_names.h"
#include "ir/network_serialization.h"
#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

using Json = nlohmann::json;

template <typename Stored, typename Value>
SafetensorsTensor TensorOf(const char* dtype, std::vector<int64_t> shape,
                           const std::vector<Value>& values) {
  SafetensorsTensor tensor{dtype, std::move(shape), {}};
  tensor.bytes.resize(values.size() * sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    const Stored value = static_cast<Stored>(values[i]);
    std::memcpy(tensor.bytes.data() + i * sizeof(Stored), &value, sizeof(Stored));
  }
  return tensor;
}

SafetensorsTensor CodesOf(const Constant& constant) {
  const auto& [shape, format, codes] = std::tie(constant.shape, constant.format, constant.codes);
  if (format.bits > 16) return TensorOf<int64_t>("I64", shape, codes);
  if (format.bits > 8) {
    return format.is_signed ? TensorOf<int16_t>("I16", shape, codes)
                            : TensorOf<uint16_t>("U16", shape, codes);
  }
  return format.is_signed ? TensorOf<int8_t>("I8", shape, codes)
                          : TensorOf<uint8_t>("U8", shape, codes);
}

class Writer {
 public:
  explicit Writer(const Graph& graph) : graph_(graph) {}

  Safetensors Write() {
    Json json = {{"format", kNetworkFormatName},
                 {"version", kNetworkFormatVersion},
                 {"name", graph_.name},
                 {"origin", graph_.origin},
                 {"licence", graph_.licence},
                 {"is_untrained", graph_.is_untrained},
                 {"class_labels", graph_.class_labels},
                 {"input", graph_.input},
                 {"output", graph_.output},
                 {"tensors", Json::array()},
                 {"constants", Json::array()},
                 {"nodes", Json::array()}};
    if (!graph_.front_end.empty()) json["front_end"] = graph_.front_end;
    for (const TensorInfo& tensor : graph_.tensors) json["tensors"].push_back(TensorJson(tensor));
    for (const Constant& constant : graph_.constants) {
      json["constants"].push_back(ConstantJson(constant));
    }
    for (const Node& node : graph_.nodes) json["nodes"].push_back(NodeJson(node));
    container_.metadata[kGraphKey] = json.dump();
    return std::move(container_);
  }

 private:
  // Stores under `wanted` or, if that is taken, under the first free "wanted#N".
  std::string Store(const std::string& wanted, SafetensorsTensor tensor) {
    std::string key = wanted;
    for (int n = 2; key.empty() || key == "__metadata__" || container_.tensors.count(key) != 0;
         ++n) {
      key = fmt::format("{}#{}", wanted, n);
    }
    container_.tensors[key] = std::move(tensor);
    return key;
  }

  static Json FormatJson(const NumberFormat& format) {
    Json json = {{"family", NameIn(kFamilyNames, format.family)},
                 {"bits", format.bits},
                 {"is_signed", format.is_signed}};
    if (format.family == NumberFamily::kFixedPoint) json["fraction_bits"] = format.fraction_bits;
    return json;
  }

  void AddQuantization(Json& json, const Quantization& quantization, const std::string& prefix) {
    if (quantization.is_per_channel()) json["axis"] = quantization.axis;
    if (!quantization.zero_points.empty()) json["zero_points"] = quantization.zero_points;
    if (quantization.scales.empty()) return;
    json["scales"] =
        Store(prefix + ".scales",
              TensorOf<float>("F32", {static_cast<int64_t>(quantization.scales.size())},
                              quantization.scales));
  }

  Json TensorJson(const TensorInfo& tensor) {
    Json json = {
        {"name", tensor.name}, {"shape", tensor.shape}, {"format", FormatJson(tensor.format)}};
    AddQuantization(json, tensor.quantization, tensor.name);
    return json;
  }

  Json ConstantJson(const Constant& constant) {
    Json json = {{"name", constant.name}, {"format", FormatJson(constant.format)}};
    json["codes"] = Store(constant.name, CodesOf(constant));
    AddQuantization(json, constant.quantization, constant.name);
    return json;
  }

  void AddPairs(Json& json, const std::vector<FixedPointMultiplier>& pairs,
                const std::string& prefix) {
    std::vector<int32_t> multipliers;
    std::vector<int32_t> shifts;
    for (const FixedPointMultiplier& pair : pairs) {
      multipliers.push_back(pair.multiplier);
      shifts.push_back(pair.shift);
    }
    const std::vector<int64_t> shape = {static_cast<int64_t>(pairs.size())};
    json["multipliers"] =
        Store(prefix + ".multipliers", TensorOf<int32_t>("I32", shape, multipliers));
    json["shifts"] = Store(prefix + ".shifts", TensorOf<int32_t>("I32", shape, shifts));
  }

  Json RequantizationJson(const Node& node) {
    const Requantization& requantization = node.requantization;
    Json json = {{"kind", NameIn(kRequantizationNames, requantization.kind)},
                 {"zero_point", requantization.zero_point},
                 {"clamp", {requantization.clamp_min, requantization.clamp_max}}};
    if (!requantization.channels.empty()) AddPairs(json, requantization.channels, node.name);
    if (requantization.kind == RequantizationKind::kMultiplyAddDivide) {
      json["divisor"] = requantization.divisor;
      json["addends"] =
          Store(node.name + ".addends",
                TensorOf<int64_t>("I64", {static_cast<int64_t>(requantization.addends.size())},
                                  requantization.addends));
    }
    return json;
  }

  Json NodeJson(const Node& node) {
    const Window& window = node.window;
    Json json = {{"name", node.name},
                 {"operator", NameIn(kOperatorNames, node.kind)},
                 {"inputs", node.inputs},
                 {"output", node.output},
                 {"requantization", RequantizationJson(node)}};
    if (node.weights >= 0) json["weights"] = node.weights;
    if (node.bias >= 0) json["bias"] = node.bias;
    // Fields that the operator does not use are left out: they are no part of the network.
    if (HasWindow(node.kind)) {
      json["window"] = {
          {"kernel", {window.kernel_h, window.kernel_w}},
          {"stride", {window.stride_h, window.stride_w}},
          {"padding", {window.pad_top, window.pad_bottom, window.pad_left, window.pad_right}}};
      if (window.dilation_h != 1 || window.dilation_w != 1) {
        json["window"]["dilation"] = {window.dilation_h, window.dilation_w};
      }
    }
    if (node.kind == OperatorKind::kDepthwiseConv2d)
      json["depth_multiplier"] = node.depth_multiplier;
    if (node.kind == OperatorKind::kConcatenation) json["axis"] = node.axis;
    if (node.kind == OperatorKind::kAdd) {
      json["add"] = Json::object();
      AddPairs(json["add"], {node.add.input[0], node.add.input[1], node.add.output},
               node.name + ".add");
    }
    if (node.kind == OperatorKind::kSoftmax) {
      json["softmax"] = {{"input_multiplier", node.softmax.input_multiplier},
                         {"input_left_shift", node.softmax.input_left_shift},
                         {"diff_min", node.softmax.diff_min},
                         {"rounding", NameIn(kRoundingNames, node.softmax.rounding)}};
    }
    if (node.required_accumulator_bits.has_value()) {
      json["required_accumulator_bits"] = *node.required_accumulator_bits;
    }
    return json;
  }

  const Graph& graph_;
  Safetensors container_;
};

}  // namespace

Result<std::vector<uint8_t>> SerializeNetwork(const Graph& graph) {
  MACLOOM_RETURN_IF_ERROR(Verify(graph));
  return SerializeSafetensors(Writer(graph).Write());
}

std::string Digest(const Graph& graph) {
  const Result<std::vector<uint8_t>> bytes = SerializeNetwork(graph);
  MACLOOM_CHECK(bytes.ok());
  return Sha256Hex(*bytes);
}

}  // namespace macloom::ir
