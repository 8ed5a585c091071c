#include "ir/float_network_file.h"

#include <fmt/format.h>

#include <climits>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "base/digest.h"
#include "base/files.h"
#include "base/safetensors.h"
#include "ir/json_fields.h"
#include "ir/network_names.h"
#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

using Json = nlohmann::json;

constexpr const char* kFloatGraphKey = "macloom.float_graph";
constexpr const char* kFloatNetworkFormatName = "macloom.float_network";
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Json NodeJson(const FloatNode& node) {
  Json json = {{"name", node.name},
               {"operator", NameIn(kOperatorNames, node.kind)},
               {"inputs", node.inputs},
               {"output", node.output}};
  if (node.weights >= 0) json["weights"] = node.weights;
  if (node.bias >= 0) json["bias"] = node.bias;
  if (HasWindow(node.kind)) {
    const Window& window = node.window;
    json["window"] = {
        {"kernel", {window.kernel_h, window.kernel_w}},
        {"stride", {window.stride_h, window.stride_w}},
        {"padding", {window.pad_top, window.pad_bottom, window.pad_left, window.pad_right}}};
    if (window.dilation_h != 1 || window.dilation_w != 1) {
      json["window"]["dilation"] = {window.dilation_h, window.dilation_w};
    }
  }
  if (node.kind == OperatorKind::kDepthwiseConv2d) json["depth_multiplier"] = node.depth_multiplier;
  if (node.kind == OperatorKind::kConcatenation) json["axis"] = node.axis;
  if (node.batch_norm.is_present()) {
    const BatchNormalization& norm = node.batch_norm;
    json["batch_norm"] = {{"gamma", norm.gamma},
                          {"beta", norm.beta},
                          {"mean", norm.mean},
                          {"variance", norm.variance},
                          {"epsilon", norm.epsilon}};
  }
  // JSON has no infinity: a limit that is left out is none.
  if (!std::isinf(node.clamp_min)) json["clamp_min"] = node.clamp_min;
  if (!std::isinf(node.clamp_max)) json["clamp_max"] = node.clamp_max;
  return json;
}

class FloatReader {
 public:
  explicit FloatReader(const Safetensors& container) : container_(container) {}

  Result<FloatGraph> Read(const Json& json) {
    FloatGraph graph;
    JsonFields fields(json, "", status_);
    const std::string format = fields.GetText("format");
    if (format != kFloatNetworkFormatName) {
      fields.Fail("format",
                  fmt::format("is \"{}\"; accepted is \"{}\"", format, kFloatNetworkFormatName));
    }
    fields.GetInt("version", kFloatNetworkFormatVersion, kFloatNetworkFormatVersion);
    graph.name = fields.GetText("name");
    graph.origin = fields.GetText("origin");
    graph.licence = fields.GetText("licence");
    graph.front_end = fields.GetText("front_end");
    for (const Json& label : fields.GetArray("class_labels")) {
      if (!label.is_string()) fields.Fail("class_labels", "holds something else than texts");
      graph.class_labels.push_back(label.is_string() ? label.get<std::string>() : std::string());
    }
    graph.input = GetIndex(fields, "input");
    graph.output = GetIndex(fields, "output");
    ForEach(fields, "tensors", [&](JsonFields& f) {
      graph.tensors.push_back({f.GetText("name"), f.GetInts("shape", -1, 1, kMaxElements)});
    });
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

  static double GetNumber(JsonFields& fields, const char* key) {
    const Json& value = fields.Get(key);
    if (value.is_number()) return value.get<double>();
    fields.Fail(key, "is not a number");
    return 0;
  }

  /// A float32 limit; a finite number of the file stays finite.
  static float GetLimit(JsonFields& fields, const char* key, float none) {
    if (!fields.Has(key)) return none;
    const double value = GetNumber(fields, key);
    if (std::abs(value) <= std::numeric_limits<float>::max()) return static_cast<float>(value);
    fields.Fail(key, fmt::format("is {}; accepted are float32 values", value));
    return none;
  }

  // One constant per tensor: a small file cannot expand by naming a large tensor many times.
  FloatConstant ReadConstant(JsonFields& fields) {
    FloatConstant constant;
    constant.name = fields.GetText("name");
    const std::string key = fields.GetText("values");
    const auto found = container_.tensors.find(key);
    if (found == container_.tensors.end()) {
      fields.Fail("values", fmt::format("names tensor \"{}\", which the file does not hold", key));
      return constant;
    }
    if (!used_.insert(key).second) {
      fields.Fail("values",
                  fmt::format("names tensor \"{}\", which another field names already", key));
      return constant;
    }
    const SafetensorsTensor& tensor = found->second;
    if (tensor.dtype != "F32") {
      fields.Fail("values", fmt::format("names a tensor of {}; accepted is F32", tensor.dtype));
      return constant;
    }
    constant.shape = tensor.shape;
    constant.values.resize(tensor.bytes.size() / sizeof(float));
    if (!tensor.bytes.empty()) {
      std::memcpy(constant.values.data(), tensor.bytes.data(), tensor.bytes.size());
    }
    return constant;
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

  BatchNormalization ReadBatchNorm(JsonFields& parent) {
    JsonFields fields(parent.Get("batch_norm"), parent.At("batch_norm"), status_);
    BatchNormalization norm;
    norm.gamma = GetIndex(fields, "gamma");
    norm.beta = GetIndex(fields, "beta");
    norm.mean = GetIndex(fields, "mean");
    norm.variance = GetIndex(fields, "variance");
    norm.epsilon = GetNumber(fields, "epsilon");
    fields.RefuseOthers();
    return norm;
  }

  FloatNode ReadNode(JsonFields& fields) {
    FloatNode node;
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
    if (fields.Has("batch_norm")) node.batch_norm = ReadBatchNorm(fields);
    node.clamp_min = GetLimit(fields, "clamp_min", -kInfinity);
    node.clamp_max = GetLimit(fields, "clamp_max", kInfinity);
    return node;
  }

  const Safetensors& container_;
  std::set<std::string> used_;
  Status status_;
};

}  // namespace

Result<std::vector<uint8_t>> SerializeFloatNetwork(const FloatGraph& graph) {
  MACLOOM_RETURN_IF_ERROR(Verify(graph));
  Safetensors container;
  Json json = {{"format", kFloatNetworkFormatName},
               {"version", kFloatNetworkFormatVersion},
               {"name", graph.name},
               {"origin", graph.origin},
               {"licence", graph.licence},
               {"front_end", graph.front_end},
               {"class_labels", graph.class_labels},
               {"input", graph.input},
               {"output", graph.output},
               {"tensors", Json::array()},
               {"constants", Json::array()},
               {"nodes", Json::array()}};
  for (const FloatTensorInfo& tensor : graph.tensors) {
    json["tensors"].push_back({{"name", tensor.name}, {"shape", tensor.shape}});
  }
  for (const FloatConstant& constant : graph.constants) {
    std::string key = constant.name;
    for (int n = 2; key.empty() || key == "__metadata__" || container.tensors.count(key) != 0;
         ++n) {
      key = fmt::format("{}#{}", constant.name, n);
    }
    SafetensorsTensor tensor{"F32", constant.shape, {}};
    tensor.bytes.resize(constant.values.size() * sizeof(float));
    std::memcpy(tensor.bytes.data(), constant.values.data(), tensor.bytes.size());
    container.tensors[key] = std::move(tensor);
    json["constants"].push_back({{"name", constant.name}, {"values", key}});
  }
  for (const FloatNode& node : graph.nodes) json["nodes"].push_back(NodeJson(node));
  container.metadata[kFloatGraphKey] = json.dump();
  return SerializeSafetensors(container);
}

Result<FloatGraph> ParseFloatNetwork(std::span<const uint8_t> content) {
  MACLOOM_ASSIGN_OR_RETURN(const Safetensors container, ParseSafetensors(content));
  const auto found = container.metadata.find(kFloatGraphKey);
  if (found == container.metadata.end()) {
    return InvalidInput(
        fmt::format("not a float network file: its __metadata__ has no \"{}\"", kFloatGraphKey));
  }
  const Json json = Json::parse(found->second, nullptr, false);
  if (json.is_discarded()) {
    return InvalidInput(fmt::format("__metadata__ \"{}\" is not JSON", kFloatGraphKey));
  }
  return FloatReader(container).Read(json);
}

Status SaveFloatNetwork(const FloatGraph& graph, const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, SerializeFloatNetwork(graph));
  return WriteFileAtomically(path, bytes);
}

Result<FloatGraph> LoadFloatNetwork(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
  Result<FloatGraph> graph = ParseFloatNetwork(bytes);
  if (!graph.ok()) return Error{graph.error().kind, path.string() + ": " + graph.error().message};
  return graph;
}

bool LooksLikeFloatNetwork(std::span<const uint8_t> content) {
  const Result<Safetensors> container = ParseSafetensors(content);
  return container.ok() && container->metadata.count(kFloatGraphKey) > 0;
}

std::string Digest(const FloatGraph& graph) {
  const Result<std::vector<uint8_t>> bytes = SerializeFloatNetwork(graph);
  MACLOOM_CHECK(bytes.ok());
  return Sha256Hex(*bytes);
}

}  // namespace macloom::ir
