// Minifloat networks on the accelerator: formats, accumulators and start values of a configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "arch/lowering.h"

namespace macloom::arch {

/// The minifloat of activations, weights and outputs. @pre Not kInt.
ir::NumberFormat MinifloatOf(MacFormat format);

/// The contract of docs/numerics.md 9.4 that a minifloat configuration sums by, with the order and
/// the products per step of `steps`. Wrap is infinity in a float accumulator.
ir::Accumulation MinifloatAccumulation(const HardwareConfig& config, ir::Overflow overflow,
                                       const ir::Accumulation& steps);

/// The bit pattern of RNE(bias * 2^lsb) in an IEEE-like float of 1 + exponent_bits + mantissa_bits,
/// +0 for 0; nullopt if it overflows.
std::optional<int64_t> FloatStart(int64_t bias, int lsb, int exponent_bits, int mantissa_bits);

/// Start registers and shifts of all output channels: biases on the accumulator's grid, rounded to
/// nearest even. @return kUnsupported naming the channel if a start value does not fit.
Result<std::vector<ChannelParameters>> MinifloatParameters(const NodeContext& context);

/// Whether every order of summation gives a node's sums: fixed point, no alignment, and wide
/// enough.
bool IsOrderFree(const NodeContext& context);

}  // namespace macloom::arch
