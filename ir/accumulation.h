// How a layer's products are summed: width, overflow policy, and the order of the hardware.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace macloom::ir {

enum class Overflow {
  kWrap,      ///< Modulo 2^width_bits, two's complement.
  kSaturate,  ///< Clamped to [-2^(w-1), 2^(w-1) - 1] after each step.
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

/// The accumulation contract of docs/numerics.md section 2.
///
/// acc = start; for each step: acc = policy(acc + exact sum of the step's products). The first step
/// computes policy(start + sum); the start value itself must fit (wrap: it is reduced modulo 2^P).
/// An *event* is one step whose exact acc + sum lies outside the width_bits range.
struct Accumulation {
  int width_bits = 64;  ///< 8..80; golden executes up to 64.
  Overflow overflow = Overflow::kWrap;
  int products_per_step = 1;
  AccumulationOrder order = AccumulationOrder::kBlockTap;

  bool operator==(const Accumulation&) const = default;

  /// The contract without hardware: no event can happen for any network the verifier accepts.
  static Accumulation Exact() { return {}; }
};

Status Validate(const Accumulation& accumulation);
std::string ToString(const Accumulation& accumulation);

}  // namespace macloom::ir
