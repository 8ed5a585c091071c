// Checked quantization parameters, and the integers that execution uses instead of scales.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "importers/tflite/file_model.h"
#include "ir/graph.h"

namespace macloom::importers::tflite {

/// Scale and zero point of an int8 activation tensor: exactly one of each, scale finite and > 0,
/// zero point in -128..127.
Result<ir::Quantization> ActivationQuantization(const FileTensor& tensor);

/// Scales of a weight tensor: one, or one per index of `file_axis` (`num_channels` of them); all
/// finite and > 0, all zero points 0. `axis` of the result is `ir_axis`, or -1 for one scale.
Result<ir::Quantization> WeightQuantization(const FileTensor& tensor, int file_axis,
                                            int64_t num_channels, int ir_axis);

/// How s_in * s_w / s_out is evaluated before QuantizeMultiplier.
enum class ScaleProduct {
  kDouble,        ///< (double)s_in * (double)s_w / (double)s_out: convolutions.
  kFloat32First,  ///< (double)(float)(s_in * s_w) / (double)s_out: FULLY_CONNECTED.
};

/// Multiplier and shift per weight scale; shift <= 7 (ir/requantization.h).
///
/// @return kInvalidInput if a product of scales is 0 or not finite, kUnsupported if an effective
///         scale is 2^7 or more.
Result<std::vector<ir::FixedPointMultiplier>> ChannelMultipliers(
    float input_scale, std::span<const float> weight_scales, float output_scale,
    ScaleProduct product, ir::Rounding rounding);

/// Multiplier of one effective scale; errors as ChannelMultipliers(), the message gives the value.
Result<ir::FixedPointMultiplier> Multiplier(double real, ir::Rounding rounding);

/// Sets clamp_min and clamp_max for a fused activation on the output's grid (s, z):
///   NONE [-128, 127]; RELU [max(-128, z), 127]; RELU6 also min(127, z + round(6 / s));
///   RELU_N1_TO_1 [max(-128, z + round(-1 / s)), min(127, z + round(1 / s))];
/// float32 division, halves away from zero. @return kUnsupported for other activations.
Status SetActivationClamp(int activation, const ir::Quantization& output,
                          ir::Requantization& requantization);

/// SOFTMAX parameters for an input scale and beta (formulas in docs/numerics.md section 4):
///   (m, L) = QuantizeMultiplier(min(beta * s_in * 2^26, limit)), diff_min = -floor(31 * 2^26 /
///   2^L),
/// limit = 2^31 - 1 for double, 2^30 - 1 for single rounding.
/// @return kUnsupported unless beta is finite and beta * s_in * 2^26 > 1.
Result<ir::SoftmaxParameters> SoftmaxParametersFor(float beta, float input_scale,
                                                   ir::Rounding rounding);

/// ADD multipliers: twice = 2 max(s1, s2); inputs s_i / twice, output twice / (2^20 s_out).
/// @return kUnsupported unless the output's effective scale is below 1.
Result<ir::AddParameters> AddParametersFor(float scale_a, float scale_b, float output_scale,
                                           ir::Rounding rounding);

}  // namespace macloom::importers::tflite
