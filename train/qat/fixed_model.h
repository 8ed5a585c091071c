// The fixed-point network in training: formats, quantized parameters, simulated forward pass.
#pragma once

#include <vector>

#include "train/qat/model.h"
#include "train/qat/quantizers.h"
#include "train/recipe/recipe.h"

namespace macloom::train {

/// Codes of one layer: value = code * 2^-fraction_bits.
struct LayerFormat {
  Grid weight;
  int accumulator_fraction_bits = 0;  ///< Input's plus weights'; the bias is on this grid.
  Grid output;
  int shift() const { return accumulator_fraction_bits - output.fraction_bits; }
};

struct Formats {
  Grid input;
  std::vector<LayerFormat> layers;
};

/// The formats the ranges of `model` stand for: bits - 1 - ceil(log2_range) fraction bits (ReLU
/// outputs with offset codes: bits - ceil(log2_range)), and an output no finer than its
/// accumulator, so that every shift is in 0..31. Signed codes; ReLU outputs start at 0; weights
/// leave out their most negative code. With offset codes the layer in front of the pool has all
/// signed codes and ReLU's 0 at the lowest: its bias holds the distance (see PrepareFixedPoint()).
Formats FormatsOf(const Model& model, const Quantizing& qat);

/// From a folded network to a fixed-point one: ranges by smallest mean squared error over
/// `calibration` ([N, H, W, C]) or, ScaleChoice::kNetwork, by moving gains between layers until
/// every tensor fits [-1, 1); p of squashed weights; v and g of A2Q. With offset codes the layer in
/// front of the pool yields y - 2^(A-1) units, clipped to signed codes (a sum of codes with a zero
/// point has no shift of its own), and the dense bias adds what the pool then lacks. Trainable
/// tensors of the result do not require gradients yet.
Model PrepareFixedPoint(Model& folded, const Quantizing& qat, const Tensor& calibration);

/// What the forward pass yields besides logits.
struct Simulation {
  Tensor logits;            ///< [N, classes].
  Tensor overflow_penalty;  ///< Sum over layers of mean(relu(|acc| - limit) / unit); 0 if P is 0.
  Tensor bound_penalty;     ///< A2Q: sum over channels of relu(g - T s); else 0.
  Tensor cosine_distance;   ///< Sum over layers; see CosineDistance().
  std::vector<Tensor> weights;  ///< Quantized weights by layer, on their grid.
  std::vector<Tensor> biases;   ///< Quantized biases by layer.
};

/// x: [N, H, W, C]. Every value is a code times a power of two:
///   x^ = q(x);  acc = sum w^ x^ + b^;  acc = clip(acc, P bits);  y = q(acc)   (ReLU in q's range).
/// In float64 the sums are exact (below 2^53 units) and the result is the integer network's.
/// A2Q: w = s clip(trunc(min(g / s, T) v / |v|_1)), g = 2^gain;
///   a2q:  T = (2^(P-1) - 1 - |b|) / max|x|;  a2q+: v has zero mean,
///   T = (2^P - 2 - 2|b|) / (x_max - x_min), b and x in codes (docs/training.md).
Simulation SimulateFixedPoint(const Model& model, const Quantizing& qat, const Tensor& x);

}  // namespace macloom::train
