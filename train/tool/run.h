// One training run as a user sees it: recipe in, folder with network, figures and vectors out.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"
#include "train/tool/options.h"

namespace macloom::train {

/// Trains, checks the exported network in golden against the simulation on every test clip, and
/// writes into options.output: network.safetensors, float.safetensors, inputs.npy, logits.npy,
/// labels.npy, result.json, curves.csv, checkpoint.safetensors (docs/training.md).
/// @return 0, or 1 if a logit differs.
Result<int> RunTraining(const RunOptions& options);

}  // namespace macloom::train
