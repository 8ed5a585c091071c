#include "quantize/minifloat_post_training.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "ir/shape_inference.h"
#include "ir/verify_minifloat.h"
#include "quantize/equalize.h"
#include "quantize/fold.h"
#include "quantize/minifloat_grid.h"
#include "quantize/minifloat_scales.h"
#include "quantize/prepare.h"
#include "quantize/weight_grids.h"

namespace macloom::quantize {
namespace {

using ir::FloatNode;
using ir::OperatorKind;

Status CheckOptions(const MinifloatOptions& options) {
  MACLOOM_RETURN_IF_ERROR(ir::CheckOperandFormat(options.weight_format));
  MACLOOM_RETURN_IF_ERROR(ir::CheckOperandFormat(options.activation_format));
  MACLOOM_RETURN_IF_ERROR(ir::Validate(options.output_format));
  MACLOOM_RETURN_IF_ERROR(ir::Validate(options.accumulation));
  if (options.accumulation.kind == ir::AccumulationKind::kInteger &&
      !options.accumulation.IsExact()) {
    return InvalidInput(fmt::format(
        "accumulation is {} over minifloat codes; accepted are exact, fixed point and float",
        ir::ToString(options.accumulation)));
  }
  for (const RangeOptions* ranges : {&options.weight_ranges, &options.activation_ranges}) {
    if (ranges->percentile > 50 && ranges->percentile <= 100) continue;
    return InvalidInput(fmt::format("percentile is {}; accepted are values above 50 up to 100",
                                    ranges->percentile));
  }
  return {};
}

class MinifloatEmitter {
 public:
  MinifloatEmitter(const PreparedNetwork& network, const MinifloatScales& scales,
                   bool are_means_shifts)
      : network_(network), scales_(scales), are_means_shifts_(are_means_shifts) {}

  Result<ir::Graph> Run() {
    const ir::FloatGraph& source = network_.graph;
    graph_.name = source.name;
    graph_.origin = source.origin;
    graph_.licence = source.licence;
    graph_.class_labels = source.class_labels;
    graph_.input = source.input;
    graph_.output = source.output;
    for (size_t t = 0; t < source.tensors.size(); ++t) {
      const MinifloatGrid& grid = scales_.tensors[t];
      graph_.tensors.push_back({source.tensors[t].name,
                                source.tensors[t].shape,
                                grid.format,
                                {{std::ldexp(1.0f, grid.exponent)}, {0}, -1}});
    }
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
      Complete(n, copy);
    }
    MACLOOM_RETURN_IF_ERROR(ir::Verify(graph_));
    return std::move(graph_);
  }

 private:
  const MinifloatGrid& tensor(ir::TensorId id) const {
    return scales_.tensors[static_cast<size_t>(id)];
  }

  void Complete(size_t n, ir::Node& node) {
    const FloatNode& source = network_.graph.nodes[n];
    const MinifloatGrid& out = tensor(node.output);
    const double gain = network_.gains[static_cast<size_t>(node.output)];
    ir::Requantization& requantization = node.requantization;
    requantization.clamp_min = ClampCode(out, source.clamp_min * gain);
    requantization.clamp_max = ClampCode(out, source.clamp_max * gain);
    const auto exponent_to = [&](size_t i) {
      return tensor(node.inputs[i]).exponent - out.exponent;
    };
    switch (node.kind) {
      case OperatorKind::kConv2d:
      case OperatorKind::kDepthwiseConv2d:
      case OperatorKind::kFullyConnected:
        requantization.kind = ir::RequantizationKind::kToMinifloat;
        for (const int weight_exponent : scales_.weights[n]) {
          requantization.channels.push_back({0, exponent_to(0) + weight_exponent});
        }
        SetConstants(n, node);
        break;
      case OperatorKind::kAveragePool2d:
        if (are_means_shifts_) {
          const auto num_taps = static_cast<unsigned>(node.window.kernel_h * node.window.kernel_w);
          requantization.kind = ir::RequantizationKind::kToMinifloat;
          requantization.channels = {
              {0, exponent_to(0) - std::countr_zero(std::bit_ceil(num_taps))}};
        } else {
          requantization.kind = ir::RequantizationKind::kMean;
        }
        break;
      case OperatorKind::kAdd:
        requantization.kind = ir::RequantizationKind::kToMinifloat;
        node.add.input[0] = {0, exponent_to(0)};
        node.add.input[1] = {0, exponent_to(1)};
        break;
      case OperatorKind::kMaxPool2d:
      case OperatorKind::kConcatenation:
      case OperatorKind::kPad:
      case OperatorKind::kReshape:
      case OperatorKind::kSoftmax:
        break;
    }
  }

  /// Limits are never -0.
  static int32_t ClampCode(const MinifloatGrid& grid, double limit) {
    const double finite = std::clamp(limit, -1e300, 1e300);
    const int32_t code = CodeOf(grid, finite);
    return code == grid.format.SignBit() ? 0 : code;
  }

  void SetConstants(size_t n, ir::Node& node) {
    const FloatNode& source = network_.graph.nodes[n];
    const ir::FloatConstant& values = network_.graph.constant(source.weights);
    const std::vector<float> scaled = WeightsOf(network_, n);
    const std::vector<int>& exponents = scales_.weights[n];
    const bool is_single = exponents.size() == 1;
    const auto exponent_of = [&](size_t c) { return exponents[is_single ? 0 : c]; };
    const int axis = is_single ? -1 : node.kind == OperatorKind::kDepthwiseConv2d ? 2 : 0;
    ir::Constant weights{values.name, values.shape, scales_.weight_format, {{}, {}, axis}, {}};
    for (const int exponent : exponents) {
      weights.quantization.scales.push_back(std::ldexp(1.0f, exponent));
    }
    for (size_t i = 0; i < scaled.size(); ++i) {
      const auto c =
          static_cast<size_t>(ChannelOfWeight(node.kind, values.shape, static_cast<int64_t>(i)));
      weights.codes.push_back(
          CodeOf(MinifloatGrid{scales_.weight_format, exponent_of(c)}, scaled[i]));
    }
    graph_.constants.push_back(std::move(weights));
    node.weights = static_cast<ir::ConstantId>(graph_.constants.size()) - 1;
    if (source.bias < 0) return;
    const ir::FloatConstant& offsets = network_.graph.constant(source.bias);
    const MinifloatGrid& in = tensor(node.inputs[0]);
    ir::Constant bias{offsets.name, offsets.shape, {}, {{}, {}, is_single ? -1 : 0}, {}};
    bias.format.bits = 64;
    const int lsb = in.format.LeastExponent() + scales_.weight_format.LeastExponent();
    for (const int exponent : exponents) {
      bias.quantization.scales.push_back(std::ldexp(1.0f, in.exponent + exponent + lsb));
    }
    for (size_t c = 0; c < offsets.values.size(); ++c) {
      const int exponent = in.exponent + exponent_of(c) + lsb;
      bias.codes.push_back(
          static_cast<int64_t>(std::nearbyint(std::ldexp(double{offsets.values[c]}, -exponent))));
    }
    graph_.constants.push_back(std::move(bias));
    node.bias = static_cast<ir::ConstantId>(graph_.constants.size()) - 1;
  }

  const PreparedNetwork& network_;
  const MinifloatScales& scales_;
  const bool are_means_shifts_;
  ir::Graph graph_;
};

}  // namespace

Result<QuantizedNetwork> QuantizeToMinifloats(const ir::FloatGraph& graph,
                                              const std::vector<FloatValues>& samples,
                                              const MinifloatOptions& options) {
  MACLOOM_RETURN_IF_ERROR(CheckOptions(options));
  MACLOOM_ASSIGN_OR_RETURN(PreparedNetwork prepared, Prepare(graph, options.are_means_shifts));
  if (options.equalize) {
    const int count = EqualizeCrossLayer(prepared.graph);
    prepared.notes.push_back(fmt::format("equalized {} pairs and triples of layers", count));
  }
  MACLOOM_ASSIGN_OR_RETURN(const MinifloatScales scales,
                           ChooseMinifloatScales(prepared, samples, options));
  QuantizedNetwork result;
  MACLOOM_ASSIGN_OR_RETURN(result.graph,
                           MinifloatEmitter(prepared, scales, options.are_means_shifts).Run());
  result.float_graph = std::move(prepared.graph);
  result.gains = std::move(prepared.gains);
  result.notes = std::move(prepared.notes);
  result.notes.insert(result.notes.end(), scales.notes.begin(), scales.notes.end());
  return result;
}

}  // namespace macloom::quantize
