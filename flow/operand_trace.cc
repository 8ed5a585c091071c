#include "flow/operand_trace.h"

#include <fmt/format.h>

#include <vector>

#include "base/rng.h"
#include "golden/fast/plan.h"

namespace macloom::flow {
namespace {

bool IsOfFormat(const ir::NumberFormat& format, const cost::MacSpec& spec, int bits) {
  if (spec.is_minifloat) return format.IsMinifloat() && ir::ToString(format) == spec.format;
  return format.IsInteger() && format.is_signed && format.bits == bits;
}

bool IsSum(const ir::Graph& graph, const ir::Node& node, const cost::MacSpec& spec) {
  return (node.kind == ir::OperatorKind::kConv2d ||
          node.kind == ir::OperatorKind::kFullyConnected) &&
         IsOfFormat(graph.tensor(node.inputs[0]).format, spec, spec.OperandBits(0)) &&
         IsOfFormat(graph.constant(node.weights).format, spec, spec.OperandBits(1));
}

/// A layer as a matrix product: which code tap `tap` of output position `position` is.
class Taps {
 public:
  Taps(const ir::Graph& graph, const ir::Node& node)
      : node_(node), input_(graph.tensor(node.inputs[0])), weights_(graph.constant(node.weights)) {
    is_convolution_ = node.kind == ir::OperatorKind::kConv2d;
    channels_ = weights_.shape[0];
    taps_ = ir::NumElements(weights_.shape) / channels_;
    const ir::Shape& output = graph.tensor(node.output).shape;
    positions_ = is_convolution_ ? output[0] * output[1] : 1;
    output_width_ = is_convolution_ ? output[1] : 1;
  }

  int64_t taps() const { return taps_; }
  int64_t channels() const { return channels_; }
  int64_t positions() const { return positions_; }

  int64_t Weight(int64_t channel, int64_t tap) const {
    return weights_.codes[static_cast<size_t>(channel * taps_ + tap)];
  }

  int64_t Activation(const ir::TensorValue& value, int64_t position, int64_t tap) const {
    if (!is_convolution_) return value.codes[static_cast<size_t>(tap)];
    const ir::Window& window = node_.window;
    const int64_t height = input_.shape[0], width = input_.shape[1], depth = input_.shape[2];
    const int64_t kernel_row = tap / (window.kernel_w * depth);
    const int64_t kernel_column = tap / depth % window.kernel_w;
    const int64_t row = position / output_width_ * window.stride_h - window.pad_top +
                        kernel_row * window.dilation_h;
    const int64_t column = position % output_width_ * window.stride_w - window.pad_left +
                           kernel_column * window.dilation_w;
    if (row < 0 || row >= height || column < 0 || column >= width) {
      return input_.format.IsMinifloat() ? 0 : input_.quantization.zero_point();
    }
    return value.codes[static_cast<size_t>((row * width + column) * depth + tap % depth)];
  }

 private:
  const ir::Node& node_;
  const ir::TensorInfo& input_;
  const ir::Constant& weights_;
  bool is_convolution_ = false;
  int64_t channels_ = 0, taps_ = 0, positions_ = 0, output_width_ = 0;
};

/// The sums that one stream works on.
struct Sums {
  size_t layer = 0;
  size_t sample = 0;
  int64_t channel = 0;
  int64_t position = 0;
  int64_t next_tap = 0;
};

}  // namespace

Result<cost::OperandTrace> NetworkOperands(const ir::Graph& graph,
                                           std::span<const ir::TensorValue> inputs,
                                           const cost::MacSpec& spec, int cycles, uint64_t seed) {
  std::vector<Taps> layers;
  std::vector<const ir::Node*> nodes;
  std::vector<int64_t> macs_up_to;
  for (const ir::Node& node : graph.nodes) {
    if (!IsSum(graph, node, spec)) continue;
    layers.emplace_back(graph, node);
    nodes.push_back(&node);
    macs_up_to.push_back((macs_up_to.empty() ? 0 : macs_up_to.back()) + ir::NumMacs(graph, node));
  }
  if (layers.empty()) {
    return Error{ErrorKind::kUnsupported,
                 fmt::format("{}: no CONV_2D or FULLY_CONNECTED layer has operands of {}",
                             graph.name, spec.format)};
  }
  MACLOOM_ASSIGN_OR_RETURN(const golden::fast::Plan plan, golden::fast::Plan::Create(graph));
  std::vector<golden::Trace> traces;
  for (const ir::TensorValue& input : inputs) {
    MACLOOM_ASSIGN_OR_RETURN(golden::Trace trace, plan.Run(input));
    traces.push_back(std::move(trace));
  }

  Rng rng(seed);
  const auto draw = [&] {
    Sums sums;
    const int64_t mac = rng.UniformInt(0, macs_up_to.back() - 1);
    while (macs_up_to[sums.layer] <= mac) ++sums.layer;
    sums.sample = static_cast<size_t>(rng.UniformInt(0, static_cast<int64_t>(traces.size()) - 1));
    sums.channel = rng.UniformInt(0, layers[sums.layer].channels() - 1);
    sums.position = rng.UniformInt(0, layers[sums.layer].positions() - 1);
    return sums;
  };
  const int accumulators = spec.shape == cost::MacShape::kBare ? 1 : spec.lanes;
  const uint64_t a_mask = (uint64_t{1} << spec.OperandBits(0)) - 1;
  const uint64_t b_mask = (uint64_t{1} << spec.OperandBits(1)) - 1;
  cost::OperandTrace trace;
  trace.source = graph.name;
  trace.cycles = cycles;
  trace.lanes = spec.lanes;
  const size_t size = static_cast<size_t>(cycles) * static_cast<size_t>(spec.lanes) *
                      static_cast<size_t>(cost::kOperandStreams);
  trace.a.assign(size, 0);
  trace.b.assign(size, 0);
  trace.starts.assign(static_cast<size_t>(cycles), 0);
  for (int stream = 0; stream < cost::kOperandStreams; ++stream) {
    Sums sums = draw();
    for (int cycle = 0; cycle < cycles; ++cycle) {
      const Taps& layer = layers[sums.layer];
      const int entry = cycle % accumulators;
      const int64_t position = (sums.position + entry) % layer.positions();
      const ir::TensorValue& value =
          traces[sums.sample].tensors[static_cast<size_t>(nodes[sums.layer]->inputs[0])];
      for (int lane = 0; lane < spec.lanes; ++lane) {
        const int64_t tap = sums.next_tap + lane;
        if (tap >= layer.taps()) continue;
        const size_t index = trace.Index(cycle, lane, stream);
        trace.a[index] = static_cast<uint16_t>(
            static_cast<uint64_t>(layer.Activation(value, position, tap)) & a_mask);
        trace.b[index] =
            static_cast<uint16_t>(static_cast<uint64_t>(layer.Weight(sums.channel, tap)) & b_mask);
      }
      if (sums.next_tap == 0) trace.starts[static_cast<size_t>(cycle)] |= uint64_t{1} << stream;
      if (entry != accumulators - 1) continue;
      sums.next_tap += spec.lanes;
      if (sums.next_tap >= layer.taps()) sums = draw();
    }
  }
  return trace;
}

}  // namespace macloom::flow
