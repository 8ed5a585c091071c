#include "networks/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fstream>

#include "importers/max78000/importer.h"
#include "importers/onnx/importer.h"
#include "importers/tflite/importer.h"
#include "ir/network_file.h"
#include "ir/network_serialization.h"
#include "networks/embedded_models.h"
#include "networks/untrained_network.h"

namespace macloom::networks {

namespace {

bool LooksLikeOnnxFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  uint8_t head[8] = {};
  file.read(reinterpret_cast<char*>(head), sizeof head);
  return file.good() && importers::LooksLikeOnnx(head);
}

}  // namespace

std::vector<std::string> ShippedModels() {
  return {"digits-w8a8", "digits-w4a8", "digits-w4a4", "ds-cnn-untrained"};
}

Result<ir::Graph> LoadModel(const std::string& model, ir::Rounding rounding) {
  if (model == "ds-cnn-untrained") return MakeUntrainedKwsNetwork();
  if (const auto shipped = EmbeddedModels().find(model + ".safetensors");
      shipped != EmbeddedModels().end()) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(shipped->second.data());
    return ir::ParseNetwork({bytes, shipped->second.size()});
  }
  if (model.find(".yaml@") != std::string::npos) return importers::ImportMax78000(model);
  const std::filesystem::path path(model);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return InvalidInput(fmt::format("model `{}`: no such file, and not a shipped network ({})",
                                    model, fmt::join(ShippedModels(), ", ")));
  }
  if (path.extension() == ".tflite") return importers::ImportTfliteFile(path, {rounding});
  if (path.extension() == ".onnx") return importers::ImportOnnxFile(path);
  if (path.extension() == ".safetensors") return ir::LoadNetwork(path);
  if (LooksLikeOnnxFile(path)) return importers::ImportOnnxFile(path);
  return InvalidInput(
      fmt::format("model `{}`: accepted are .tflite and .onnx files, TABLE.yaml@FOLDER@SHAPE, "
                  "network files (.safetensors) and {}",
                  model, fmt::join(ShippedModels(), ", ")));
}

}  // namespace macloom::networks
