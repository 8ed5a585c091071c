#include "importers/onnx/importer.h"

#include <fmt/format.h>

#include "base/digest.h"
#include "base/files.h"
#include "importers/onnx/converter.h"
#include "importers/onnx/file_model.h"

namespace macloom::importers {
namespace {

Result<ir::Graph> ImportNamed(std::span<const uint8_t> bytes, const std::string& graph_name,
                              const std::string& origin_prefix) {
  MACLOOM_ASSIGN_OR_RETURN(const onnx::FileModel file, onnx::OpenContainer(bytes));
  onnx::Converter converter(file);
  MACLOOM_ASSIGN_OR_RETURN(ir::Graph graph, converter.Convert());
  graph.name = !graph_name.empty()        ? graph_name
               : !file.graph_name.empty() ? file.graph_name
                                          : "network";
  graph.origin = origin_prefix + "sha256 " + Sha256Hex(bytes);
  MACLOOM_RETURN_IF_ERROR(ir::Verify(graph));
  return graph;
}

}  // namespace

Result<ir::Graph> ImportOnnx(std::span<const uint8_t> bytes) { return ImportNamed(bytes, "", ""); }

Result<ir::Graph> ImportOnnxFile(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes,
                           ReadFile(path, static_cast<int64_t>(onnx::kMaxFileBytes)));
  auto graph = ImportNamed(bytes, onnx::Printable(path.stem().string()),
                           onnx::Printable(path.filename().string()) + " ");
  if (graph.ok()) return graph;
  return Error{graph.error().kind, path.string() + ": " + graph.error().message};
}

bool LooksLikeOnnx(std::span<const uint8_t> bytes) {
  // Field 1, a small varint: the version of the format.
  return bytes.size() > 4 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 0x40;
}

}  // namespace macloom::importers
