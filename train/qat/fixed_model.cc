#include "train/qat/fixed_model.h"

#include <algorithm>
#include <cmath>

#include "train/qat/equalize.h"

namespace macloom::train {
namespace {

int FractionBits(int bits, const Tensor& log2_range) {
  return bits - 1 - static_cast<int>(std::ceil(log2_range.item<double>()));
}

Grid WeightGrid(int bits, int fraction_bits) {
  const int64_t max_code = (int64_t{1} << (bits - 1)) - 1;
  return {fraction_bits, -max_code, max_code};
}

Grid SignedGrid(int bits, int fraction_bits) {
  const int64_t max_code = (int64_t{1} << (bits - 1)) - 1;
  return {fraction_bits, -max_code - 1, max_code};
}

enum class OutputCodes {
  kSigned,      // No ReLU.
  kHalf,        // ReLU: 0 .. 2^(A-1) - 1.
  kOffset,      // ReLU: 0 .. 2^A - 1, zero point -2^(A-1).
  kBiasOffset,  // ReLU: -2^(A-1) .. 2^(A-1) - 1, the bias holds the offset.
};

OutputCodes OutputCodesOf(const Topology& topology, size_t layer, const Quantizing& qat) {
  const LayerKind kind = topology.layers[layer].kind;
  if (kind == LayerKind::kDense) return OutputCodes::kSigned;
  if (qat.relu_codes == ReluCodes::kSigned) return OutputCodes::kHalf;
  if (kind == LayerKind::kPool) return OutputCodes::kSigned;
  return topology.layers[layer + 1].kind == LayerKind::kPool ? OutputCodes::kBiasOffset
                                                             : OutputCodes::kOffset;
}

Grid OutputGrid(OutputCodes codes, int bits, int fraction_bits) {
  Grid grid = SignedGrid(bits, fraction_bits);
  if (codes == OutputCodes::kHalf) grid.min_code = 0;
  if (codes == OutputCodes::kOffset)
    grid = {fraction_bits, 0, 2 * grid.max_code + 1, grid.min_code};
  return grid;
}

// Of a tensor whose range is [-2^r, 2^r), or [0, 2^r) with all codes.
int OutputFractionBits(OutputCodes codes, int bits, const Tensor& log2_range) {
  const bool is_from_0 = codes == OutputCodes::kOffset || codes == OutputCodes::kBiasOffset;
  return FractionBits(is_from_0 ? bits + 1 : bits, log2_range);
}

double UnitOf(const Grid& grid) { return std::ldexp(1.0, -grid.fraction_bits); }

// T of A2Q per channel, [OC]: how large |q|_1 may be.
Tensor L1Budget(const Quantizing& qat, const Grid& input, const Tensor& bias_codes) {
  const double top = std::ldexp(1.0, qat.accumulator_bits - 1) - 1;
  const auto low = static_cast<double>(input.min_code), high = static_cast<double>(input.max_code);
  const Tensor left = (top - bias_codes.detach().abs()).clamp_min(0);
  return qat.bound == WeightBound::kA2q ? left / std::max(-low, high) : 2 * left / (high - low);
}

std::vector<int64_t> PerChannel(const Tensor& weight) {
  std::vector<int64_t> shape(static_cast<size_t>(weight.dim()), 1);
  shape[0] = -1;
  return shape;
}

std::vector<int64_t> AllButFirst(const Tensor& weight) {
  std::vector<int64_t> dimensions;
  for (int64_t i = 1; i < weight.dim(); ++i) dimensions.push_back(i);
  return dimensions;
}

// Weights before rounding, on the scale of the network.
Tensor ShapedWeights(const LayerState& state, const Quantizing& qat) {
  if (!qat.is_squashed) return state.weight;
  return state.weight.tanh() * std::exp2(state.weight_log2.item<double>());
}

Tensor BoundedWeights(const LayerState& state, const Quantizing& qat, const Grid& grid,
                      const Tensor& budget, Tensor* penalty) {
  const std::vector<int64_t> rest = AllButFirst(state.weight);
  Tensor v = state.weight;
  if (qat.bound == WeightBound::kA2qPlus) v = v - v.mean(rest, /*keepdim=*/true);
  const Tensor l1 = v.abs().sum(rest).clamp_min(1e-12);
  const Tensor g = (state.gain * std::log(2.0)).exp();
  const double unit = UnitOf(grid);
  *penalty = *penalty + (g - budget * unit).relu().sum();
  const Tensor factor = at::minimum(g / unit, budget) / l1;
  const Tensor codes = TruncateStraightThrough(v * factor.view(PerChannel(v)));
  return codes.clamp(grid.min_code, grid.max_code) * unit;
}

double MaxAbs(const Tensor& x) { return x.numel() == 0 ? 0 : x.abs().max().item<double>(); }

// log2 of the power-of-two range with the smallest mean squared error; 2^range is 2^bits codes.
double BestLog2Range(const Tensor& x, int bits, const Grid& codes) {
  const double largest = MaxAbs(x);
  if (!(largest > 0)) return 0;
  const double top = std::ceil(std::log2(largest));
  double best = top, best_error = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 4; ++step) {
    Grid grid = codes;
    grid.fraction_bits = bits - static_cast<int>(top) + step;
    const Tensor error = QuantizeFixedPoint(x, Tensor(), grid) - x;
    const double squared = (error * error).sum(at::kDouble).item<double>();
    if (squared < best_error) {
      best_error = squared;
      best = top - step;
    }
  }
  return best;
}

Tensor Scalar(double value) { return at::scalar_tensor(value, at::kFloat); }

// Gains between layers such that every activation and weight fits [-1, 1): ReLU and sums are
// positively homogeneous, so w a_in / a_out and b / a_out compute the same network.
void MoveGains(Model& model, const std::vector<Tensor>& outputs, double input_range) {
  double in = input_range;
  for (size_t i = 0; i < model.layers.size(); ++i) {
    LayerState& state = model.layers[i];
    state.weight_log2 = state.output_log2 = Scalar(0);
    if (!model.topology.layers[i].has_weights()) continue;
    double out = MaxAbs(outputs[i]);
    // Not so small a gain that the weights would leave [-1, 1); those few that do are clipped.
    out = std::max({out, MaxAbs(state.weight) * in * 0.5, 1e-6});
    state.weight = (state.weight * (in / out)).clamp(-1, 1);
    state.bias = state.bias / out;
    in = out;
  }
  model.logit_scale = in;
}

// The layer in front of the pool yields y - offset; the dense bias adds what that takes away.
void OffsetPool(Model& model, size_t layer, std::vector<Tensor>& outputs, double offset) {
  const size_t pool = layer + 1, dense = layer + 2;
  MACLOOM_CHECK(model.topology.layers[dense].kind == LayerKind::kDense);
  model.layers[layer].bias = model.layers[layer].bias - offset;
  const Tensor pooled =
      PoolPart(model.topology.layers[pool], at::full_like(outputs[layer], offset));
  outputs[pool] = outputs[pool] - pooled;
  LayerState& last = model.layers[dense];
  last.bias = last.bias + last.weight.matmul(pooled.select(0, 0));
}

void Reparametrize(LayerState& state, const Quantizing& qat) {
  if (qat.is_squashed) {
    if (qat.scales != ScaleChoice::kNetwork) {
      // std(p) near 0.8 makes tanh(p) nearly uniform; std(tanh(p)) is then 0.55.
      const double spread = state.weight.std(/*unbiased=*/false).item<double>();
      state.weight_log2 = Scalar(std::round(std::log2(std::max(spread, 1e-9) / 0.55)));
    }
    const double gain = std::exp2(state.weight_log2.item<double>());
    state.weight = (state.weight / gain).clamp(-0.98, 0.98).atanh();
  }
  if (qat.bound != WeightBound::kNone) {
    const Tensor v = qat.bound == WeightBound::kA2qPlus
                         ? state.weight - state.weight.mean(AllButFirst(state.weight), true)
                         : state.weight;
    state.gain = v.abs().sum(AllButFirst(v)).clamp_min(1e-6).log2();
  }
}

// A coarser grid until the l1 budget of nine channels in ten holds their weights: with a finer one
// the bound would scale the layer down instead of rounding it.
void FitScaleToBudget(Model& model, const Quantizing& qat) {
  for (size_t i = 0; i < model.layers.size(); ++i) {
    LayerState& state = model.layers[i];
    if (!state.weight.defined()) continue;
    const Tensor g = (state.gain * std::log(2.0)).exp();
    for (int step = 0; step < 8; ++step) {
      const Formats formats = FormatsOf(model, qat);
      const Grid in = i == 0 ? formats.input : formats.layers[i - 1].output;
      const LayerFormat& format = formats.layers[i];
      const Tensor start = state.bias * std::ldexp(1.0, format.accumulator_fraction_bits);
      const Tensor held = (g / UnitOf(format.weight)).le(L1Budget(qat, in, start));
      if (held.to(at::kFloat).mean().item<double>() >= 0.9) break;
      state.weight_log2 = state.weight_log2 + 1;
    }
  }
}

}  // namespace

Formats FormatsOf(const Model& model, const Quantizing& qat) {
  Formats formats;
  formats.input = SignedGrid(qat.input_bits, FractionBits(qat.input_bits, model.input_log2));
  Grid in = formats.input;
  for (size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.topology.layers[i];
    const LayerState& state = model.layers[i];
    LayerFormat format;
    int weight_bits = layer.pool_shift();
    if (layer.has_weights()) {
      format.weight = WeightGrid(qat.weight_bits, FractionBits(qat.weight_bits, state.weight_log2));
      weight_bits = format.weight.fraction_bits;
    }
    format.accumulator_fraction_bits = in.fraction_bits + weight_bits;
    const OutputCodes codes = OutputCodesOf(model.topology, i, qat);
    const int bits = layer.kind == LayerKind::kDense ? qat.output_bits : qat.activation_bits;
    const int fraction_bits =
        std::clamp(OutputFractionBits(codes, bits, state.output_log2),
                   format.accumulator_fraction_bits - 31, format.accumulator_fraction_bits);
    format.output = OutputGrid(codes, bits, fraction_bits);
    formats.layers.push_back(format);
    in = format.output;
  }
  return formats;
}

Model PrepareFixedPoint(Model& folded, const Quantizing& qat, const Tensor& calibration) {
  const at::NoGradGuard no_gradients;
  Model model = CopyModel(folded);
  std::vector<Tensor> outputs;
  ForwardFloat(model, calibration, false, &outputs);
  if (qat.is_equalized) EqualizeChannels(model, outputs);
  const double input_log2 =
      BestLog2Range(calibration, qat.input_bits - 1, SignedGrid(qat.input_bits, 0));
  model.input_log2 = Scalar(input_log2);
  if (qat.scales == ScaleChoice::kNetwork) {
    MoveGains(model, outputs, std::exp2(input_log2));
  } else {
    for (size_t i = 0; i < model.layers.size(); ++i) {
      LayerState& state = model.layers[i];
      const Layer& layer = model.topology.layers[i];
      if (state.weight.defined()) {
        state.weight_log2 = Scalar(
            BestLog2Range(state.weight, qat.weight_bits - 1, WeightGrid(qat.weight_bits, 0)));
      }
      const int bits = layer.kind == LayerKind::kDense ? qat.output_bits : qat.activation_bits;
      const OutputCodes codes = OutputCodesOf(model.topology, i, qat);
      if (codes == OutputCodes::kBiasOffset) {
        // Chosen as if the codes were 0 .. 2^A - 1, then everything behind sees the difference.
        state.output_log2 =
            Scalar(BestLog2Range(outputs[i], bits, OutputGrid(OutputCodes::kOffset, bits, 0)));
        OffsetPool(model, i, outputs, std::exp2(state.output_log2.item<double>() - 1));
        continue;
      }
      const int range_bits = codes == OutputCodes::kOffset ? bits : bits - 1;
      state.output_log2 = Scalar(BestLog2Range(outputs[i], range_bits, OutputGrid(codes, bits, 0)));
    }
  }
  for (LayerState& state : model.layers) {
    if (state.weight.defined()) Reparametrize(state, qat);
  }
  if (qat.bound != WeightBound::kNone && qat.scales != ScaleChoice::kNetwork) {
    FitScaleToBudget(model, qat);
  }
  return model;
}

Simulation SimulateFixedPoint(const Model& model, const Quantizing& qat, const Tensor& x) {
  const Formats formats = FormatsOf(model, qat);
  const Tensor zero = at::zeros({}, x.options());
  Simulation result{{}, zero, zero, zero, {}, {}};
  Tensor value =
      QuantizeFixedPoint(x.permute({0, 3, 1, 2}).contiguous(), model.input_log2, formats.input);
  Grid in = formats.input;
  for (size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.topology.layers[i];
    const LayerState& state = model.layers[i];
    const LayerFormat& format = formats.layers[i];
    Tensor weight, bias, sum;
    if (!layer.has_weights()) {
      sum = PoolPart(layer, value);
    } else {
      const int bits = qat.accumulator_bits > 0 ? qat.accumulator_bits : 31;
      const int64_t bias_limit = (int64_t{1} << (bits - 2)) - 1;
      bias = QuantizeFixedPoint(state.bias, Tensor(),
                                {format.accumulator_fraction_bits, -bias_limit, bias_limit});
      if (qat.bound != WeightBound::kNone) {
        const Tensor codes = bias * std::ldexp(1.0, format.accumulator_fraction_bits);
        weight = BoundedWeights(state, qat, format.weight, L1Budget(qat, in, codes),
                                &result.bound_penalty);
      } else {
        const Tensor shaped = ShapedWeights(state, qat);
        result.cosine_distance =
            result.cosine_distance + CosineDistance(shaped, UnitOf(format.weight));
        weight = QuantizeFixedPoint(shaped, state.weight_log2, format.weight);
      }
      sum = LinearPart(layer, value, weight) +
            (layer.kind == LayerKind::kDense ? bias : bias.view({1, -1, 1, 1}));
    }
    if (qat.accumulator_bits > 0) {
      const double unit = std::ldexp(1.0, -format.accumulator_fraction_bits);
      const double low = -std::ldexp(unit, qat.accumulator_bits - 1);
      if (qat.overflow_penalty > 0) {
        result.overflow_penalty =
            result.overflow_penalty + (sum.abs() + (low + unit)).relu().mean() / unit;
      }
      sum = sum.clamp(low, -low - unit);
    }
    value = QuantizeFixedPoint(sum, state.output_log2, format.output);
    result.weights.push_back(weight);
    result.biases.push_back(bias);
    in = format.output;
  }
  result.logits = value;
  return result;
}

}  // namespace macloom::train
