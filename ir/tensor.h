// Tensors of a network: descriptions (TensorInfo), constants, and values during execution.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/number_format.h"

namespace macloom::ir {

using Shape = std::vector<int64_t>;

/// Product of the dimensions; 1 for a scalar.
int64_t NumElements(const Shape& shape);
/// Without the dimensions of 1.
Shape Squeezed(Shape shape);
/// "49x10x1".
std::string ToString(const Shape& shape);

/// Scales and zero points of an affine tensor.
///
/// One scale and zero point, or one per index of `axis`. Empty `scales` for families other than
/// kAffine. Kept as read (float32) for labels, reports and re-export; execution uses integers only,
/// except `zero_points`.
struct Quantization {
  std::vector<float> scales;
  std::vector<int32_t> zero_points;
  int axis = -1;  ///< -1: per tensor.

  bool is_per_channel() const { return axis >= 0; }
  int32_t zero_point() const { return zero_points.empty() ? 0 : zero_points[0]; }
  float scale() const { return scales.empty() ? 1.0f : scales[0]; }
};

/// An activation tensor of the graph. The batch axis is not part of the shape: [H, W, C] for
/// feature maps (NHWC without N), [C] for vectors.
struct TensorInfo {
  std::string name;
  Shape shape;
  NumberFormat format;
  Quantization quantization;
};

/// A constant: weights (integer codes; OHWI, HWC for depthwise, OI for fully connected) or biases
/// (on the accumulator's grid, up to 64 bits).
struct Constant {
  std::string name;
  Shape shape;
  NumberFormat format;  ///< For biases: bits = 64 is allowed and Validate() is not applied.
  Quantization quantization;
  std::vector<int64_t> codes;  ///< Row-major, NumElements(shape) of them.
};

/// The codes of one activation tensor for one sample, row-major.
struct TensorValue {
  Shape shape;
  std::vector<int32_t> codes;
  bool operator==(const TensorValue&) const = default;
};

}  // namespace macloom::ir
