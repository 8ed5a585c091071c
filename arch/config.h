// The hardware as data: one configuration of the accelerator, its presets, its validator.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::arch {

/// What the accumulator hardware can do on overflow.
enum class AccumulatorPolicy {
  kWrap,        ///< Modulo 2^P only.
  kSaturate,    ///< Saturating only.
  kSelectable,  ///< Both; a descriptor bit chooses.
};

/// What the multipliers take, and with them the whole datapath.
enum class MacFormat {
  kInt,   ///< Signed integers of activation_bits and weight_bits.
  kE4m3,  ///< Minifloats (docs/numerics.md section 9): activations, weights and outputs.
  kE5m2,
  kE3m4,
  kE2m5,
};

/// What an accumulator register is.
enum class AccumulatorKind {
  kFixed,  ///< Two's complement of accumulator_bits.
  kFp16,   ///< Minifloats only: 1 + 5 + 10 bits.
  kFp32,   ///< Minifloats only: 1 + 8 + 23 bits.
};

/// Requantization hardware: accumulator bits x multiplier bits.
enum class RequantKind {
  kShift,  ///< No multiplier: fixed-point networks; means over powers of two only.
  k24x24,  ///< Multipliers of 24 bits, each proved to give the codes of the 31-bit one.
  k24x31,
  k32x31,  ///< Everything TFLite has.
};

/// One accelerator configuration (hardware TOML, docs/formats.md). Words as in docs/accelerator.md:
/// M rows of L lanes; an activation word is L bytes, a ring row is M*L bytes.
struct HardwareConfig {
  std::string name = "m4l16";
  int rows = 4;             ///< M: power of two, 1..32, <= lanes.
  int lanes = 16;           ///< L: 8, 16 or 32; M*L <= 512.
  int tile_pixels = 16;     ///< T: pixels per dense tile, power of two, 1..lanes.
  int activation_bits = 8;  ///< Widest activation code, 2..8.
  int weight_bits = 8;      ///< Widest weight code, 2..8.
  MacFormat mac_format = MacFormat::kInt;
  int accumulator_bits =
      32;  ///< P: 8..32; at most 24 with 24-bit requantization; minifloats 8..80.
  AccumulatorKind accumulator_kind = AccumulatorKind::kFixed;
  int accumulator_dropped_bits = 0;     ///< D of docs/numerics.md 9.4; minifloats, kFixed only.
  int accumulator_alignment_bits = -1;  ///< A of 9.4; -1: products are not aligned.
  AccumulatorPolicy accumulator_policy = AccumulatorPolicy::kSelectable;
  int requant_lanes = 8;  ///< R: power of two, 1..lanes.
  RequantKind requant_kind = RequantKind::k32x31;
  int activation_bytes =
      65536;  ///< Activation memory; words = bytes / L, power of two, <= 65536 words.
  int activation_banks = 2;       ///< NB: power of two, 1..8.
  int weight_ring_bytes = 16384;  ///< Ring rows = bytes / (M*L), power of two, >= 16.
  int staging_bytes = 4096;       ///< Raw input for im2col; words = bytes / L, power of two, >= 16.
  int window_words = 10;          ///< Words of one depthwise window buffer, 4..32.
  int axi_data_bits = 64;         ///< 64 or 128.
  int outstanding_bursts = 4;     ///< Read bursts in flight, 1..16.

  bool is_minifloat() const { return mac_format != MacFormat::kInt; }
  bool has_float_accumulator() const { return accumulator_kind != AccumulatorKind::kFixed; }
  /// Bits of an accumulator register: P, or those of the float.
  int register_bits() const {
    return accumulator_kind == AccumulatorKind::kFp16   ? 16
           : accumulator_kind == AccumulatorKind::kFp32 ? 32
                                                        : accumulator_bits;
  }
  int activation_words() const { return activation_bytes / lanes; }
  int ring_rows() const { return weight_ring_bytes / (rows * lanes); }
  int staging_words() const { return staging_bytes / lanes; }
  /// Bits of a requantization multiplier; 0 without one.
  int multiplier_bits() const {
    return requant_kind == RequantKind::kShift ? 0 : requant_kind == RequantKind::k24x24 ? 24 : 31;
  }
  /// Bits of a requantization operand; integers only.
  int requant_operand_bits() const {
    return requant_kind == RequantKind::k24x24 || requant_kind == RequantKind::k24x31 ? 24 : 32;
  }
  int axi_bytes() const { return axi_data_bits / 8; }
  bool operator==(const HardwareConfig&) const = default;
};

/// Names of the presets, in table order: "m4l16", "m8l16".
std::vector<std::string> PresetNames();
/// @return kInvalidInput for an unknown name; the message lists the presets.
Result<HardwareConfig> Preset(const std::string& name);

/// Reads a hardware TOML file / text. Unknown keys, wrong types and out-of-range values are errors
/// that name key, value and range. Keys left out keep the defaults of the preset named by `base`
/// (default "m4l16").
Result<HardwareConfig> LoadConfig(const std::filesystem::path& path);
Result<HardwareConfig> ParseConfig(const std::string& toml_text, const std::string& source_name);

/// Applies `key=value` with dotted TOML keys, e.g. "acc.width_bits=20"; then Validate().
Result<HardwareConfig> WithSetting(const HardwareConfig& config, const std::string& assignment);

/// Every rule in the field comments plus the combinations (docs/accelerator.md "Configuration").
Status Validate(const HardwareConfig& config);

/// Canonical TOML text; ParseConfig() reads it back to an equal configuration.
std::string ToToml(const HardwareConfig& config);
/// SHA-256 (hex) of the canonical text without the name: keys the cache of Verilated models.
std::string Digest(const HardwareConfig& config);

}  // namespace macloom::arch
