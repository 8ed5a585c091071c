// How a layer's products are summed: kind, width, overflow policy, and the order of the hardware.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace macloom::ir {

enum class Overflow {
  kWrap,      ///< Modulo 2^width_bits, two's complement.
  kSaturate,  ///< Clamped to [-2^(w-1), 2^(w-1) - 1] after each step; kFloat: to +-max.
  kInfinity,  ///< kFloat only: Inf, which stays.
};

/// What the accumulator register is.
enum class AccumulationKind {
  kInteger,     ///< Integer codes. Minifloats: at 64 bits the exact sum, as wide as needed.
  kFixedPoint,  ///< Minifloats: two's complement, unit 2^(p + dropped_bits).
  kFloat,       ///< Minifloats: IEEE-like, each step rounded once to nearest even.
};

/// Which products form a step, and in which order steps follow. `L` is products_per_step.
///
/// Convolution weights are indexed (ky, kx, c). A window position outside the image contributes the
/// pad code (the input zero point) as its activation.
enum class AccumulationOrder {
  kBlockTap,        ///< for c-block of L channels, for ky, for kx: one step = the block's channels.
  kFlatTap,         ///< index (ky*KW + kx)*C + c flattened; step i = indices [i*L, (i+1)*L).
  kTapSerial,       ///< one tap per step: for ky, for kx (depthwise, pooling).
  kTapSerialColumn  ///< one tap per step: for kx, for ky (the array's rows run along y).
};

/// The accumulation contract of docs/numerics.md sections 2 (integers) and 9.4 (minifloats).
///
/// acc = start; for each step: acc = policy(acc + exact sum of the step's products). The first step
/// computes policy(start + sum); the start value itself must fit (wrap: it is reduced modulo 2^P).
/// An *event* is one step whose exact acc + sum lies outside the width_bits range.
struct Accumulation {
  int width_bits = 64;  ///< 8..80, golden executes integers up to 64; kFloat: 1 + E + M.
  Overflow overflow = Overflow::kWrap;
  int products_per_step = 1;
  AccumulationOrder order = AccumulationOrder::kBlockTap;
  AccumulationKind kind = AccumulationKind::kInteger;
  int dropped_bits = 0;  ///< kFixedPoint: low bits of the product grid cut from every product.
  /// kFixedPoint: bits kept below the last bit of the step's largest-exponent product; the others
  /// of the step are cut there. kNoAlignment: none is cut.
  int alignment_bits = kNoAlignment;
  int exponent_bits = 0;  ///< kFloat: 2..8, bias 2^(E-1) - 1.
  int mantissa_bits = 0;  ///< kFloat: 1..23.

  static constexpr int kNoAlignment = -1;

  bool operator==(const Accumulation&) const = default;

  /// The contract without hardware: no event can happen for any network the verifier accepts.
  static Accumulation Exact() { return {}; }
  /// Exact (Kulisch) with dropped_bits 0 and kNoAlignment.
  static Accumulation FixedPoint(int width_bits, Overflow overflow, int products_per_step,
                                 AccumulationOrder order, int dropped_bits = 0,
                                 int alignment_bits = kNoAlignment);
  /// Float(5, 10, ...) is FP16, Float(8, 23, ...) FP32.
  static Accumulation Float(int exponent_bits, int mantissa_bits, Overflow overflow,
                            int products_per_step, AccumulationOrder order);
  /// The exact sum in any order: no event can happen.
  bool IsExact() const { return kind == AccumulationKind::kInteger && width_bits == 64; }
};

/// Error unless width, policy, products per step and the fields of the kind are in range.
Status Validate(const Accumulation& accumulation);
std::string ToString(const Accumulation& accumulation);

}  // namespace macloom::ir
