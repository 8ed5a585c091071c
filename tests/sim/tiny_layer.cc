#include "tests/sim/tiny_layer.h"

#include <algorithm>

#include "tests/sim/tiny_job.h"
#include "tests/sim/tiny_model.h"

namespace macloom::testing {
namespace {

/// Sizes of a random layer; output size is floor((in + 2 pad - kernel) / stride) + 1.
struct TinyShape {
  int64_t h, w, c, oc, kh, kw, sh, sw, pt, pl, oh, ow;
};

TinyShape RandomTinyShape(Rng& rng, TinyKind kind) {
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

void PutLittleEndian(std::vector<uint8_t>& bytes, int64_t value, int count) {
  for (int b = 0; b < count; ++b) bytes.push_back(static_cast<uint8_t>(value >> (8 * b)));
}

/// Descriptor fields every operator shares.
arch::Descriptor TinyDescriptor(const JobBuilder& builder, const TinyShape& s, int lanes,
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

/// Draws a layer and writes it down as naive results, stream and descriptor.
class Maker {
 public:
  Maker(Rng& rng, const arch::HardwareConfig& config, TinyKind kind, int bits)
      : rng_(rng),
        config_(config),
        kind_(kind),
        bits_(bits),
        lanes_(config.lanes),
        rows_(config.rows),
        s_(RandomTinyShape(rng, kind)),
        is_dense_(kind == TinyKind::kConv || kind == TinyKind::kPixelOuterConv ||
                  kind == TinyKind::kIm2col),
        per_layer_(kind == TinyKind::kMean || kind == TinyKind::kAdd || rng.Bernoulli(0.4)),
        taps_(s_.kh * s_.kw),
        depth_(is_dense_ ? s_.c : 1),
        p_(RandomTinyParameters(rng, s_.oc, per_layer_, bits)),
        builder_(config, {s_.h, s_.w, s_.c}, {s_.oh, s_.ow, s_.oc}) {
    if (kind == TinyKind::kMean) SetMean(p_, taps_);
    layer_.input = RandomTinyImage(rng, {s_.h, s_.w, s_.c});
    weights_.resize(static_cast<size_t>(s_.oc * taps_ * depth_));
    for (int& w : weights_) w = RandomTinyCode(rng);
  }

  TinyLayer Make() {
    builder_.job().effective_accumulator_bits = bits_;
    const bool has_macs = is_dense_ || kind_ == TinyKind::kDepthwise;
    layer_.macs = has_macs ? s_.oh * s_.ow * s_.oc * taps_ * depth_ : 0;
    ComputeOutput();
    d_ = TinyDescriptor(builder_, s_, lanes_, p_);
    if (is_dense_) PackDense();
    if (kind_ == TinyKind::kDepthwise) PackDepthwise();
    if (groups_ > 0) {
      d_.set_stream_address(builder_.AddStream(stream_))
          .set_stream_groups(groups_)
          .set_stream_param_bytes(param_bytes_)
          .set_stream_weight_rows(weight_rows_)
          .set_per_layer(per_layer_);
    }
    SetOwnFields();
    AddSteps();
    return layer_;
  }

 private:
  /// Weights are [oc][ky][kx][c]; depthwise has c = 0 only.
  int64_t Weight(int64_t oc, int64_t tap, int64_t c) const {
    return weights_[static_cast<size_t>((oc * taps_ + tap) * depth_ + c)];
  }

  int64_t Pixel(int64_t y, int64_t x, int64_t c) const {
    if (y < 0 || x < 0 || y >= s_.h || x >= s_.w) return p_.pad_code;
    return layer_.input.codes[static_cast<size_t>((y * s_.w + x) * s_.c + c)];
  }

  /// Sums of products of output (y, x, c), step by step in hardware order.
  std::vector<int64_t> StepSums(int64_t y, int64_t x, int64_t c) const {
    const auto tap_pixel = [&](int64_t tap, int64_t ic) {
      return Pixel(y * s_.sh - s_.pt + tap / s_.kw, x * s_.sw - s_.pl + tap % s_.kw, ic);
    };
    std::vector<int64_t> sums;
    if (kind_ == TinyKind::kIm2col) {
      for (int64_t j = 0; j < taps_ * s_.c; ++j) {
        if (j % lanes_ == 0) sums.push_back(0);
        sums.back() += tap_pixel(j / s_.c, j % s_.c) * Weight(c, j / s_.c, j % s_.c);
      }
    } else if (is_dense_) {
      for (int64_t block = 0; block * lanes_ < s_.c; ++block) {
        for (int64_t tap = 0; tap < taps_; ++tap) {
          sums.push_back(0);
          for (int64_t ic = block * lanes_; ic < std::min(s_.c, (block + 1) * lanes_); ++ic) {
            sums.back() += tap_pixel(tap, ic) * Weight(c, tap, ic);
          }
        }
      }
    } else if (kind_ != TinyKind::kAdd) {
      for (int64_t tap = 0; tap < taps_; ++tap) {
        sums.push_back(tap_pixel(tap, c) * (kind_ == TinyKind::kMean ? 1 : Weight(c, tap, 0)));
      }
    }
    return sums;
  }

  void ComputeOutput() {
    layer_.output.shape = {s_.oh, s_.ow, s_.oc};
    for (int64_t y = 0; y < s_.oh; ++y) {
      for (int64_t x = 0; x < s_.ow; ++x) {
        for (int64_t c = 0; c < s_.oc; ++c) {
          const int64_t start = kind_ == TinyKind::kMean ? 0 : p_.starts[static_cast<size_t>(c)];
          const int64_t accumulator =
              kind_ == TinyKind::kAdd
                  ? TinyAdd(p_, Pixel(y, x, c))
                  : TinyAccumulate(start, StepSums(y, x, c), bits_, p_.saturate, layer_.events);
          layer_.output.codes.push_back(TinyRequantize(p_, static_cast<size_t>(c), accumulator,
                                                       layer_.clamped_low, layer_.clamped_high));
        }
      }
    }
  }

  /// Appends the parameter section of channels first..first+count-1.
  void PackParameters(int64_t first, int64_t count) {
    const size_t begin = stream_.size();
    for (int64_t c = first; c < first + count; ++c) {
      const bool is_real = c < s_.oc;
      const size_t i = static_cast<size_t>(c);
      PutLittleEndian(stream_, is_real ? p_.starts[i] : 0, 4);
      if (per_layer_) continue;
      PutLittleEndian(stream_, is_real ? p_.Channel(i).multiplier : 0, 4);
      PutLittleEndian(stream_, is_real ? p_.Channel(i).shift : 0, 1);
      PutLittleEndian(stream_, 0, 7);
    }
    while ((stream_.size() - begin) % 16 != 0) stream_.push_back(0);
    param_bytes_ = static_cast<int64_t>(stream_.size() - begin);
  }

  void PackDense() {
    const int64_t flat = taps_ * s_.c;
    const int64_t blocks = (s_.c + lanes_ - 1) / lanes_;
    weight_rows_ = kind_ == TinyKind::kIm2col ? (flat + lanes_ - 1) / lanes_ : blocks * taps_;
    for (int64_t first = 0; first < s_.oc; first += rows_, ++groups_) {
      PackParameters(first, rows_);
      for (int64_t step = 0; step < weight_rows_; ++step) {
        for (int64_t oc = first; oc < first + rows_; ++oc) {
          for (int64_t l = 0; l < lanes_; ++l) {
            const bool is_flat = kind_ == TinyKind::kIm2col;
            const int64_t tap = is_flat ? (step * lanes_ + l) / s_.c : step % taps_;
            const int64_t ic = is_flat ? (step * lanes_ + l) % s_.c : step / taps_ * lanes_ + l;
            const bool is_real = oc < s_.oc && tap < taps_ && ic < s_.c;
            PutLittleEndian(stream_, is_real ? Weight(oc, tap, ic) : 0, 1);
          }
        }
      }
    }
  }

  void PackDepthwise() {
    weight_rows_ = (taps_ + rows_ - 1) / rows_;
    for (int64_t first = 0; first < s_.c; first += lanes_, ++groups_) {
      PackParameters(first, lanes_);
      for (int64_t tap = 0; tap < weight_rows_ * rows_; ++tap) {
        for (int64_t c = first; c < first + lanes_; ++c) {
          PutLittleEndian(stream_, tap < taps_ && c < s_.c ? Weight(c, tap, 0) : 0, 1);
        }
      }
    }
  }

  void SetOwnFields() {
    switch (kind_) {
      case TinyKind::kConv:
      case TinyKind::kPixelOuterConv:
        d_.set_opcode(static_cast<int>(arch::Opcode::kConv));
        if (kind_ == TinyKind::kPixelOuterConv) {
          const int64_t row_bytes = int64_t{rows_} * lanes_;
          const int64_t held =
              groups_ * ((param_bytes_ + row_bytes - 1) / row_bytes + weight_rows_);
          d_.set_pixel_outer(held <= config_.ring_rows());
        } else {
          d_.set_release_rows(s_.oh * s_.ow <= config_.tile_pixels);
        }
        break;
      case TinyKind::kIm2col:
        // Virtual words behind the output.
        d_.set_opcode(static_cast<int>(arch::Opcode::kConv))
            .set_im2col(1)
            .set_in_origin(2048)
            .set_in_x_step(1)
            .set_in_y_step(s_.ow)
            .set_in_row_pitch(s_.ow)
            .set_in_plane_pitch(s_.oh * s_.ow)
            .set_in_w(s_.ow)
            .set_in_h(s_.oh)
            .set_kernel_w(1)
            .set_kernel_h(1)
            .set_stride_w(1)
            .set_stride_h(1)
            .set_pad_left(0)
            .set_pad_top(0)
            .set_in_blocks(weight_rows_)
            .set_last_lanes(taps_ * s_.c - (weight_rows_ - 1) * lanes_)
            .set_stage_row_bytes(s_.w * s_.c)
            .set_stage_valid_bytes(s_.w * s_.c)
            .set_stage_rows(s_.h)
            .set_stage_x_step(s_.sw * s_.c)
            .set_run_bytes(s_.kw * s_.c)
            .set_stage_pad_left(s_.pl * s_.c)
            .set_stage_kernel_h(s_.kh)
            .set_stage_stride_h(s_.sh)
            .set_stage_pad_top(s_.pt);
        break;
      case TinyKind::kDepthwise:
      case TinyKind::kMean: {
        const int64_t window_taps = rng_.UniformInt(1, s_.kw);
        const int64_t fit = (config_.window_words - window_taps) / s_.sw + 1;
        d_.set_opcode(static_cast<int>(arch::Opcode::kDepthwise))
            .set_window_taps(window_taps)
            .set_group_rows(s_.sw > 2 ? 1 : rng_.UniformInt(1, std::min<int64_t>({rows_, fit})))
            .set_unit_weights(kind_ == TinyKind::kMean)
            .set_mean_half(p_.mean_half);
        break;
      }
      case TinyKind::kAdd:
        // Both operands are the input.
        d_.set_opcode(static_cast<int>(arch::Opcode::kAdd))
            .set_in2_origin(kInputWord)
            .set_add_zero_a(p_.zero_a)
            .set_add_zero_b(p_.zero_b)
            .set_add_multiplier(p_.add.multiplier)
            .set_add_shift(p_.add.shift);
        break;
    }
  }

  void AddSteps() {
    if (kind_ == TinyKind::kIm2col) {
      // Raw bytes to the staging memory, in one run rounded up to whole beats.
      builder_.job().input_is_raw = true;
      const int64_t beat = config_.axi_bytes();
      builder_.AddStep(arch::Descriptor()
                           .set_opcode(static_cast<int>(arch::Opcode::kLoad))
                           .set_ext_address(kInput)
                           .set_row_bytes((s_.h * s_.w * s_.c + beat - 1) / beat * beat)
                           .set_dma_rows(1)
                           .set_dma_planes(1)
                           .set_to_staging(1));
    } else {
      builder_.AddLoad();
    }
    builder_.AddStep(d_, layer_.macs, {builder_.OutputRegion()}, 0);
    builder_.AddStore();
    layer_.job = builder_.Finish();
  }

  Rng& rng_;
  const arch::HardwareConfig& config_;
  const TinyKind kind_;
  const int bits_, lanes_, rows_;
  const TinyShape s_;
  const bool is_dense_, per_layer_;
  const int64_t taps_, depth_;
  TinyParameters p_;
  JobBuilder builder_;
  TinyLayer layer_;
  std::vector<int> weights_;
  arch::Descriptor d_;
  std::vector<uint8_t> stream_;
  int64_t param_bytes_ = 0, weight_rows_ = 0, groups_ = 0;
};

}  // namespace

TinyLayer MakeTinyLayer(Rng& rng, const arch::HardwareConfig& config, TinyKind kind, int bits) {
  return Maker(rng, config, kind, bits).Make();
}

}  // namespace macloom::testing
