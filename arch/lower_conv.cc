// CONV_2D, FULLY_CONNECTED and one-channel DEPTHWISE_CONV_2D as array convolutions.
#include <fmt/format.h>

#include <algorithm>

#include "arch/lowering.h"
#include "arch/minifloat.h"

namespace macloom::arch {
namespace {

/// A rectangle of output pixels that one descriptor computes.
struct Rectangle {
  int row = 0, rows = 0, col = 0, cols = 0;
};

/// Geometry of the input words under a rectangle: the image starts at the first input position the
/// rectangle touches, so that no pad is negative.
void SetGeometry(const NodeContext& context, const ir::Window& window, const Rectangle& area,
                 Descriptor& d) {
  const OnChipTensor& in = context.inputs[0];
  const TensorPlacement& from = in.placement;
  const TensorPlacement& to = context.output.placement;
  const int left = area.col * window.stride_w - window.pad_left;
  const int top = area.row * window.stride_h - window.pad_top;
  // Dilated axes have no padding: taps are d pixels apart, and all lie inside.
  const auto inside = [](int dilation, int size, int first, int outputs, int stride, int kernel) {
    return dilation == 1 ? size - std::max(first, 0) : (outputs - 1) * stride + kernel;
  };
  const int64_t origin = from.base + left * from.col_pitch + top * from.row_pitch;
  d.set_in_origin(origin & 0xFFFF)
      .set_in_x_step((window.stride_w * from.col_pitch) & 0xFFFF)
      .set_in_y_step((window.stride_h * from.row_pitch) & 0xFFFF)
      .set_in_col_pitch((window.dilation_w * from.col_pitch) & 0xFFFF)
      .set_in_row_pitch((window.dilation_h * from.row_pitch) & 0xFFFF)
      .set_in_plane_pitch(from.plane_pitch & 0xFFFF)
      .set_in_w(inside(window.dilation_w, in.image.width, left, area.cols, window.stride_w,
                       window.kernel_w))
      .set_in_h(inside(window.dilation_h, in.image.height, top, area.rows, window.stride_h,
                       window.kernel_h))
      .set_kernel_w(window.kernel_w)
      .set_kernel_h(window.kernel_h)
      .set_stride_w(window.stride_w)
      .set_stride_h(window.stride_h)
      .set_pad_left(std::max(-left, 0))
      .set_pad_top(std::max(-top, 0))
      .set_out_base((to.base + area.col * to.col_pitch + area.row * to.row_pitch) & 0xFFFF)
      .set_out_col_pitch(to.col_pitch & 0xFFFF)
      .set_out_row_pitch(to.row_pitch & 0xFFFF)
      .set_out_plane_pitch(to.plane_pitch & 0xFFFF)
      .set_out_w(area.cols)
      .set_out_h(area.rows);
}

TensorRegion RegionOf(const NodeContext& context, const Rectangle& area) {
  TensorRegion region;
  region.tensor = context.output_tensor;
  region.first_row = area.row;
  region.num_rows = area.rows;
  region.first_col = area.col;
  region.num_cols = area.cols;
  region.placement = context.output.placement;
  region.placement.base +=
      area.col * region.placement.col_pitch + area.row * region.placement.row_pitch;
  return region;
}

/// The weight of output channel oc at (ky, kx, c).
int WeightAt(const NodeContext& context, const ConvShape& shape, int oc, int ky, int kx, int c) {
  const std::vector<int64_t>& codes = context.graph.constant(context.node.weights).codes;
  const int64_t kernel = int64_t{ky} * shape.window.kernel_w + kx;
  int64_t index = 0;
  if (context.node.kind == ir::OperatorKind::kDepthwiseConv2d) {
    index = kernel * shape.out_channels + oc;
  } else {
    const int64_t taps = int64_t{shape.window.kernel_h} * shape.window.kernel_w;
    index = (oc * taps + kernel) * shape.in_channels + c;
  }
  return static_cast<int>(codes[static_cast<size_t>(index)]);
}

/// Rectangles of at most T pixels that cover the output.
std::vector<Rectangle> Tiles(const Image& output, int tile_pixels) {
  std::vector<Rectangle> tiles;
  const int cols = std::min(output.width, tile_pixels);
  const int rows = output.width >= tile_pixels ? 1 : tile_pixels / output.width;
  for (int row = 0; row < output.height; row += rows) {
    for (int col = 0; col < output.width; col += cols) {
      tiles.push_back(
          {row, std::min(rows, output.height - row), col, std::min(cols, output.width - col)});
    }
  }
  return tiles;
}

}  // namespace

ConvShape ConvShapeOf(const NodeContext& context) {
  ConvShape shape;
  shape.window = context.node.window;
  shape.in_channels = context.inputs[0].image.channels;
  shape.out_channels = context.output.image.channels;
  if (context.node.kind == ir::OperatorKind::kFullyConnected) {
    shape.window = {};
    shape.window.kernel_h = context.inputs[0].image.height;
    shape.window.kernel_w = context.inputs[0].image.width;
  }
  return shape;
}

int Im2colWords(const HardwareConfig& config, const ConvShape& shape, const Image& output) {
  const int flat = shape.window.kernel_h * shape.window.kernel_w * shape.in_channels;
  return CeilDivide(flat, config.lanes) * output.height * output.width;
}

bool PrefersIm2col(const HardwareConfig& config, const ConvShape& shape) {
  const int taps = shape.window.kernel_h * shape.window.kernel_w;
  return CeilDivide(taps * shape.in_channels, config.lanes) <
         taps * CeilDivide(shape.in_channels, config.lanes);
}

Result<std::vector<LoweredStep>> LowerConv(const NodeContext& context, std::optional<int> scratch) {
  const HardwareConfig& config = context.config;
  const ConvShape shape = ConvShapeOf(context);
  const ir::Window& window = shape.window;
  const Image& out = context.output.image;
  const int lanes = config.lanes;
  const int taps = window.kernel_h * window.kernel_w;
  const int flat = taps * shape.in_channels;
  const int blocks = CeilDivide(scratch ? flat : shape.in_channels, lanes);
  const int steps = scratch ? blocks : blocks * taps;
  const int64_t zero_in = context.graph.tensor(context.node.inputs[0]).quantization.zero_point();

  if (window.kernel_h > 255 || window.kernel_w > 255 || window.stride_h > 255 ||
      window.stride_w > 255) {
    return Unmappable(context,
                      fmt::format("kernel {}x{}, stride {}x{}: at most 255", window.kernel_h,
                                  window.kernel_w, window.stride_h, window.stride_w));
  }
  if (steps > 65535) {
    return Unmappable(context, fmt::format("{} steps per output; at most 65535", steps));
  }
  // FULLY_CONNECTED sums in the order of the flattened image, L values a step. With whole blocks
  // that is (y, x, block); otherwise only the block order is possible, which is the same where
  // nothing can overflow.
  const bool is_image_input = context.node.kind == ir::OperatorKind::kFullyConnected && taps > 1;
  const bool is_flattened = is_image_input && shape.in_channels % lanes == 0 && blocks <= 255;
  if (is_image_input && !is_flattened) {
    if (!IsOrderFree(context)) {
      return Unmappable(
          context,
          fmt::format(
              "{} channels per position are not a multiple of {} lanes, so that the order of "
              "summation differs; that needs {}, given {}",
              shape.in_channels, lanes,
              config.is_minifloat()
                  ? "an exact accumulator (acc.kind = \"fixed\" without alignment, wide enough)"
                  : fmt::format("an accumulator of at least {} bits",
                                ir::RequiredAccumulatorBits(context.graph, context.node)),
              config.is_minifloat() ? config.register_bits() : context.accumulator_bits));
    }
  }
  Descriptor base;
  base.set_opcode(static_cast<int>(Opcode::kConv));
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<ChannelParameters> channels,
                           ChannelParametersOf(context));
  const bool per_layer =
      SetRequantization(context.node.requantization, channels[0].multiplier, base);
  const auto stream = std::make_shared<const Stream>(
      PackConv(config, channels, steps, per_layer, [&](int oc, int step, int lane) {
        if (scratch) {
          const int index = step * lanes + lane;
          if (index >= flat) return 0;
          const int tap = index / shape.in_channels;
          return WeightAt(context, shape, oc, tap / window.kernel_w, tap % window.kernel_w,
                          index % shape.in_channels);
        }
        if (is_flattened) {
          const int pixel = step / blocks;
          return WeightAt(context, shape, oc, pixel / window.kernel_w, pixel % window.kernel_w,
                          step % blocks * lanes + lane);
        }
        const int c = step / taps * lanes + lane;
        if (c >= shape.in_channels) return 0;
        return WeightAt(context, shape, oc, step % taps / window.kernel_w, step % window.kernel_w,
                        c);
      }));

  const int group_rows = stream->GroupRows(config);
  const bool is_one_tile = out.height * out.width <= config.tile_pixels;
  std::vector<Rectangle> areas = {{0, out.height, 0, out.width}};
  const bool must_split = !is_one_tile && group_rows > config.ring_rows();
  if (must_split) {
    if (scratch) return Unmappable(context, "the im2col weights of a group exceed the weight ring");
    areas = Tiles(out, config.tile_pixels);
  }
  base.set_stream_groups(stream->groups)
      .set_stream_param_bytes(stream->param_bytes)
      .set_stream_weight_rows(stream->weight_rows)
      .set_release_rows(is_one_tile || must_split)
      .set_saturate(context.overflow == ir::Overflow::kSaturate)
      .set_pad_code(zero_in)
      .set_in_blocks(blocks)
      .set_last_lanes((scratch ? flat : shape.in_channels) - (blocks - 1) * lanes)
      .set_out_channels(shape.out_channels);

  std::vector<LoweredStep> lowered;
  for (const Rectangle& area : areas) {
    LoweredStep step;
    step.descriptor = base;
    step.stream = stream;
    step.node = context.node_index;
    step.macs = int64_t{area.rows} * area.cols * shape.out_channels * flat;
    step.produces = {RegionOf(context, area)};
    Descriptor& d = step.descriptor;
    SetGeometry(context, window, area, d);
    if (is_flattened) {
      // The three loops, outermost first: y, x, block.
      const TensorPlacement& from = context.inputs[0].placement;
      d.set_in_blocks(window.kernel_h)
          .set_last_lanes(lanes)
          .set_in_plane_pitch(from.row_pitch & 0xFFFF)
          .set_kernel_h(window.kernel_w)
          .set_in_row_pitch(from.col_pitch & 0xFFFF)
          .set_kernel_w(blocks)
          .set_in_col_pitch(from.plane_pitch & 0xFFFF)
          .set_in_w(blocks)
          .set_in_h(window.kernel_w);
    }
    if (scratch) {
      const int row_bytes = context.inputs[0].image.width * shape.in_channels;
      d.set_im2col(1)
          .set_pixel_outer(stream->groups * group_rows <= config.ring_rows() && !is_one_tile)
          .set_in_origin(*scratch)
          .set_in_x_step(1)
          .set_in_y_step(out.width)
          .set_in_col_pitch(1)
          .set_in_row_pitch(out.width)
          .set_in_plane_pitch(out.width * out.height)
          .set_in_w(out.width)
          .set_in_h(out.height)
          .set_kernel_w(1)
          .set_kernel_h(1)
          .set_stride_w(1)
          .set_stride_h(1)
          .set_pad_left(0)
          .set_pad_top(0)
          .set_stage_row_bytes(row_bytes)
          .set_stage_valid_bytes(row_bytes)
          .set_stage_rows(context.inputs[0].image.height)
          .set_stage_x_step(window.stride_w * shape.in_channels)
          .set_run_bytes(window.kernel_w * shape.in_channels)
          .set_stage_pad_left(window.pad_left * shape.in_channels)
          .set_stage_kernel_h(window.kernel_h)
          .set_stage_stride_h(window.stride_h)
          .set_stage_pad_top(window.pad_top);
    }
    lowered.push_back(std::move(step));
  }
  return lowered;
}

}  // namespace macloom::arch
