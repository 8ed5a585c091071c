#include "arch/lowering.h"

#include <fmt/format.h>

#include "arch/lane_multiplier.h"
#include "arch/minifloat.h"

namespace macloom::arch {
namespace {

/// Two's complement reduction to `bits` bits.
int64_t Wrap(int64_t value, int bits) {
  const uint64_t shifted = static_cast<uint64_t>(value) << (64 - bits);
  return static_cast<int64_t>(shifted) >> (64 - bits);
}

}  // namespace

Error Unmappable(const NodeContext& context, const std::string& reason) {
  return Unsupported(fmt::format("node `{}` ({}) cannot be mapped to configuration `{}`: {}",
                                 context.node.name, ir::ToString(context.node.kind),
                                 context.config.name, reason));
}

Result<std::vector<ChannelParameters>> ChannelParametersOf(const NodeContext& context) {
  if (context.config.is_minifloat()) return MinifloatParameters(context);
  const int bits = context.accumulator_bits;
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<ir::FixedPointMultiplier> pairs,
                           LaneMultipliers(context));
  std::vector<ChannelParameters> channels;
  for (int oc = 0; oc < context.output.image.channels; ++oc) {
    ChannelParameters channel;
    const int64_t start = ir::AccumulatorStart(context.graph, context.node, oc);
    channel.start = Wrap(start, bits);
    if (channel.start != start && context.overflow == ir::Overflow::kSaturate) {
      return Unmappable(context,
                        fmt::format("start value {} of output channel {} does not fit a saturating "
                                    "accumulator of {} bits ({} to {})",
                                    start, oc, bits, -(int64_t{1} << (bits - 1)),
                                    (int64_t{1} << (bits - 1)) - 1));
    }
    channel.multiplier = pairs.size() == 1 ? pairs[0] : pairs[static_cast<size_t>(oc)];
    channels.push_back(channel);
  }
  return channels;
}

bool SetRequantization(const ir::Requantization& requantization,
                       const ir::FixedPointMultiplier& pair, Descriptor& descriptor) {
  const bool is_double = requantization.kind == ir::RequantizationKind::kMultiplierDouble;
  descriptor
      .set_requant_mode(static_cast<int>(is_double ? RequantMode::kDouble : RequantMode::kSingle))
      .set_zero_out(requantization.zero_point)
      .set_clamp_min(requantization.clamp_min)
      .set_clamp_max(requantization.clamp_max);
  // Start values of minifloats do not fit the short records of a whole layer's multiplier.
  const bool is_minifloat = requantization.kind == ir::RequantizationKind::kToMinifloat;
  if (is_minifloat || requantization.channels.size() != 1) return false;
  descriptor.set_per_layer(1).set_multiplier(pair.multiplier).set_shift(pair.shift);
  return true;
}

}  // namespace macloom::arch
