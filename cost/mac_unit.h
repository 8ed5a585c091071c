// The multiply-accumulate units that `macloom cost mac` compares.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cost/unit.h"

namespace macloom::cost {

/// What a unit holds besides multipliers and adders.
enum class MacShape {
  kBare,  ///< L products and one accumulator register; no operand registers, no storage.
  kRow,   ///< loom_row / loom_fp_row: operand, weight, product registers, L accumulators, shadow.
  kRowDepthwise,  ///< The same with the depthwise mode (each lane adds into its own accumulator).
};

/// "bare", "row", "row+dw".
const char* ShapeName(MacShape shape);

/// What the products are summed in.
enum class MacAccumulator {
  kFixed,  ///< Integer, or minifloat in fixed point; `accumulator_bits`, wrapping.
  kFp16,   ///< 5 exponent, 10 mantissa bits; the exact sum of a step rounded once.
  kFp32,   ///< 8 exponent, 23 mantissa bits.
};

/// One unit. Format names: int2 .. int16, int8x4 (activation x weight), the minifloats of
/// docs/numerics.md.
struct MacSpec {
  std::string format = "int8";
  int activation_bits = 8;
  int weight_bits = 8;
  bool is_minifloat = false;
  int exponent_bits = 0;  ///< Of a minifloat; both factors have the same format.
  int mantissa_bits = 0;
  int bias = 0;
  int specials = 0;  ///< loom_pkg::SPECIALS_*.
  MacAccumulator accumulator = MacAccumulator::kFixed;
  int accumulator_bits = 24;
  int drop_bits = 0;  ///< Low bits that a fixed accumulator of minifloats drops from each product.
  int lanes = 1;
  MacShape shape = MacShape::kBare;
  bool is_behavioural = false;  ///< Multipliers and sums as operators, for FPGA; else as gates.

  /// "int8 a24 L4 row".
  std::string Name() const;
  /// What ParseMacSpec() reads: "e4m3/32d13".
  std::string Text() const;
  /// Bits of an activation (0) or weight (1) code.
  int OperandBits(int factor) const;
  /// Bits that a pipeline register between multiplier and accumulate loop holds, all lanes.
  int CutBits() const;
};

/// Parses "int8/24" (format and accumulator bits), "e4m3/45", "e4m3/32d13" (13 low bits dropped),
/// "e4m3/fp16" and "e4m3/fp32". The shape and lanes stay at their defaults.
/// @return kInvalidInput naming the accepted formats and ranges.
Result<MacSpec> ParseMacSpec(const std::string& text);

/// The units compared by default: integers, and minifloats with exact, FP16 and FP32 accumulators.
std::vector<std::string> DefaultMacFormats();

/// Accumulator of a minifloat unit as parameters of the RTL, ".AccKind(0), .AccWidth(45),
/// .Drop(0)".
std::string AccumulatorParameters(const MacSpec& spec);

/// RTL of `spec`; multipliers are structural unless it says otherwise.
/// @return kInvalidInput or kUnsupported for a combination that the RTL does not build.
Result<RtlUnit> MacRtl(const MacSpec& spec);

}  // namespace macloom::cost
