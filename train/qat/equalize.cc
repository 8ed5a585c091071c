#include "train/qat/equalize.h"

namespace macloom::train {
namespace {

// Deviation of log2(largest magnitude) from its mean, per channel `dimension`.
Tensor Deviation(const Tensor& x, int64_t dimension) {
  const Tensor flat = x.transpose(0, dimension).flatten(1);
  const Tensor log2 = flat.abs().amax(1).clamp_min(1e-6).log2();
  return log2 - log2.mean();
}

std::vector<int64_t> Along(const Tensor& x, int64_t dimension) {
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[static_cast<size_t>(dimension)] = -1;
  return shape;
}

}  // namespace

void EqualizeChannels(Model& folded, std::vector<Tensor>& outputs) {
  const at::NoGradGuard no_gradients;
  const std::vector<Layer>& layers = folded.topology.layers;
  for (int round = 0; round < 10; ++round) {
    for (size_t i = 0; i < layers.size(); ++i) {
      if (!layers[i].has_relu()) continue;
      size_t next = i + 1;
      while (!layers[next].has_weights()) ++next;
      LayerState& first = folded.layers[i];
      LayerState& second = folded.layers[next];
      const int64_t inputs = layers[next].kind == LayerKind::kDepthwise ? 0 : 1;
      const Tensor gain = ((Deviation(first.weight, 0) + Deviation(outputs[i], 1) -
                            Deviation(second.weight, inputs)) /
                           3)
                              .clamp(-4, 4)
                              .exp2();
      first.weight = first.weight / gain.view(Along(first.weight, 0));
      first.bias = first.bias / gain;
      second.weight = second.weight * gain.view(Along(second.weight, inputs));
      for (size_t k = i; k < next; ++k) {
        outputs[k] = outputs[k] / gain.view(Along(outputs[k], 1));
      }
    }
  }
}

}  // namespace macloom::train
