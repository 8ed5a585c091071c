#include "train/qat/model.h"

#include <cmath>

namespace macloom::train {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr double kMomentum = 0.1;

Tensor BatchNorm(LayerState& state, const Tensor& x, bool is_training) {
  return at::batch_norm(x, state.gamma, state.beta, state.mean, state.variance, is_training,
                        kMomentum, kEpsilon, /*cudnn_enabled=*/false);
}

}  // namespace

void Model::ForEach(const std::function<void(const std::string&, Tensor&)>& visit) {
  visit("input_log2", input_log2);
  for (size_t i = 0; i < layers.size(); ++i) {
    const std::string& name = topology.layers[i].name;
    LayerState& state = layers[i];
    visit(name + "/weight", state.weight);
    visit(name + "/bias", state.bias);
    visit(name + "/gamma", state.gamma);
    visit(name + "/beta", state.beta);
    visit(name + "/mean", state.mean);
    visit(name + "/variance", state.variance);
    visit(name + "/gain", state.gain);
    visit(name + "/weight_log2", state.weight_log2);
    visit(name + "/output_log2", state.output_log2);
  }
}

Model InitializeModel(const Topology& topology, Rng& rng) {
  Model model;
  model.topology = topology;
  for (const Layer& layer : topology.layers) {
    LayerState state;
    const int64_t taps = int64_t{layer.window.kernel_h} * layer.window.kernel_w;
    std::vector<int64_t> shape = {layer.out_channels(), layer.in_channels(), layer.window.kernel_h,
                                  layer.window.kernel_w};
    int64_t fan_in = taps * layer.in_channels();
    if (layer.kind == LayerKind::kDepthwise) {
      shape[1] = 1;
      fan_in = taps;
    } else if (layer.kind == LayerKind::kDense) {
      shape = {layer.out_channels(), layer.in_channels()};
      fan_in = layer.in_channels();
    }
    if (layer.has_weights()) {
      state.weight = at::empty(shape, at::kFloat);
      const double spread = std::sqrt(2.0 / static_cast<double>(fan_in));
      float* data = state.weight.data_ptr<float>();
      for (int64_t i = 0; i < state.weight.numel(); ++i) {
        data[i] = static_cast<float>(spread * rng.Normal());
      }
    }
    if (layer.has_relu()) {
      state.gamma = at::ones({layer.out_channels()}, at::kFloat);
      state.beta = at::zeros({layer.out_channels()}, at::kFloat);
      state.mean = at::zeros({layer.out_channels()}, at::kFloat);
      state.variance = at::ones({layer.out_channels()}, at::kFloat);
    } else if (layer.has_weights()) {
      state.bias = at::zeros({layer.out_channels()}, at::kFloat);
    }
    model.layers.push_back(std::move(state));
  }
  return model;
}

Model CopyModel(Model& model, at::ScalarType type) {
  Model copy = model;
  copy.ForEach([&](const std::string&, Tensor& tensor) {
    if (tensor.defined()) tensor = tensor.detach().to(type, /*non_blocking=*/false, /*copy=*/true);
  });
  return copy;
}

Tensor LinearPart(const Layer& layer, const Tensor& x, const Tensor& weight) {
  if (layer.kind == LayerKind::kDense) return at::linear(x, weight);
  const ir::Window& w = layer.window;
  const int64_t groups = layer.kind == LayerKind::kDepthwise ? layer.in_channels() : 1;
  const bool is_symmetric = w.pad_top == w.pad_bottom && w.pad_left == w.pad_right;
  const Tensor padded =
      is_symmetric ? x
                   : at::constant_pad_nd(x, {w.pad_left, w.pad_right, w.pad_top, w.pad_bottom}, 0);
  const std::vector<int64_t> padding =
      is_symmetric ? std::vector<int64_t>{w.pad_top, w.pad_left} : std::vector<int64_t>{0, 0};
  return at::conv2d(padded, weight, {}, {w.stride_h, w.stride_w}, padding,
                    {w.dilation_h, w.dilation_w}, groups);
}

Tensor PoolPart(const Layer& layer, const Tensor& x) {
  return x.sum({2, 3}) * std::ldexp(1.0, -layer.pool_shift());
}

Tensor ForwardFloat(Model& model, const Tensor& x, bool is_training, std::vector<Tensor>* outputs) {
  Tensor value = x.permute({0, 3, 1, 2}).contiguous();
  for (size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.topology.layers[i];
    LayerState& state = model.layers[i];
    if (!layer.has_weights()) {
      value = PoolPart(layer, value);
    } else {
      value = LinearPart(layer, value, state.weight);
      if (state.mean.defined()) value = BatchNorm(state, value, is_training);
      if (state.bias.defined()) {
        value = layer.kind == LayerKind::kDense ? value + state.bias
                                                : value + state.bias.view({1, -1, 1, 1});
      }
      if (layer.has_relu()) value = value.relu();
    }
    if (outputs != nullptr) outputs->push_back(value);
  }
  return value;
}

Model FoldBatchNorm(Model& model) {
  Model folded = CopyModel(model);
  for (size_t i = 0; i < folded.layers.size(); ++i) {
    LayerState& state = folded.layers[i];
    if (!state.mean.defined()) continue;
    const Tensor factor = state.gamma / (state.variance + kEpsilon).sqrt();
    state.weight = state.weight * factor.view({-1, 1, 1, 1});
    state.bias = state.beta - state.mean * factor;
    state.gamma = state.beta = state.mean = state.variance = Tensor();
  }
  return folded;
}

}  // namespace macloom::train
