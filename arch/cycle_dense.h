// Convolution feeder and im2col, as far as time is concerned (twins: loom_conv_feeder,
// loom_im2col). Part of the cycle model.
#pragma once

#include <cstdint>

#include "arch/cycle_stream.h"

namespace macloom::arch::cycle {

/// What a cycle of a running operation is counted as.
enum class Class { kBusy, kStallActivation, kStallWeight, kStallOutput };

/// Issues the steps of a convolution: for group, tile, step, pixel; or for tile, group, step,
/// pixel.
class ConvFeeder {
 public:
  void Start(const Descriptor& d, const HardwareConfig& config, uint16_t base_row,
             uint32_t param_rows) {
    *this = {};
    is_active_ = true;
    groups_ = d.stream_groups();
    num_steps_ = d.kernel_w() * d.kernel_h() * d.in_blocks();
    num_pixels_ = d.out_w() * d.out_h();
    tile_pixels_ = static_cast<uint32_t>(config.tile_pixels);
    shadow_entries_ = static_cast<uint32_t>(config.lanes);
    is_pixel_outer_ = d.pixel_outer() != 0;
    is_releasing_rows_ = d.release_rows() != 0;
    has_im2col_ = d.im2col() != 0;
    param_rows_ = param_rows;
    group_rows_ = param_rows + d.stream_weight_rows();
    base_row_ = group_row_ = base_row;
    StartTile(0);
  }

  bool is_active() const { return is_active_; }

  /// What this cycle does, from the state at its start.
  struct Decision {
    Class kind = Class::kStallOutput;
    bool is_issue = false, is_row_read = false, is_result = false;
  };
  Decision Decide(const ParameterLoader& loader, uint16_t rows_written, uint32_t im2col_pixels,
                  bool is_im2col_done) const {
    Decision decision;
    if (!is_active_) return decision;
    const bool has_pixels =
        !has_im2col_ || is_im2col_done || im2col_pixels >= tile_first_ + tile_pixels_;
    const bool needs_row = pixel_ == 0;
    const bool has_row = !needs_row || IsWritten(rows_written, row());
    const bool is_last_step = step_ + 1 == num_steps_;
    const bool has_shadow = !is_last_step || shadow_used_ < shadow_entries_;
    if (!has_pixels) {
      decision.kind = Class::kStallActivation;
    } else if (!loader.is_fresh(set_) || !has_row) {
      decision.kind = Class::kStallWeight;
    } else if (has_shadow) {
      decision = {Class::kBusy, true, needs_row, is_last_step};
    }
    return decision;
  }
  /// After a decision to issue: issues, this one included, that only move on through the tile's
  /// steps. The last step is not among them, nor are rows that are not written yet.
  int64_t QuietIssues(uint16_t rows_written) const {
    if (step_ + 1 == num_steps_ || (is_releasing_rows_ && pixel_ == 0)) return 0;
    const uint32_t written = is_releasing_rows_ ? 1 : static_cast<uint16_t>(rows_written - row());
    const uint32_t end = std::min(num_steps_ - 1, step_ + written);
    return int64_t{end - step_} * tile_size_ - pixel_;
  }
  void Skip(int64_t issues) {
    const int64_t pixels = pixel_ + issues;
    step_ += static_cast<uint32_t>(pixels / tile_size_);
    pixel_ = static_cast<uint32_t>(pixels % tile_size_);
  }

  struct Outcome {
    int used_set = kNone;
    bool is_release = false;
    uint16_t release_row = 0;
  };
  Outcome Clock(const Decision& decision, bool is_consumed) {
    Outcome outcome;
    if (decision.is_result) ++shadow_used_;
    if (is_consumed) --shadow_used_;
    if (!decision.is_issue) return outcome;
    if (is_releasing_rows_ && decision.is_row_read) {
      outcome.is_release = true;
      outcome.release_row = static_cast<uint16_t>(row() + 1);
    }
    if (++pixel_ < tile_size_) return outcome;
    pixel_ = 0;
    if (++step_ < num_steps_) return outcome;
    step_ = 0;
    const bool is_last_tile = tile_first_ + tile_size_ == num_pixels_;
    const bool is_last_group = group_ + 1 == groups_;
    if (is_last_tile && (!is_pixel_outer_ || is_last_group) && !is_releasing_rows_) {
      outcome.is_release = true;
      outcome.release_row = static_cast<uint16_t>(group_row_ + group_rows_);
    }
    if (is_last_tile && is_last_group) is_active_ = false;
    if (is_pixel_outer_ || is_last_tile) {
      outcome.used_set = set_;
      set_ ^= 1;
      group_ = is_last_group ? 0 : group_ + 1;
      group_row_ = is_last_group ? base_row_ : static_cast<uint16_t>(group_row_ + group_rows_);
    }
    if (!is_pixel_outer_ || is_last_group) {
      StartTile(is_last_tile ? 0 : tile_first_ + tile_size_);
    }
    return outcome;
  }

 private:
  uint16_t row() const { return static_cast<uint16_t>(group_row_ + param_rows_ + step_); }
  void StartTile(uint32_t first) {
    tile_first_ = first;
    tile_size_ = std::min(tile_pixels_, num_pixels_ - first);
  }

  bool is_active_ = false, is_pixel_outer_ = false, is_releasing_rows_ = false, has_im2col_ = false;
  uint32_t groups_ = 0, num_steps_ = 0, num_pixels_ = 0, tile_pixels_ = 0, shadow_entries_ = 0;
  uint32_t param_rows_ = 0, group_rows_ = 0;
  uint16_t base_row_ = 0, group_row_ = 0;
  uint32_t group_ = 0, tile_first_ = 0, tile_size_ = 0, step_ = 0, pixel_ = 0, shadow_used_ = 0;
  int set_ = 0;
};

/// Gathers the windows of a small-channel input beside the convolution.
class Im2col {
 public:
  void Start(const Descriptor& d, const HardwareConfig& config) {
    *this = {};
    is_active_ = true;
    lanes_ = static_cast<uint32_t>(config.lanes);
    run_bytes_ = d.run_bytes();
    kernel_h_ = d.stage_kernel_h();
    out_w_ = d.out_w();
    out_h_ = d.out_h();
    x_step_ = d.in_x_step();
    y_step_ = d.in_y_step();
    plane_pitch_ = d.in_plane_pitch();
    pixel_address_ = line_address_ = d.in_origin();
  }

  uint32_t num_pixels() const { return num_pixels_; }
  bool is_done() const { return !is_active_ && !has_run_ && !is_flushing_ && !is_writing_; }
  /// The word written in this cycle, if its bank is free.
  bool is_writing() const { return is_writing_; }
  uint32_t write_address() const { return write_address_; }

  void Clock(bool is_write_accepted) {
    const uint32_t filled = fill_ + run_count_;
    const bool is_ready = !is_writing_ || is_write_accepted;
    const bool is_emitting = is_flushing_ || (has_run_ && (filled >= lanes_ || is_pixel_end_));
    const bool is_spilling = has_run_ && is_pixel_end_ && filled > lanes_;
    const bool is_advancing =
        !is_flushing_ && (!has_run_ || !is_emitting || is_ready) && !is_spilling;
    const bool was_flushing = is_flushing_;
    if (is_writing_ && is_write_accepted) {
      is_writing_ = false;
      if (is_last_word_) ++num_pixels_;
    }
    if (was_flushing) {
      if (is_ready) {
        Emit(block_address_, true);
        is_flushing_ = false;
        fill_ = 0;
        is_first_word_ = true;
      }
    } else if (has_run_ && (!is_emitting || is_ready)) {
      has_run_ = false;
      const bool is_end = is_pixel_end_ && filled <= lanes_;
      if (is_emitting) {
        const uint32_t address = is_first_word_ ? run_address_ : block_address_;
        Emit(address, is_end);
        block_address_ = address + plane_pitch_;
        is_first_word_ = is_end;
      }
      fill_ = filled % lanes_;
      if (is_spilling) is_flushing_ = true;
      if (is_end) fill_ = 0;
    }
    if (is_active_ && is_advancing) Advance();
  }

 private:
  void Emit(uint32_t address, bool is_last) {
    is_writing_ = true;
    write_address_ = address;
    is_last_word_ = is_last;
  }

  /// Reads one run.
  void Advance() {
    const uint32_t left = run_bytes_ - run_;
    const bool is_last_run = left <= lanes_;
    const bool is_last_ky = ky_ + 1 == kernel_h_;
    has_run_ = true;
    run_count_ = is_last_run ? left : lanes_;
    is_pixel_end_ = is_last_run && is_last_ky;
    run_address_ = pixel_address_;
    run_ = is_last_run ? 0 : run_ + lanes_;
    if (!is_last_run) return;
    ky_ = is_last_ky ? 0 : ky_ + 1;
    if (!is_last_ky) return;
    pixel_address_ += x_step_;
    if (++x_ < out_w_) return;
    x_ = 0;
    line_address_ += y_step_;
    pixel_address_ = line_address_;
    if (++y_ == out_h_) is_active_ = false;
  }

  uint32_t lanes_ = 0, run_bytes_ = 0, kernel_h_ = 0, out_w_ = 0, out_h_ = 0;
  uint32_t x_step_ = 0, y_step_ = 0, plane_pitch_ = 0;
  bool is_active_ = false;
  uint32_t run_ = 0, ky_ = 0, x_ = 0, y_ = 0, pixel_address_ = 0, line_address_ = 0;
  bool has_run_ = false, is_pixel_end_ = false, is_flushing_ = false;
  uint32_t run_count_ = 0, run_address_ = 0, fill_ = 0, block_address_ = 0;
  bool is_writing_ = false, is_last_word_ = false, is_first_word_ = true;
  uint32_t write_address_ = 0, num_pixels_ = 0;
};

}  // namespace macloom::arch::cycle
