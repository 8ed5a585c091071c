#include <fmt/format.h>

#include "arch/lowering.h"

namespace macloom::arch {

namespace {

/// Which operand is only shifted by 19 bits, and what the other one and the sum are scaled with.
struct Operands {
  size_t aligned = 0;
  ir::FixedPointMultiplier scale, output;
};

/// Both operands are shifted left; the one shifted further is aligned. With a left shift of l the
/// sum has 19 - l bits more below the point than the network's.
Result<Operands> ShiftOperands(const NodeContext& context) {
  const ir::AddParameters& add = context.node.add;
  const size_t aligned = add.input[0].shift >= add.input[1].shift ? 0 : 1;
  const int left = add.input[aligned].shift;
  constexpr int kAlignedShift = 19;
  const int right = kAlignedShift - left + add.output.shift;
  if (right > 31) {
    return Unmappable(context,
                      fmt::format("shifts {}, {} and {}: the sum would be shifted by {}; "
                                  "at most 31",
                                  add.input[0].shift, add.input[1].shift, add.output.shift, right));
  }
  return Operands{aligned, {1 << 30, add.input[1 - aligned].shift - left}, {1 << 30, 1 - right}};
}

Result<Operands> OperandsOf(const NodeContext& context) {
  const ir::AddParameters& add = context.node.add;
  if (context.node.requantization.kind == ir::RequantizationKind::kShift) {
    return ShiftOperands(context);
  }
  if (context.config.multiplier_bits() == 0) {
    return Unmappable(context, "the lanes only shift (requant.kind)");
  }
  // The operand of the larger scale has the multiplier 1/2 exactly: a shift by 19 bits.
  const ir::FixedPointMultiplier half = {1 << 30, 0};
  if (add.input[0] != half && add.input[1] != half) {
    return Unmappable(context, "neither operand has the multiplier 1/2");
  }
  const size_t aligned = add.input[0] == half ? 0 : 1;
  const ir::FixedPointMultiplier& scale = add.input[1 - aligned];
  if (scale.shift > 0) {
    return Unmappable(context, fmt::format("operand shift {} is above 0", scale.shift));
  }
  return Operands{aligned, scale, add.output};
}

}  // namespace

Result<std::vector<LoweredStep>> LowerAdd(const NodeContext& context) {
  if (context.config.requant_operand_bits() < 32) {
    return Unmappable(context, "the sum has 29 bits, more than the 24 of requant.kind");
  }
  MACLOOM_ASSIGN_OR_RETURN(const Operands operands, OperandsOf(context));
  const size_t aligned = operands.aligned, scaled = 1 - aligned;
  const OnChipTensor& a = context.inputs[aligned];
  const OnChipTensor& b = context.inputs[scaled];
  if (a.placement.row_pitch != b.placement.row_pitch ||
      a.placement.plane_pitch != b.placement.plane_pitch) {
    return Unmappable(context, "the operands have different pitches");
  }
  const auto zero = [&](size_t i) {
    return context.graph.tensor(context.node.inputs[i]).quantization.zero_point();
  };
  const bool is_double =
      context.node.requantization.kind == ir::RequantizationKind::kMultiplierDouble;
  const TensorPlacement& to = context.output.placement;
  const Image& image = context.output.image;
  LoweredStep step;
  step.node = context.node_index;
  step.descriptor.set_opcode(static_cast<int>(Opcode::kAdd))
      .set_in_origin(a.placement.base)
      .set_in2_origin(b.placement.base)
      .set_in_col_pitch(a.placement.col_pitch)
      .set_in_row_pitch(a.placement.row_pitch)
      .set_in_plane_pitch(a.placement.plane_pitch)
      .set_out_base(to.base)
      .set_out_col_pitch(to.col_pitch)
      .set_out_row_pitch(to.row_pitch)
      .set_out_plane_pitch(to.plane_pitch)
      .set_in_w(image.width)
      .set_in_h(image.height)
      .set_out_w(image.width)
      .set_out_h(image.height)
      .set_in_blocks(image.Blocks(context.config.lanes))
      .set_last_lanes(image.LastLanes(context.config.lanes))
      .set_out_channels(image.channels)
      .set_requant_mode(static_cast<int>(is_double ? RequantMode::kDouble : RequantMode::kSingle))
      .set_zero_out(context.node.requantization.zero_point)
      .set_clamp_min(context.node.requantization.clamp_min)
      .set_clamp_max(context.node.requantization.clamp_max)
      .set_multiplier(operands.output.multiplier)
      .set_shift(operands.output.shift)
      .set_add_zero_a(zero(aligned))
      .set_add_zero_b(zero(scaled))
      .set_add_multiplier(operands.scale.multiplier)
      .set_add_shift(operands.scale.shift);
  TensorRegion region;
  region.tensor = context.output_tensor;
  region.num_rows = image.height;
  region.num_cols = image.width;
  region.placement = to;
  step.produces = {region};
  return std::vector<LoweredStep>{std::move(step)};
}

}  // namespace macloom::arch
