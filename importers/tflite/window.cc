#include "importers/tflite/window.h"

#include <fmt/format.h>

#include <algorithm>

#include "importers/tflite/names.h"
#include "ir/shape_inference.h"

namespace macloom::importers::tflite {
namespace {

Status CheckExtent(int64_t value, const char* what) {
  if (value < 1) {
    return InvalidInput(
        fmt::format("{} is {}; accepted are 1 to {}", what, value, ir::kMaxWindowExtent));
  }
  if (value > ir::kMaxWindowExtent) {
    return Unsupported(
        fmt::format("{} is {}; supported are 1 to {}", what, value, ir::kMaxWindowExtent));
  }
  return {};
}

struct Pads {
  int before = 0;
  int after = 0;
};

/// @param extent  (kernel - 1) * dilation + 1
Result<Pads> ResolvePads(int padding, int64_t input, int64_t extent, int64_t stride,
                         const char* axis) {
  if (padding == kPaddingSame) {
    const int64_t output = (input + stride - 1) / stride;
    const int64_t total = std::max<int64_t>(0, (output - 1) * stride + extent - input);
    return Pads{static_cast<int>(total / 2), static_cast<int>(total - total / 2)};
  }
  if (padding != kPaddingValid) {
    return InvalidInput(
        fmt::format("padding code is {}; accepted are 0 (SAME) and 1 (VALID)", padding));
  }
  if (extent > input) {
    return InvalidInput(fmt::format(
        "the window's {} {} is larger than the unpadded input's {}; accepted are 1 to {}", axis,
        extent, input, input));
  }
  return Pads{};
}

int64_t OutputExtent(int64_t input, int before, int after, int kernel, int dilation, int stride) {
  return (input + before + after - (int64_t{kernel - 1} * dilation + 1)) / stride + 1;
}

}  // namespace

Result<ir::Window> ResolveWindow(const FileOptions& options, int64_t kernel_h, int64_t kernel_w,
                                 const ir::Shape& input_hwc) {
  MACLOOM_RETURN_IF_ERROR(CheckExtent(kernel_h, "kernel height"));
  MACLOOM_RETURN_IF_ERROR(CheckExtent(kernel_w, "kernel width"));
  MACLOOM_RETURN_IF_ERROR(CheckExtent(options.stride_h, "vertical stride"));
  MACLOOM_RETURN_IF_ERROR(CheckExtent(options.stride_w, "horizontal stride"));
  MACLOOM_RETURN_IF_ERROR(CheckExtent(options.dilation_h, "vertical dilation"));
  MACLOOM_RETURN_IF_ERROR(CheckExtent(options.dilation_w, "horizontal dilation"));
  const int64_t extent_h = (kernel_h - 1) * options.dilation_h + 1;
  const int64_t extent_w = (kernel_w - 1) * options.dilation_w + 1;
  MACLOOM_ASSIGN_OR_RETURN(const Pads vertical, ResolvePads(options.padding, input_hwc[0], extent_h,
                                                            options.stride_h, "height"));
  MACLOOM_ASSIGN_OR_RETURN(const Pads horizontal, ResolvePads(options.padding, input_hwc[1],
                                                              extent_w, options.stride_w, "width"));
  ir::Window window;
  window.kernel_h = static_cast<int>(kernel_h);
  window.kernel_w = static_cast<int>(kernel_w);
  window.stride_h = options.stride_h;
  window.stride_w = options.stride_w;
  window.pad_top = vertical.before;
  window.pad_bottom = vertical.after;
  window.pad_left = horizontal.before;
  window.pad_right = horizontal.after;
  window.dilation_h = options.dilation_h;
  window.dilation_w = options.dilation_w;
  return window;
}

Status CheckWindowOutput(const ir::Window& window, const ir::Shape& input_hwc, int64_t num_channels,
                         const ir::TensorInfo& output) {
  const ir::Shape expected = {OutputExtent(input_hwc[0], window.pad_top, window.pad_bottom,
                                           window.kernel_h, window.dilation_h, window.stride_h),
                              OutputExtent(input_hwc[1], window.pad_left, window.pad_right,
                                           window.kernel_w, window.dilation_w, window.stride_w),
                              num_channels};
  if (output.shape == expected) return {};
  return InvalidInput(
      fmt::format("output '{}' has the shape {}; accepted is {} (input, window and channels)",
                  output.name, ir::ToString(output.shape), ir::ToString(expected)));
}

}  // namespace macloom::importers::tflite
