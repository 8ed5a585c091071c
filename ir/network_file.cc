#include "ir/network_file.h"

#include "base/files.h"
#include "ir/network_serialization.h"

namespace macloom::ir {

Status SaveNetwork(const Graph& graph, const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, SerializeNetwork(graph));
  return WriteFileAtomically(path, bytes);
}

Result<Graph> LoadNetwork(const std::filesystem::path& path) {
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<uint8_t> bytes, ReadFile(path));
  Result<Graph> graph = ParseNetwork(bytes);
  if (!graph.ok()) return Error{graph.error().kind, path.string() + ": " + graph.error().message};
  return graph;
}

}  // namespace macloom::ir
