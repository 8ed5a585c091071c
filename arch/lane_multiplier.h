// Multipliers as a configuration's requantization lanes take them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "arch/lowering.h"

namespace macloom::arch {

/// Inclusive range of accumulators a lane may see.
struct OperandRange {
  int64_t low = 0, high = 0;
};

/// Clamp and zero point of a layer, and which rounding its lanes use.
struct LaneRounding {
  bool is_double = true;
  int32_t zero_point = 0, clamp_min = -128, clamp_max = 127;
};

/// What a lane with multipliers of `multiplier_bits` computes (rtl/lib/loom_requant_lane.sv), in
/// exact arithmetic.
int64_t LaneCode(int64_t x, const ir::FixedPointMultiplier& pair, int multiplier_bits,
                 const LaneRounding& rounding);

/// A pair with a multiplier below 2^bits that gives the code of the 31-bit `pair`, and clamps when
/// it does, for every accumulator in `range`: every one of the at most 257 thresholds, between
/// codes and where clamping starts, is equal.
///
/// Codes do not decrease with x, so equal thresholds are equal functions; candidates are the
/// nearest multipliers. @return nullopt if none of them passes.
std::optional<ir::FixedPointMultiplier> NarrowMultiplier(const ir::FixedPointMultiplier& pair,
                                                         int bits, const LaneRounding& rounding,
                                                         const OperandRange& range);

/// The pairs of a node's output channels (one for all, or one each) as its configuration's lanes
/// take them: shifts as multipliers 2^(w-1), 31-bit multipliers narrowed where the lanes have 24.
/// @return kUnsupported naming channel and multiplier if the lanes cannot give the same codes.
Result<std::vector<ir::FixedPointMultiplier>> LaneMultipliers(const NodeContext& context);

/// Multiplier m and shift s with ((mag + n/2) * m) >> s == (mag + n/2) / n for every mag in
/// [0, 128 n], proved by trying them all; m = 1 for powers of two. nullopt if `lane_bits` are too
/// few (0: shifts only).
std::optional<ir::FixedPointMultiplier> MeanMultiplier(int64_t n, int lane_bits);

}  // namespace macloom::arch
