// Reads an integer .onnx file into a verified graph.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "ir/graph.h"

namespace macloom::importers {

/// Imports integer networks in three dialects (docs/onnx.md): integers in float operators with
/// Mul, Add, Div, Floor, Clip or RequantShift (PULP), Quant nodes (QONNX), and QuantizeLinear /
/// DequantizeLinear pairs around float operators. Batch 1, one input, one output.
///
/// The arithmetic is that of the operators on real numbers; every requantization of the graph
/// equals it for every accumulator the layer can reach. The input's quantization and what follows
/// the last accumulator (affine maps, Softmax, LogSoftmax) are left to the host.
///
/// The file is hostile: sizes, indices, shapes, products and scales are checked before use.
/// @return kInvalidInput (damaged or contradictory file) or kUnsupported (an operator or property
///         outside the subset: the message names node, operator and the supported set).
Result<ir::Graph> ImportOnnx(std::span<const uint8_t> bytes);

/// Same from a file; `origin` of the graph names file and sha256, messages start with the path.
Result<ir::Graph> ImportOnnxFile(const std::filesystem::path& path);

/// Whether the bytes may be an ONNX model: a protobuf whose first field is the IR version.
bool LooksLikeOnnx(std::span<const uint8_t> bytes);

}  // namespace macloom::importers
