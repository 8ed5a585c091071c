// Depthwise and pooling feeder with its two window buffers, as far as time is concerned (twin:
// loom_dw_feeder). Part of the cycle model.
#pragma once

#include <algorithm>
#include <cstdint>

#include "arch/cycle_dense.h"

namespace macloom::arch::cycle {

/// Loops for block, y, group of pixels, ky, chunk of taps; one side fills buffers, one issues taps.
class WindowFeeder {
 public:
  void Start(const Descriptor& d, const HardwareConfig& config, uint16_t base_row,
             uint32_t param_rows) {
    *this = {};
    is_active_ = is_filling_ = true;
    rows_ = static_cast<uint32_t>(config.rows);
    banks_ = static_cast<uint32_t>(config.activation_banks);
    chunks_ = static_cast<uint32_t>(config.lanes / config.requant_lanes);
    out_w_ = d.out_w();
    lines_ = d.out_h();
    blocks_ = d.in_blocks();
    kernel_w_ = d.kernel_w();
    kernel_h_ = d.kernel_h();
    stride_ = d.stride_w() == 2 ? 2 : 1;
    window_taps_ = d.window_taps();
    group_rows_ = d.group_rows();
    has_weights_ = d.unit_weights() == 0;
    param_rows_ = param_rows;
    total_rows_ = param_rows + d.stream_weight_rows();
    block_row_ = base_row;
    chunk_left_ = window_taps_;
  }

  bool is_active() const { return is_active_; }

  struct Decision {
    Class kind = Class::kStallOutput;
    bool is_issue = false, is_row_read = false, is_result = false;
  };
  Decision Decide(const ParameterLoader& loader, uint16_t rows_written) const {
    Decision decision;
    if (!is_active_) return decision;
    const bool has_params = !has_weights_ || loader.is_fresh(set_);
    const bool needs_row = has_weights_ && tap_ % rows_ == 0;
    const bool has_row =
        !needs_row ||
        IsWritten(rows_written, static_cast<uint16_t>(block_row_ + param_rows_ + tap_ / rows_));
    const bool is_last_tap = tap_ + 1 == kernel_w_ * kernel_h_;
    if (!has_params || !has_row) {
      decision.kind = Class::kStallWeight;
    } else if (!is_ready_[buffer_]) {
      decision.kind = Class::kStallActivation;
    } else if (!is_last_tap || cooldown_ == 0) {
      decision = {Class::kBusy, true, needs_row, is_last_tap};
    }
    return decision;
  }

  struct Outcome {
    int used_set = kNone;
    bool is_release = false;
    uint16_t release_row = 0;
  };
  Outcome Clock(const Decision& decision) {
    Outcome outcome;
    const bool can_fill = is_filling_ && (!is_busy_[fill_buffer_] || fill_slot_ != 0 ||
                                          (is_taken_ && taken_buffer_ == fill_buffer_));
    if (is_taken_) is_busy_[taken_buffer_] = false;
    is_taken_ = false;
    if (decision.is_result) {
      const uint32_t left = out_w_ - x_;
      cooldown_ = std::min(left, group_rows_) * chunks_ - 1;
    } else if (cooldown_ != 0) {
      --cooldown_;
    }
    if (decision.is_issue) outcome = Issue();
    if (can_fill) Fill();
    return outcome;
  }

 private:
  Outcome Issue() {
    Outcome outcome;
    const bool is_last_kx = kx_ + 1 == kernel_w_;
    if (is_last_kx || chunk_left_ == 1) {
      is_ready_[buffer_] = false;
      is_taken_ = true;
      taken_buffer_ = buffer_;
      buffer_ ^= 1;
      chunk_left_ = window_taps_;
    } else {
      --chunk_left_;
    }
    ++tap_;
    kx_ = is_last_kx ? 0 : kx_ + 1;
    if (tap_ < kernel_w_ * kernel_h_) return outcome;
    tap_ = 0;
    x_ += group_rows_;
    if (x_ < out_w_) return outcome;
    x_ = 0;
    if (++y_ < lines_) return outcome;
    y_ = 0;
    outcome.used_set = set_;
    set_ ^= 1;
    block_row_ = static_cast<uint16_t>(block_row_ + total_rows_);
    if (has_weights_) {
      outcome.is_release = true;
      outcome.release_row = block_row_;
    }
    if (++block_ == blocks_) is_active_ = false;
    return outcome;
  }

  /// Writes up to `banks_` words of the buffer.
  void Fill() {
    const uint32_t rows = std::min(out_w_ - fill_x_, group_rows_);
    const uint32_t taps = std::min(kernel_w_ - fill_kx_, window_taps_);
    const uint32_t words = taps + stride_ * (rows - 1);
    is_busy_[fill_buffer_] = true;
    fill_slot_ += banks_;
    if (fill_slot_ < words) return;
    fill_slot_ = 0;
    is_ready_[fill_buffer_] = true;
    fill_buffer_ ^= 1;
    fill_kx_ += window_taps_;
    if (fill_kx_ < kernel_w_) return;
    fill_kx_ = 0;
    if (++fill_ky_ < kernel_h_) return;
    fill_ky_ = 0;
    fill_x_ += group_rows_;
    if (fill_x_ < out_w_) return;
    fill_x_ = 0;
    if (++fill_y_ < lines_) return;
    fill_y_ = 0;
    if (++fill_block_ == blocks_) is_filling_ = false;
  }

  uint32_t rows_ = 0, banks_ = 0, chunks_ = 0, out_w_ = 0, lines_ = 0, blocks_ = 0;
  uint32_t kernel_w_ = 0, kernel_h_ = 0, stride_ = 1, window_taps_ = 0, group_rows_ = 0;
  uint32_t param_rows_ = 0, total_rows_ = 0;
  bool has_weights_ = false;
  // Fill.
  bool is_filling_ = false, is_busy_[2] = {}, is_ready_[2] = {};
  int fill_buffer_ = 0;
  uint32_t fill_block_ = 0, fill_y_ = 0, fill_x_ = 0, fill_ky_ = 0, fill_kx_ = 0, fill_slot_ = 0;
  // Issue.
  bool is_active_ = false, is_taken_ = false;
  int buffer_ = 0, taken_buffer_ = 0, set_ = 0;
  uint16_t block_row_ = 0;
  uint32_t block_ = 0, y_ = 0, x_ = 0, kx_ = 0, tap_ = 0, chunk_left_ = 0, cooldown_ = 0;
};

}  // namespace macloom::arch::cycle
