// The publisher's layer table (.yaml): the sequence of layers, without weights.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::importers::max78000 {

enum class LayerKind { kConv1d, kConv2d, kMlp };
enum class Pooling { kNone, kMax, kAverage };

struct Layer {
  LayerKind kind = LayerKind::kConv2d;
  int kernel = 0;  ///< Taps per axis; 0: not stated.
  int pad = 0;     ///< Zeros on every side of a convolution.
  Pooling pooling = Pooling::kNone;
  int pool = 1, pool_stride = 1;  ///< In front of the layer, on every image axis.
  int in_h = 0, in_w = 0;         ///< `in_dim`: the input under another shape; 0: as it comes.
  bool has_relu = false;
  bool is_flattened = false;
  bool is_wide = false;  ///< output_width 32: accumulators, not requantized.
  int extra_shift = 0;   ///< Right shift beyond output_shift; not in the table.
};

struct LayerTable {
  std::string arch;
  std::vector<Layer> layers;
};

/// Reads and checks a table. @return kInvalidInput or kUnsupported naming layer, key and value.
Result<LayerTable> ReadLayerTable(const std::filesystem::path& path);

}  // namespace macloom::importers::max78000
