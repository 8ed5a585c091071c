// Kernel, stride and padding of convolution and pooling with SAME resolved to explicit pads.
#pragma once

#include "importers/tflite/file_model.h"
#include "ir/graph.h"

namespace macloom::importers::tflite {

/// The window of `options` on a feature map [H, W, C].
///
/// SAME: out = ceil(in / stride), total = max(0, (out - 1) * stride + extent - in), half of it
/// (rounded down) before the image and the rest after; extent = (kernel - 1) * dilation + 1. VALID:
/// no padding.
/// @return kInvalidInput (kernel, stride or dilation < 1, window larger than the image under VALID,
/// unknown
///         padding code) or kUnsupported (kernel, stride or dilation above the verifier's
///         limit).
Result<ir::Window> ResolveWindow(const FileOptions& options, int64_t kernel_h, int64_t kernel_w,
                                 const ir::Shape& input_hwc);

/// Error unless `output` has the shape that `window` gives on `input_hwc` with `num_channels`.
Status CheckWindowOutput(const ir::Window& window, const ir::Shape& input_hwc, int64_t num_channels,
                         const ir::TensorInfo& output);

}  // namespace macloom::importers::tflite
