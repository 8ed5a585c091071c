#include "golden/reference/window.h"

namespace macloom::golden {

WindowCodes GatherWindow(const ir::TensorValue& map_hwc, const ir::Window& window, int64_t out_y,
                         int64_t out_x, int32_t outside_code) {
  const int64_t height = map_hwc.shape[0];
  const int64_t width = map_hwc.shape[1];
  const int64_t num_channels = map_hwc.shape[2];
  WindowCodes gathered;
  gathered.codes.reserve(
      static_cast<size_t>(window.kernel_h * int64_t{window.kernel_w} * num_channels));
  for (int64_t ky = 0; ky < window.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < window.kernel_w; ++kx) {
      const int64_t y = out_y * window.stride_h + ky * window.dilation_h - window.pad_top;
      const int64_t x = out_x * window.stride_w + kx * window.dilation_w - window.pad_left;
      const bool is_inside = y >= 0 && y < height && x >= 0 && x < width;
      if (!is_inside) {
        gathered.codes.insert(gathered.codes.end(), static_cast<size_t>(num_channels),
                              outside_code);
        continue;
      }
      ++gathered.num_inside_taps;
      const auto first = map_hwc.codes.begin() + (y * width + x) * num_channels;
      gathered.codes.insert(gathered.codes.end(), first, first + num_channels);
    }
  }
  return gathered;
}

}  // namespace macloom::golden
