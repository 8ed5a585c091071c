#include "ir/minifloat_range.h"

#include <algorithm>
#include <vector>

#include "ir/shape_inference.h"

namespace macloom::ir {
namespace {

using Wide = unsigned __int128;

/// |grid integer| of a finite code.
int64_t GridMagnitude(const NumberFormat& format, int64_t code) {
  const int64_t magnitude = code & (format.SignBit() - 1);
  const int64_t exponent = magnitude >> format.mantissa_bits;
  const int64_t hidden = int64_t{1} << format.mantissa_bits;
  return exponent == 0 ? magnitude : ((magnitude & (hidden - 1)) | hidden) << (exponent - 1);
}

int64_t LargestGridMagnitude(const NumberFormat& format) {
  return GridMagnitude(format, format.MaxFiniteCode());
}

int BitsOf(Wide magnitude) {
  int bits = 0;
  for (; magnitude != 0; magnitude >>= 1) ++bits;
  return bits;
}

Wide MagnitudeOf(int64_t value) {
  return value < 0 ? Wide{0} - static_cast<Wide>(value) : static_cast<Wide>(value);
}

}  // namespace

bool IsMinifloatNode(const Graph& graph, const Node& node) {
  return graph.tensor(node.inputs[0]).format.IsMinifloat();
}

int ExactAccumulatorBits(const NumberFormat& a, const NumberFormat& b, int64_t num_products) {
  return BitsOf(static_cast<Wide>(num_products) * static_cast<Wide>(LargestGridMagnitude(a)) *
                static_cast<Wide>(LargestGridMagnitude(b))) +
         1;
}

int MinifloatAccumulatorBits(const Graph& graph, const Node& node) {
  const NumberFormat& in = graph.tensor(node.inputs[0]).format;
  const Wide largest_input = static_cast<Wide>(LargestGridMagnitude(in));
  if (node.kind == OperatorKind::kAveragePool2d) {
    const Wide one = Wide{1} << -in.LeastExponent();
    const auto num_taps = static_cast<Wide>(node.window.kernel_h) * Wide(node.window.kernel_w);
    return BitsOf(num_taps * one * largest_input) + 1;
  }
  if (!HasWeights(node.kind)) return 0;
  const Constant& weights = graph.constant(node.weights);
  const auto num_outputs = static_cast<size_t>(NumOutputChannels(graph, node));
  const bool is_channel_last = node.kind == OperatorKind::kDepthwiseConv2d;
  const size_t per_output = weights.codes.size() / num_outputs;
  std::vector<Wide> sums(num_outputs, 0);
  for (size_t i = 0; i < weights.codes.size(); ++i) {
    sums[is_channel_last ? i % num_outputs : i / per_output] +=
        static_cast<Wide>(GridMagnitude(weights.format, weights.codes[i]));
  }
  int bits = 1;
  for (size_t oc = 0; oc < num_outputs; ++oc) {
    const Wide bias = node.bias < 0 ? Wide{0} : MagnitudeOf(graph.constant(node.bias).codes[oc]);
    bits = std::max(bits, BitsOf(largest_input * sums[oc] + bias) + 1);
  }
  return bits;
}

}  // namespace macloom::ir
