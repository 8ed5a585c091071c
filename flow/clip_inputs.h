// Sounds as inputs: the network's own feature recipe turns them into codes.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "audio/clip.h"
#include "audio/recipe.h"
#include "flow/samples.h"

namespace macloom::flow {

/// A sound and its name: the file's name; inside a folder or archive, its path there.
struct NamedClip {
  std::string name;
  audio::Clip clip;
};

/// True for a .wav file, and for a folder or tar archive with at least one.
bool HoldsWav(const std::filesystem::path& path);

/// Calls `visitor` for every sound: .wav files and, if `pcm_rate_hz` is not 0, .bin, .pcm and .raw
/// files (16-bit PCM at that rate), in folders (sorted) and tar archives (in their order).
/// @return The first error; kInvalidInput naming the path if it holds no sound.
Status VisitClips(const std::vector<std::filesystem::path>& paths, int pcm_rate_hz,
                  const std::function<Status(NamedClip clip)>& visitor);

/// A recipe by name, or from a JSON file, or from a network that carries one.
Result<audio::Recipe> FindRecipe(const std::string& name_or_path);

/// The recipe of a network. @return kInvalidInput if it carries none, or its features are not as
/// many as the input's elements, or it makes codes of another quantization than the input's.
Result<audio::Recipe> RecipeOf(const ir::Graph& graph);

/// Features as codes of the graph's input: as they are for a recipe that makes codes, else
/// QuantizeFixedPoint() or QuantizeAffine() by the input's format.
ir::TensorValue QuantizeFeatures(const std::vector<float>& features, const audio::Recipe& recipe,
                                 const ir::TensorInfo& input);

/// The sounds of `paths`, sorted by name within each path, as inputs of `graph`.
Result<Samples> SamplesFromClips(const std::vector<std::filesystem::path>& paths,
                                 const ir::Graph& graph);

/// The sounds inside the program (models/wav), as inputs of `graph`. @return as RecipeOf().
Result<Samples> ShippedSounds(const ir::Graph& graph);

}  // namespace macloom::flow
