// The layers of a trainable network, before any number in them is chosen.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "ir/graph.h"

namespace macloom::train {

enum class NetworkKind {
  kDsCnn,  ///< MLPerf Tiny keyword spotting: convolution, depthwise + pointwise blocks, pool,
           ///< dense.
  kCnn,    ///< Convolution 3x3 layers, the first two of stride 2, pool, dense.
  kTcn,    ///< 1-D over time: features are channels, kernel 3, dilation 1, 2, 4, ...; pool, dense.
};

/// What a recipe says about the network. Widths in channels; depth = blocks (ds-cnn), convolutions
/// behind the first (cnn) or dilated convolutions (tcn).
struct NetworkShape {
  NetworkKind kind = NetworkKind::kDsCnn;
  int width = 64;
  int depth = 4;
  bool operator==(const NetworkShape&) const = default;
};

enum class LayerKind { kConvolution, kDepthwise, kPool, kDense };

/// One layer. Convolutions and depthwise layers: batch norm, then ReLU. Pool: over the whole image,
/// y = sum / 2^k, 2^k the smallest power of two >= number of positions, so that it is one shift.
struct Layer {
  std::string name;
  LayerKind kind = LayerKind::kConvolution;
  ir::Window window;
  ir::Shape input, output;  ///< [H, W, C].
  bool has_weights() const { return kind != LayerKind::kPool; }
  bool has_relu() const { return kind == LayerKind::kConvolution || kind == LayerKind::kDepthwise; }
  int64_t in_channels() const { return input[2]; }
  int64_t out_channels() const { return output[2]; }
  /// kPool: k of y = sum / 2^k.
  int pool_shift() const;
};

/// Layers in execution order; each reads the one before it.
struct Topology {
  ir::Shape input;  ///< [H, W, C]; tcn: [frames, 1, coefficients].
  std::vector<Layer> layers;
};

/// The network of `shape` for features [frames, coefficients] and `num_classes` classes.
///
/// ds-cnn: CONV 10x4 stride 2 (SAME), `depth` x (DEPTHWISE 3x3, CONV 1x1), pool, dense. SAME is
/// TensorFlow's: out = ceil(in / stride), the odd padding row behind.
/// @return kInvalidInput if the features are too small for the network (fewer than 2 classes, no
///         frame, more dilation than frames).
Result<Topology> MakeTopology(const NetworkShape& shape, int64_t frames, int64_t coefficients,
                              int num_classes);

}  // namespace macloom::train
