#include "sim/descriptor_check.h"

#include <fmt/format.h>

#include <utility>

#include "arch/minifloat.h"

namespace macloom::sim {
namespace {

using arch::Opcode;
using arch::RequantMode;

/// The checks of one descriptor. Each method returns the first broken rule.
class Checker {
 public:
  Checker(const arch::HardwareConfig& config, const arch::Descriptor& d)
      : config_(config), d_(d), opcode_(static_cast<Opcode>(d.opcode())) {}

  Status Check() const {
    MACLOOM_RETURN_IF_ERROR(Require(d_.version() == arch::kDescriptorVersion, "version",
                                    d_.version(), fmt::to_string(arch::kDescriptorVersion)));
    MACLOOM_RETURN_IF_ERROR(InRange("opcode", d_.opcode(), 0, 5));
    if (!d_.last()) {
      MACLOOM_RETURN_IF_ERROR(MultipleOf("next_address", d_.next_address(), 128));
    }
    if (d_.record()) {
      MACLOOM_RETURN_IF_ERROR(MultipleOf("record_address", d_.record_address(), 64));
    }
    switch (opcode_) {
      case Opcode::kEnd:
        return {};
      case Opcode::kLoad:
      case Opcode::kStore:
        return Transfer();
      default:
        break;
    }
    MACLOOM_RETURN_IF_ERROR(Compute());
    switch (opcode_) {
      case Opcode::kConv:
        return Conv();
      case Opcode::kDepthwise:
        return Depthwise();
      default:
        return Add();
    }
  }

 private:
  Status Require(bool holds, const char* field, int64_t value, const std::string& accepted) const {
    if (holds) return {};
    return DescriptorError(d_, fmt::format("{} is {}; accepted: {}", field, value, accepted));
  }

  Status InRange(const char* field, int64_t value, int64_t low, int64_t high) const {
    return Require(value >= low && value <= high, field, value, fmt::format("{} to {}", low, high));
  }

  Status MultipleOf(const char* field, int64_t value, int64_t unit) const {
    return Require(value % unit == 0, field, value, fmt::format("multiples of {}", unit));
  }

  Status Transfer() const {
    const int64_t beat = config_.axi_bytes();
    const bool is_staged = opcode_ == Opcode::kLoad && d_.to_staging();
    const int64_t chip_bytes = is_staged ? config_.staging_bytes : config_.activation_bytes;
    MACLOOM_RETURN_IF_ERROR(MultipleOf("row_bytes", d_.row_bytes(), beat));
    MACLOOM_RETURN_IF_ERROR(MultipleOf("ext_address", d_.ext_address(), beat));
    MACLOOM_RETURN_IF_ERROR(InRange("row_bytes", d_.row_bytes(), beat, chip_bytes));
    const int64_t most_runs = chip_bytes / d_.row_bytes();
    MACLOOM_RETURN_IF_ERROR(InRange("dma_rows", d_.dma_rows(), 1, most_runs));
    MACLOOM_RETURN_IF_ERROR(InRange("dma_planes", d_.dma_planes(), 1, most_runs / d_.dma_rows()));
    if (d_.dma_rows() > 1) {
      MACLOOM_RETURN_IF_ERROR(MultipleOf("ext_row_pitch", d_.ext_row_pitch(), beat));
    }
    if (d_.dma_planes() > 1) {
      MACLOOM_RETURN_IF_ERROR(MultipleOf("ext_plane_pitch", d_.ext_plane_pitch(), beat));
    }
    return {};
  }

  /// What all three operators share.
  Status Compute() const {
    // Every output pixel is a word of its own, so no layer has more pixels than the memory words.
    const int64_t words = config_.activation_words();
    MACLOOM_RETURN_IF_ERROR(InRange("out_w", d_.out_w(), 1, words));
    MACLOOM_RETURN_IF_ERROR(InRange("out_h", d_.out_h(), 1, words / d_.out_w()));
    const int64_t planes = words / (int64_t{d_.out_w()} * d_.out_h());
    MACLOOM_RETURN_IF_ERROR(
        InRange("in_blocks", d_.in_blocks(), 1, opcode_ == Opcode::kConv ? words : planes));
    MACLOOM_RETURN_IF_ERROR(InRange("last_lanes", d_.last_lanes(), 1, config_.lanes));
    MACLOOM_RETURN_IF_ERROR(InRange("requant_mode", d_.requant_mode(), 0, 2));
    if (config_.is_minifloat()) return Minifloat();
    return Require(d_.clamp_min_signed() <= d_.clamp_max_signed(), "clamp_min",
                   d_.clamp_min_signed(),
                   fmt::format("at most clamp_max = {}", d_.clamp_max_signed()));
  }

  /// What minifloat lanes do not have, and their clamps: finite codes, not -0, in order. A maximum
  /// clamps by the order of codes and takes any.
  Status Minifloat() const {
    MACLOOM_RETURN_IF_ERROR(
        Require(opcode_ != Opcode::kAdd, "opcode", d_.opcode(), "1 and 2 with minifloats"));
    MACLOOM_RETURN_IF_ERROR(InRange("requant_mode", d_.requant_mode(), 1, 1));
    MACLOOM_RETURN_IF_ERROR(InRange("per_layer", d_.per_layer(), 0, 0));
    const bool by_code = opcode_ == Opcode::kDepthwise && d_.maximum();
    const ir::NumberFormat format = arch::MinifloatOf(config_.mac_format);
    const auto rank = [](uint32_t code) {
      return code < 0x80 ? static_cast<int64_t>(code) : -static_cast<int64_t>(code & 0x7F) - 1;
    };
    for (const auto& [field, code] :
         {std::pair{"clamp_min", d_.clamp_min()}, std::pair{"clamp_max", d_.clamp_max()}}) {
      MACLOOM_RETURN_IF_ERROR(Require(by_code || (format.IsFinite(code) && code != 0x80), field,
                                      code, "finite codes without -0"));
    }
    MACLOOM_RETURN_IF_ERROR(Require(!d_.maximum() || by_code, "maximum", 1, "0 in a convolution"));
    return Require(rank(d_.clamp_min()) <= rank(d_.clamp_max()), "clamp_min", d_.clamp_min(),
                   fmt::format("codes not above that of clamp_max = {}", d_.clamp_max()));
  }

  /// Window sizes and the accumulator policy, for the operators with an array.
  Status Window() const {
    MACLOOM_RETURN_IF_ERROR(InRange("kernel_w", d_.kernel_w(), 1, 255));
    MACLOOM_RETURN_IF_ERROR(InRange("kernel_h", d_.kernel_h(), 1, 255));
    MACLOOM_RETURN_IF_ERROR(InRange("stride_w", d_.stride_w(), 1, 255));
    MACLOOM_RETURN_IF_ERROR(InRange("stride_h", d_.stride_h(), 1, 255));
    if (config_.accumulator_policy == arch::AccumulatorPolicy::kWrap) {
      MACLOOM_RETURN_IF_ERROR(Require(!d_.saturate(), "saturate", 1, "0 (wrapping hardware)"));
    }
    if (config_.accumulator_policy == arch::AccumulatorPolicy::kSaturate) {
      MACLOOM_RETURN_IF_ERROR(Require(d_.saturate(), "saturate", 0, "1 (saturating hardware)"));
    }
    return {};
  }

  /// A stream of `groups` groups of `entries` parameters and `weight_rows` rows.
  Status Stream(int64_t groups, int64_t entries, int64_t weight_rows) const {
    MACLOOM_RETURN_IF_ERROR(MultipleOf("stream_address", d_.stream_address(), 64));
    MACLOOM_RETURN_IF_ERROR(Require(d_.stream_groups() == groups, "stream_groups",
                                    d_.stream_groups(), fmt::to_string(groups)));
    MACLOOM_RETURN_IF_ERROR(Require(d_.stream_weight_rows() == weight_rows, "stream_weight_rows",
                                    d_.stream_weight_rows(), fmt::to_string(weight_rows)));
    const int64_t record = d_.per_layer() ? 4 : arch::kParameterRecordBytes;
    const int64_t param_bytes = (entries * record + 15) / 16 * 16;
    MACLOOM_RETURN_IF_ERROR(Require(d_.stream_param_bytes() == param_bytes, "stream_param_bytes",
                                    d_.stream_param_bytes(), fmt::to_string(param_bytes)));
    const int64_t row_bytes = int64_t{config_.rows} * config_.lanes;
    const int64_t group_rows = (param_bytes + row_bytes - 1) / row_bytes + weight_rows;
    const bool is_conv = opcode_ == Opcode::kConv;
    const int64_t held = is_conv && d_.pixel_outer() ? groups * group_rows : group_rows;
    if (!(is_conv && d_.release_rows())) {
      MACLOOM_RETURN_IF_ERROR(
          Require(held <= config_.ring_rows(), "stream_weight_rows", weight_rows,
                  fmt::format("what fits the ring of {} rows (the stream holds {})",
                              config_.ring_rows(), held)));
    }
    if (!d_.per_layer()) return {};
    return CheckMultiplier(config_, d_, "multiplier", static_cast<int32_t>(d_.multiplier()),
                           d_.shift_signed());
  }

  Status Conv() const {
    MACLOOM_RETURN_IF_ERROR(Window());
    const int64_t planes = config_.activation_words() / (int64_t{d_.out_w()} * d_.out_h());
    MACLOOM_RETURN_IF_ERROR(InRange("out_channels", d_.out_channels(), 1, planes * config_.lanes));
    if (d_.release_rows()) {
      const int64_t pixels = int64_t{d_.out_w()} * d_.out_h();
      MACLOOM_RETURN_IF_ERROR(
          Require(!d_.pixel_outer() && pixels <= config_.tile_pixels, "release_rows", 1,
                  fmt::format("0, or one tile of {} pixels with pixel_outer 0 (here {} pixels)",
                              config_.tile_pixels, pixels)));
    }
    if (d_.im2col()) MACLOOM_RETURN_IF_ERROR(Im2col());
    const int64_t steps = int64_t{d_.kernel_w()} * d_.kernel_h() * d_.in_blocks();
    return Stream((d_.out_channels() + config_.rows - 1) / config_.rows, config_.rows, steps);
  }

  Status Im2col() const {
    MACLOOM_RETURN_IF_ERROR(InRange("kernel_w", d_.kernel_w(), 1, 1));
    MACLOOM_RETURN_IF_ERROR(InRange("kernel_h", d_.kernel_h(), 1, 1));
    MACLOOM_RETURN_IF_ERROR(InRange("stride_w", d_.stride_w(), 1, 1));
    MACLOOM_RETURN_IF_ERROR(InRange("stride_h", d_.stride_h(), 1, 1));
    MACLOOM_RETURN_IF_ERROR(InRange("pad_left", d_.pad_left(), 0, 0));
    MACLOOM_RETURN_IF_ERROR(InRange("pad_top", d_.pad_top(), 0, 0));
    MACLOOM_RETURN_IF_ERROR(InRange("in_w", d_.in_w(), d_.out_w(), d_.out_w()));
    MACLOOM_RETURN_IF_ERROR(InRange("in_h", d_.in_h(), d_.out_h(), d_.out_h()));
    MACLOOM_RETURN_IF_ERROR(InRange("run_bytes", d_.run_bytes(), 1, 65535));
    return InRange("stage_kernel_h", d_.stage_kernel_h(), 1, 255);
  }

  Status Depthwise() const {
    MACLOOM_RETURN_IF_ERROR(Window());
    MACLOOM_RETURN_IF_ERROR(InRange("group_rows", d_.group_rows(), 1, config_.rows));
    MACLOOM_RETURN_IF_ERROR(InRange("window_taps", d_.window_taps(), 1, config_.window_words));
    if (d_.group_rows() > 1) {
      MACLOOM_RETURN_IF_ERROR(Require(d_.stride_w() <= 2, "stride_w", d_.stride_w(),
                                      "1 or 2, because group_rows is above 1"));
    }
    const int64_t span = int64_t{d_.group_rows() - 1} * d_.stride_w() + d_.window_taps();
    MACLOOM_RETURN_IF_ERROR(
        Require(span <= config_.window_words, "group_rows", d_.group_rows(),
                fmt::format("windows of {} words (here {})", config_.window_words, span)));
    if (config_.activation_banks > 1 && span > 1) {
      MACLOOM_RETURN_IF_ERROR(Require(d_.in_col_pitch() % 2 == 1, "in_col_pitch", d_.in_col_pitch(),
                                      "odd pitches: words of a window lie in different banks"));
    }
    MACLOOM_RETURN_IF_ERROR(
        Require(!d_.maximum() || d_.unit_weights(), "maximum", 1, "0, or 1 with unit_weights"));
    if (d_.unit_weights()) {
      MACLOOM_RETURN_IF_ERROR(InRange("stream_groups", d_.stream_groups(), 0, 0));
      return CheckMultiplier(config_, d_, "multiplier", static_cast<int32_t>(d_.multiplier()),
                             d_.shift_signed());
    }
    const int64_t taps = int64_t{d_.kernel_w()} * d_.kernel_h();
    return Stream(d_.in_blocks(), config_.lanes, (taps + config_.rows - 1) / config_.rows);
  }

  Status Add() const {
    MACLOOM_RETURN_IF_ERROR(Require(config_.requant_operand_bits() == 32, "opcode", d_.opcode(),
                                    "ADD needs requantization operands of 32 bits"));
    MACLOOM_RETURN_IF_ERROR(InRange("requant_mode", d_.requant_mode(), 0, 1));
    MACLOOM_RETURN_IF_ERROR(InRange("add_shift", d_.add_shift_signed(), -31, 0));
    MACLOOM_RETURN_IF_ERROR(InRange("add_multiplier", d_.add_multiplier(), 0, 0x7FFFFFFF));
    return CheckMultiplier(config_, d_, "multiplier", static_cast<int32_t>(d_.multiplier()),
                           d_.shift_signed());
  }

  const arch::HardwareConfig& config_;
  const arch::Descriptor& d_;
  Opcode opcode_;
};

}  // namespace

Error DescriptorError(const arch::Descriptor& descriptor, const std::string& text) {
  return {ErrorKind::kCheckFailed,
          fmt::format("descriptor device: tag {}: {}", descriptor.tag(), text)};
}

Status CheckDescriptor(const arch::HardwareConfig& config, const arch::Descriptor& descriptor) {
  return Checker(config, descriptor).Check();
}

Status CheckMultiplier(const arch::HardwareConfig& config, const arch::Descriptor& descriptor,
                       const char* field, int64_t multiplier, int shift) {
  if (config.is_minifloat()) {
    if (shift >= -64 && shift <= 64) return {};
    return DescriptorError(
        descriptor,
        fmt::format("shift that belongs to {} is {}; accepted: -64 to 64", field, shift));
  }
  const bool is_mean = descriptor.requant_mode() == static_cast<uint32_t>(RequantMode::kMean);
  const int bits = config.multiplier_bits();
  if (bits == 0) {
    const bool is_double = descriptor.requant_mode() == static_cast<uint32_t>(RequantMode::kDouble);
    // Channels that do not exist have zeros.
    const bool is_power = multiplier == (is_mean ? 1 : 1 << 30) || (multiplier == 0 && shift == 0);
    if (is_double || !is_power || shift > (is_mean ? 31 : 1)) {
      return DescriptorError(
          descriptor, fmt::format("{} is {} with shift {} in mode {}; accepted by lanes that only "
                                  "shift: 2^30 in single rounding, 1 in means",
                                  field, multiplier, shift, descriptor.requant_mode()));
    }
  }
  const int64_t largest = (int64_t{1} << (bits == 24 ? 24 : 31)) - 1;
  if (multiplier < 0 || multiplier > largest) {
    return DescriptorError(descriptor,
                           fmt::format("{} is {}; accepted: 0 to {}", field, multiplier, largest));
  }
  const int low = is_mean ? 0 : -31, high = is_mean ? 62 : 7;
  if (shift >= low && shift <= high) return {};
  return DescriptorError(
      descriptor,
      fmt::format("shift that belongs to {} is {}; accepted: {} to {}", field, shift, low, high));
}

}  // namespace macloom::sim
