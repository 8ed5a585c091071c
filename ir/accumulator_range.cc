#include "ir/accumulator_range.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "ir/minifloat_range.h"
#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

// Half-open range of kernel positions that lie inside the image.
struct TapRange {
  int64_t begin = 0;
  int64_t end = 0;
  auto operator<=>(const TapRange&) const = default;
};

/// Tap k lies at o * stride - pad + k * dilation.
std::vector<TapRange> DistinctTapRanges(int64_t in, int64_t out, int kernel, int stride,
                                        int dilation, int pad) {
  const auto first_at = [&](int64_t position) {
    return std::clamp<int64_t>((position + dilation - 1) / dilation, 0, kernel);
  };
  std::vector<TapRange> ranges;
  for (int64_t o = 0; o < out; ++o) {
    const int64_t first = o * stride - pad;
    const TapRange range{first < 0 ? first_at(-first) : 0,
                         first_at(std::max<int64_t>(in - first, 0))};
    // Positions away from both borders repeat one range.
    if (ranges.empty() || ranges.back() != range) ranges.push_back(range);
  }
  std::sort(ranges.begin(), ranges.end());
  ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
  return ranges;
}

// What one weight can add to a prefix: at most `high`, at least `low`.
struct Contribution {
  int64_t low = 0;
  int64_t high = 0;
  Contribution& operator+=(const Contribution& o) {
    low += o.low;
    high += o.high;
    return *this;
  }
  Contribution& operator-=(const Contribution& o) {
    low -= o.low;
    high -= o.high;
    return *this;
  }
};

Contribution Of(int64_t weight, int64_t code_min, int64_t code_max) {
  const int64_t a = weight * code_min;
  const int64_t b = weight * code_max;
  return {std::min({a, b, int64_t{0}}), std::max({a, b, int64_t{0}})};
}

// Weight at (ky, kx, i) of one output channel; a fully connected layer is one tap of many inputs.
struct ChannelWeights {
  const int64_t* base = nullptr;
  int64_t kernel_h = 1, kernel_w = 1, num_inputs = 1;
  int64_t tap_stride = 1;  // Distance of neighbouring kx; inputs are contiguous.
  int64_t At(int64_t ky, int64_t kx, int64_t i) const {
    return base[(ky * kernel_w + kx) * tap_stride + i];
  }
};

ChannelWeights WeightsOf(const Graph& graph, const Node& node, int64_t oc) {
  const Constant& constant = graph.constant(node.weights);
  const Shape& shape = constant.shape;
  const int64_t* data = constant.codes.data();
  switch (node.kind) {
    case OperatorKind::kConv2d:
      return {data + oc * shape[1] * shape[2] * shape[3], shape[1], shape[2], shape[3], shape[3]};
    case OperatorKind::kDepthwiseConv2d:
      return {data + oc, shape[0], shape[1], 1, shape[2]};
    default:
      return {data + oc * shape[1], 1, 1, shape[1], shape[1]};
  }
}

struct PaddingClasses {
  std::vector<TapRange> rows{{0, 1}};
  std::vector<TapRange> columns{{0, 1}};
};

PaddingClasses ClassesOf(const Graph& graph, const Node& node) {
  if (!HasWindow(node.kind)) return {};
  const Shape& in = graph.tensor(node.inputs[0]).shape;
  const Shape& out = graph.tensor(node.output).shape;
  const Window& window = node.window;
  return {DistinctTapRanges(in[0], out[0], window.kernel_h, window.stride_h, window.dilation_h,
                            window.pad_top),
          DistinctTapRanges(in[1], out[1], window.kernel_w, window.stride_w, window.dilation_w,
                            window.pad_left)};
}

// Hull over the padding classes of what the weights add; the start value comes on top. `table` is
// scratch: a summed-area table of (free - padded) contributions, so that the cost is one pass over
// the weights plus one look-up per class.
Contribution HullOverClasses(const ChannelWeights& weights, const PaddingClasses& classes,
                             const CodeRange& codes, int64_t pad_code,
                             std::vector<Contribution>& table) {
  const int64_t row_size = weights.kernel_w + 1;
  table.assign(static_cast<size_t>((weights.kernel_h + 1) * row_size), {});
  const auto at = [&](int64_t ky, int64_t kx) -> Contribution& {
    return table[static_cast<size_t>(ky * row_size + kx)];
  };
  Contribution all_padded;
  for (int64_t ky = 0; ky < weights.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < weights.kernel_w; ++kx) {
      Contribution delta;
      for (int64_t i = 0; i < weights.num_inputs; ++i) {
        const int64_t weight = weights.At(ky, kx, i);
        const Contribution padded = Of(weight, pad_code, pad_code);
        delta += Of(weight, codes.min, codes.max);
        delta -= padded;
        all_padded += padded;
      }
      delta += at(ky, kx + 1);
      delta += at(ky + 1, kx);
      delta -= at(ky, kx);
      at(ky + 1, kx + 1) = delta;
    }
  }
  Contribution hull;
  for (const TapRange& row : classes.rows) {
    for (const TapRange& column : classes.columns) {
      Contribution sum = all_padded;
      sum += at(row.end, column.end);
      sum -= at(row.begin, column.end);
      sum -= at(row.end, column.begin);
      sum += at(row.begin, column.begin);
      hull.low = std::min(hull.low, sum.low);
      hull.high = std::max(hull.high, sum.high);
    }
  }
  return hull;
}

AccumulatorRange Narrow(__int128 low, __int128 high) {
  constexpr int64_t kLimit = int64_t{1} << 62;
  AccumulatorRange range;
  range.fits_63_bits = low >= -kLimit && high <= kLimit - 1;
  const auto clamp = [](__int128 value) {
    constexpr __int128 kMin = std::numeric_limits<int64_t>::min();
    constexpr __int128 kMax = std::numeric_limits<int64_t>::max();
    return static_cast<int64_t>(std::clamp(value, kMin, kMax));
  };
  range.low = clamp(low);
  range.high = clamp(high);
  return range;
}

AccumulatorRange PoolRange(const Graph& graph, const Node& node, const CodeRange& codes) {
  const PaddingClasses classes = ClassesOf(graph, node);
  int64_t max_positions = 0;
  for (const TapRange& row : classes.rows) {
    for (const TapRange& column : classes.columns) {
      max_positions = std::max(max_positions, (row.end - row.begin) * (column.end - column.begin));
    }
  }
  return Narrow(max_positions * std::min<int64_t>(codes.min, 0),
                max_positions * std::max<int64_t>(codes.max, 0));
}

}  // namespace

int AccumulatorRange::RequiredBits() const {
  if (!fits_63_bits) return 64;
  int bits = 1;
  while (low < -(int64_t{1} << (bits - 1)) || high > (int64_t{1} << (bits - 1)) - 1) ++bits;
  return bits;
}

CodeRange InputCodeRange(const Graph& graph, const Node& node) {
  const NumberFormat& format = graph.tensor(node.inputs[0]).format;
  return {format.MinCode(), format.MaxCode()};
}

std::vector<AccumulatorRange> AccumulatorRanges(const Graph& graph, const Node& node,
                                                const CodeRange& codes) {
  if (node.kind == OperatorKind::kAveragePool2d) return {PoolRange(graph, node, codes)};
  if (!HasWeights(node.kind)) return {};
  const int64_t pad_code = graph.tensor(node.inputs[0]).quantization.zero_point();
  const PaddingClasses classes = ClassesOf(graph, node);
  const int64_t num_outputs = NumOutputChannels(graph, node);
  std::vector<AccumulatorRange> ranges;
  ranges.reserve(static_cast<size_t>(num_outputs));
  std::vector<Contribution> table;
  for (int64_t oc = 0; oc < num_outputs; ++oc) {
    const ChannelWeights weights = WeightsOf(graph, node, oc);
    const Contribution hull = HullOverClasses(weights, classes, codes, pad_code, table);
    int64_t weight_sum = 0;
    for (int64_t ky = 0; ky < weights.kernel_h; ++ky) {
      for (int64_t kx = 0; kx < weights.kernel_w; ++kx) {
        for (int64_t i = 0; i < weights.num_inputs; ++i) weight_sum += weights.At(ky, kx, i);
      }
    }
    const __int128 bias =
        node.bias < 0 ? 0 : graph.constant(node.bias).codes[static_cast<size_t>(oc)];
    const __int128 start = bias - static_cast<__int128>(pad_code) * weight_sum;
    ranges.push_back(Narrow(start + hull.low, start + hull.high));
  }
  return ranges;
}

int64_t AccumulatorStart(const Graph& graph, const Node& node, int64_t oc) {
  MACLOOM_CHECK(HasWeights(node.kind));
  const ChannelWeights weights = WeightsOf(graph, node, oc);
  int64_t weight_sum = 0;
  for (int64_t ky = 0; ky < weights.kernel_h; ++ky) {
    for (int64_t kx = 0; kx < weights.kernel_w; ++kx) {
      for (int64_t i = 0; i < weights.num_inputs; ++i) weight_sum += weights.At(ky, kx, i);
    }
  }
  const int64_t bias = node.bias < 0 ? 0 : graph.constant(node.bias).codes[static_cast<size_t>(oc)];
  return bias - graph.tensor(node.inputs[0]).quantization.zero_point() * weight_sum;
}

int RequiredAccumulatorBits(const Graph& graph, const Node& node) {
  if (IsMinifloatNode(graph, node)) return MinifloatAccumulatorBits(graph, node);
  int bits = 0;
  for (const AccumulatorRange& range :
       AccumulatorRanges(graph, node, InputCodeRange(graph, node))) {
    bits = std::max(bits, range.RequiredBits());
  }
  return bits;
}

}  // namespace macloom::ir
