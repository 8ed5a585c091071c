// Reads a .tflite file into a verified graph.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "ir/graph.h"

namespace macloom::importers {

struct TfliteOptions {
  ir::Rounding rounding =
      ir::Rounding::kDouble;  ///< Arithmetic the network is given (numerics.md 4).
};

/// Imports the int8 subset: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, AVERAGE_POOL_2D, ADD,
/// RESHAPE, SOFTMAX with activations NONE, RELU, RELU6, RELU_N1_TO_1; SAME and VALID padding;
/// per-tensor and per-channel scales; batch 1; one subgraph, one input, one output.
///
/// The file is hostile: the flatbuffer verifier runs first, then every index, size, shape and scale
/// is checked before use. @return kInvalidInput (damaged or contradictory file) or kUnsupported (an
/// operator or property outside the subset: the message names it and the supported set).
Result<ir::Graph> ImportTflite(std::span<const uint8_t> bytes, const TfliteOptions& options = {});

/// Same from a file; `origin` of the graph names file and sha256, messages start with the path.
Result<ir::Graph> ImportTfliteFile(const std::filesystem::path& path,
                                   const TfliteOptions& options = {});

}  // namespace macloom::importers
