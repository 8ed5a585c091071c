// The multiply-accumulate units that `macloom cost mac` compares.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cost/unit.h"

namespace macloom::cost {

/// What a unit holds besides multipliers and adders.
enum class MacShape {
  kBare,       ///< L products and one accumulator register; no operand registers, no storage.
  kRow,        ///< A row of the array: operand, weight, product registers, accumulators, shadow.
  kRowDepthwise,  ///< The same with the depthwise mode (each lane adds into its own accumulator).
};

/// One unit. Format names: int2 .. int16, int8x4 (activation x weight), later the minifloats.
struct MacSpec {
  std::string format = "int8";
  int activation_bits = 8;
  int weight_bits = 8;
  int accumulator_bits = 24;
  int lanes = 1;
  MacShape shape = MacShape::kBare;

  /// "int8 a24 L4 row".
  std::string Name() const;
  /// Bits that a pipeline register between multiplier and accumulate loop holds, all lanes.
  int CutBits() const;
};

/// Parses "int8/24": format and accumulator bits. The shape and lanes stay at their defaults.
/// @return kInvalidInput naming the accepted formats and ranges.
Result<MacSpec> ParseMacSpec(const std::string& text);

/// The integer formats compared by default: int4/12 .. int16x8/32.
std::vector<std::string> DefaultMacFormats();

/// RTL of `spec` with structural multipliers.
/// @return kInvalidInput for a combination that the RTL does not build.
Result<RtlUnit> MacRtl(const MacSpec& spec);

}  // namespace macloom::cost
