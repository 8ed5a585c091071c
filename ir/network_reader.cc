#include <climits>
#include <cstring>
#include <set>
#include <utility>

#include "base/safetensors.h"
#include "ir/json_fields.h"
#include "ir/network_names.h"
#include "ir/network_serialization.h"
#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

using Json = nlohmann::json;

template <typename Stored, typename Value>
std::vector<Value> ValuesOf(const SafetensorsTensor& tensor) {
  std::vector<Value> values(tensor.bytes.size() / sizeof(Stored));
  for (size_t i = 0; i < values.size(); ++i) {
    Stored value;
    std::memcpy(&value, tensor.bytes.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = static_cast<Value>(value);
  }
  return values;
}

class Reader {
 public:
  explicit Reader(const Safetensors& container) : container_(container) {}

  Result<Graph> Read(const Json& json) {
    Graph graph;
    JsonFields fields(json, "", status_);
    const std::string format = fields.GetText("format");
    if (format != kNetworkFormatName) {
      fields.Fail("format",
                  fmt::format("is \"{}\"; accepted is \"{}\"", format, kNetworkFormatName));
    }
    fields.GetInt("version", kNetworkFormatVersion, kNetworkFormatVersion);
    graph.name = fields.GetText("name");
    graph.origin = fields.GetText("origin");
    graph.licence = fields.GetText("licence");
    graph.is_untrained = fields.GetBool("is_untrained");
    for (const Json& label : fields.GetArray("class_labels")) {
      if (!label.is_string()) fields.Fail("class_labels", "holds something else than texts");
      graph.class_labels.push_back(label.is_string() ? label.get<std::string>() : std::string());
    }
    if (fields.Has("front_end")) {
      graph.front_end = fields.GetText("front_end");
      // One network, one file: no text is written as no field.
      if (graph.front_end.empty()) fields.Fail("front_end", "is empty; leave the field out");
    }
    graph.input = GetIndex(fields, "input");
    graph.output = GetIndex(fields, "output");
    ForEach(fields, "tensors", [&](JsonFields& f) { graph.tensors.push_back(ReadTensor(f)); });
    ForEach(fields, "constants",
            [&](JsonFields& f) { graph.constants.push_back(ReadConstant(f)); });
    ForEach(fields, "nodes", [&](JsonFields& f) { graph.nodes.push_back(ReadNode(f)); });
    fields.RefuseOthers();
    if (!status_.ok()) return status_.error();
    MACLOOM_RETURN_IF_ERROR(Verify(graph));
    return graph;
  }

 private:
  template <typename Function>
  void ForEach(JsonFields& fields, const char* key, Function function) {
    const Json& array = fields.GetArray(key);
    for (size_t i = 0; i < array.size() && status_.ok(); ++i) {
      JsonFields element(array[i], fmt::format("{}[{}]", key, i), status_);
      function(element);
      element.RefuseOthers();
    }
  }

  static int GetIndex(JsonFields& fields, const char* key) {
    return static_cast<int>(fields.GetInt(key, 0, INT_MAX));
  }
  static int32_t GetInt32(JsonFields& fields, const char* key) {
    return static_cast<int32_t>(fields.GetInt(key, INT32_MIN, INT32_MAX));
  }

  // The tensor that a field names; null after a failure. One field per tensor: a small file cannot
  // expand by naming a large tensor many times.
  const SafetensorsTensor* Find(JsonFields& fields, const char* key) {
    const std::string name = fields.GetText(key);
    const auto found = container_.tensors.find(name);
    if (found == container_.tensors.end()) {
      fields.Fail(key, fmt::format("names tensor \"{}\", which the file does not hold", name));
      return nullptr;
    }
    if (!used_.insert(name).second) {
      fields.Fail(key, fmt::format("names tensor \"{}\", which another field names already", name));
      return nullptr;
    }
    return &found->second;
  }

  const SafetensorsTensor* Find(JsonFields& fields, const char* key, const char* dtype) {
    const SafetensorsTensor* tensor = Find(fields, key);
    if (tensor == nullptr) return nullptr;
    if (tensor->dtype == dtype && tensor->shape.size() == 1) return tensor;
    fields.Fail(key, fmt::format("is a tensor of {} with {} axes; accepted is {} with 1",
                                 tensor->dtype, tensor->shape.size(), dtype));
    return nullptr;
  }

  NumberFormat ReadFormat(JsonFields& parent) {
    JsonFields fields(parent.Get("format"), parent.At("format"), status_);
    NumberFormat format;
    format.family = fields.GetEnum("family", kFamilyNames);
    format.bits = static_cast<int>(fields.GetInt("bits", 1, 64));
    format.is_signed = fields.GetBool("is_signed");
    if (format.family == NumberFamily::kFixedPoint) {
      format.fraction_bits = static_cast<int>(fields.GetInt("fraction_bits", -64, 64));
    }
    fields.RefuseOthers();
    return format;
  }

  Quantization ReadQuantization(JsonFields& fields) {
    Quantization quantization;
    if (fields.Has("axis")) {
      quantization.axis = static_cast<int>(fields.GetInt("axis", 0, kMaxRank - 1));
    }
    if (fields.Has("zero_points")) {
      for (int64_t value : fields.GetInts("zero_points", -1, INT32_MIN, INT32_MAX)) {
        quantization.zero_points.push_back(static_cast<int32_t>(value));
      }
    }
    if (fields.Has("scales")) {
      const SafetensorsTensor* scales = Find(fields, "scales", "F32");
      if (scales != nullptr) quantization.scales = ValuesOf<float, float>(*scales);
    }
    return quantization;
  }

  TensorInfo ReadTensor(JsonFields& fields) {
    TensorInfo tensor;
    tensor.name = fields.GetText("name");
    tensor.shape = fields.GetInts("shape", -1, 1, kMaxElements);
    tensor.format = ReadFormat(fields);
    tensor.quantization = ReadQuantization(fields);
    return tensor;
  }

  Constant ReadConstant(JsonFields& fields) {
    Constant constant;
    constant.name = fields.GetText("name");
    constant.format = ReadFormat(fields);
    constant.quantization = ReadQuantization(fields);
    const SafetensorsTensor* tensor = Find(fields, "codes");
    if (tensor == nullptr) return constant;
    constant.shape = tensor->shape;
    const std::string& dtype = tensor->dtype;
    // A code takes 8 bytes in memory: the element limit comes before the conversion.
    if (static_cast<int64_t>(tensor->bytes.size()) / SafetensorsItemBytes(dtype) > kMaxElements) {
      fields.Fail("codes",
                  fmt::format("names a tensor of more than {} elements; accepted are at most "
                              "that many",
                              kMaxElements));
    } else if (dtype == "I8") {
      constant.codes = ValuesOf<int8_t, int64_t>(*tensor);
    } else if (dtype == "U8") {
      constant.codes = ValuesOf<uint8_t, int64_t>(*tensor);
    } else if (dtype == "I16") {
      constant.codes = ValuesOf<int16_t, int64_t>(*tensor);
    } else if (dtype == "U16") {
      constant.codes = ValuesOf<uint16_t, int64_t>(*tensor);
    } else if (dtype == "I32") {
      constant.codes = ValuesOf<int32_t, int64_t>(*tensor);
    } else if (dtype == "I64") {
      constant.codes = ValuesOf<int64_t, int64_t>(*tensor);
    } else {
      fields.Fail(
          "codes",
          fmt::format("names a tensor of {}; accepted are I8, U8, I16, U16, I32, I64", dtype));
    }
    return constant;
  }

  std::vector<FixedPointMultiplier> ReadPairs(JsonFields& fields) {
    const SafetensorsTensor* multipliers = Find(fields, "multipliers", "I32");
    const SafetensorsTensor* shifts = Find(fields, "shifts", "I32");
    if (multipliers == nullptr || shifts == nullptr) return {};
    if (multipliers->shape != shifts->shape) {
      fields.Fail("shifts", fmt::format("has {} elements; accepted are as many as multipliers: {}",
                                        shifts->shape[0], multipliers->shape[0]));
      return {};
    }
    const std::vector<int32_t> m = ValuesOf<int32_t, int32_t>(*multipliers);
    const std::vector<int32_t> s = ValuesOf<int32_t, int32_t>(*shifts);
    std::vector<FixedPointMultiplier> pairs(m.size());
    for (size_t i = 0; i < m.size(); ++i) pairs[i] = {m[i], s[i]};
    return pairs;
  }

  Requantization ReadRequantization(JsonFields& parent) {
    JsonFields fields(parent.Get("requantization"), parent.At("requantization"), status_);
    Requantization requantization;
    requantization.kind = fields.GetEnum("kind", kRequantizationNames);
    requantization.zero_point = GetInt32(fields, "zero_point");
    const std::vector<int64_t> clamp = fields.GetInts("clamp", 2, INT32_MIN, INT32_MAX);
    requantization.clamp_min = static_cast<int32_t>(clamp[0]);
    requantization.clamp_max = static_cast<int32_t>(clamp[1]);
    if (fields.Has("multipliers") || fields.Has("shifts")) {
      requantization.channels = ReadPairs(fields);
    }
    if (requantization.kind == RequantizationKind::kMultiplyAddDivide) {
      requantization.divisor = fields.GetInt("divisor", 1, INT64_MAX);
      const SafetensorsTensor* addends = Find(fields, "addends", "I64");
      if (addends != nullptr) requantization.addends = ValuesOf<int64_t, int64_t>(*addends);
    }
    fields.RefuseOthers();
    return requantization;
  }

  Window ReadWindow(JsonFields& parent) {
    JsonFields fields(parent.Get("window"), parent.At("window"), status_);
    const auto extents = [&](const char* key, int count) {
      const std::vector<int64_t> values = fields.GetInts(key, count, 0, kMaxWindowExtent);
      return std::vector<int>(values.begin(), values.end());
    };
    const std::vector<int> kernel = extents("kernel", 2);
    const std::vector<int> stride = extents("stride", 2);
    const std::vector<int> padding = extents("padding", 4);
    const std::vector<int> dilation =
        fields.Has("dilation") ? extents("dilation", 2) : std::vector<int>{1, 1};
    fields.RefuseOthers();
    return {kernel[0],  kernel[1],  stride[0],  stride[1],   padding[0],
            padding[1], padding[2], padding[3], dilation[0], dilation[1]};
  }

  AddParameters ReadAdd(JsonFields& parent) {
    JsonFields fields(parent.Get("add"), parent.At("add"), status_);
    const std::vector<FixedPointMultiplier> pairs = ReadPairs(fields);
    fields.RefuseOthers();
    if (pairs.size() == 3) return {{pairs[0], pairs[1]}, pairs[2]};
    fields.Fail(
        "multipliers",
        fmt::format("has {} elements; accepted are 3 (input 0, input 1, output)", pairs.size()));
    return {};
  }

  SoftmaxParameters ReadSoftmax(JsonFields& parent) {
    JsonFields fields(parent.Get("softmax"), parent.At("softmax"), status_);
    SoftmaxParameters softmax;
    softmax.input_multiplier = GetInt32(fields, "input_multiplier");
    softmax.input_left_shift = GetInt32(fields, "input_left_shift");
    softmax.diff_min = GetInt32(fields, "diff_min");
    softmax.rounding = fields.GetEnum("rounding", kRoundingNames);
    fields.RefuseOthers();
    return softmax;
  }

  Node ReadNode(JsonFields& fields) {
    Node node;
    node.name = fields.GetText("name");
    node.kind = fields.GetEnum("operator", kOperatorNames);
    const std::vector<int64_t> inputs = fields.GetInts("inputs", -1, 0, INT_MAX);
    node.inputs.assign(inputs.begin(), inputs.end());
    node.output = GetIndex(fields, "output");
    if (fields.Has("weights")) node.weights = GetIndex(fields, "weights");
    if (fields.Has("bias")) node.bias = GetIndex(fields, "bias");
    if (HasWindow(node.kind)) node.window = ReadWindow(fields);
    if (node.kind == OperatorKind::kDepthwiseConv2d) {
      node.depth_multiplier = static_cast<int>(fields.GetInt("depth_multiplier", 1, kMaxElements));
    }
    if (node.kind == OperatorKind::kConcatenation) {
      node.axis = static_cast<int>(fields.GetInt("axis", 0, kMaxRank - 1));
    }
    if (node.kind == OperatorKind::kAdd) node.add = ReadAdd(fields);
    if (node.kind == OperatorKind::kSoftmax) node.softmax = ReadSoftmax(fields);
    node.requantization = ReadRequantization(fields);
    if (fields.Has("required_accumulator_bits")) {
      node.required_accumulator_bits =
          static_cast<int>(fields.GetInt("required_accumulator_bits", 8, 80));
    }
    return node;
  }

  const Safetensors& container_;
  std::set<std::string> used_;
  Status status_;
};

}  // namespace

Result<Graph> ParseNetwork(std::span<const uint8_t> content) {
  MACLOOM_ASSIGN_OR_RETURN(const Safetensors container, ParseSafetensors(content));
  const auto found = container.metadata.find(kGraphKey);
  if (found == container.metadata.end() && container.metadata.count("macloom.float_graph") > 0) {
    return InvalidInput("a float network; accepted here are quantized ones (macloom quantize)");
  }
  if (found == container.metadata.end()) {
    return InvalidInput(
        fmt::format("not a network file: its __metadata__ has no \"{}\"", kGraphKey));
  }
  const Json json = Json::parse(found->second, nullptr, false);
  if (json.is_discarded()) {
    return InvalidInput(fmt::format("__metadata__ \"{}\" is not JSON", kGraphKey));
  }
  return Reader(container).Read(json);
}

}  // namespace macloom::ir
