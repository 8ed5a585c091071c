// The folder of test vectors: index.json, .npy, $readmemh text, C headers.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/files.h"
#include "base/memory_hex.h"
#include "base/npy.h"
#include "flow/vectors.h"
#include "ir/network_names.h"

namespace macloom::flow {
namespace {

using nlohmann::ordered_json;

/// Bytes of the smallest C integer that holds the array's codes.
int StorageBytes(const VectorArray& array) {
  return array.width_bits <= 8 ? 1 : array.width_bits <= 16 ? 2 : array.width_bits <= 32 ? 4 : 8;
}

std::vector<uint8_t> ToNpy(const VectorArray& array) {
  const int bytes = StorageBytes(array);
  NpyArray npy;
  // NpyArray has no unsigned type of more than 2 bytes; no code is that wide.
  npy.dtype = fmt::format("{}{}{}", bytes == 1 ? '|' : '<', array.is_signed ? 'i' : 'u', bytes);
  npy.shape = array.shape;
  for (const int64_t code : array.codes) {
    for (int b = 0; b < bytes; ++b)
      npy.bytes.push_back(static_cast<uint8_t>(static_cast<uint64_t>(code) >> (8 * b)));
  }
  return SerializeNpy(npy);
}

std::string Title(const VectorLayer& layer, const VectorArray& array) {
  return fmt::format("{}.{} {} [{}], {}-bit {}", layer.folder, array.name,
                     ir::ToString(array.shape), array.layout, array.width_bits,
                     array.is_signed ? "two's complement" : "unsigned");
}

std::string CLiteral(int64_t value, int bytes) {
  if (bytes < 8) return std::to_string(value);
  return value == INT64_MIN ? "INT64_MIN" : fmt::format("INT64_C({})", value);
}

std::string ToCHeader(const VectorSet& set, const VectorLayer& layer) {
  const ir::Node& node = set.graph.nodes[static_cast<size_t>(layer.node)];
  std::string guard = "MACLOOM_VECTORS_" + layer.folder + "_H";
  std::string text = fmt::format(
      "/* Vectors of layer {} ({}), {} samples. Written by macloom; do not edit. */\n"
      "#ifndef {}\n#define {}\n\n#include <stdint.h>\n\n",
      layer.folder, ir::ToString(node.kind), set.num_samples, guard, guard);
  for (const VectorArray& array : layer.arrays) {
    const int bytes = StorageBytes(array);
    text += fmt::format("/* {} */\n", Title(layer, array));
    text += fmt::format("static const {}int{}_t {}_{}[{}] = {{", array.is_signed ? "" : "u",
                        8 * bytes, layer.folder, array.name, array.codes.size());
    for (size_t i = 0; i < array.codes.size(); ++i) {
      text += i % 16 == 0 ? "\n    " : " ";
      text += CLiteral(array.codes[i], bytes) + ",";
    }
    text += "\n};\n\n";
  }
  return text + "#endif\n";
}

ordered_json LayerJson(const VectorSet& set, const VectorLayer& layer) {
  const ir::Graph& graph = set.graph;
  const ir::Node& node = graph.nodes[static_cast<size_t>(layer.node)];
  ordered_json json = {{"name", node.name},
                       {"operator", ir::ToString(node.kind)},
                       {"folder", layer.folder},
                       {"overflow_events", layer.overflow_events}};
  for (const ir::TensorId id : node.inputs)
    json["input_zero_points"].push_back(graph.tensor(id).quantization.zero_point());
  const ir::Requantization& requantization = node.requantization;
  json["requantization"] = ir::NameIn(ir::kRequantizationNames, requantization.kind);
  json["output_zero_point"] = requantization.zero_point;
  json["clamp"] = {requantization.clamp_min, requantization.clamp_max};
  const ir::Window& w = node.window;
  json["window"] = {{"kernel", {w.kernel_h, w.kernel_w}},
                    {"stride", {w.stride_h, w.stride_w}},
                    {"padding", {w.pad_top, w.pad_bottom, w.pad_left, w.pad_right}}};
  return json;
}

}  // namespace

Status WriteVectors(const VectorSet& set, const std::set<VectorFormat>& formats,
                    const std::filesystem::path& directory) {
  MACLOOM_CHECK(!formats.empty());
  MACLOOM_ASSIGN_OR_RETURN(OutputDirectory output, OutputDirectory::Create(directory));
  const ir::Accumulation& accumulation = set.accumulation;
  ordered_json index = {
      {"format", "macloom.vectors"},
      {"format_version", 1},
      {"network", set.graph.name},
      {"network_digest", ir::Digest(set.graph)},
      {"is_untrained", set.graph.is_untrained},
      {"samples", set.num_samples},
      {"accumulation",
       {{"width_bits", accumulation.width_bits},
        {"overflow", accumulation.overflow == ir::Overflow::kWrap ? "wrap" : "saturate"},
        {"products_per_step", accumulation.products_per_step},
        {"order",
         accumulation.order == ir::AccumulationOrder::kFlatTap ? "flat-tap" : "block-tap"}}}};
  for (const VectorLayer& layer : set.layers) {
    ordered_json entry = LayerJson(set, layer);
    if (formats.count(VectorFormat::kC) > 0) {
      const std::string text = ToCHeader(set, layer);
      MACLOOM_RETURN_IF_ERROR(output.Write(layer.folder + ".h", std::string_view(text)));
      entry["c_header"] = {{"file", layer.folder + ".h"}, {"sha256", Sha256Hex(text)}};
    }
    for (const VectorArray& array : layer.arrays) {
      ordered_json item = {{"name", array.name},
                           {"layout", array.layout},
                           {"shape", array.shape},
                           {"width_bits", array.width_bits},
                           {"is_signed", array.is_signed}};
      const std::string stem = layer.folder + "/" + array.name;
      if (formats.count(VectorFormat::kNpy) > 0) {
        const std::vector<uint8_t> bytes = ToNpy(array);
        MACLOOM_RETURN_IF_ERROR(output.Write(stem + ".npy", std::span<const uint8_t>(bytes)));
        item["npy"] = {{"file", stem + ".npy"}, {"sha256", Sha256Hex(std::span(bytes))}};
      }
      if (formats.count(VectorFormat::kHex) > 0) {
        const std::string text =
            RenderMemoryHex(Title(layer, array), array.codes, array.width_bits);
        MACLOOM_RETURN_IF_ERROR(output.Write(stem + ".hex", std::string_view(text)));
        item["hex"] = {{"file", stem + ".hex"}, {"sha256", Sha256Hex(text)}};
      }
      entry["arrays"].push_back(std::move(item));
    }
    index["layers"].push_back(std::move(entry));
  }
  MACLOOM_RETURN_IF_ERROR(output.Write("index.json", index.dump(2) + "\n"));
  return output.Commit();
}

}  // namespace macloom::flow
