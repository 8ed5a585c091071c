// The codes that one window position of a feature map sees.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace macloom::golden {

/// What lies under a window: codes[(ky*KW + kx)*C + c], and how many taps lie inside the image.
struct WindowCodes {
  std::vector<int32_t> codes;
  int64_t num_inside_taps = 0;
};

/// Gathers the window of output position (out_y, out_x) from a map [H, W, C].
///
/// Tap (ky, kx) is the image position (out_y*stride_h + ky*dilation_h - pad_top, out_x*stride_w +
/// kx*dilation_w - pad_left); outside the image every channel is `outside_code`.
WindowCodes GatherWindow(const ir::TensorValue& map_hwc, const ir::Window& window, int64_t out_y,
                         int64_t out_x, int32_t outside_code);

}  // namespace macloom::golden
