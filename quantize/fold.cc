#include "quantize/fold.h"

#include <fmt/format.h>

#include <cmath>

#include "ir/shape_inference.h"

namespace macloom::quantize {
namespace {

ir::ConstantId Append(ir::FloatGraph& graph, ir::FloatConstant constant) {
  graph.constants.push_back(std::move(constant));
  return static_cast<ir::ConstantId>(graph.constants.size()) - 1;
}

}  // namespace

int64_t ChannelOfWeight(ir::OperatorKind kind, const ir::Shape& weights, int64_t i) {
  if (kind == ir::OperatorKind::kDepthwiseConv2d) return i % weights.back();
  return i / (ir::NumElements(weights) / weights.front());
}

void DropUnusedConstants(ir::FloatGraph& graph) {
  std::vector<ir::ConstantId> new_id(graph.constants.size(), -1);
  const auto for_each = [&](auto visit) {
    for (ir::FloatNode& node : graph.nodes) {
      auto& norm = node.batch_norm;
      for (ir::ConstantId* id :
           {&node.weights, &node.bias, &norm.gamma, &norm.beta, &norm.mean, &norm.variance}) {
        if (*id >= 0) visit(*id);
      }
    }
  };
  for_each([&](ir::ConstantId& id) { new_id[static_cast<size_t>(id)] = 0; });
  std::vector<ir::FloatConstant> kept;
  for (size_t i = 0; i < new_id.size(); ++i) {
    if (new_id[i] < 0) continue;
    new_id[i] = static_cast<ir::ConstantId>(kept.size());
    kept.push_back(std::move(graph.constants[i]));
  }
  for_each([&](ir::ConstantId& id) { id = new_id[static_cast<size_t>(id)]; });
  graph.constants = std::move(kept);
}

Result<ir::FloatGraph> FoldBatchNormalization(const ir::FloatGraph& graph) {
  ir::FloatGraph folded = graph;
  for (ir::FloatNode& node : folded.nodes) {
    if (!node.batch_norm.is_present()) continue;
    const ir::BatchNormalization norm = node.batch_norm;
    ir::FloatConstant weights = graph.constant(node.weights);
    const size_t channels = graph.constant(norm.mean).values.size();
    ir::FloatConstant bias = node.bias >= 0 ? graph.constant(node.bias)
                                            : ir::FloatConstant{weights.name + ".bias",
                                                                {static_cast<int64_t>(channels)},
                                                                std::vector<float>(channels, 0.0f)};
    std::vector<double> factor(channels);
    for (size_t c = 0; c < channels; ++c) {
      factor[c] = graph.constant(norm.gamma).values[c] /
                  std::sqrt(graph.constant(norm.variance).values[c] + norm.epsilon);
      bias.values[c] = static_cast<float>(
          (double{bias.values[c]} - graph.constant(norm.mean).values[c]) * factor[c] +
          graph.constant(norm.beta).values[c]);
    }
    for (size_t i = 0; i < weights.values.size(); ++i) {
      const int64_t c = ChannelOfWeight(node.kind, weights.shape, static_cast<int64_t>(i));
      weights.values[i] = static_cast<float>(weights.values[i] * factor[static_cast<size_t>(c)]);
    }
    for (const ir::FloatConstant* constant : {&weights, &bias}) {
      for (const float value : constant->values) {
        if (std::isfinite(value)) continue;
        return InvalidInput(fmt::format(
            "node \"{}\": batch normalization folded into \"{}\" gives {}; accepted are finite "
            "values",
            node.name, constant->name, value));
      }
    }
    node.weights = Append(folded, std::move(weights));
    node.bias = Append(folded, std::move(bias));
    node.batch_norm = {};
  }
  DropUnusedConstants(folded);
  return folded;
}

}  // namespace macloom::quantize
