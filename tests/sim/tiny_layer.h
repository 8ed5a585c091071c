// One random layer as a hand-made job, with the result of naive code.
#pragma once

#include "base/rng.h"
#include "tests/sim/tiny_job.h"
#include "tests/sim/tiny_model.h"

namespace macloom::testing {

/// A job, an input, and what must come out.
struct TinyLayer {
  arch::Job job;
  ir::TensorValue input, output;
  int64_t events = 0, clamped_low = 0, clamped_high = 0, macs = 0;
};

enum class TinyKind { kConv, kPixelOuterConv, kIm2col, kDepthwise, kMean, kAdd };

/// Sizes of a random layer; output size is floor((in + 2 pad - kernel) / stride) + 1.
struct TinyShape {
  int64_t h, w, c, oc, kh, kw, sh, sw, pt, pl, oh, ow;
};

inline TinyShape RandomTinyShape(Rng& rng, TinyKind kind) {
  TinyShape s{};
  const bool is_pixelwise = kind == TinyKind::kAdd;
  s.h = rng.UniformInt(1, 8), s.w = rng.UniformInt(1, 8);
  s.c = kind == TinyKind::kIm2col ? rng.UniformInt(1, 3) : rng.UniformInt(1, 40);
  s.kh = is_pixelwise ? 1 : rng.UniformInt(1, std::min<int64_t>(s.h, 4));
  s.kw = is_pixelwise ? 1 : rng.UniformInt(1, std::min<int64_t>(s.w, 4));
  s.sh = is_pixelwise ? 1 : rng.UniformInt(1, 3);
  s.sw = is_pixelwise ? 1 : rng.UniformInt(1, 3);
  if (kind != TinyKind::kMean)
    s.pt = rng.UniformInt(0, s.kh - 1), s.pl = rng.UniformInt(0, s.kw - 1);
  const bool is_dense =
      kind == TinyKind::kConv || kind == TinyKind::kPixelOuterConv || kind == TinyKind::kIm2col;
  s.oc = is_dense ? rng.UniformInt(1, 40) : s.c;
  s.oh = (s.h + 2 * s.pt - s.kh) / s.sh + 1;
  s.ow = (s.w + 2 * s.pl - s.kw) / s.sw + 1;
  return s;
}

inline void PutLittleEndian(std::vector<uint8_t>& bytes, int64_t value, int count) {
  for (int b = 0; b < count; ++b) bytes.push_back(static_cast<uint8_t>(value >> (8 * b)));
}

/// Descriptor fields every operator shares.
inline arch::Descriptor TinyDescriptor(const JobBuilder& builder, const TinyShape& s, int lanes,
                                       const TinyParameters& p) {
  const ir::Shape in = {s.h, s.w, s.c};
  const int blocks = builder.Blocks(in);
  return arch::Descriptor()
      .set_in_origin((kInputWord - s.pl - s.pt * s.w) & 0xFFFF)
      .set_out_base(kOutputWord)
      .set_in_x_step(s.sw)
      .set_in_y_step(s.sh * s.w)
      .set_in_col_pitch(1)
      .set_in_row_pitch(s.w)
      .set_in_plane_pitch(s.h * s.w)
      .set_out_col_pitch(1)
      .set_out_row_pitch(s.ow)
      .set_out_plane_pitch(s.oh * s.ow)
      .set_in_w(s.w)
      .set_in_h(s.h)
      .set_out_w(s.ow)
      .set_out_h(s.oh)
      .set_kernel_w(s.kw)
      .set_kernel_h(s.kh)
      .set_stride_w(s.sw)
      .set_stride_h(s.sh)
      .set_pad_left(s.pl)
      .set_pad_top(s.pt)
      .set_pad_code(p.pad_code)
      .set_zero_out(p.zero_out)
      .set_in_blocks(blocks)
      .set_last_lanes(s.c - (blocks - 1) * lanes)
      .set_out_channels(s.oc)
      .set_saturate(p.saturate)
      .set_requant_mode(static_cast<int>(p.mode))
      .set_clamp_min(p.clamp_min)
      .set_clamp_max(p.clamp_max)
      .set_multiplier(p.channels[0].multiplier)
      .set_shift(p.channels[0].shift);
}

/// Draws a layer of `kind`; `bits` below 32 make overflow events likely.
inline TinyLayer MakeTinyLayer(Rng& rng, const arch::HardwareConfig& config, TinyKind kind,
                               int bits) {
  const TinyShape s = RandomTinyShape(rng, kind);
  const int lanes = config.lanes, rows = config.rows;
  TinyLayer layer;
  JobBuilder builder(config, {s.h, s.w, s.c}, {s.oh, s.ow, s.oc});
  layer.input = RandomTinyImage(rng, {s.h, s.w, s.c});
  const bool is_dense =
      kind == TinyKind::kConv || kind == TinyKind::kPixelOuterConv || kind == TinyKind::kIm2col;
  const bool per_layer = kind == TinyKind::kMean || kind == TinyKind::kAdd || rng.Bernoulli(0.4);
  TinyParameters p = RandomTinyParameters(rng, s.oc, per_layer, bits);
  if (kind == TinyKind::kMean) SetMean(p, s.kh * s.kw);
  arch::Descriptor d = TinyDescriptor(builder, s, lanes, p);
  builder.job().effective_accumulator_bits = bits;

  // weights[oc][ky][kx][c]; depthwise has c = 0 only.
  const int64_t depth = is_dense ? s.c : 1, taps = s.kh * s.kw;
  std::vector<int> weights(static_cast<size_t>(s.oc * taps * depth));
  for (int& w : weights) w = RandomTinyCode(rng);
  const auto weight = [&](int64_t oc, int64_t tap, int64_t c) {
    return weights[static_cast<size_t>((oc * taps + tap) * depth + c)];
  };
  const auto pixel = [&](int64_t y, int64_t x, int64_t c) -> int64_t {
    if (y < 0 || x < 0 || y >= s.h || x >= s.w) return p.pad_code;
    return layer.input.codes[static_cast<size_t>((y * s.w + x) * s.c + c)];
  };

  // Naive results, element by element; a step is a list of products.
  layer.output.shape = {s.oh, s.ow, s.oc};
  for (int64_t y = 0; y < s.oh; ++y) {
    for (int64_t x = 0; x < s.ow; ++x) {
      for (int64_t c = 0; c < s.oc; ++c) {
        const auto tap_pixel = [&](int64_t tap, int64_t ic) {
          return pixel(y * s.sh - s.pt + tap / s.kw, x * s.sw - s.pl + tap % s.kw, ic);
        };
        std::vector<int64_t> sums;
        if (kind == TinyKind::kIm2col) {
          for (int64_t j = 0; j < taps * s.c; ++j) {
            if (j % lanes == 0) sums.push_back(0);
            sums.back() += tap_pixel(j / s.c, j % s.c) * weight(c, j / s.c, j % s.c);
          }
        } else if (is_dense) {
          for (int64_t block = 0; block * lanes < s.c; ++block) {
            for (int64_t tap = 0; tap < taps; ++tap) {
              sums.push_back(0);
              for (int64_t ic = block * lanes; ic < std::min(s.c, (block + 1) * lanes); ++ic) {
                sums.back() += tap_pixel(tap, ic) * weight(c, tap, ic);
              }
            }
          }
        } else if (kind != TinyKind::kAdd) {
          for (int64_t tap = 0; tap < taps; ++tap) {
            sums.push_back(tap_pixel(tap, c) * (kind == TinyKind::kMean ? 1 : weight(c, tap, 0)));
          }
        }
        const int64_t accumulator =
            kind == TinyKind::kAdd
                ? TinyAdd(p, pixel(y, x, c))
                : TinyAccumulate(kind == TinyKind::kMean ? 0 : p.starts[static_cast<size_t>(c)],
                                 sums, bits, p.saturate, layer.events);
        layer.output.codes.push_back(TinyRequantize(p, static_cast<size_t>(c), accumulator,
                                                    layer.clamped_low, layer.clamped_high));
      }
    }
  }

  // The stream.
  const int entries = is_dense ? rows : lanes;
  std::vector<uint8_t> stream;
  const auto parameters = [&](int64_t first) {
    const size_t begin = stream.size();
    for (int64_t c = first; c < first + entries; ++c) {
      const bool is_real = c < s.oc;
      PutLittleEndian(stream, is_real ? p.starts[static_cast<size_t>(c)] : 0, 4);
      if (per_layer) continue;
      PutLittleEndian(stream, is_real ? p.Channel(static_cast<size_t>(c)).multiplier : 0, 4);
      PutLittleEndian(stream, is_real ? p.Channel(static_cast<size_t>(c)).shift : 0, 1);
      PutLittleEndian(stream, 0, 7);
    }
    while ((stream.size() - begin) % 16 != 0) stream.push_back(0);
    return static_cast<int64_t>(stream.size() - begin);
  };
  int64_t param_bytes = 0, weight_rows = 0, groups = 0;
  if (is_dense) {
    const int64_t flat = taps * s.c;
    const int64_t blocks = (s.c + lanes - 1) / lanes;
    weight_rows = kind == TinyKind::kIm2col ? (flat + lanes - 1) / lanes : blocks * taps;
    for (int64_t first = 0; first < s.oc; first += rows, ++groups) {
      param_bytes = parameters(first);
      for (int64_t step = 0; step < weight_rows; ++step) {
        for (int64_t oc = first; oc < first + rows; ++oc) {
          for (int64_t l = 0; l < lanes; ++l) {
            const bool is_flat = kind == TinyKind::kIm2col;
            const int64_t tap = is_flat ? (step * lanes + l) / s.c : step % taps;
            const int64_t ic = is_flat ? (step * lanes + l) % s.c : step / taps * lanes + l;
            const bool is_real = oc < s.oc && tap < taps && ic < s.c;
            PutLittleEndian(stream, is_real ? weight(oc, tap, ic) : 0, 1);
          }
        }
      }
    }
  } else if (kind == TinyKind::kDepthwise) {
    weight_rows = (taps + rows - 1) / rows;
    for (int64_t first = 0; first < s.c; first += lanes, ++groups) {
      param_bytes = parameters(first);
      for (int64_t tap = 0; tap < weight_rows * rows; ++tap) {
        for (int64_t c = first; c < first + lanes; ++c) {
          PutLittleEndian(stream, tap < taps && c < s.c ? weight(c, tap, 0) : 0, 1);
        }
      }
    }
  }
  if (groups > 0) {
    d.set_stream_address(builder.AddStream(stream))
        .set_stream_groups(groups)
        .set_stream_param_bytes(param_bytes)
        .set_stream_weight_rows(weight_rows)
        .set_per_layer(per_layer);
  }

  // The operator's own fields.
  switch (kind) {
    case TinyKind::kConv:
    case TinyKind::kPixelOuterConv:
      d.set_opcode(static_cast<int>(arch::Opcode::kConv));
      if (kind == TinyKind::kPixelOuterConv) {
        const int64_t row_bytes = int64_t{rows} * lanes;
        const int64_t held = groups * ((param_bytes + row_bytes - 1) / row_bytes + weight_rows);
        d.set_pixel_outer(held <= config.ring_rows());
      } else {
        d.set_release_rows(s.oh * s.ow <= config.tile_pixels);
      }
      break;
    case TinyKind::kIm2col:
      // Virtual words behind the output.
      d.set_opcode(static_cast<int>(arch::Opcode::kConv))
          .set_im2col(1)
          .set_in_origin(2048)
          .set_in_x_step(1)
          .set_in_y_step(s.ow)
          .set_in_row_pitch(s.ow)
          .set_in_plane_pitch(s.oh * s.ow)
          .set_in_w(s.ow)
          .set_in_h(s.oh)
          .set_kernel_w(1)
          .set_kernel_h(1)
          .set_stride_w(1)
          .set_stride_h(1)
          .set_pad_left(0)
          .set_pad_top(0)
          .set_in_blocks(weight_rows)
          .set_last_lanes(taps * s.c - (weight_rows - 1) * lanes)
          .set_stage_row_bytes(s.w * s.c)
          .set_stage_valid_bytes(s.w * s.c)
          .set_stage_rows(s.h)
          .set_stage_x_step(s.sw * s.c)
          .set_run_bytes(s.kw * s.c)
          .set_stage_pad_left(s.pl * s.c)
          .set_stage_kernel_h(s.kh)
          .set_stage_stride_h(s.sh)
          .set_stage_pad_top(s.pt);
      break;
    case TinyKind::kDepthwise:
    case TinyKind::kMean: {
      const int64_t window_taps = rng.UniformInt(1, s.kw);
      const int64_t fit = (config.window_words - window_taps) / s.sw + 1;
      d.set_opcode(static_cast<int>(arch::Opcode::kDepthwise))
          .set_window_taps(window_taps)
          .set_group_rows(s.sw > 2 ? 1 : rng.UniformInt(1, std::min<int64_t>({rows, fit})))
          .set_unit_weights(kind == TinyKind::kMean)
          .set_mean_half(p.mean_half);
      break;
    }
    case TinyKind::kAdd:
      // Both operands are the input.
      d.set_opcode(static_cast<int>(arch::Opcode::kAdd))
          .set_in2_origin(kInputWord)
          .set_add_zero_a(p.zero_a)
          .set_add_zero_b(p.zero_b)
          .set_add_multiplier(p.add.multiplier)
          .set_add_shift(p.add.shift);
      break;
  }
  const bool has_macs = is_dense || kind == TinyKind::kDepthwise;
  layer.macs = has_macs ? s.oh * s.ow * s.oc * taps * depth : 0;
  if (kind == TinyKind::kIm2col) {
    // Raw bytes to the staging memory, in one run rounded up to whole beats.
    builder.job().input_is_raw = true;
    const int64_t beat = config.axi_bytes();
    builder.AddStep(arch::Descriptor()
                        .set_opcode(static_cast<int>(arch::Opcode::kLoad))
                        .set_ext_address(kInput)
                        .set_row_bytes((s.h * s.w * s.c + beat - 1) / beat * beat)
                        .set_dma_rows(1)
                        .set_dma_planes(1)
                        .set_to_staging(1));
  } else {
    builder.AddLoad();
  }
  builder.AddStep(d, layer.macs, {builder.OutputRegion()}, 0);
  builder.AddStore();
  layer.job = builder.Finish();
  return layer;
}

}  // namespace macloom::testing
