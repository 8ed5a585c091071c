// The weight stream and the parameter sets, as far as time is concerned (twins: loom_stream_dma,
// loom_param_loader). Part of the cycle model. Row numbers count modulo 2^16 as in the RTL.
#pragma once

#include <array>
#include <cstdint>

#include "arch/cycle_memory.h"

namespace macloom::arch::cycle {

/// Row `row` is complete when `written` rows are.
inline bool IsWritten(uint16_t written, uint16_t row) {
  const uint16_t ahead = static_cast<uint16_t>(written - row);
  return ahead != 0 && ahead < 0x8000;
}

/// Fills the ring in descriptor order, ahead of use.
class StreamDma {
 public:
  StreamDma(uint32_t row_bytes, uint32_t ring_rows, uint32_t beat_bytes)
      : row_bytes_(row_bytes), ring_rows_(ring_rows), beat_bytes_(beat_bytes) {}

  uint16_t rows_written() const { return in_row_; }

  /// Beats of the burst asked for in this cycle, 0 for none.
  uint32_t Request(uint16_t rows_freed) const {
    if (!is_asking_) return 0;
    const uint32_t beats = BurstBeats(ask_address_, ask_left_, beat_bytes_);
    const uint16_t used = static_cast<uint16_t>(ask_row_ + RowsAfter(beats) - rows_freed);
    return used <= ring_rows_ ? beats : 0;
  }
  /// The next cycle changes nothing unless a beat, a push or a freed row comes.
  bool IsQuiet() const { return is_asking_ || ask_ == push_; }
  /// Beats until a row is complete.
  int64_t BeatsToRow() const {
    return std::min(row_bytes_ - in_offset_ % row_bytes_, SectionBytes() - in_offset_) /
           beat_bytes_;
  }
  /// Beats that went by unseen; fewer than BeatsToRow().
  void Skip(int64_t beats) { in_offset_ += static_cast<uint32_t>(beats) * beat_bytes_; }

  /// One cycle. `pushed` is the descriptor that arrived, or null.
  void Clock(const Descriptor* pushed, uint32_t granted_beats, bool is_beat) {
    const uint32_t pushes = push_;
    if (pushed != nullptr) {
      queue_[push_ % 4] = {pushed->stream_address(), pushed->stream_groups(),
                           pushed->stream_param_bytes(), pushed->stream_weight_rows()};
      ++push_;
    }
    if (is_beat) Arrive();
    if (!is_asking_) {
      if (ask_ != pushes) {
        is_asking_ = true;
        is_asking_weights_ = false;
        ask_group_ = 0;
        ask_address_ = queue_[ask_ % 4].address;
        ask_left_ = queue_[ask_ % 4].param_bytes / beat_bytes_;
        ask_offset_ = 0;
      }
    } else if (granted_beats != 0) {
      Asked(granted_beats);
    }
  }

 private:
  struct Stream {
    uint32_t address = 0, groups = 0, param_bytes = 0, weight_rows = 0;
  };

  uint16_t RowsAfter(uint32_t beats) const {
    return static_cast<uint16_t>((ask_offset_ + beats * beat_bytes_ + row_bytes_ - 1) / row_bytes_);
  }
  uint32_t SectionBytes() const {
    const Stream& stream = queue_[take_ % 4];
    return is_in_weights_ ? stream.weight_rows * row_bytes_ : stream.param_bytes;
  }

  void Asked(uint32_t beats) {
    const Stream& stream = queue_[ask_ % 4];
    const uint16_t rows_after = RowsAfter(beats);
    ask_address_ += beats * beat_bytes_;
    ask_offset_ += beats * beat_bytes_;
    ask_left_ -= beats;
    if (ask_left_ != 0) return;
    ask_left_ = is_asking_weights_ ? stream.param_bytes / beat_bytes_
                                   : stream.weight_rows * (row_bytes_ / beat_bytes_);
    ask_offset_ = 0;
    ask_row_ = static_cast<uint16_t>(ask_row_ + rows_after);
    is_asking_weights_ = !is_asking_weights_;
    if (is_asking_weights_) return;
    if (++ask_group_ == stream.groups) {
      is_asking_ = false;
      ++ask_;
    }
  }

  void Arrive() {
    const uint32_t section = SectionBytes();
    in_offset_ += beat_bytes_;
    const bool is_section_end = in_offset_ == section;
    if (is_section_end || in_offset_ % row_bytes_ == 0) ++in_row_;
    if (!is_section_end) return;
    in_offset_ = 0;
    is_in_weights_ = !is_in_weights_;
    if (is_in_weights_) return;
    if (++in_group_ == queue_[take_ % 4].groups) {
      in_group_ = 0;
      ++take_;
    }
  }

  uint32_t row_bytes_, ring_rows_, beat_bytes_;
  std::array<Stream, 4> queue_;
  uint32_t push_ = 0, ask_ = 0, take_ = 0;
  bool is_asking_ = false, is_asking_weights_ = false;
  uint32_t ask_group_ = 0, ask_address_ = 0, ask_left_ = 0, ask_offset_ = 0;
  uint16_t ask_row_ = 0;
  bool is_in_weights_ = false;
  uint32_t in_group_ = 0, in_offset_ = 0;
  uint16_t in_row_ = 0;
};

/// Fills two parameter sets ahead of the visits that use them.
class ParameterLoader {
 public:
  void Start(const Descriptor& d, uint16_t base_row, uint32_t param_rows) {
    *this = {};
    is_active_ = d.stream_groups() != 0;
    groups_ = d.stream_groups();
    param_rows_ = param_rows;
    group_rows_ = param_rows + d.stream_weight_rows();
    is_repeated_ = d.pixel_outer() != 0;
    base_row_ = group_row_ = base_row;
  }

  bool is_fresh(int set) const { return is_fresh_[set]; }

  bool IsRequesting(uint16_t rows_written) const {
    return is_active_ && !is_exhausted_ && !is_loaded_[set_] &&
           !(has_data_ && is_data_last_ && data_set_ == set_) &&
           IsWritten(rows_written, static_cast<uint16_t>(group_row_ + index_));
  }
  /// The next cycle changes nothing unless a row is granted, used or released.
  bool IsQuiet() const { return !has_data_; }

  /// One cycle. `used_set` and `released_set` are sets or kNone.
  void Clock(bool is_granted, int used_set, int released_set) {
    const bool is_last = index_ + 1 == param_rows_;
    if (released_set != kNone) is_loaded_[released_set] = false;
    if (used_set != kNone) is_fresh_[used_set] = false;
    if (has_data_ && is_data_last_) is_loaded_[data_set_] = is_fresh_[data_set_] = true;
    has_data_ = is_granted;
    is_data_last_ = is_last;
    data_set_ = set_;
    if (!is_granted) return;
    ++index_;
    if (!is_last) return;
    index_ = 0;
    set_ ^= 1;
    ++group_;
    group_row_ = static_cast<uint16_t>(group_row_ + group_rows_);
    if (group_ == groups_) {
      group_ = 0;
      group_row_ = base_row_;
      is_exhausted_ = !is_repeated_;
    }
  }

 private:
  bool is_active_ = false, is_repeated_ = false, is_exhausted_ = false;
  uint32_t groups_ = 0, param_rows_ = 0, group_rows_ = 0;
  uint16_t base_row_ = 0, group_row_ = 0;
  uint32_t group_ = 0, index_ = 0;
  int set_ = 0;
  bool is_loaded_[2] = {}, is_fresh_[2] = {};
  bool has_data_ = false, is_data_last_ = false;
  int data_set_ = 0;
};

}  // namespace macloom::arch::cycle
