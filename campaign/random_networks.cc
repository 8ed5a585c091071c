#include "campaign/random_networks.h"

#include <iterator>

namespace macloom::campaign {
void Fit(Rng& rng, const arch::HardwareConfig& config, stimulus::LayerSpec& spec) {
  const auto bits = [&](int most) {
    return rng.Bernoulli(0.5) ? most : static_cast<int>(rng.UniformInt(2, most));
  };
  spec.input_format.bits = bits(config.activation_bits);
  spec.output_format.bits = bits(config.activation_bits);
  spec.weight_format.bits = bits(config.weight_bits);
  const auto zero_point = [&](const ir::NumberFormat& format) {
    return static_cast<int32_t>(
        rng.Bernoulli(0.3) ? 0 : rng.UniformInt(format.MinCode(), format.MaxCode()));
  };
  spec.input_zero_point = zero_point(spec.input_format);
  spec.output_zero_point = zero_point(spec.output_format);
  if (spec.kind == ir::OperatorKind::kAveragePool2d) spec.output_format = spec.input_format;
  const bool only_shifts = config.requant_kind == arch::RequantKind::kShift;
  if (only_shifts || rng.Bernoulli(0.25)) spec.requantization = ir::RequantizationKind::kShift;
}

ir::Graph RandomNetwork(Rng& rng, const arch::HardwareConfig& config, int64_t index) {
  const ir::OperatorKind kinds[] = {ir::OperatorKind::kConv2d,
                                    ir::OperatorKind::kDepthwiseConv2d,
                                    ir::OperatorKind::kFullyConnected,
                                    ir::OperatorKind::kAveragePool2d,
                                    ir::OperatorKind::kAdd,
                                    ir::OperatorKind::kMaxPool2d,
                                    ir::OperatorKind::kPad,
                                    ir::OperatorKind::kConcatenation};
  constexpr int64_t kKinds = std::size(kinds);
  const int64_t kind = index % (kKinds + 1);
  if (kind == kKinds && config.activation_bits == 8 && config.weight_bits == 8) {
    stimulus::ChainOptions options;
    options.num_layers = static_cast<int>(rng.UniformInt(1, 4));
    options.input = {rng.UniformInt(1, 14), rng.UniformInt(1, 12), rng.UniformInt(1, 24)};
    options.requantization = rng.Bernoulli(0.5) ? ir::RequantizationKind::kMultiplierDouble
                                                : ir::RequantizationKind::kMultiplierSingle;
    return stimulus::RandomChain(rng, options);
  }
  stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, kinds[kind % kKinds]);
  if (rng.Bernoulli(0.3)) spec.input.back() = rng.UniformInt(1, 70);
  if (rng.Bernoulli(0.3)) spec.output_channels = rng.UniformInt(1, 70);
  if (spec.kind == ir::OperatorKind::kConcatenation && spec.axis == 2) {
    spec.input.back() = rng.UniformInt(1, 2) * config.lanes;
  }
  Fit(rng, config, spec);
  return stimulus::RandomLayerGraph(rng, spec);
}

}  // namespace macloom::campaign
