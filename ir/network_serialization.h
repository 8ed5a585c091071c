// The network file in memory; network_file.h adds the paths.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ir/graph.h"

namespace macloom::ir {

/// Version of the graph JSON that SerializeNetwork() writes and ParseNetwork() accepts.
inline constexpr int kNetworkFormatVersion = 1;

/// The bytes of a network file; equal graphs give equal bytes, so their SHA-256 is Digest().
///
/// A .safetensors container. `__metadata__["macloom.graph"]` is the graph as JSON; it names the
/// tensors that hold codes (I8, U8, I16, U16 or I64), scales (F32), multipliers and shifts (I32).
/// @return kInvalidInput if Verify() refuses the graph or the header would exceed 16 MiB.
Result<std::vector<uint8_t>> SerializeNetwork(const Graph& graph);

/// Parses and verifies the bytes of a network file. Hostile input is safe; the error names the
/// field.
Result<Graph> ParseNetwork(std::span<const uint8_t> content);

}  // namespace macloom::ir
