#include "importers/tflite/quantization.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "importers/tflite/names.h"

namespace macloom::importers::tflite {
namespace {

constexpr int kMinCode = -128;
constexpr int kMaxCode = 127;
constexpr int kMaxShift = 7;

/// What activations and weights share: affine, counts agree, values usable.
Status CheckParameters(const FileTensor& tensor) {
  const FileQuantization& quantization = tensor.quantization;
  if (quantization.details_tag != 0) {
    return Unsupported(
        fmt::format("{} has custom or block-wise quantization (details tag {}); supported are "
                    "affine scales and "
                    "zero points",
                    tensor.label, quantization.details_tag));
  }
  if (quantization.scales.empty()) {
    return InvalidInput(
        fmt::format("{} has no scale; accepted are quantized tensors", tensor.label));
  }
  if (quantization.zero_points.size() != quantization.scales.size()) {
    return InvalidInput(
        fmt::format("{} has {} scales and {} zero points; accepted are equal numbers", tensor.label,
                    quantization.scales.size(), quantization.zero_points.size()));
  }
  for (size_t index = 0; index < quantization.scales.size(); ++index) {
    const float scale = quantization.scales[index];
    if (!std::isfinite(scale) || scale <= 0) {
      return InvalidInput(fmt::format("{}: scale {} is {}; accepted are finite values above 0",
                                      tensor.label, index, scale));
    }
    const int64_t zero_point = quantization.zero_points[index];
    if (zero_point < kMinCode || zero_point > kMaxCode) {
      return InvalidInput(fmt::format("{}: zero point {} is {}; accepted are {} to {}",
                                      tensor.label, index, zero_point, kMinCode, kMaxCode));
    }
  }
  return {};
}

/// z + round(value / scale) in float32 as the runtime computes it, clamped to int8 codes.
int32_t QuantizedBound(float value, const ir::Quantization& output) {
  const double code = output.zero_point() + static_cast<double>(std::round(value / output.scale()));
  return static_cast<int32_t>(std::clamp<double>(code, kMinCode, kMaxCode));
}

}  // namespace

Result<ir::Quantization> ActivationQuantization(const FileTensor& tensor) {
  MACLOOM_RETURN_IF_ERROR(CheckParameters(tensor));
  if (tensor.quantization.scales.size() != 1) {
    return Unsupported(fmt::format("{} is an activation with {} scales; supported is one scale",
                                   tensor.label, tensor.quantization.scales.size()));
  }
  ir::Quantization result;
  result.scales = {tensor.quantization.scales[0]};
  result.zero_points = {static_cast<int32_t>(tensor.quantization.zero_points[0])};
  return result;
}

Result<ir::Quantization> WeightQuantization(const FileTensor& tensor, int file_axis,
                                            int64_t num_channels, int ir_axis) {
  MACLOOM_RETURN_IF_ERROR(CheckParameters(tensor));
  const FileQuantization& quantization = tensor.quantization;
  const auto num_scales = static_cast<int64_t>(quantization.scales.size());
  if (num_scales != 1 && num_scales != num_channels) {
    return InvalidInput(fmt::format("{} has {} scales; accepted are 1 or {} (output channels)",
                                    tensor.label, num_scales, num_channels));
  }
  if (num_scales > 1 && quantization.channel_axis != file_axis) {
    return Unsupported(
        fmt::format("{} is quantized along axis {}; supported is axis {} (output channels)",
                    tensor.label, quantization.channel_axis, file_axis));
  }
  for (size_t index = 0; index < quantization.zero_points.size(); ++index) {
    const int64_t zero_point = quantization.zero_points[index];
    if (zero_point != 0) {
      return Unsupported(
          fmt::format("{} has the weight zero point {}; supported is 0", tensor.label, zero_point));
    }
  }
  ir::Quantization result;
  result.scales.assign(quantization.scales.begin(), quantization.scales.end());
  result.zero_points.assign(quantization.zero_points.size(), 0);
  result.axis = num_scales > 1 ? ir_axis : -1;
  return result;
}

Result<ir::FixedPointMultiplier> Multiplier(double real, ir::Rounding rounding) {
  if (!std::isfinite(real) || real <= 0) {
    return InvalidInput(
        fmt::format("the effective scale is {} because scales overflow or underflow; accepted are "
                    "finite values "
                    "above 0",
                    real));
  }
  constexpr double kLimit = 1 << kMaxShift;
  if (real < kLimit) {
    MACLOOM_ASSIGN_OR_RETURN(const ir::FixedPointMultiplier result,
                             ir::QuantizeMultiplier(real, rounding));
    // A value just below the limit may round up to it.
    if (result.shift <= kMaxShift) return result;
  }
  return Unsupported(
      fmt::format("the effective scale is {}; supported are values below {}", real, kLimit));
}

Result<std::vector<ir::FixedPointMultiplier>> ChannelMultipliers(
    float input_scale, std::span<const float> weight_scales, float output_scale,
    ScaleProduct product, ir::Rounding rounding) {
  std::vector<ir::FixedPointMultiplier> multipliers;
  multipliers.reserve(weight_scales.size());
  for (const float weight_scale : weight_scales) {
    double scale = static_cast<double>(input_scale) * static_cast<double>(weight_scale);
    if (product == ScaleProduct::kFloat32First) scale = input_scale * weight_scale;
    scale /= static_cast<double>(output_scale);
    const auto multiplier = Multiplier(scale, rounding);
    if (!multiplier.ok()) {
      return Error{multiplier.error().kind,
                   fmt::format("output channel {} (scales: input {}, weight {}, output {}): {}",
                               multipliers.size(), input_scale, weight_scale, output_scale,
                               multiplier.error().message)};
    }
    multipliers.push_back(*multiplier);
  }
  return multipliers;
}

Status SetActivationClamp(int activation, const ir::Quantization& output,
                          ir::Requantization& requantization) {
  requantization.clamp_min = kMinCode;
  requantization.clamp_max = kMaxCode;
  switch (activation) {
    case kActivationNone:
      return {};
    case kActivationRelu:
      requantization.clamp_min = QuantizedBound(0.0f, output);
      return {};
    case kActivationRelu6:
      requantization.clamp_min = QuantizedBound(0.0f, output);
      requantization.clamp_max = QuantizedBound(6.0f, output);
      return {};
    case kActivationReluN1To1:
      requantization.clamp_min = QuantizedBound(-1.0f, output);
      requantization.clamp_max = QuantizedBound(1.0f, output);
      return {};
    default:
      return Unsupported(fmt::format("fused activation {}; supported are {}",
                                     ActivationName(activation), kSupportedActivations));
  }
}

Result<ir::SoftmaxParameters> SoftmaxParametersFor(float beta, float input_scale,
                                                   ir::Rounding rounding) {
  constexpr int kInputIntegerBits = 5;
  constexpr int64_t kOne = int64_t{1} << (31 - kInputIntegerBits);
  const double limit = rounding == ir::Rounding::kSingle ? 1073741823.0 : 2147483647.0;
  const double real = static_cast<double>(beta) * static_cast<double>(input_scale) * kOne;
  if (!std::isfinite(beta) || !(real > 1.0)) {
    return Unsupported(
        fmt::format("beta {} with the input scale {} gives the multiplier {}; supported are finite "
                    "values above 1",
                    beta, input_scale, real));
  }
  // Half of the value, one more shift: the limit's own exponent of 31 is above what
  // QuantizeMultiplier accepts, and halving is exact.
  MACLOOM_ASSIGN_OR_RETURN(const ir::FixedPointMultiplier half,
                           ir::QuantizeMultiplier(std::min(real, limit) / 2, rounding));
  ir::SoftmaxParameters result;
  result.input_multiplier = half.multiplier;
  result.input_left_shift = half.shift + 1;
  // Both are positive: the integer quotient is the floor.
  constexpr int64_t kLargestInput = ((1 << kInputIntegerBits) - 1) * kOne;
  result.diff_min = -static_cast<int32_t>(kLargestInput / (int64_t{1} << result.input_left_shift));
  result.rounding = rounding;
  return result;
}

Result<ir::AddParameters> AddParametersFor(float scale_a, float scale_b, float output_scale,
                                           ir::Rounding rounding) {
  const double twice = 2.0 * static_cast<double>(std::max(scale_a, scale_b));
  constexpr double kHeadroom = 1 << ir::AddParameters::kLeftShift;
  const double output = twice / (kHeadroom * static_cast<double>(output_scale));
  if (!(output < 1.0)) {
    return Unsupported(fmt::format(
        "the effective scale of the sum (inputs {} and {}, output {}) is {}; supported are values "
        "below 1",
        scale_a, scale_b, output_scale, output));
  }
  // Both inputs are at most one half: only the output can fail.
  ir::AddParameters result;
  MACLOOM_ASSIGN_OR_RETURN(result.input[0], Multiplier(scale_a / twice, rounding));
  MACLOOM_ASSIGN_OR_RETURN(result.input[1], Multiplier(scale_b / twice, rounding));
  MACLOOM_ASSIGN_OR_RETURN(result.output, Multiplier(output, rounding));
  return result;
}

}  // namespace macloom::importers::tflite
