// Compares tensors that came from anywhere with test vectors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::flow {

struct CompareOptions {
  std::vector<std::string> layers;  ///< Names or folders; empty = every layer of the vectors.
  std::string array = "output";     ///< What a single file is.
};

/// One array of the user's against the vectors.
struct ArrayComparison {
  std::string layer, array;
  std::string file;  ///< What was read; empty if the layer has no output there.
  int64_t elements = 0;
  int64_t mismatches = 0;  ///< Elements that are missing or undefined (x, z) included.
  std::string first;       ///< Layer, array, coordinates, expected, got; empty if all is equal.
};

struct CompareResult {
  std::vector<ArrayComparison> arrays;  ///< In layer order, accumulators before outputs.
  int64_t mismatches() const;
  /// The first mismatch of the first array that has one.
  std::string first_mismatch() const;
};

/// Compares `got` with the vectors in `directory` (docs/formats.md, "Vectors").
///
/// `got` is a folder FOLDER/ARRAY.npy or .hex, or, with one layer, a file. Every array of the
/// vectors that `got` has is compared; a layer of which it has neither accumulator nor output
/// counts as wrong. @return kInvalidInput if the vectors are damaged or in C only, if nothing of
/// `got` can be read, or if it has more elements than the vectors, another shape or no integers.
Result<CompareResult> CompareVectors(const std::filesystem::path& directory,
                                     const std::filesystem::path& got,
                                     const CompareOptions& options);

}  // namespace macloom::flow
