// A float network as a .safetensors file: F32 tensors and the graph as JSON in the metadata.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "ir/float_graph.h"

namespace macloom::ir {

/// Version of the graph JSON that is written and accepted (docs/formats.md, "Float network file").
inline constexpr int kFloatNetworkFormatVersion = 1;

/// The bytes of a float network file; equal graphs give equal bytes.
///
/// A .safetensors container. `__metadata__["macloom.float_graph"]` is the graph as JSON; it names
/// the F32 tensors of the constants. @return kInvalidInput if Verify() refuses the graph or the
/// header would exceed 16 MiB.
Result<std::vector<uint8_t>> SerializeFloatNetwork(const FloatGraph& graph);

/// Parses and verifies the bytes of a float network file. Hostile input is safe; the error names
/// the field.
Result<FloatGraph> ParseFloatNetwork(std::span<const uint8_t> content);

/// Writes `graph` completely or not at all.
Status SaveFloatNetwork(const FloatGraph& graph, const std::filesystem::path& path);

/// Reads and verifies a float network file; messages start with the path.
Result<FloatGraph> LoadFloatNetwork(const std::filesystem::path& path);

/// Whether `content` is a .safetensors container whose metadata holds a float network. Its graph
/// may still be wrong.
bool LooksLikeFloatNetwork(std::span<const uint8_t> content);

}  // namespace macloom::ir
