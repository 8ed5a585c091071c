// The second model of golden's summing operators: products sorted into steps by coordinates.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "golden/reference/executor.h"
#include "tests/golden/slow_accumulator.h"
#include "tests/golden/slow_requantize.h"

namespace macloom::testing {

struct SlowLayer {
  std::vector<int32_t> codes;
  std::vector<int64_t> accumulators;
  golden::LayerEvents events;
};

/// Products of one output, keyed by step: std::map visits the keys in the order of execution.
class SlowSteps {
 public:
  explicit SlowSteps(const ir::Accumulation& accumulation) : accumulation_(accumulation) {}

  void AddProduct(int64_t ky, int64_t kx, int64_t c, int64_t kernel_w, int64_t num_channels,
                  __int128 product) {
    const int64_t per_step = accumulation_.products_per_step;
    std::tuple<int64_t, int64_t, int64_t> key;
    switch (accumulation_.order) {
      case ir::AccumulationOrder::kBlockTap:
        key = {c / per_step, ky, kx};
        break;
      case ir::AccumulationOrder::kFlatTap:
        key = {((ky * kernel_w + kx) * num_channels + c) / per_step, 0, 0};
        break;
      case ir::AccumulationOrder::kTapSerial:
        key = {ky, kx, c};
        break;
      case ir::AccumulationOrder::kTapSerialColumn:
        key = {kx, ky, c};
        break;
    }
    sums_[key] += product;
  }

  const std::map<std::tuple<int64_t, int64_t, int64_t>, __int128>& sums() const { return sums_; }

 private:
  ir::Accumulation accumulation_;
  std::map<std::tuple<int64_t, int64_t, int64_t>, __int128> sums_;
};

/// Runs one CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED or AVERAGE_POOL_2D.
///
/// The exact sum is computed in the textbook form bias + sum of w * (q - z_in), taps outside the
/// image left out, and not from the steps.
inline SlowLayer RunSlowLayer(const ir::Graph& graph, const ir::Node& node,
                              const ir::TensorValue& x, const ir::Accumulation& accumulation) {
  using ir::OperatorKind;
  const bool is_pool = node.kind == OperatorKind::kAveragePool2d;
  const bool is_dense = node.kind == OperatorKind::kFullyConnected;
  const bool is_depthwise = node.kind == OperatorKind::kDepthwiseConv2d;
  // A fully connected layer is a 1x1 convolution of a 1x1 image.
  const ir::Shape in = is_dense ? ir::Shape{1, 1, ir::NumElements(x.shape)} : x.shape;
  const ir::Shape& node_shape = graph.tensor(node.output).shape;
  const ir::Shape out = is_dense ? ir::Shape{1, 1, node_shape[0]} : node_shape;
  const ir::Window window = is_dense ? ir::Window{} : node.window;
  const int64_t zero_point = graph.tensor(node.inputs[0]).quantization.zero_point();
  const bool is_single_channel = is_pool || is_depthwise;
  const int64_t num_channels = is_single_channel ? 1 : in[2];

  const auto weight = [&](int64_t oc, int64_t ky, int64_t kx, int64_t c) -> int64_t {
    if (is_pool) return 1;
    const int64_t tap = ky * window.kernel_w + kx;
    const int64_t index = is_depthwise ? tap * out[2] + oc
                                       : (oc * window.kernel_h * window.kernel_w + tap) * in[2] + c;
    return graph.constant(node.weights).codes.at(static_cast<size_t>(index));
  };

  SlowLayer layer;
  for (int64_t oy = 0; oy < out[0]; ++oy) {
    for (int64_t ox = 0; ox < out[1]; ++ox) {
      for (int64_t oc = 0; oc < out[2]; ++oc) {
        const int64_t bias =
            node.bias < 0 ? 0 : graph.constant(node.bias).codes.at(static_cast<size_t>(oc));
        SlowSteps steps(accumulation);
        __int128 start = bias, exact = bias;
        int64_t num_inside = 0;
        for (int64_t ky = 0; ky < window.kernel_h; ++ky) {
          for (int64_t kx = 0; kx < window.kernel_w; ++kx) {
            const int64_t iy = oy * window.stride_h + ky * window.dilation_h - window.pad_top;
            const int64_t ix = ox * window.stride_w + kx * window.dilation_w - window.pad_left;
            const bool is_inside = iy >= 0 && iy < in[0] && ix >= 0 && ix < in[1];
            num_inside += is_inside ? 1 : 0;
            if (is_pool && !is_inside) continue;
            for (int64_t c = 0; c < num_channels; ++c) {
              const int64_t ic = is_pool ? oc : is_depthwise ? oc / node.depth_multiplier : c;
              const int64_t w = weight(oc, ky, kx, c);
              const int64_t code =
                  is_inside ? x.codes.at(static_cast<size_t>((iy * in[1] + ix) * in[2] + ic))
                            : zero_point;
              steps.AddProduct(ky, kx, c, window.kernel_w, num_channels,
                               static_cast<__int128>(w) * code);
              if (is_pool) {
                exact += code;
              } else {
                start -= zero_point * w;
                if (is_inside) exact += w * (code - zero_point);
              }
            }
          }
        }
        SlowAccumulator accumulator{accumulation.width_bits, accumulation.overflow};
        accumulator.value = accumulator.Wrapped(start);
        for (const auto& [key, sum] : steps.sums()) accumulator.Step(sum);
        const int64_t value = static_cast<int64_t>(accumulator.value);
        layer.accumulators.push_back(value);
        layer.events.overflow_events += accumulator.num_events;
        layer.events.overflowed_outputs += accumulator.num_events > 0 ? 1 : 0;
        layer.events.wrong_outputs += accumulator.value != exact ? 1 : 0;
        const ir::Requantization& requantization = node.requantization;
        const ir::FixedPointMultiplier pair = requantization.channels.empty()
                                                  ? ir::FixedPointMultiplier{}
                                                  : requantization.ForChannel(oc);
        int64_t code = SlowRound(value, requantization.kind, pair, num_inside) +
                       (is_pool ? 0 : requantization.zero_point);
        if (code < requantization.clamp_min) {
          code = requantization.clamp_min;
          ++layer.events.clamped_low;
        } else if (code > requantization.clamp_max) {
          code = requantization.clamp_max;
          ++layer.events.clamped_high;
        }
        layer.codes.push_back(static_cast<int32_t>(code));
      }
    }
  }
  return layer;
}

}  // namespace macloom::testing
