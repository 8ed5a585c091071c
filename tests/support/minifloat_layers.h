// Random layers of minifloats with a contract for each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "base/rng.h"
#include "ir/graph.h"
#include "ir/minifloat_range.h"
#include "ir/shape_inference.h"

namespace macloom::testing {

struct MinifloatLayer {
  ir::Graph graph;
  ir::Accumulation accumulation = ir::Accumulation::Exact();
};

inline ir::NumberFormat PickFormat(Rng& rng) {
  const auto named = ir::NamedMinifloats();
  return named[static_cast<size_t>(rng.UniformInt(0, 6))].format;
}

/// Mostly middle-sized values, now and then an extreme or a zero.
inline int64_t PickCode(Rng& rng, const ir::NumberFormat& format) {
  const int64_t largest = format.MaxFiniteCode();
  const int64_t code = rng.Bernoulli(0.2)   ? 0
                       : rng.Bernoulli(0.1) ? largest
                                            : rng.UniformInt(0, largest);
  return rng.Bernoulli(0.5) ? code : code | format.SignBit();
}

inline ir::TensorId AddTensor(ir::Graph& graph, ir::Shape shape, const ir::NumberFormat& format) {
  ir::TensorInfo info;
  info.name = "t" + std::to_string(graph.tensors.size());
  info.shape = std::move(shape);
  info.format = format;
  info.quantization.scales = {0.25f};
  graph.tensors.push_back(info);
  return static_cast<int>(graph.tensors.size()) - 1;
}

inline void SetClamp(Rng& rng, const ir::NumberFormat& format, ir::Requantization& requantization) {
  requantization.clamp_min =
      rng.Bernoulli(0.5) ? 0 : static_cast<int32_t>(format.SignBit() | format.MaxFiniteCode());
  requantization.clamp_max = format.MaxFiniteCode();
  if (rng.Bernoulli(0.3)) {
    requantization.clamp_max =
        static_cast<int32_t>(rng.UniformInt(format.MaxFiniteCode() / 2, format.MaxFiniteCode()));
  }
}

/// One node with weights or an average pooling, and a contract for it.
inline MinifloatLayer DrawSummingLayer(Rng& rng, ir::OperatorKind kind) {
  MinifloatLayer layer;
  ir::Graph& graph = layer.graph;
  const ir::NumberFormat in = PickFormat(rng);
  const ir::NumberFormat weight = rng.Bernoulli(0.5) ? in : PickFormat(rng);
  const ir::NumberFormat out = rng.Bernoulli(0.2) ? *ir::ParseMinifloat("e5m10") : PickFormat(rng);
  const int64_t channels = rng.UniformInt(1, 5);
  ir::Node node;
  node.name = "n";
  node.kind = kind;
  node.inputs = {AddTensor(graph, {rng.UniformInt(2, 5), rng.UniformInt(2, 5), channels}, in)};
  graph.input = node.inputs[0];
  const bool is_dense = kind == ir::OperatorKind::kFullyConnected;
  const bool is_pool = kind == ir::OperatorKind::kAveragePool2d;
  const bool is_depthwise = kind == ir::OperatorKind::kDepthwiseConv2d;
  ir::Window& window = node.window;
  if (!is_dense) {
    window.kernel_h = static_cast<int>(rng.UniformInt(1, 3));
    window.kernel_w = static_cast<int>(rng.UniformInt(1, 3));
    window.stride_h = static_cast<int>(rng.UniformInt(1, 2));
    window.pad_top = static_cast<int>(rng.UniformInt(0, window.kernel_h - 1));
    window.pad_right = static_cast<int>(rng.UniformInt(1, window.kernel_w)) - 1;
    window.pad_bottom = window.kernel_h > 2 ? 1 : 1;
    window.pad_bottom = std::min(window.pad_bottom, window.kernel_h - 1);
    window.pad_left = window.kernel_w - 1;
  }
  int64_t outputs = is_pool ? channels : rng.UniformInt(1, 4);
  if (is_depthwise) {
    node.depth_multiplier = static_cast<int>(rng.UniformInt(1, 2));
    outputs = channels * node.depth_multiplier;
  }
  int64_t num_products = int64_t{window.kernel_h} * window.kernel_w;
  if (!is_pool) {
    ir::Constant weights;
    weights.name = "w";
    weights.format = weight;
    const ir::Shape& x = graph.tensor(graph.input).shape;
    if (is_dense) {
      weights.shape = {outputs, ir::NumElements(x)};
    } else if (is_depthwise) {
      weights.shape = {window.kernel_h, window.kernel_w, outputs};
    } else {
      weights.shape = {outputs, window.kernel_h, window.kernel_w, channels};
    }
    for (int64_t i = 0; i < ir::NumElements(weights.shape); ++i) {
      weights.codes.push_back(PickCode(rng, weight));
    }
    num_products = ir::NumElements(weights.shape) / outputs;
    graph.constants.push_back(weights);
    node.weights = 0;
    if (rng.Bernoulli(0.7)) {
      ir::Constant bias;
      bias.name = "b";
      bias.format.bits = 64;
      bias.shape = {outputs};
      for (int64_t oc = 0; oc < outputs; ++oc) bias.codes.push_back(rng.UniformInt(-4000, 4000));
      graph.constants.push_back(bias);
      node.bias = 1;
    }
  }
  ir::Requantization& requantization = node.requantization;
  requantization.kind = ir::RequantizationKind::kToMinifloat;
  const auto shift = [&] { return static_cast<int32_t>(rng.UniformInt(-8, 4)); };
  requantization.channels = {{0, shift()}};
  if (is_pool && rng.Bernoulli(0.5)) {
    requantization.kind = ir::RequantizationKind::kMean;
    requantization.channels.clear();
  } else if (!is_pool && rng.Bernoulli(0.5)) {
    requantization.channels.clear();
    for (int64_t oc = 0; oc < outputs; ++oc) requantization.channels.push_back({0, shift()});
  }
  SetClamp(rng, out, requantization);
  node.output = AddTensor(graph, {1}, out);
  graph.output = node.output;
  graph.nodes.push_back(node);
  graph.tensors.back().shape = *ir::OutputShape(graph, node);

  const bool is_single = is_pool || is_depthwise;
  const int order = static_cast<int>(rng.UniformInt(0, is_single ? 3 : 1));
  const ir::AccumulationOrder orders[] = {
      ir::AccumulationOrder::kBlockTap, ir::AccumulationOrder::kFlatTap,
      ir::AccumulationOrder::kTapSerial, ir::AccumulationOrder::kTapSerialColumn};
  const int per_step = order > 1 ? 1 : static_cast<int>(rng.UniformInt(1, 4));
  const int exact_bits = ir::ExactAccumulatorBits(in, is_pool ? in : weight, num_products);
  switch (rng.UniformInt(0, 3)) {
    case 0:
      layer.accumulation.order = orders[order];
      layer.accumulation.products_per_step = per_step;
      break;
    case 1:
      layer.accumulation = ir::Accumulation::FixedPoint(
          std::min(80, exact_bits + 1), ir::Overflow::kSaturate, per_step, orders[order],
          static_cast<int>(rng.UniformInt(0, 8)), static_cast<int>(rng.UniformInt(-1, 8)));
      break;
    case 2:
      layer.accumulation = ir::Accumulation::FixedPoint(
          std::max(14, std::min(80, exact_bits - 6)), ir::Overflow::kWrap, per_step, orders[order]);
      break;
    default:
      layer.accumulation =
          ir::Accumulation::Float(5, 10, ir::Overflow::kInfinity, per_step, orders[order]);
  }
  return layer;
}

inline ir::TensorValue DrawInput(Rng& rng, const ir::Graph& graph) {
  const ir::TensorInfo& info = graph.tensor(graph.input);
  ir::TensorValue value{info.shape, {}};
  for (int64_t i = 0; i < ir::NumElements(info.shape); ++i) {
    value.codes.push_back(static_cast<int32_t>(PickCode(rng, info.format)));
  }
  return value;
}

}  // namespace macloom::testing
