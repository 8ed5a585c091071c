#include "arch/corner_configs.h"

#include "base/check.h"

namespace macloom::arch {
namespace {

/// Hardware TOML texts.
const std::vector<std::string>& CornerConfigTexts() {
  static const std::vector<std::string> texts = {
      // One row, one requantization lane, one bank, one burst.
      R"(name = "one_row"
[array]
rows = 1
lanes = 16
tile_pixels = 4
[acc]
width_bits = 24
policy = "wrap"
[requant]
lanes = 1
[memory]
activation_banks = 1
[depthwise]
window_words = 4
[bus]
outstanding_bursts = 1
)",
      // A 128-bit bus as wide as a word, many bursts.
      R"(name = "wide_bus"
[array]
rows = 2
lanes = 16
tile_pixels = 8
[acc]
width_bits = 20
[requant]
lanes = 4
[memory]
activation_banks = 4
staging_bytes = 2048
[bus]
data_bits = 128
outstanding_bursts = 16
)",
      // Wide lanes, saturation only, many banks.
      R"(name = "wide_lanes"
[array]
rows = 4
lanes = 32
tile_pixels = 32
[acc]
width_bits = 17
policy = "saturate"
[requant]
lanes = 16
[memory]
activation_banks = 8
weight_ring_bytes = 65536
[depthwise]
window_words = 24
[bus]
data_bits = 128
)",
      // Few pixels per tile, small memories.
      R"(name = "small_tiles"
[array]
rows = 8
lanes = 8
tile_pixels = 2
[acc]
width_bits = 32
[requant]
lanes = 2
[memory]
activation_bytes = 32768
weight_ring_bytes = 4096
staging_bytes = 1024
activation_banks = 2
[bus]
data_bits = 64
outstanding_bursts = 2
)",
      // Narrow codes, narrow multipliers.
      R"(name = "narrow"
[array]
activation_bits = 4
weight_bits = 3
[acc]
width_bits = 16
[requant]
kind = "24x24"
)",
      // Fixed-point networks only.
      R"(name = "shift_only"
[array]
activation_bits = 7
weight_bits = 5
[acc]
width_bits = 28
[requant]
kind = "shift"
)",
      // 24-bit accumulators, weights of two bits.
      R"(name = "ternary"
[array]
rows = 2
weight_bits = 2
[acc]
width_bits = 24
[requant]
kind = "24x31"
lanes = 16
)",
      // int8 with 24-bit multipliers, each proved.
      R"(name = "proved"
[acc]
width_bits = 24
[requant]
kind = "24x24"
)",
      // An activation memory of 512 words: most networks run in stripes.
      R"(name = "small_memory"
[memory]
activation_bytes = 8192
)"};
  return texts;
}

}  // namespace

std::vector<HardwareConfig> CornerConfigs() {
  std::vector<HardwareConfig> configs;
  for (const std::string& text : CornerConfigTexts()) {
    const Result<HardwareConfig> config = ParseConfig(text, "corner configuration");
    MACLOOM_CHECK(config.ok());
    configs.push_back(*config);
  }
  return configs;
}

}  // namespace macloom::arch
