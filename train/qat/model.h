// A network in training: parameters per layer, float forward pass, batch-norm folding.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "train/qat/tensors.h"
#include "train/recipe/topology.h"

namespace macloom::train {

/// Parameters of one layer; undefined tensors are absent.
struct LayerState {
  /// [OC, IC, KH, KW], depthwise [C, 1, KH, KW], dense [OC, IC]. Fixed-point training keeps here
  /// what it trains: the weights, p of w = 2^k tanh(p), or v of A2Q.
  Tensor weight;
  Tensor bias;                         ///< [OC]; absent before folding where batch norm follows.
  Tensor gamma, beta, mean, variance;  ///< Batch norm, before folding.
  Tensor gain;                         ///< A2Q: log2 of each channel's l1 norm g.
  Tensor weight_log2, output_log2;     ///< Scalars: log2 of the ranges of weights and output.
};

struct Model {
  Topology topology;
  std::vector<LayerState> layers;  ///< Parallel to topology.layers.
  Tensor input_log2;               ///< Scalar: log2 of the range of the input.
  double logit_scale = 1;          ///< The loss sees logits times this.

  /// Calls `visit("layer/part", tensor)` for every tensor slot, defined or not.
  void ForEach(const std::function<void(const std::string&, Tensor&)>& visit);
};

/// Weights normal with variance 2 / fan-in, batch norm at identity.
Model InitializeModel(const Topology& topology, Rng& rng);

/// A deep copy, every tensor as `type`, none requiring gradients.
Model CopyModel(Model& model, at::ScalarType type = at::kFloat);

/// x: [N, H, W, C] -> logits [N, classes]. Batch norm uses the batch's moments and updates the
/// running ones if `is_training`. `outputs`, if given, receives every layer's output.
Tensor ForwardFloat(Model& model, const Tensor& x, bool is_training,
                    std::vector<Tensor>* outputs = nullptr);

/// Batch norm into weights and bias: w' = w gamma / sqrt(variance + 1e-5),
/// b' = beta - mean gamma / sqrt(variance + 1e-5).
Model FoldBatchNorm(Model& model);

/// The linear part of a layer with weights: sum of products, no bias. x: [N, C, H, W] or [N, C].
Tensor LinearPart(const Layer& layer, const Tensor& x, const Tensor& weight);
/// The sum over all positions times 2^-pool_shift. x: [N, C, H, W] -> [N, C].
Tensor PoolPart(const Layer& layer, const Tensor& x);

}  // namespace macloom::train
