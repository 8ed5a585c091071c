// Layers whose tensors do not fit the activation memory: stripes of output rows.
#include <fmt/format.h>

#include <algorithm>

#include "arch/lowering.h"

namespace macloom::arch {
namespace {

/// Input rows [first, first + count) that output rows [row, row + rows) read.
struct RowRange {
  int first = 0, count = 0;
};

RowRange InputRows(const NodeContext& context, int row, int rows) {
  const int height = context.inputs[0].image.height;
  const ir::Node& node = context.node;
  if (node.kind == ir::OperatorKind::kAdd || node.kind == ir::OperatorKind::kConcatenation) {
    return {row, rows};
  }
  if (node.kind == ir::OperatorKind::kFullyConnected) return {0, height};
  const ir::Window& window = node.window;
  const int first = std::max(0, row * window.stride_h - window.pad_top);
  const int extent = (window.kernel_h - 1) * window.dilation_h + 1;
  const int end = std::min(height, (row + rows - 1) * window.stride_h - window.pad_top + extent);
  // A window may lie in the padding altogether; one row keeps the transfer valid.
  return {std::min(first, height - 1), std::max(1, end - std::min(first, height - 1))};
}

/// `rows` rows of `image` at word `base`; odd row pitch, because a window layer may walk along y.
OnChipTensor PlaceRows(const Image& image, int rows, int64_t base) {
  OnChipTensor tensor;
  tensor.image = image;
  tensor.image.height = rows;
  tensor.placement.base = base;
  tensor.placement.col_pitch = 1;
  tensor.placement.row_pitch = image.width | 1;
  tensor.placement.plane_pitch = tensor.placement.row_pitch * rows;
  return tensor;
}

int64_t WordsOf(const OnChipTensor& tensor, int lanes) {
  return tensor.placement.plane_pitch * tensor.image.Blocks(lanes);
}

/// Load or store of rows [first_row, ...) of `whole` to or from `part`.
LoweredStep Transfer(Opcode opcode, const Image& whole, const OnChipTensor& part, int first_row,
                     ir::TensorId tensor, int lanes) {
  const TensorPlacement external = ExternalPlacement(whole, lanes);
  LoweredStep step;
  step.external_tensor = tensor;
  step.external_offset = first_row * external.row_pitch;
  Descriptor& d = step.descriptor;
  d.set_opcode(static_cast<int>(opcode))
      .set_row_bytes(external.row_pitch)
      .set_dma_rows(part.image.height)
      .set_dma_planes(whole.Blocks(lanes))
      .set_ext_row_pitch(external.row_pitch)
      .set_ext_plane_pitch(external.plane_pitch);
  if (opcode == Opcode::kLoad) {
    d.set_out_base(part.placement.base)
        .set_out_row_pitch(part.placement.row_pitch)
        .set_out_plane_pitch(part.placement.plane_pitch);
  } else {
    d.set_in_origin(part.placement.base)
        .set_in_row_pitch(part.placement.row_pitch)
        .set_in_plane_pitch(part.placement.plane_pitch);
  }
  return step;
}

Result<std::vector<LoweredStep>> LowerPart(const NodeContext& part) {
  switch (part.node.kind) {
    case ir::OperatorKind::kAdd:
      return LowerAdd(part);
    case ir::OperatorKind::kAveragePool2d:
      return LowerAveragePool(part);
    case ir::OperatorKind::kMaxPool2d:
      return LowerMaxPool(part);
    case ir::OperatorKind::kPad:
      return LowerPad(part);
    case ir::OperatorKind::kConcatenation:
      return LowerConcatenation(part);
    case ir::OperatorKind::kDepthwiseConv2d:
      if (part.node.depth_multiplier == 1) return LowerDepthwise(part);
      [[fallthrough]];
    default:
      return LowerConv(part, std::nullopt);
  }
}

}  // namespace

TensorPlacement ExternalPlacement(const Image& image, int lanes) {
  TensorPlacement placement;
  placement.col_pitch = lanes;
  placement.row_pitch = int64_t{image.width} * lanes;
  placement.plane_pitch = placement.row_pitch * image.height;
  return placement;
}

Result<std::vector<LoweredStep>> LowerStriped(const NodeContext& context) {
  const int lanes = context.config.lanes;
  const Image& out = context.output.image;
  if (context.node.kind == ir::OperatorKind::kConcatenation && context.node.axis == 0 &&
      out.height > 1) {
    return Unmappable(context,
                      "rows of several tensors one below the other do not run in stripes; raise "
                      "memory.activation_bytes");
  }
  for (const OnChipTensor* tensor : {&context.inputs[0], &context.output}) {
    if (int64_t{tensor->image.width} * lanes > 65520) {
      return Unmappable(context, fmt::format("a row of {} pixels exceeds a transfer of 65520 bytes",
                                             tensor->image.width));
    }
  }
  // Placement of a stripe: the inputs one after the other, then the output.
  const auto place = [&](int row, int rows, NodeContext& part) {
    const RowRange range = InputRows(context, row, rows);
    int64_t base = 0;
    part.inputs.clear();
    for (const OnChipTensor& input : context.inputs) {
      part.inputs.push_back(PlaceRows(input.image, range.count, base));
      base += WordsOf(part.inputs.back(), lanes);
    }
    part.output = PlaceRows(out, rows, base);
    return base + WordsOf(part.output, lanes);
  };
  int rows = out.height;
  NodeContext probe = context;
  const auto largest = [&](int stripe) {
    int64_t words = 0;
    for (int row = 0; row < out.height; row += stripe) {
      words = std::max(words, place(row, std::min(stripe, out.height - row), probe));
    }
    return words;
  };
  while (rows > 1 && largest(rows) > context.config.activation_words()) rows = (rows + 1) / 2;
  if (const int64_t words = largest(rows); words > context.config.activation_words()) {
    return Unmappable(
        context,
        fmt::format("one output row needs {} words of activation memory, there are {}; raise "
                    "memory.activation_bytes",
                    words, context.config.activation_words()));
  }

  std::vector<LoweredStep> lowered;
  for (int row = 0; row < out.height; row += rows) {
    const int count = std::min(rows, out.height - row);
    const RowRange range = InputRows(context, row, count);
    ir::Node node = context.node;
    node.window.pad_top = range.first - (row * node.window.stride_h - node.window.pad_top);
    NodeContext part = context.WithNode(node);
    place(row, count, part);
    for (size_t i = 0; i < context.inputs.size(); ++i) {
      lowered.push_back(Transfer(Opcode::kLoad, context.inputs[i].image, part.inputs[i],
                                 range.first, context.node.inputs[i], lanes));
    }
    MACLOOM_ASSIGN_OR_RETURN(std::vector<LoweredStep> steps, LowerPart(part));
    for (LoweredStep& step : steps) {
      for (TensorRegion& region : step.produces) region.first_row += row;
      lowered.push_back(std::move(step));
    }
    lowered.push_back(
        Transfer(Opcode::kStore, out, part.output, row, context.output_tensor, lanes));
  }
  return lowered;
}

}  // namespace macloom::arch
