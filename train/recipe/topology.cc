#include "train/recipe/topology.h"

#include <fmt/format.h>

#include <algorithm>

namespace macloom::train {
namespace {

struct Padding {
  int before, after;
};

Padding SamePadding(int64_t in, int kernel, int stride, int dilation) {
  const int64_t out = (in + stride - 1) / stride;
  const int64_t total = std::max<int64_t>(
      0, (out - 1) * stride + static_cast<int64_t>(kernel - 1) * dilation + 1 - in);
  return {static_cast<int>(total / 2), static_cast<int>(total - total / 2)};
}

class Builder {
 public:
  explicit Builder(ir::Shape input) { topology_.input = shape_ = std::move(input); }

  void Convolution(std::string name, int kernel_h, int kernel_w, int stride, int64_t channels,
                   int dilation_h = 1) {
    Append(std::move(name), LayerKind::kConvolution, kernel_h, kernel_w, stride, channels,
           dilation_h);
  }
  void Depthwise(std::string name) {
    Append(std::move(name), LayerKind::kDepthwise, 3, 3, 1, shape_[2], 1);
  }
  Topology Finish(int num_classes) {
    Layer pool{"pool", LayerKind::kPool, {}, shape_, {1, 1, shape_[2]}};
    pool.window.kernel_h = pool.window.stride_h = static_cast<int>(shape_[0]);
    pool.window.kernel_w = pool.window.stride_w = static_cast<int>(shape_[1]);
    topology_.layers.push_back(pool);
    topology_.layers.push_back(
        {"dense", LayerKind::kDense, {}, {1, 1, shape_[2]}, {1, 1, num_classes}});
    return std::move(topology_);
  }

 private:
  void Append(std::string name, LayerKind kind, int kernel_h, int kernel_w, int stride,
              int64_t channels, int dilation_h) {
    const Padding rows = SamePadding(shape_[0], kernel_h, stride, dilation_h);
    // A stride along an axis of one position would only move the padding.
    const int stride_w = shape_[1] == 1 ? 1 : stride;
    const Padding columns = SamePadding(shape_[1], kernel_w, stride_w, 1);
    ir::Window window;
    window.kernel_h = kernel_h;
    window.kernel_w = kernel_w;
    window.stride_h = stride;
    window.stride_w = stride_w;
    window.pad_top = rows.before;
    window.pad_bottom = rows.after;
    window.pad_left = columns.before;
    window.pad_right = columns.after;
    window.dilation_h = dilation_h;
    const ir::Shape output = {(shape_[0] + stride - 1) / stride,
                              (shape_[1] + stride_w - 1) / stride_w, channels};
    topology_.layers.push_back({std::move(name), kind, window, shape_, output});
    shape_ = output;
  }

  Topology topology_;
  ir::Shape shape_;
};

}  // namespace

int Layer::pool_shift() const {
  int shift = 0;
  while ((int64_t{1} << shift) < input[0] * input[1]) ++shift;
  return shift;
}

Result<Topology> MakeTopology(const NetworkShape& shape, int64_t frames, int64_t coefficients,
                              int num_classes) {
  if (num_classes < 2) {
    return InvalidInput(fmt::format("network: {} classes, at least 2 are needed", num_classes));
  }
  if (frames < 4 || coefficients < 1) {
    return InvalidInput(
        fmt::format("network: features of {} frames x {} coefficients; at least 4 "
                    "frames and 1 coefficient are needed",
                    frames, coefficients));
  }
  if (shape.kind == NetworkKind::kTcn) {
    if ((int64_t{1} << (shape.depth - 1)) >= frames) {
      return InvalidInput(
          fmt::format("network.depth = {}: the last dilation, 2^{}, reaches beyond the {} frames",
                      shape.depth, shape.depth - 1, frames));
    }
    Builder builder({frames, 1, coefficients});
    for (int i = 0; i < shape.depth; ++i) {
      builder.Convolution(fmt::format("conv_{}", i + 1), 3, 1, 1, shape.width, 1 << i);
    }
    return builder.Finish(num_classes);
  }
  Builder builder({frames, coefficients, 1});
  if (shape.kind == NetworkKind::kCnn) {
    builder.Convolution("conv", 3, 3, 2, shape.width);
    for (int i = 0; i < shape.depth; ++i) {
      builder.Convolution(fmt::format("conv_{}", i + 1), 3, 3, i == 0 ? 2 : 1, shape.width);
    }
    return builder.Finish(num_classes);
  }
  builder.Convolution("conv", 10, 4, 2, shape.width);
  for (int i = 1; i <= shape.depth; ++i) {
    builder.Depthwise(fmt::format("depthwise_{}", i));
    builder.Convolution(fmt::format("pointwise_{}", i), 1, 1, 1, shape.width);
  }
  return builder.Finish(num_classes);
}

}  // namespace macloom::train
