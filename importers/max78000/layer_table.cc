#include "importers/max78000/layer_table.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/files.h"

namespace macloom::importers::max78000 {
namespace {

constexpr int64_t kMaxFileBytes = 1 << 20;
constexpr size_t kMaxLayers = 256;

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Where the data lie in the device's memories, and names: nothing of the arithmetic.
constexpr auto kPlacementKeys = std::to_array<const char*>(
    {"processors", "out_offset", "in_offset", "data_format", "name", "output_processors"});

Result<int> ReadInt(const YAML::Node& value, const char* key, int low, int high) {
  int number = 0;
  if (!value.IsScalar() || !YAML::convert<int>::decode(value, number) || number < low ||
      number > high) {
    return InvalidInput(fmt::format("{} is {}; accepted are {} to {}", key,
                                    value.IsScalar() ? "`" + value.Scalar() + "`" : "no number",
                                    low, high));
  }
  return number;
}

Status ReadField(const std::string& key, const YAML::Node& value, Layer& layer) {
  const std::string text = value.IsScalar() ? Lower(value.Scalar()) : "";
  if (key == "operation" || key == "op") {
    if (text == "conv1d") {
      layer.kind = LayerKind::kConv1d;
    } else if (text == "conv2d") {
      layer.kind = LayerKind::kConv2d;
    } else if (text == "mlp" || text == "linear" || text == "fc") {
      layer.kind = LayerKind::kMlp;
    } else {
      return Unsupported(
          fmt::format("{} is `{}`; supported are Conv1d, Conv2d, MLP, Linear, FC", key, text));
    }
  } else if (key == "activate") {
    if (text != "relu" && text != "none") {
      return Unsupported(fmt::format("activate is `{}`; supported are ReLU and None", text));
    }
    layer.has_relu = text == "relu";
  } else if (key == "pad") {
    MACLOOM_ASSIGN_OR_RETURN(layer.pad, ReadInt(value, "pad", 0, 2));
  } else if (key == "kernel_size") {
    const size_t cross = text.find('x');
    if (cross == std::string::npos) {
      MACLOOM_ASSIGN_OR_RETURN(layer.kernel, ReadInt(value, "kernel_size", 1, 9));
    } else if (text == "1x1" || text == "3x3") {
      layer.kernel = text[0] - '0';
    } else {
      return Unsupported(fmt::format("kernel_size is `{}`; supported are 1x1 and 3x3", text));
    }
  } else if (key == "max_pool" || key == "avg_pool") {
    if (layer.pooling != Pooling::kNone) return InvalidInput("two poolings; accepted is one");
    layer.pooling = key == "max_pool" ? Pooling::kMax : Pooling::kAverage;
    MACLOOM_ASSIGN_OR_RETURN(layer.pool, ReadInt(value, key.c_str(), 1, 16));
  } else if (key == "pool_stride") {
    MACLOOM_ASSIGN_OR_RETURN(layer.pool_stride, ReadInt(value, "pool_stride", 1, 16));
  } else if (key == "in_dim") {
    if (!value.IsSequence() || value.size() != 2) {
      return InvalidInput("in_dim is no list of two numbers; accepted is [height, width]");
    }
    MACLOOM_ASSIGN_OR_RETURN(layer.in_h, ReadInt(value[0], "in_dim", 1, 1023));
    MACLOOM_ASSIGN_OR_RETURN(layer.in_w, ReadInt(value[1], "in_dim", 1, 1023));
  } else if (key == "flatten") {
    if (text != "true" && text != "false") {
      return InvalidInput(fmt::format("flatten is `{}`; accepted are true and false", text));
    }
    layer.is_flattened = text == "true";
  } else if (key == "output_width") {
    if (text != "8" && text != "32") {
      return InvalidInput(fmt::format("output_width is `{}`; accepted are 8 and 32", text));
    }
    layer.is_wide = text == "32";
  } else if (std::find(kPlacementKeys.begin(), kPlacementKeys.end(), key) == kPlacementKeys.end()) {
    return Unsupported(
        fmt::format("key `{}`; supported are operation, activate, pad, kernel_size, max_pool, "
                    "avg_pool, pool_stride, in_dim, flatten, output_width, and where data lie",
                    key.substr(0, 40)));
  }
  return {};
}

Result<Layer> ReadLayer(const YAML::Node& fields) {
  if (!fields.IsMap()) return InvalidInput("is no list of keys and values");
  Layer layer;
  for (const auto& field : fields) {
    if (!field.first.IsScalar()) return InvalidInput("has a key that is no word");
    MACLOOM_RETURN_IF_ERROR(ReadField(field.first.Scalar(), field.second, layer));
  }
  if (layer.is_wide && layer.has_relu) {
    return Unsupported("output_width 32 with an activation; supported is None");
  }
  return layer;
}

}  // namespace

Result<LayerTable> ReadLayerTable(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path, kMaxFileBytes));
  LayerTable table;
  // The library reports by exceptions, which end here.
  try {
    const YAML::Node root = YAML::Load(std::string(bytes.begin(), bytes.end()));
    const YAML::Node layers = root.IsMap() ? root["layers"] : YAML::Node();
    if (!layers.IsSequence() || layers.size() == 0 || layers.size() > kMaxLayers) {
      return InvalidInput(
          fmt::format("{}: `layers` is no list of 1 to {} layers; accepted is a layer table",
                      path.string(), kMaxLayers));
    }
    if (root["arch"].IsDefined() && root["arch"].IsScalar()) table.arch = root["arch"].Scalar();
    for (size_t i = 0; i < layers.size(); ++i) {
      const auto layer = ReadLayer(layers[i]);
      if (!layer.ok()) {
        return Error{layer.error().kind,
                     fmt::format("{}: layer {}: {}", path.string(), i, layer.error().message)};
      }
      table.layers.push_back(*layer);
    }
  } catch (const YAML::Exception& error) {
    return InvalidInput(fmt::format("{}: not YAML: {}", path.string(), error.what()));
  }
  return table;
}

}  // namespace macloom::importers::max78000
