// macloom's own network file: a .safetensors file with the graph as JSON in its metadata.
#pragma once

#include <filesystem>

#include "ir/graph.h"

namespace macloom::ir {

/// Writes `graph` (docs/formats.md, "Network file"); atomically: a temporary name, then a rename.
Status SaveNetwork(const Graph& graph, const std::filesystem::path& path);

/// Reads and verifies a network file. Hostile input is safe: container sizes, offsets and every
/// index are checked before use; the error names the file and the field.
Result<Graph> LoadNetwork(const std::filesystem::path& path);

}  // namespace macloom::ir
