// Networks of the MAX78000 tools: a layer table (.yaml) and a folder of .npy tensors.
#pragma once

#include <filesystem>
#include <string>

#include "ir/graph.h"

namespace macloom::importers {

/// What the layer table does not say.
struct Max78000Options {
  ir::Shape input;  ///< [C, H, W], or [C, L] of a network that begins one-dimensional.
  /// Requantizes a last layer of 32-bit outputs to 8 bits as output_width 8 would.
  bool has_narrow_output = false;
  /// Bits shifted out beyond that, 0 to 16: logits of the last layer that would leave 8 bits.
  int extra_output_shift = 0;
};

/// Imports `table` with the tensors that params.csv in `folder` lists, in its order: weights
/// NAME.weight.npy (signed 8 bits), NAME.bias.npy (on a grid of 128 accumulator units; what lies
/// between is rounded down), output_shift.
///
/// Arithmetic (docs/max78000.md): acc = sum of w * x + 128 floor(bias / 128);
///   y = clamp(floor(acc / 2^(7 - output_shift) + 1/2), -128, 127), from 0 with ReLU; the
/// accumulators themselves with output_width 32. Average pooling rounds down and needs codes >= 0.
Result<ir::Graph> ImportMax78000(const std::filesystem::path& table,
                                 const std::filesystem::path& folder,
                                 const Max78000Options& options);

/// Same from one text: "TABLE.yaml@FOLDER@SHAPE" or "TABLE.yaml@FOLDER@SHAPE@8" (narrow output),
/// or "...@8+N" (extra_output_shift = N), SHAPE like 1x28x28.
Result<ir::Graph> ImportMax78000(const std::string& model);

}  // namespace macloom::importers
