// Drain and requantization lanes, as far as time is concerned (twins: loom_drain, loom_writeback).
// Part of the cycle model.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "arch/cycle_stream.h"

namespace macloom::arch::cycle {

/// Cycles from a chunk at the requantization lanes to its word write.
inline int LaneLatency(const HardwareConfig& config) {
  if (config.is_minifloat()) return 3;
  return config.requant_kind == RequantKind::kShift ? 2 : 5;
}

/// Reads finished sums, one chunk per cycle, in the order in which they are captured.
class Drain {
 public:
  void Start(const Descriptor& d, const HardwareConfig& config) {
    *this = {};
    is_active_ = true;
    is_depthwise_ = d.opcode() == static_cast<uint32_t>(Opcode::kDepthwise);
    is_pixel_outer_ = !is_depthwise_ && d.pixel_outer() != 0;
    chunks_ =
        static_cast<uint32_t>(is_depthwise_ ? config.lanes / config.requant_lanes
                                            : std::max(1, config.rows / config.requant_lanes));
    groups_ = is_depthwise_ ? d.in_blocks() : d.stream_groups();
    slots_ = static_cast<uint32_t>(config.lanes / config.rows);
    tile_pixels_ = static_cast<uint32_t>(config.tile_pixels);
    group_rows_ = d.group_rows();
    out_w_ = d.out_w();
    out_h_ = d.out_h();
    x_pitch_ = d.out_col_pitch();
    y_pitch_ = d.out_row_pitch();
    plane_pitch_ = d.out_plane_pitch();
    base_ = d.out_base();
    Restart();
  }

  bool is_active() const { return is_active_; }
  bool is_reading(bool is_captured) const { return is_active_ && (pending_ != 0 || is_captured); }
  /// The next cycle changes nothing unless a result is captured.
  bool IsQuiet() const { return pending_ == 0; }

  struct Outcome {
    bool is_consumed = false;  ///< A dense shadow entry is free.
    int released_set = kNone;
    uint32_t address = 0;  ///< Word of the chunk read.
  };
  Outcome Clock(bool is_captured) {
    Outcome outcome;
    const bool is_read = is_reading(is_captured);
    if (is_captured) ++pending_;
    if (!is_read) return outcome;
    outcome.address = address_ + plane_;
    if (++chunk_ < chunks_) return outcome;
    chunk_ = 0;
    outcome.is_consumed = !is_depthwise_;
    const bool is_last_x = x_ + 1 == out_w_;
    const bool is_last_pixel = is_last_x && y_ + 1 == out_h_;
    const bool is_tile_end = is_last_pixel || tile_pixel_ + 1 == tile_pixels_;
    const bool is_row_end = is_last_x || row_ + 1 == group_rows_;
    if (!is_depthwise_ || is_row_end) --pending_;
    row_ = is_row_end ? 0 : row_ + 1;
    tile_pixel_ = is_tile_end ? 0 : tile_pixel_ + 1;
    const bool is_visit_end = is_pixel_outer_ ? is_tile_end : is_last_pixel;
    const bool is_last_group = group_ + 1 == groups_;
    if (is_pixel_outer_ && is_tile_end && !is_last_group) {
      x_ = tile_x_;
      y_ = tile_y_;
      address_ = tile_address_;
      line_ = tile_line_;
    } else if (is_last_pixel) {
      Restart();
    } else {
      x_ = is_last_x ? 0 : x_ + 1;
      if (is_last_x) ++y_;
      if (is_last_x) line_ += y_pitch_;
      address_ = is_last_x ? line_ : address_ + x_pitch_;
      if (is_tile_end) MarkTile();
    }
    if (is_visit_end) {
      outcome.released_set = set_;
      set_ ^= 1;
      if (is_last_pixel && is_last_group) is_active_ = false;
      NextGroup(is_last_group);
    }
    return outcome;
  }

 private:
  void Restart() {
    x_ = y_ = 0;
    address_ = line_ = base_;
    MarkTile();
  }
  void MarkTile() {
    tile_x_ = x_;
    tile_y_ = y_;
    tile_address_ = address_;
    tile_line_ = line_;
  }
  void NextGroup(bool is_last_group) {
    if (is_depthwise_) {
      ++group_;
      plane_ += plane_pitch_;
    } else if (is_last_group) {
      group_ = slot_ = plane_ = 0;
    } else {
      ++group_;
      if (++slot_ == slots_) {
        slot_ = 0;
        plane_ += plane_pitch_;
      }
    }
  }

  bool is_active_ = false, is_depthwise_ = false, is_pixel_outer_ = false;
  uint32_t chunks_ = 0, groups_ = 0, slots_ = 0, tile_pixels_ = 0, group_rows_ = 0;
  uint32_t out_w_ = 0, out_h_ = 0, x_pitch_ = 0, y_pitch_ = 0, plane_pitch_ = 0, base_ = 0;
  uint32_t pending_ = 0, chunk_ = 0, x_ = 0, y_ = 0, row_ = 0, tile_pixel_ = 0;
  uint32_t group_ = 0, slot_ = 0, plane_ = 0, address_ = 0, line_ = 0;
  uint32_t tile_x_ = 0, tile_y_ = 0, tile_address_ = 0, tile_line_ = 0;
  int set_ = 0;
};

/// A fixed delay: what enters in cycle c is at the end in cycle c + `cycles`, with a tag.
class Delay {
 public:
  void Start(int cycles) {
    cycles_ = cycles;
    mask_ = 0;
    now_ = 0;
  }
  bool is_at_end() const { return (mask_ & 1) != 0; }
  uint32_t tag() const { return tags_[now_ % kMost]; }
  bool is_empty() const { return mask_ == 0; }
  void Clock(bool enters, uint32_t tag = 0) {
    mask_ >>= 1;
    if (enters) {
      mask_ |= 1u << (cycles_ - 1);
      tags_[(now_ + static_cast<uint32_t>(cycles_)) % kMost] = tag;
    }
    ++now_;
  }
  /// `cycles` cycles in which nothing enters.
  void Skip(int64_t cycles) {
    mask_ = cycles < 32 ? mask_ >> cycles : 0;
    now_ += static_cast<uint32_t>(cycles);
  }

 private:
  static constexpr uint32_t kMost = 8;
  int cycles_ = 1;
  uint32_t mask_ = 0, now_ = 0;
  std::array<uint32_t, kMost> tags_{};
};

}  // namespace macloom::arch::cycle
