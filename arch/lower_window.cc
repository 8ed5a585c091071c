// DEPTHWISE_CONV_2D and pooling: one tap per step, the array's rows along x or y.
#include <fmt/format.h>

#include <algorithm>

#include "arch/lane_multiplier.h"

namespace macloom::arch {
namespace {

/// Sizes of one image axis.
struct Axis {
  int in, out, kernel, stride, pad;
  int64_t in_pitch, out_pitch;
};

Axis AxisX(const NodeContext& context) {
  const ir::Window& window = context.node.window;
  const OnChipTensor& in = context.inputs[0];
  return {in.image.width,
          context.output.image.width,
          window.kernel_w,
          window.stride_w,
          window.pad_left,
          in.placement.col_pitch,
          context.output.placement.col_pitch};
}

Axis AxisY(const NodeContext& context) {
  const ir::Window& window = context.node.window;
  const OnChipTensor& in = context.inputs[0];
  return {in.image.height,
          context.output.image.height,
          window.kernel_h,
          window.stride_h,
          window.pad_top,
          in.placement.row_pitch,
          context.output.placement.row_pitch};
}

/// Consecutive output positions of an axis.
struct Segment {
  int first = 0, count = 0, inside = 0;  ///< inside: kernel positions inside the image.
};

/// Restricts an axis to outputs from segment.first on; the input starts where they first touch it.
Axis Restrict(Axis axis, const Segment& segment, int64_t& in_base, int64_t& out_base) {
  const int start = segment.first * axis.stride - axis.pad;
  in_base += start * axis.in_pitch;
  out_base += segment.first * axis.out_pitch;
  // A stripe of PAD may lie below the image altogether.
  axis.in = std::max(axis.in - std::max(start, 0), 0);
  axis.pad = std::max(-start, 0);
  axis.out = segment.count;
  return axis;
}

/// Descriptor of a window layer over outputs (rows, cols), without weights and requantization.
LoweredStep WindowStep(const NodeContext& context, const WindowMapping& mapping,
                       const Segment& rows, const Segment& cols) {
  LoweredStep step;
  step.node = context.node_index;
  int64_t in_base = context.inputs[0].placement.base;
  int64_t out_base = context.output.placement.base;
  const Axis image_x = Restrict(AxisX(context), cols, in_base, out_base);
  const Axis image_y = Restrict(AxisY(context), rows, in_base, out_base);
  const Axis& x = mapping.along_y ? image_y : image_x;
  const Axis& y = mapping.along_y ? image_x : image_y;
  const Image& in = context.inputs[0].image;
  step.descriptor.set_opcode(static_cast<int>(Opcode::kDepthwise))
      .set_in_origin(in_base & 0xFFFF)
      .set_in_x_step((x.stride * x.in_pitch) & 0xFFFF)
      .set_in_y_step((y.stride * y.in_pitch) & 0xFFFF)
      .set_in_col_pitch(x.in_pitch & 0xFFFF)
      .set_in_row_pitch(y.in_pitch & 0xFFFF)
      .set_in_plane_pitch(context.inputs[0].placement.plane_pitch & 0xFFFF)
      .set_out_base(out_base & 0xFFFF)
      .set_out_col_pitch(x.out_pitch & 0xFFFF)
      .set_out_row_pitch(y.out_pitch & 0xFFFF)
      .set_out_plane_pitch(context.output.placement.plane_pitch & 0xFFFF)
      .set_in_w(x.in)
      .set_in_h(y.in)
      .set_out_w(x.out)
      .set_out_h(y.out)
      .set_kernel_w(x.kernel)
      .set_kernel_h(y.kernel)
      .set_stride_w(x.stride)
      .set_stride_h(y.stride)
      .set_pad_left(x.pad)
      .set_pad_top(y.pad)
      .set_in_blocks(in.Blocks(context.config.lanes))
      .set_last_lanes(in.LastLanes(context.config.lanes))
      .set_out_channels(in.channels)
      .set_window_taps(mapping.window_taps)
      .set_group_rows(mapping.group_rows)
      .set_saturate(context.overflow == ir::Overflow::kSaturate);
  TensorRegion region;
  region.tensor = context.output_tensor;
  region.first_row = rows.first;
  region.num_rows = rows.count;
  region.first_col = cols.first;
  region.num_cols = cols.count;
  region.placement = context.output.placement;
  region.placement.base = out_base;
  step.produces = {region};
  return step;
}

/// Runs of outputs whose windows have equally many positions inside the image.
std::vector<Segment> SegmentsOf(const Axis& axis) {
  std::vector<Segment> segments;
  for (int o = 0; o < axis.out; ++o) {
    const int start = o * axis.stride - axis.pad;
    const int inside = std::min(start + axis.kernel, axis.in) - std::max(start, 0);
    if (segments.empty() || segments.back().inside != inside) segments.push_back({o, 0, inside});
    ++segments.back().count;
  }
  return segments;
}

Status CheckWindow(const NodeContext& context) {
  const ir::Window& window = context.node.window;
  if (std::max({window.kernel_h, window.kernel_w, window.stride_h, window.stride_w}) > 255) {
    return Unmappable(context,
                      fmt::format("kernel {}x{}, stride {}x{}: at most 255", window.kernel_h,
                                  window.kernel_w, window.stride_h, window.stride_w));
  }
  if (std::max(window.pad_top, window.pad_left) > 255) {
    return Unmappable(context, fmt::format("padding {} above and {} left: at most 255",
                                           window.pad_top, window.pad_left));
  }
  return {};
}

}  // namespace

WindowMapping ChooseMapping(const HardwareConfig& config, const ir::Window& window,
                            const Image& output) {
  WindowMapping best;
  best.cycles = -1;
  for (const bool along_y : {false, true}) {
    const int kernel = along_y ? window.kernel_h : window.kernel_w;
    const int lines = along_y ? window.kernel_w : window.kernel_h;
    const int stride = along_y ? window.stride_h : window.stride_w;
    const int length = along_y ? output.height : output.width;
    const int across = along_y ? output.width : output.height;
    for (int taps = 1; taps <= std::min(kernel, config.window_words); ++taps) {
      const int most =
          stride > 2 ? 1
                     : std::min({config.rows, length, (config.window_words - taps) / stride + 1});
      for (int rows = 1; rows <= most; ++rows) {
        int64_t chunk_cycles = 0;
        for (int k = 0; k < kernel; k += taps) {
          const int count = std::min(taps, kernel - k);
          const int fill = CeilDivide((rows - 1) * stride + count, config.activation_banks);
          chunk_cycles += std::max(count, fill);
        }
        const int64_t drain = CeilDivide(int64_t{rows} * config.lanes, config.requant_lanes);
        const int64_t group = std::max(chunk_cycles * lines, drain);
        const int64_t cycles =
            group * CeilDivide(length, rows) * across * output.Blocks(config.lanes);
        if (best.cycles < 0 || cycles < best.cycles) best = {along_y, rows, taps, cycles};
      }
    }
  }
  return best;
}

Result<std::vector<LoweredStep>> LowerDepthwise(const NodeContext& context) {
  MACLOOM_RETURN_IF_ERROR(CheckWindow(context));
  const ir::Window& window = context.node.window;
  const Image& out = context.output.image;
  const WindowMapping mapping =
      context.mapping ? *context.mapping : ChooseMapping(context.config, window, out);
  LoweredStep step = WindowStep(context, mapping, {0, out.height, 0}, {0, out.width, 0});
  Descriptor& d = step.descriptor;
  MACLOOM_ASSIGN_OR_RETURN(const std::vector<ChannelParameters> channels,
                           ChannelParametersOf(context));
  const bool per_layer = SetRequantization(context.node.requantization, channels[0].multiplier, d);
  const std::vector<int64_t>& codes = context.graph.constant(context.node.weights).codes;
  const int num_taps = window.kernel_h * window.kernel_w;
  const int line_taps = mapping.along_y ? window.kernel_h : window.kernel_w;
  step.stream = std::make_shared<const Stream>(
      PackDepthwise(context.config, channels, num_taps, per_layer, [&](int channel, int tap) {
        const int line = tap / line_taps, along = tap % line_taps;
        const int ky = mapping.along_y ? along : line;
        const int kx = mapping.along_y ? line : along;
        const int64_t index = (int64_t{ky} * window.kernel_w + kx) * out.channels + channel;
        return static_cast<int>(codes[static_cast<size_t>(index)]);
      }));
  if (step.stream->GroupRows(context.config) > context.config.ring_rows()) {
    return Unmappable(
        context, fmt::format("the {} taps of a channel block need {} ring rows of {}", num_taps,
                             step.stream->GroupRows(context.config), context.config.ring_rows()));
  }
  d.set_stream_groups(step.stream->groups)
      .set_stream_param_bytes(step.stream->param_bytes)
      .set_stream_weight_rows(step.stream->weight_rows)
      .set_pad_code(context.graph.tensor(context.node.inputs[0]).quantization.zero_point());
  step.macs = int64_t{out.height} * out.width * out.channels * num_taps;
  return std::vector<LoweredStep>{std::move(step)};
}

namespace {

/// Sums of `n` minifloats to codes: times a power of two.
Status SetMinifloatPool(const NodeContext& context, int64_t n, Descriptor& descriptor) {
  const ir::Requantization& requantization = context.node.requantization;
  int shift = 0;
  if (requantization.kind == ir::RequantizationKind::kMean) {
    if ((n & (n - 1)) != 0) {
      return Unmappable(context,
                        fmt::format("a mean of {} positions; minifloat lanes only scale by powers "
                                    "of two (`macloom quantize --accelerator` makes such means)",
                                    n));
    }
    while (int64_t{1} << -shift < n) --shift;
  } else {
    shift = requantization.channels[0].shift;
  }
  descriptor.set_requant_mode(static_cast<int>(RequantMode::kSingle))
      .set_shift(shift)
      .set_clamp_min(requantization.clamp_min)
      .set_clamp_max(requantization.clamp_max);
  return {};
}

/// Sums of `n` positions to codes: by shift in fixed-point networks, else by the mean.
Status SetPoolRequantization(const NodeContext& context, int64_t n, Descriptor& descriptor) {
  if (context.config.is_minifloat()) return SetMinifloatPool(context, n, descriptor);
  if (context.node.requantization.kind == ir::RequantizationKind::kShift) {
    MACLOOM_ASSIGN_OR_RETURN(const std::vector<ir::FixedPointMultiplier> pairs,
                             LaneMultipliers(context));
    SetRequantization(context.node.requantization, pairs[0], descriptor);
    // The pair is in the descriptor, but there is no stream for it to be left out of.
    descriptor.set_per_layer(0);
    return {};
  }
  const int bits = context.config.multiplier_bits();
  const auto pair = n <= 65535 ? MeanMultiplier(n, bits) : std::nullopt;
  if (!pair) {
    return Unmappable(
        context,
        bits == 0
            ? fmt::format("a mean of {} positions; the lanes only shift "
                          "(requant.kind): accepted are powers of two",
                          n)
            : fmt::format("no exact reciprocal of {} bits for a mean of {} positions", bits, n));
  }
  descriptor.set_requant_mode(static_cast<int>(RequantMode::kMean))
      .set_multiplier(pair->multiplier)
      .set_shift(pair->shift)
      .set_mean_half(n / 2)
      .set_clamp_min(context.node.requantization.clamp_min)
      .set_clamp_max(context.node.requantization.clamp_max);
  return {};
}

}  // namespace

Result<LoweredStep> LowerUnitWindow(const NodeContext& context, const UnitWindow& unit) {
  MACLOOM_RETURN_IF_ERROR(CheckWindow(context));
  const Image& out = context.output.image;
  const WindowMapping mapping =
      context.mapping ? *context.mapping : ChooseMapping(context.config, context.node.window, out);
  LoweredStep step = WindowStep(context, mapping, {0, out.height, 0}, {0, out.width, 0});
  const bool is_minifloat = context.config.is_minifloat();
  // The order of minifloat codes begins and ends with NaN or the largest numbers.
  step.descriptor.set_unit_weights(1)
      .set_maximum(unit.is_maximum || is_minifloat)
      .set_pad_code(unit.pad_code)
      .set_clamp_min(unit.clamp_min.value_or(is_minifloat ? 0xFF : -128))
      .set_clamp_max(unit.clamp_max.value_or(127));
  if (is_minifloat) {
    step.descriptor.set_requant_mode(static_cast<int>(RequantMode::kSingle));
    return step;
  }
  const ir::FixedPointMultiplier identity = *MeanMultiplier(1, context.config.multiplier_bits());
  step.descriptor.set_requant_mode(static_cast<int>(RequantMode::kMean))
      .set_multiplier(identity.multiplier)
      .set_shift(identity.shift);
  return step;
}

Result<std::vector<LoweredStep>> LowerMaxPool(const NodeContext& context) {
  const ir::Requantization& requantization = context.node.requantization;
  MACLOOM_ASSIGN_OR_RETURN(
      LoweredStep step,
      LowerUnitWindow(
          context,
          // The first of the order of codes: -NaN, or the largest negative number.
          {.pad_code = context.config.is_minifloat()
                           ? 0xFF
                           : context.graph.tensor(context.node.inputs[0]).format.MinCode(),
           .is_maximum = true,
           .clamp_min = requantization.clamp_min,
           .clamp_max = requantization.clamp_max}));
  return std::vector<LoweredStep>{std::move(step)};
}

Result<std::vector<LoweredStep>> LowerAveragePool(const NodeContext& context) {
  MACLOOM_RETURN_IF_ERROR(CheckWindow(context));
  const std::vector<Segment> rows = SegmentsOf(AxisY(context));
  const std::vector<Segment> cols = SegmentsOf(AxisX(context));
  if (rows.size() * cols.size() > 9) {
    return Unmappable(context, fmt::format("padding makes {} different window sizes; at most 9",
                                           rows.size() * cols.size()));
  }
  const WindowMapping mapping =
      context.mapping ? *context.mapping
                      : ChooseMapping(context.config, context.node.window, context.output.image);
  std::vector<LoweredStep> steps;
  for (const Segment& row : rows) {
    for (const Segment& col : cols) {
      const int64_t n = int64_t{row.inside} * col.inside;
      LoweredStep step = WindowStep(context, mapping, row, col);
      step.descriptor.set_unit_weights(1).set_pad_code(0);
      MACLOOM_RETURN_IF_ERROR(SetPoolRequantization(context, n, step.descriptor));
      steps.push_back(std::move(step));
    }
  }
  return steps;
}

}  // namespace macloom::arch
