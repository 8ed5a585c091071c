// Inputs and labels of a batch: from files or random.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace macloom::flow {

struct Samples {
  std::vector<ir::TensorValue> inputs;
  std::vector<std::string> names;  ///< File names; empty for .npy and random inputs.
  bool are_sounds = false;         ///< Through the network's feature recipe.
};

/// Reads inputs for `graph`: a .npy array of integers (first axis = sample, then the input's shape,
/// with or without an axis of 1 between), or a folder or tar archive of raw files of one int8 input
/// each; or sounds, as below. @return kInvalidInput naming shape, type or value found and what is
/// expected.
Result<Samples> LoadInputs(const std::filesystem::path& path, const ir::Graph& graph);

/// Same for several files; more than one must all be sounds.
///
/// Sounds, if the network carries a feature recipe: .wav files, folders with .wav files (and their
/// sub-folders) or tar archives of them, quantized to the input's format (flow/clip_inputs.h).
Result<Samples> LoadInputs(const std::vector<std::string>& paths, const ir::Graph& graph);

/// Labels of the samples: a .npy array of integers, or a .csv with a column `label_index` or
/// `label` and, for samples with names, `file`. In a .csv, a label is the name of a class or, where
/// no class has that name, a class index. @return kInvalidInput if a label is missing, negative or
/// no class name.
Result<std::vector<int>> LoadLabels(const std::filesystem::path& path, const Samples& samples,
                                    const std::vector<std::string>& class_names);

/// `count` seeded inputs: uniform ones, and every third from the corners (all smallest, all
/// largest, all zero point, alternating extremes, ramp, random extremes).
Samples RandomInputs(const ir::Graph& graph, int count, uint64_t seed);

}  // namespace macloom::flow
