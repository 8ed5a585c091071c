// Small accelerators in minifloat formats, by accumulator.
#pragma once

#include <vector>

#include "arch/config.h"

namespace macloom::testing {

/// A small array in a minifloat format: 2 rows of 8 lanes.
inline arch::HardwareConfig MinifloatHardware(arch::MacFormat format, arch::AccumulatorKind kind,
                                              int width_bits = 32, int dropped_bits = 0,
                                              int alignment_bits = -1) {
  arch::HardwareConfig config;
  config.name = "minifloat";
  config.rows = 2;
  config.lanes = 8;
  config.tile_pixels = 4;
  config.requant_lanes = 4;
  config.activation_bytes = 16384;
  config.weight_ring_bytes = 4096;
  config.staging_bytes = 1024;
  config.mac_format = format;
  config.accumulator_kind = kind;
  config.accumulator_bits = width_bits;
  config.accumulator_dropped_bits = dropped_bits;
  config.accumulator_alignment_bits = alignment_bits;
  return config;
}

/// Every kind of accumulator; tests simulate the RTL of the first ones only.
inline std::vector<arch::HardwareConfig> AllMinifloatHardware() {
  using arch::AccumulatorKind;
  using arch::MacFormat;
  return {MinifloatHardware(MacFormat::kE4m3, AccumulatorKind::kFixed, 46),
          MinifloatHardware(MacFormat::kE5m2, AccumulatorKind::kFp16),
          MinifloatHardware(MacFormat::kE5m2, AccumulatorKind::kFixed, 80),
          MinifloatHardware(MacFormat::kE4m3, AccumulatorKind::kFp16),
          MinifloatHardware(MacFormat::kE4m3, AccumulatorKind::kFp32),
          MinifloatHardware(MacFormat::kE5m2, AccumulatorKind::kFp32),
          MinifloatHardware(MacFormat::kE4m3, AccumulatorKind::kFixed, 28, 9, 6),
          MinifloatHardware(MacFormat::kE5m2, AccumulatorKind::kFixed, 32, 30),
          MinifloatHardware(MacFormat::kE3m4, AccumulatorKind::kFixed, 20),
          MinifloatHardware(MacFormat::kE2m5, AccumulatorKind::kFixed, 16, 0, 3)};
}

}  // namespace macloom::testing
