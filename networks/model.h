// Names of networks a user may give: a .tflite or .onnx file, our network file, or a shipped name.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace macloom::networks {

/// Shipped networks; the first is the default. The last is untrained: a shape for tests.
std::vector<std::string> ShippedModels();

/// Loads `model`: a shipped name, a path ending in .tflite or .onnx, or a network file
/// (.safetensors). `rounding` matters for foreign files only. @return kInvalidInput naming what is
/// accepted.
Result<ir::Graph> LoadModel(const std::string& model, ir::Rounding rounding);

}  // namespace macloom::networks
