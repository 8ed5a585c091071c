// PAD and CONCATENATION: codes move through the array as windows of one tap.
#include <fmt/format.h>

#include "arch/lowering.h"

namespace macloom::arch {

Result<std::vector<LoweredStep>> LowerPad(const NodeContext& context) {
  const ir::TensorInfo& output = context.graph.tensor(context.node.output);
  MACLOOM_ASSIGN_OR_RETURN(
      LoweredStep step, LowerUnitWindow(context, {.pad_code = output.quantization.zero_point()}));
  return std::vector<LoweredStep>{std::move(step)};
}

Result<std::vector<LoweredStep>> LowerConcatenation(const NodeContext& context) {
  const int lanes = context.config.lanes;
  // A vector has only channels.
  const bool is_vector = context.graph.tensor(context.node.output).shape.size() == 1;
  const int axis = is_vector ? 2 : context.node.axis;
  ir::Node copy = context.node;
  copy.window = {};
  std::vector<LoweredStep> steps;
  int64_t offset = 0;
  for (size_t i = 0; i < context.inputs.size(); ++i) {
    const OnChipTensor& input = context.inputs[i];
    NodeContext part = context.WithNode(copy);
    part.inputs = {input};
    part.output = {input.image, context.output.placement};
    TensorPlacement& to = part.output.placement;
    if (axis == 2 && offset % lanes != 0) {
      return Unmappable(context, fmt::format("input {} starts at channel {}; supported are "
                                             "multiples of {} (array.lanes)",
                                             i, offset, lanes));
    }
    to.base += offset * (axis == 0 ? to.row_pitch : axis == 1 ? to.col_pitch : 0);
    if (axis == 2) to.base += offset / lanes * to.plane_pitch;
    offset += axis == 0 ? input.image.height : axis == 1 ? input.image.width : input.image.channels;
    MACLOOM_ASSIGN_OR_RETURN(LoweredStep step, LowerUnitWindow(part, {}));
    step.produces.clear();
    steps.push_back(std::move(step));
  }
  // The tensor is complete with the last part.
  TensorRegion region;
  region.tensor = context.output_tensor;
  region.num_rows = context.output.image.height;
  region.num_cols = context.output.image.width;
  region.placement = context.output.placement;
  steps.back().produces = {region};
  return steps;
}

}  // namespace macloom::arch
