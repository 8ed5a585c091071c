// From a recipe to the features it trains on.
#pragma once

#include <filesystem>

#include "audio/clip.h"
#include "audio/recipe.h"
#include "base/rng.h"
#include "train/recipe/dataset.h"
#include "train/recipe/recipe.h"

namespace macloom::train {

/// Loads the data a recipe names and computes every feature once.
///
/// Front end: audio::OwnNetwork(), each coefficient normalised by mean and deviation of the
/// training clips and clipped at 4 deviations. `copies` - 1 variants of each training clip are
/// drawn from the recipe's seed by Vary(). Clips of `extra_path` join their split. Validation
/// clips neither train nor test.
/// @return kInvalidInput for missing or damaged data, classes that differ between data and extra
///         clips, or an empty class.
Result<Dataset> LoadCorpus(const Recipe& recipe);

/// A variant of a clip by dataset::Augment(): speed 0.9 to 1.1, shift up to 50 ms either way, white
/// noise 15 to 40 dB below the clip. A clip shorter than the front end's window first gets zeros on
/// both sides, up to 50 ms each, so that the shift loses nothing.
audio::Clip Vary(const audio::Clip& clip, const audio::Recipe& front_end, Rng& rng);

}  // namespace macloom::train
