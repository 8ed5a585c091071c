#include "quantize/equalize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "ir/shape_inference.h"
#include "quantize/fold.h"

namespace macloom::quantize {
namespace {

using ir::FloatNode;
using ir::OperatorKind;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

class Equalization {
 public:
  explicit Equalization(ir::FloatGraph& graph) : graph_(graph) {
    for (FloatNode& node : graph_.nodes) {
      if (ir::HasWeights(node.kind)) MakeOwn(node);
    }
    DropUnusedConstants(graph_);
  }

  int Run() {
    int count = 0;
    for (size_t first = 0; first < graph_.nodes.size(); ++first) {
      const std::optional<size_t> second = Successor(first);
      if (!second) continue;
      const FloatNode& middle = graph_.nodes[*second];
      if (middle.kind == OperatorKind::kDepthwiseConv2d) {
        const std::optional<size_t> third = Successor(*second);
        const bool is_triple = third && middle.depth_multiplier == 1 &&
                               graph_.nodes[*third].kind != OperatorKind::kDepthwiseConv2d;
        if (!is_triple) continue;
        Triple(graph_.nodes[first], graph_.nodes[*second], graph_.nodes[*third]);
      } else {
        // A depthwise convolution in front is the middle of a triple, if it is in one.
        if (graph_.nodes[first].kind == OperatorKind::kDepthwiseConv2d && IsMiddle(first)) continue;
        Pair(graph_.nodes[first], graph_.nodes[*second]);
      }
      ++count;
    }
    return count;
  }

 private:
  using Ranges = std::vector<double>;

  // Weights and bias that no other node uses; a bias of 0 if there is none is not needed.
  void MakeOwn(FloatNode& node) {
    for (ir::ConstantId* id : {&node.weights, &node.bias}) {
      if (*id < 0) continue;
      graph_.constants.push_back(graph_.constant(*id));
      *id = static_cast<ir::ConstantId>(graph_.constants.size()) - 1;
    }
  }

  /// The node with weights that alone reads `index`'s output, directly, over a clamp that scales.
  std::optional<size_t> Successor(size_t index) const {
    const FloatNode& node = graph_.nodes[index];
    if (!ir::HasWeights(node.kind) || node.output == graph_.output) return std::nullopt;
    if (node.clamp_min != 0 && !(node.clamp_min == -kInfinity && node.clamp_max == kInfinity)) {
      return std::nullopt;
    }
    std::optional<size_t> reader;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto& inputs = graph_.nodes[i].inputs;
      const auto count = std::count(inputs.begin(), inputs.end(), node.output);
      if (count == 0) continue;
      if (count > 1 || reader) return std::nullopt;
      reader = i;
    }
    if (!reader || !ir::HasWeights(graph_.nodes[*reader].kind)) return std::nullopt;
    return reader;
  }

  bool IsMiddle(size_t index) const {
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (Successor(i) == index) return graph_.nodes[index].depth_multiplier == 1;
    }
    return false;
  }

  ir::FloatConstant& Weights(const FloatNode& node) {
    return graph_.constants[static_cast<size_t>(node.weights)];
  }

  // The channel of the tensor in front (is_input) or behind that weight `i` belongs to.
  int64_t Channel(const FloatNode& node, bool is_input, int64_t i) {
    const ir::Shape& shape = Weights(node).shape;
    if (!is_input) return ChannelOfWeight(node.kind, shape, i);
    if (node.kind == OperatorKind::kDepthwiseConv2d) {
      return i % shape.back() / node.depth_multiplier;
    }
    return i % graph_.tensor(node.inputs[0]).shape.back();
  }

  Ranges RangesOf(const FloatNode& node, bool is_input, int64_t channels) {
    Ranges ranges(static_cast<size_t>(channels), 0.0);
    const auto& values = Weights(node).values;
    for (size_t i = 0; i < values.size(); ++i) {
      double& range = ranges[static_cast<size_t>(Channel(node, is_input, static_cast<int64_t>(i)))];
      range = std::max(range, std::abs(double{values[i]}));
    }
    return ranges;
  }

  void Scale(const FloatNode& node, bool is_input, const Ranges& factors) {
    auto& values = Weights(node).values;
    for (size_t i = 0; i < values.size(); ++i) {
      const auto c = static_cast<size_t>(Channel(node, is_input, static_cast<int64_t>(i)));
      values[i] = static_cast<float>(values[i] * factors[c]);
    }
    if (is_input || node.bias < 0) return;
    auto& bias = graph_.constants[static_cast<size_t>(node.bias)].values;
    for (size_t c = 0; c < bias.size(); ++c) bias[c] = static_cast<float>(bias[c] * factors[c]);
  }

  void Pair(FloatNode& first, FloatNode& second) {
    const int64_t channels = graph_.tensor(first.output).shape.back();
    const Ranges r1 = RangesOf(first, false, channels), r2 = RangesOf(second, true, channels);
    Ranges down(r1.size(), 1.0), up(r1.size(), 1.0);
    for (size_t i = 0; i < r1.size(); ++i) {
      if (r1[i] == 0 || r2[i] == 0) continue;
      up[i] = std::sqrt(r1[i] / r2[i]);
      down[i] = 1 / up[i];
    }
    Scale(first, false, down);
    Scale(second, true, up);
    first.clamp_max = kInfinity;
  }

  void Triple(FloatNode& first, FloatNode& middle, FloatNode& last) {
    const int64_t channels = graph_.tensor(first.output).shape.back();
    const Ranges r1 = RangesOf(first, false, channels), r2 = RangesOf(middle, false, channels),
                 r3 = RangesOf(last, true, channels);
    Ranges down12(r1.size(), 1.0), between(r1.size(), 1.0), bias(r1.size(), 1.0),
        up23(r1.size(), 1.0);
    for (size_t i = 0; i < r1.size(); ++i) {
      if (r1[i] == 0 || r2[i] == 0 || r3[i] == 0) continue;
      const double mean = std::cbrt(r1[i] * r2[i] * r3[i]);
      const double s12 = r1[i] / mean, s23 = mean / r3[i];
      down12[i] = 1 / s12;
      between[i] = s12;
      bias[i] = 1 / s23;
      up23[i] = s23;
    }
    Scale(first, false, down12);
    Scale(middle, true, between);
    Scale(middle, false, bias);
    Scale(last, true, up23);
    first.clamp_max = kInfinity;
    middle.clamp_max = kInfinity;
  }

  ir::FloatGraph& graph_;
};

}  // namespace

int EqualizeCrossLayer(ir::FloatGraph& graph) { return Equalization(graph).Run(); }

}  // namespace macloom::quantize
