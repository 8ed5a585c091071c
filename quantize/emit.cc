#include "quantize/emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ir/accumulator_range.h"
#include "ir/shape_inference.h"
#include "quantize/fold.h"

namespace macloom::quantize {
namespace {

using ir::FloatNode;
using ir::OperatorKind;

class Emitter {
 public:
  Emitter(const PreparedNetwork& network, const std::vector<TensorGrid>& tensors,
          std::vector<WeightGrids> weights, const PostTrainingOptions& options)
      : network_(network), tensors_(tensors), weights_(std::move(weights)), options_(options) {}

  Result<ir::Graph> Run() {
    const ir::FloatGraph& source = network_.graph;
    graph_.name = source.name;
    graph_.origin = source.origin;
    graph_.licence = source.licence;
    graph_.class_labels = source.class_labels;
    graph_.input = source.input;
    graph_.output = source.output;
    for (size_t t = 0; t < source.tensors.size(); ++t) AddTensor(t);
    for (size_t n = 0; n < source.nodes.size(); ++n) {
      const FloatNode& node = source.nodes[n];
      ir::Node& copy = graph_.nodes.emplace_back();
      copy.name = node.name;
      copy.kind = node.kind;
      copy.inputs = node.inputs;
      copy.output = node.output;
      copy.window = node.window;
      copy.depth_multiplier = node.depth_multiplier;
      copy.axis = node.axis;
      const Status status = Complete(n, copy);
      if (!status.ok()) {
        return Error{status.error().kind,
                     fmt::format("node \"{}\" ({}): {}", node.name, ir::ToString(node.kind),
                                 status.error().message)};
      }
    }
    MACLOOM_RETURN_IF_ERROR(ir::Verify(graph_));
    return std::move(graph_);
  }

 private:
  bool is_shift() const { return options_.scales == Scales::kPowerOfTwo; }
  const TensorGrid& tensor(ir::TensorId id) const { return tensors_[static_cast<size_t>(id)]; }

  void AddTensor(size_t t) {
    const ir::FloatTensorInfo& info = network_.graph.tensors[t];
    const TensorGrid& chosen = tensors_[t];
    ir::TensorInfo& copy = graph_.tensors.emplace_back();
    copy.name = info.name;
    copy.shape = info.shape;
    copy.format.bits = chosen.bits;
    if (is_shift()) {
      copy.format.family = ir::NumberFamily::kFixedPoint;
      copy.format.fraction_bits = chosen.fraction_bits;
    } else {
      copy.quantization = {{static_cast<float>(chosen.grid.step)}, {chosen.grid.zero_point}, -1};
    }
  }

  Status Complete(size_t n, ir::Node& node) {
    SetClamp(n, node);
    switch (node.kind) {
      case OperatorKind::kConv2d:
      case OperatorKind::kDepthwiseConv2d:
      case OperatorKind::kFullyConnected:
        return SetWeights(n, node);
      case OperatorKind::kAveragePool2d: {
        node.requantization.zero_point = 0;
        if (!is_shift()) {
          node.requantization.kind = ir::RequantizationKind::kMean;
          return {};
        }
        const auto num_taps = static_cast<unsigned>(node.window.kernel_h * node.window.kernel_w);
        const int shift = std::countr_zero(std::bit_ceil(num_taps)) +
                          tensor(node.inputs[0]).fraction_bits - tensor(node.output).fraction_bits;
        node.requantization.kind = ir::RequantizationKind::kShift;
        node.requantization.channels = {{0, shift}};
        return {};
      }
      case OperatorKind::kAdd:
        return SetAdd(node);
      case OperatorKind::kMaxPool2d:
      case OperatorKind::kConcatenation:
      case OperatorKind::kPad:
      case OperatorKind::kReshape:
      case OperatorKind::kSoftmax:
        node.requantization.zero_point = 0;
        return {};
    }
    return {};
  }

  void SetClamp(size_t n, ir::Node& node) {
    const FloatNode& source = network_.graph.nodes[n];
    const Grid& grid = tensor(node.output).grid;
    const double gain = network_.gains[static_cast<size_t>(node.output)];
    node.requantization.zero_point = grid.zero_point;
    node.requantization.clamp_min = CodeOf(grid, source.clamp_min * gain);
    node.requantization.clamp_max = CodeOf(grid, source.clamp_max * gain);
  }

  Status SetAdd(ir::Node& node) {
    const TensorGrid &a = tensor(node.inputs[0]), &b = tensor(node.inputs[1]),
                     &out = tensor(node.output);
    if (is_shift()) {
      const int finest = std::max(a.fraction_bits, b.fraction_bits);
      node.requantization.kind = ir::RequantizationKind::kShift;
      node.add.input[0] = {0, finest - a.fraction_bits};
      node.add.input[1] = {0, finest - b.fraction_bits};
      node.add.output = {0, finest - out.fraction_bits};
      return {};
    }
    node.requantization.kind = ir::RequantizationKind::kMultiplierDouble;
    const double twice = 2 * std::max(a.grid.step, b.grid.step);
    const double out_real =
        twice / (std::ldexp(1.0, ir::AddParameters::kLeftShift) * out.grid.step);
    MACLOOM_ASSIGN_OR_RETURN(node.add.input[0],
                             ir::QuantizeMultiplier(a.grid.step / twice, ir::Rounding::kDouble));
    MACLOOM_ASSIGN_OR_RETURN(node.add.input[1],
                             ir::QuantizeMultiplier(b.grid.step / twice, ir::Rounding::kDouble));
    MACLOOM_ASSIGN_OR_RETURN(node.add.output,
                             ir::QuantizeMultiplier(out_real, ir::Rounding::kDouble));
    return {};
  }

  // Weights, bias and requantization on the node's grids; coarser ones where they do not fit.
  Status SetWeights(size_t n, ir::Node& node) {
    const FloatNode& source = network_.graph.nodes[n];
    const ir::FloatConstant& constant = network_.graph.constant(source.weights);
    const std::vector<float> values = WeightsOf(network_, n);
    ir::Constant weights{constant.name, constant.shape, {}, {}, {}};
    weights.format.bits = options_.weight_bits;
    node.weights = Append(std::move(weights));
    if (source.bias >= 0) {
      const ir::FloatConstant& bias = network_.graph.constant(source.bias);
      node.bias = Append({bias.name, bias.shape, {}, {}, {}});
    }
    constexpr int kMaxRounds = 400;
    for (int round = 0; round < kMaxRounds; ++round) {
      const WeightGrids& grids = weights_[n];
      FillConstants(n, node, values);
      const std::vector<ir::AccumulatorRange> ranges =
          ir::AccumulatorRanges(graph_, node, ir::InputCodeRange(graph_, node));
      MACLOOM_RETURN_IF_ERROR(SetPairs(n, node));
      std::vector<char> is_too_wide(grids.grids.size(), 0);
      for (size_t c = 0; c < ranges.size(); ++c) {
        const size_t index = grids.IndexOf(static_cast<int64_t>(c));
        const int left =
            is_shift() ? 0
                       : std::max(node.requantization.ForChannel(static_cast<int64_t>(c)).shift, 0);
        const int bits = ranges[c].RequiredBits();
        if (bits > options_.accumulator_bits || bits + left > 32) is_too_wide[index] = 1;
        if (is_shift() && Shift(n, node, index) > kMaxShift) is_too_wide[index] = 1;
      }
      if (std::count(is_too_wide.begin(), is_too_wide.end(), 1) == 0) {
        if (options_.accumulator_bits < 32) {
          node.required_accumulator_bits = options_.accumulator_bits;
        }
        return {};
      }
      for (size_t index = 0; index < is_too_wide.size(); ++index) {
        if (!is_too_wide[index]) continue;
        if (is_shift() && Shift(n, node, index) == 0) return TooWide(ranges);
        weights_[n].Coarsen(index);
      }
    }
    return TooWide(ir::AccumulatorRanges(graph_, node, ir::InputCodeRange(graph_, node)));
  }

  Status TooWide(const std::vector<ir::AccumulatorRange>& ranges) const {
    int bits = 0;
    for (const ir::AccumulatorRange& range : ranges) bits = std::max(bits, range.RequiredBits());
    return InvalidInput(fmt::format(
        "accumulator needs {} bits however coarse its weights; accepted by the options are {}",
        bits, options_.accumulator_bits));
  }

  void FillConstants(size_t n, const ir::Node& node, const std::vector<float>& values) {
    const FloatNode& source = network_.graph.nodes[n];
    const WeightGrids& grids = weights_[n];
    ir::Constant& weights = graph_.constants[static_cast<size_t>(node.weights)];
    weights.codes.clear();
    for (size_t i = 0; i < values.size(); ++i) {
      const int64_t c = ChannelOfWeight(node.kind, weights.shape, static_cast<int64_t>(i));
      weights.codes.push_back(CodeOf(grids.ForChannel(c), values[i]));
    }
    const bool is_single = grids.grids.size() == 1;
    const int axis = is_single ? -1 : node.kind == OperatorKind::kDepthwiseConv2d ? 2 : 0;
    if (is_shift() && is_single) {
      weights.format.family = ir::NumberFamily::kFixedPoint;
      weights.format.fraction_bits = grids.fraction_bits[0];
    } else {
      weights.quantization = {{}, {}, axis};
      for (const Grid& grid : grids.grids) {
        weights.quantization.scales.push_back(static_cast<float>(grid.step));
      }
    }
    if (node.bias < 0) return;
    const TensorGrid& in = tensor(node.inputs[0]);
    ir::Constant& bias = graph_.constants[static_cast<size_t>(node.bias)];
    // Wide enough for a value that has to be refused; SetWeights() makes it fit 32 bits.
    bias.format.bits = 32;
    bias.codes.clear();
    const std::vector<float>& offsets = network_.graph.constant(source.bias).values;
    for (size_t c = 0; c < offsets.size(); ++c) {
      const double step = in.grid.step * grids.ForChannel(static_cast<int64_t>(c)).step;
      constexpr double kLimit = 1e15;
      bias.codes.push_back(
          static_cast<int64_t>(std::clamp(std::floor(offsets[c] / step + 0.5), -kLimit, kLimit)));
    }
    if (is_shift() && is_single) {
      bias.format.family = ir::NumberFamily::kFixedPoint;
      bias.format.fraction_bits = in.fraction_bits + grids.fraction_bits[0];
    } else {
      bias.quantization = {{}, {}, is_single ? -1 : 0};
      for (const Grid& grid : grids.grids) {
        bias.quantization.scales.push_back(static_cast<float>(in.grid.step * grid.step));
      }
    }
  }

  static constexpr int kMaxShift = 31;

  int Shift(size_t n, const ir::Node& node, size_t index) const {
    return tensor(node.inputs[0]).fraction_bits + weights_[n].fraction_bits[index] -
           tensor(node.output).fraction_bits;
  }

  Status SetPairs(size_t n, ir::Node& node) {
    const WeightGrids& grids = weights_[n];
    ir::Requantization& requantization = node.requantization;
    requantization.channels.clear();
    if (is_shift()) {
      requantization.kind = ir::RequantizationKind::kShift;
      for (size_t i = 0; i < grids.grids.size(); ++i) {
        requantization.channels.push_back({0, Shift(n, node, i)});
      }
      return {};
    }
    requantization.kind = ir::RequantizationKind::kMultiplierDouble;
    const double in = tensor(node.inputs[0]).grid.step, out = tensor(node.output).grid.step;
    for (const Grid& grid : grids.grids) {
      // TFLite rounds the product of a fully connected layer to float32 first.
      const double product = node.kind == OperatorKind::kFullyConnected
                                 ? static_cast<double>(static_cast<float>(in * grid.step))
                                 : in * grid.step;
      MACLOOM_ASSIGN_OR_RETURN(const ir::FixedPointMultiplier pair,
                               ir::QuantizeMultiplier(product / out, ir::Rounding::kDouble));
      requantization.channels.push_back(pair);
    }
    return {};
  }

  ir::ConstantId Append(ir::Constant constant) {
    graph_.constants.push_back(std::move(constant));
    return static_cast<ir::ConstantId>(graph_.constants.size()) - 1;
  }

  const PreparedNetwork& network_;
  const std::vector<TensorGrid>& tensors_;
  std::vector<WeightGrids> weights_;
  const PostTrainingOptions& options_;
  ir::Graph graph_;
};

}  // namespace

Result<ir::Graph> Emit(const PreparedNetwork& network, const std::vector<TensorGrid>& tensors,
                       std::vector<WeightGrids> weights, const PostTrainingOptions& options) {
  return Emitter(network, tensors, std::move(weights), options).Run();
}

}  // namespace macloom::quantize
