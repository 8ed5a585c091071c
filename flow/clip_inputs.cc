#include "flow/clip_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "audio/features.h"
#include "base/file_set.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "networks/embedded_models.h"
#include "networks/model.h"

namespace macloom::flow {
namespace {

namespace fs = std::filesystem;

}  // namespace

bool HoldsWav(const fs::path& path) {
  std::error_code code;
  if (!fs::is_directory(path, code)) {
    if (LowerExtension(path) == ".wav") return true;
    if (!fs::is_regular_file(path, code)) return false;
  }
  bool is_found = false;
  // The error ends the walk at the first one; a path that cannot be read holds none.
  const Status status =
      VisitFiles(path, {".wav"}, audio::kMaxClipBytes, [&](const std::string&, auto) -> Status {
        is_found = true;
        return InvalidInput("found");
      });
  return is_found && !status.ok();
}

Status VisitClips(const std::vector<fs::path>& paths, int pcm_rate_hz,
                  const std::function<Status(NamedClip clip)>& visitor) {
  std::set<std::string> extensions = {".wav"};
  if (pcm_rate_hz != 0) extensions.insert({".bin", ".pcm", ".raw"});
  for (const fs::path& path : paths) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    std::error_code code;
    if (fs::is_regular_file(path, code) && extensions.count(LowerExtension(path)) != 0) {
      MACLOOM_ASSIGN_OR_RETURN(audio::Clip clip, audio::ReadClip(path, pcm_rate_hz));
      MACLOOM_RETURN_IF_ERROR(visitor({path.filename().string(), std::move(clip)}));
      continue;
    }
    bool is_empty = true;
    MACLOOM_RETURN_IF_ERROR(
        VisitFiles(path, extensions, audio::kMaxClipBytes,
                   [&](const std::string& name, std::vector<uint8_t> bytes) -> Status {
                     is_empty = false;
                     MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
                     Result<audio::Clip> clip = audio::ParseClip(name, bytes, pcm_rate_hz);
                     if (clip.ok()) return visitor({name, *std::move(clip)});
                     return Error{clip.error().kind,
                                  fmt::format("{}: {}", path.string(), clip.error().message)};
                   }));
    if (is_empty) {
      return InvalidInput(fmt::format("{}: holds no sound; accepted are {} files", path.string(),
                                      fmt::join(extensions, ", ")));
    }
  }
  return {};
}

Result<audio::Recipe> FindRecipe(const std::string& name_or_path) {
  std::error_code code;
  if (!fs::exists(name_or_path, code)) {
    Result<audio::Recipe> recipe = audio::RecipeByName(name_or_path);
    if (recipe.ok()) return recipe;
    return InvalidInput(fmt::format("{}, a recipe's JSON file, or a network that carries one",
                                    recipe.error().message));
  }
  if (LowerExtension(name_or_path) == ".json") return audio::ReadRecipe(name_or_path);
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                           networks::LoadModel(name_or_path, ir::Rounding::kDouble));
  return RecipeOf(graph);
}

Result<audio::Recipe> RecipeOf(const ir::Graph& graph) {
  const ir::TensorInfo& input = graph.tensor(graph.input);
  if (graph.front_end.empty()) {
    return InvalidInput(fmt::format(
        "network {}: carries no feature recipe (front_end), so that it takes no sounds; make codes "
        "with `macloom features`",
        graph.name));
  }
  Result<audio::Recipe> recipe = audio::ParseRecipe(graph.front_end);
  if (!recipe.ok()) {
    return InvalidInput(
        fmt::format("network {}: front_end: {}", graph.name, recipe.error().message));
  }
  const ir::Shape shape = {recipe->num_frames(), recipe->num_columns()};
  if (ir::Squeezed(shape) != ir::Squeezed(input.shape)) {
    return InvalidInput(
        fmt::format("network {}: the front end makes {} features; the input `{}` is {}", graph.name,
                    ir::ToString(shape), input.name, ir::ToString(input.shape)));
  }
  if (recipe->normalization != audio::Normalization::kAffine) return recipe;
  if (input.format.family == ir::NumberFamily::kAffine &&
      input.quantization.scale() == static_cast<float>(recipe->scale) &&
      input.quantization.zero_point() == recipe->zero_point &&
      input.format.MinCode() <= recipe->code_min && input.format.MaxCode() >= recipe->code_max) {
    return recipe;
  }
  return InvalidInput(fmt::format(
      "network {}: the front end makes codes {} to {} of scale {} and zero point {}; the input "
      "`{}` is {} of scale {} and zero point {}",
      graph.name, recipe->code_min, recipe->code_max, recipe->scale, recipe->zero_point, input.name,
      ir::ToString(input.format), input.quantization.scale(), input.quantization.zero_point()));
}

ir::TensorValue QuantizeFeatures(const std::vector<float>& features, const audio::Recipe& recipe,
                                 const ir::TensorInfo& input) {
  const ir::NumberFormat& format = input.format;
  ir::TensorValue value{input.shape, {}};
  value.codes.reserve(features.size());
  for (const float x : features) {
    if (recipe.normalization == audio::Normalization::kAffine) {
      value.codes.push_back(static_cast<int32_t>(x));
    } else if (format.family == ir::NumberFamily::kFixedPoint) {
      value.codes.push_back(
          audio::QuantizeFixedPoint(x, format.fraction_bits, format.MinCode(), format.MaxCode()));
    } else {
      value.codes.push_back(audio::QuantizeAffine(x, input.quantization.scale(),
                                                  input.quantization.zero_point(), format.MinCode(),
                                                  format.MaxCode()));
    }
  }
  return value;
}

Result<Samples> SamplesFromClips(const std::vector<fs::path>& paths, const ir::Graph& graph) {
  MACLOOM_ASSIGN_OR_RETURN(const audio::Recipe recipe, RecipeOf(graph));
  MACLOOM_ASSIGN_OR_RETURN(audio::FeatureExtractor extractor,
                           audio::FeatureExtractor::Create(recipe));
  Samples samples;
  samples.are_sounds = true;
  for (const fs::path& path : paths) {
    std::vector<std::pair<std::string, ir::TensorValue>> inputs;
    MACLOOM_RETURN_IF_ERROR(VisitClips({path}, 0, [&](const NamedClip& sound) -> Status {
      inputs.emplace_back(sound.name, QuantizeFeatures(extractor.Compute(sound.clip), recipe,
                                                       graph.tensor(graph.input)));
      return {};
    }));
    std::sort(inputs.begin(), inputs.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [name, value] : inputs) {
      samples.names.push_back(name);
      samples.inputs.push_back(std::move(value));
    }
  }
  return samples;
}

Result<Samples> ShippedSounds(const ir::Graph& graph) {
  MACLOOM_ASSIGN_OR_RETURN(const audio::Recipe recipe, RecipeOf(graph));
  MACLOOM_ASSIGN_OR_RETURN(audio::FeatureExtractor extractor,
                           audio::FeatureExtractor::Create(recipe));
  Samples samples;
  samples.are_sounds = true;
  for (const auto& [name, content] : networks::EmbeddedModels()) {
    if (LowerExtension(name) != ".wav") continue;
    const auto* bytes = reinterpret_cast<const uint8_t*>(content.data());
    MACLOOM_ASSIGN_OR_RETURN(const audio::Clip clip,
                             audio::ParseClip(name, {bytes, content.size()}, 0));
    samples.names.push_back(name);
    samples.inputs.push_back(
        QuantizeFeatures(extractor.Compute(clip), recipe, graph.tensor(graph.input)));
  }
  return samples;
}

}  // namespace macloom::flow
