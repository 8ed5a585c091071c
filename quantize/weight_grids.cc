#include "quantize/weight_grids.h"

#include <cmath>

#include "ir/shape_inference.h"
#include "quantize/fold.h"

namespace macloom::quantize {

void WeightGrids::Coarsen(size_t index) {
  if (fraction_bits.empty()) {
    grids[index].step =
        static_cast<double>(static_cast<float>(grids[index].step * std::exp2(0.25)));
  } else {
    grids[index].step *= 2;
    --fraction_bits[index];
  }
}

std::vector<float> WeightsOf(const PreparedNetwork& network, size_t n) {
  const ir::FloatNode& node = network.graph.nodes[n];
  const double gain = network.gains[static_cast<size_t>(node.inputs[0])];
  std::vector<float> weights = network.graph.constant(node.weights).values;
  for (float& weight : weights) weight = static_cast<float>(weight / gain);
  return weights;
}

WeightGrids ChooseWeightGrids(const PreparedNetwork& network, size_t n,
                              const PostTrainingOptions& options) {
  const ir::FloatNode& node = network.graph.nodes[n];
  const ir::Shape& shape = network.graph.constant(node.weights).shape;
  const std::vector<float> weights = WeightsOf(network, n);
  const auto channels = static_cast<size_t>(
      node.kind == ir::OperatorKind::kDepthwiseConv2d ? shape.back() : shape.front());
  std::vector<std::vector<float>> parts(options.is_per_channel ? channels : 1);
  for (size_t i = 0; i < weights.size(); ++i) {
    const int64_t c = ChannelOfWeight(node.kind, shape, static_cast<int64_t>(i));
    parts[options.is_per_channel ? static_cast<size_t>(c) : 0].push_back(weights[i]);
  }
  WeightGrids result;
  const int bits = options.weight_bits;
  for (const std::vector<float>& part : parts) {
    if (options.scales == Scales::kAffine) {
      result.grids.push_back(SymmetricGrid(part, bits, options.weight_ranges));
      continue;
    }
    const int fraction = FractionBits(Observe(part), bits, options.weight_ranges);
    result.fraction_bits.push_back(fraction);
    result.grids.push_back(
        {std::ldexp(1.0, -fraction), 0, -(1 << (bits - 1)), (1 << (bits - 1)) - 1});
  }
  return result;
}

}  // namespace macloom::quantize
