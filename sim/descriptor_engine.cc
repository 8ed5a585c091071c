#include "sim/descriptor_engine.h"

#include <fmt/format.h>

#include <algorithm>

namespace macloom::sim {
namespace {

Error Bad(const arch::Descriptor& d, const std::string& text) {
  return {ErrorKind::kCheckFailed, fmt::format("descriptor device: tag {}: {}", d.tag(), text)};
}

/// Parameters of one channel as the lanes see them.
struct Channel {
  int64_t start = 0;
  int64_t multiplier = 0;
  int shift = 0;
};

/// One operation: the descriptor, the machine, and the helpers every operator needs.
class Operation {
 public:
  Operation(MachineState& machine, const arch::Descriptor& d)
      : m_(machine), d_(d), lanes_(machine.config.lanes), rows_(machine.config.rows) {
    const int64_t half = int64_t{1} << (machine.accumulator_bits - 1);
    low_ = -half;
    high_ = half - 1;
  }

  Status Run() {
    if (d_.version() != arch::kDescriptorVersion) {
      return Bad(d_, fmt::format("version {}", d_.version()));
    }
    Status status;
    switch (static_cast<arch::Opcode>(d_.opcode())) {
      case arch::Opcode::kEnd:
        return {};
      case arch::Opcode::kLoad:
      case arch::Opcode::kStore:
        return Transfer();
      case arch::Opcode::kConv:
        status = d_.im2col() ? Im2col() : Status();
        if (status.ok()) status = Conv();
        break;
      case arch::Opcode::kDepthwise:
        status = Depthwise();
        break;
      case arch::Opcode::kAdd:
        status = Add();
        break;
      default:
        return Bad(d_, fmt::format("opcode {}", d_.opcode()));
    }
    if (status.ok() && out_of_range_)
      status = Bad(d_, "word address outside the activation memory");
    return status;
  }

 private:
  //--- memories -------------------------------------------------------------------------------

  int8_t Code(int64_t word, int lane) {
    const uint64_t byte = static_cast<uint64_t>(word & 0xFFFF) * lanes_ + lane;
    if (byte >= m_.activation.size()) {
      out_of_range_ = true;
      return 0;
    }
    return static_cast<int8_t>(m_.activation[byte]);
  }

  void Put(int64_t word, int lane, int value) {
    const uint64_t byte = static_cast<uint64_t>(word & 0xFFFF) * lanes_ + lane;
    if (byte >= m_.activation.size()) {
      out_of_range_ = true;
      return;
    }
    m_.activation[byte] = static_cast<uint8_t>(value);
  }

  Status Transfer() {
    const bool is_load = d_.opcode() == static_cast<uint32_t>(arch::Opcode::kLoad);
    const int64_t beat = m_.config.axi_bytes();
    std::vector<uint8_t>& chip = is_load && d_.to_staging() ? m_.staging : m_.activation;
    if (d_.row_bytes() == 0 || d_.row_bytes() % beat != 0 || d_.ext_address() % beat != 0) {
      return Bad(d_,
                 fmt::format("row_bytes {}, ext_address 0x{:X}: not multiples of the {}-byte beat",
                             d_.row_bytes(), d_.ext_address(), beat));
    }
    for (uint32_t plane = 0; plane < d_.dma_planes(); ++plane) {
      for (uint32_t row = 0; row < d_.dma_rows(); ++row) {
        const uint64_t external = uint64_t{d_.ext_address()} +
                                  uint64_t{plane} * d_.ext_plane_pitch() +
                                  uint64_t{row} * d_.ext_row_pitch();
        const uint32_t base = is_load ? d_.out_base() : d_.in_origin();
        const uint32_t row_pitch = is_load ? d_.out_row_pitch() : d_.in_row_pitch();
        const uint32_t plane_pitch = is_load ? d_.out_plane_pitch() : d_.in_plane_pitch();
        const uint64_t word = (base + plane * plane_pitch + row * row_pitch) & 0xFFFF;
        const uint64_t on_chip = word * static_cast<uint64_t>(lanes_);
        if (external + d_.row_bytes() > m_.memory.size() ||
            on_chip + d_.row_bytes() > chip.size()) {
          return Bad(d_, fmt::format("transfer of {} bytes at 0x{:X} / word {} leaves a memory",
                                     d_.row_bytes(), external, word));
        }
        const auto from = (is_load ? m_.memory.begin() + static_cast<int64_t>(external)
                                   : chip.begin() + static_cast<int64_t>(on_chip));
        const auto to = (is_load ? chip.begin() + static_cast<int64_t>(on_chip)
                                 : m_.memory.begin() + static_cast<int64_t>(external));
        std::copy(from, from + d_.row_bytes(), to);
      }
    }
    return {};
  }

  //--- stream ---------------------------------------------------------------------------------

  /// Reads group `group`'s parameters into `channels_` and finds its weights.
  Status OpenGroup(uint32_t group, int entries) {
    const uint64_t row_bytes = static_cast<uint64_t>(rows_) * lanes_;
    const uint64_t group_bytes = d_.stream_param_bytes() + d_.stream_weight_rows() * row_bytes;
    const uint64_t base = d_.stream_address() + group * group_bytes;
    const int record = d_.per_layer() ? 4 : arch::kParameterRecordBytes;
    if (group >= d_.stream_groups() || base + group_bytes > m_.memory.size() ||
        static_cast<uint64_t>(entries) * record > d_.stream_param_bytes()) {
      return Bad(d_, fmt::format("stream_address 0x{:X}: group {} of {} lies outside",
                                 d_.stream_address(), group, d_.stream_groups()));
    }
    channels_.assign(static_cast<size_t>(entries), {});
    for (int e = 0; e < entries; ++e) {
      const uint64_t at = base + static_cast<uint64_t>(e) * record;
      Channel& channel = channels_[static_cast<size_t>(e)];
      channel.start = Reduce(static_cast<int32_t>(m_.ReadWord(at)));
      if (!d_.per_layer()) {
        channel.multiplier = static_cast<int32_t>(m_.ReadWord(at + 4));
        channel.shift = static_cast<int8_t>(m_.memory[at + 8]);
      } else {
        channel.multiplier = static_cast<int32_t>(d_.multiplier());
        channel.shift = d_.shift_signed();
      }
    }
    weights_ = reinterpret_cast<const int8_t*>(m_.memory.data() + base + d_.stream_param_bytes());
    return {};
  }

  Status CheckWeights(int64_t needed_rows) const {
    if (needed_rows == d_.stream_weight_rows()) return {};
    return Bad(d_, fmt::format("stream_weight_rows {}: the operation uses {}",
                               d_.stream_weight_rows(), needed_rows));
  }

  //--- arithmetic -----------------------------------------------------------------------------

  int64_t Reduce(int64_t value) const {
    const int unused = 64 - m_.accumulator_bits;
    return static_cast<int64_t>(static_cast<uint64_t>(value) << unused) >> unused;
  }

  /// One accumulator step; counts an event if `counts`.
  int64_t Accumulate(int64_t acc, int64_t sum, bool counts) {
    const int64_t exact = acc + sum;
    if (exact >= low_ && exact <= high_) return exact;
    if (counts) ++m_.counters.overflow_events;
    if (d_.saturate()) return exact < low_ ? low_ : high_;
    return Reduce(exact);
  }

  /// Rounds half away from zero at bit n.
  static int64_t ShiftAway(int64_t value, int n) {
    if (n == 0) return value;
    const int64_t magnitude = value < 0 ? -value : value;
    const int64_t rounded = (magnitude + (int64_t{1} << (n - 1))) >> n;
    return value < 0 ? -rounded : rounded;
  }

  int Requantize(int64_t x, int64_t multiplier, int shift) {
    int64_t y = 0;
    switch (static_cast<arch::RequantMode>(d_.requant_mode())) {
      case arch::RequantMode::kDouble: {
        const int first = 31 - std::max(shift, 0);
        const int64_t high = (x * multiplier + (int64_t{1} << (first - 1))) >> first;
        y = ShiftAway(high, std::max(-shift, 0)) + d_.zero_out_signed();
        break;
      }
      case arch::RequantMode::kSingle: {
        const int total = 31 - shift;
        y = ((x * multiplier + (int64_t{1} << (total - 1))) >> total) + d_.zero_out_signed();
        break;
      }
      default: {
        const int64_t magnitude = x < 0 ? -x : x;
        const int64_t mean = ((magnitude + d_.mean_half()) * multiplier) >> shift;
        y = x < 0 ? -mean : mean;
        break;
      }
    }
    if (y < d_.clamp_min_signed()) {
      ++m_.counters.clamped_low;
      return d_.clamp_min_signed();
    }
    if (y > d_.clamp_max_signed()) {
      ++m_.counters.clamped_high;
      return d_.clamp_max_signed();
    }
    return static_cast<int>(y);
  }

  //--- operators ------------------------------------------------------------------------------

  Status Im2col() {
    const int64_t flat = int64_t{d_.stage_kernel_h()} * d_.run_bytes();
    for (int64_t oy = 0; oy < d_.out_h(); ++oy) {
      for (int64_t ox = 0; ox < d_.out_w(); ++ox) {
        for (int64_t j = 0; j < int64_t{d_.in_blocks()} * lanes_; ++j) {
          int value = 0;
          if (j < flat) {
            const int64_t row = oy * d_.stage_stride_h() + j / d_.run_bytes() - d_.stage_pad_top();
            const int64_t col = ox * d_.stage_x_step() + j % d_.run_bytes() - d_.stage_pad_left();
            const bool inside =
                row >= 0 && row < d_.stage_rows() && col >= 0 && col < d_.stage_valid_bytes();
            value = d_.pad_code_signed();
            if (inside) {
              const uint64_t byte = static_cast<uint64_t>(row * d_.stage_row_bytes() + col);
              if (byte >= m_.staging.size())
                return Bad(d_, "im2col reads outside the staging memory");
              value = static_cast<int8_t>(m_.staging[byte]);
            }
          }
          Put(d_.in_origin() + oy * d_.in_y_step() + ox * d_.in_x_step() +
                  j / lanes_ * d_.in_plane_pitch(),
              static_cast<int>(j % lanes_), value);
        }
      }
    }
    return {};
  }

  /// Convolution: any order of pixels and groups gives the same values and event counts, so the
  /// loops are groups outermost; the steps of one accumulator are in hardware order.
  Status Conv() {
    const int64_t taps = int64_t{d_.kernel_h()} * d_.kernel_w();
    MACLOOM_RETURN_IF_ERROR(CheckWeights(taps * d_.in_blocks()));
    if (d_.stream_groups() !=
        (d_.out_channels() + static_cast<uint32_t>(rows_) - 1) / static_cast<uint32_t>(rows_)) {
      return Bad(d_, fmt::format("stream_groups {} for {} channels", d_.stream_groups(),
                                 d_.out_channels()));
    }
    std::vector<int64_t> acc(static_cast<size_t>(rows_));
    std::vector<int8_t> word(static_cast<size_t>(lanes_));
    for (uint32_t group = 0; group < d_.stream_groups(); ++group) {
      MACLOOM_RETURN_IF_ERROR(OpenGroup(group, rows_));
      const int first = static_cast<int>(group) * rows_;
      const int valid = std::min(rows_, static_cast<int>(d_.out_channels()) - first);
      for (int64_t oy = 0; oy < d_.out_h(); ++oy) {
        for (int64_t ox = 0; ox < d_.out_w(); ++ox) {
          for (int m = 0; m < rows_; ++m)
            acc[static_cast<size_t>(m)] = channels_[static_cast<size_t>(m)].start;
          int64_t step = 0;
          for (int64_t block = 0; block < d_.in_blocks(); ++block) {
            for (int64_t ky = 0; ky < d_.kernel_h(); ++ky) {
              for (int64_t kx = 0; kx < d_.kernel_w(); ++kx, ++step) {
                FetchWord(ox, oy, kx, ky, block, word);
                for (int m = 0; m < valid; ++m) {
                  const int8_t* weights = weights_ + (step * rows_ + m) * lanes_;
                  int32_t sum = 0;
                  for (int l = 0; l < lanes_; ++l) sum += word[static_cast<size_t>(l)] * weights[l];
                  acc[static_cast<size_t>(m)] = Accumulate(acc[static_cast<size_t>(m)], sum, true);
                }
                m_.counters.macs += int64_t{valid} * ValidLanes(block);
              }
            }
          }
          const int64_t to = d_.out_base() + first / lanes_ * int64_t{d_.out_plane_pitch()} +
                             oy * d_.out_row_pitch() + ox * d_.out_col_pitch();
          for (int m = 0; m < valid; ++m) {
            const Channel& channel = channels_[static_cast<size_t>(m)];
            Put(to, first % lanes_ + m,
                Requantize(acc[static_cast<size_t>(m)], channel.multiplier, channel.shift));
          }
        }
      }
    }
    return {};
  }

  Status Depthwise() {
    const bool unit = d_.unit_weights();
    const int64_t taps = int64_t{d_.kernel_h()} * d_.kernel_w();
    if (!unit) {
      MACLOOM_RETURN_IF_ERROR(CheckWeights((taps + rows_ - 1) / rows_));
      if (d_.stream_groups() != d_.in_blocks()) {
        return Bad(
            d_, fmt::format("stream_groups {} for {} blocks", d_.stream_groups(), d_.in_blocks()));
      }
    }
    const int64_t span = int64_t{d_.group_rows() - 1} * d_.stride_w() + d_.window_taps();
    if (d_.group_rows() < 1 || static_cast<int>(d_.group_rows()) > rows_ || d_.window_taps() < 1 ||
        (d_.group_rows() > 1 && d_.stride_w() > 2) || span > m_.config.window_words) {
      return Bad(d_, fmt::format("group_rows {}, window_taps {}, stride_w {} do not fit the window",
                                 d_.group_rows(), d_.window_taps(), d_.stride_w()));
    }
    if (m_.config.activation_banks > 1 && span > 1 && d_.in_col_pitch() % 2 == 0) {
      return Bad(d_, fmt::format("in_col_pitch {} is even", d_.in_col_pitch()));
    }
    std::vector<int8_t> word(static_cast<size_t>(lanes_));
    std::vector<int64_t> acc(static_cast<size_t>(lanes_));
    for (uint32_t block = 0; block < d_.in_blocks(); ++block) {
      if (!unit) MACLOOM_RETURN_IF_ERROR(OpenGroup(block, lanes_));
      const int valid = ValidLanes(block);
      for (int64_t oy = 0; oy < d_.out_h(); ++oy) {
        for (int64_t ox = 0; ox < d_.out_w(); ++ox) {
          for (int l = 0; l < valid; ++l) {
            acc[static_cast<size_t>(l)] = unit ? 0 : channels_[static_cast<size_t>(l)].start;
          }
          int64_t tap = 0;
          for (int64_t ky = 0; ky < d_.kernel_h(); ++ky) {
            for (int64_t kx = 0; kx < d_.kernel_w(); ++kx, ++tap) {
              FetchWord(ox, oy, kx, ky, block, word);
              for (int l = 0; l < valid; ++l) {
                const size_t lane = static_cast<size_t>(l);
                const int weight = unit ? 1 : weights_[tap * lanes_ + l];
                acc[lane] = Accumulate(acc[lane], word[lane] * weight, true);
              }
              if (!unit) m_.counters.macs += valid;
            }
          }
          const int64_t to = d_.out_base() + int64_t{block} * d_.out_plane_pitch() +
                             oy * d_.out_row_pitch() + ox * d_.out_col_pitch();
          for (int l = 0; l < valid; ++l) {
            const size_t lane = static_cast<size_t>(l);
            const bool from_descriptor = unit || d_.per_layer();
            const int64_t multiplier = from_descriptor ? static_cast<int32_t>(d_.multiplier())
                                                       : channels_[lane].multiplier;
            const int shift = from_descriptor ? d_.shift_signed() : channels_[lane].shift;
            Put(to, l, Requantize(acc[lane], multiplier, shift));
          }
        }
      }
    }
    return {};
  }

  Status Add() {
    const bool is_single = d_.requant_mode() == static_cast<uint32_t>(arch::RequantMode::kSingle);
    const int shift = d_.add_shift_signed();
    if (shift > 0 || shift < -31) return Bad(d_, fmt::format("add_shift {}", shift));
    const int64_t multiplier = static_cast<int32_t>(d_.add_multiplier());
    for (uint32_t block = 0; block < d_.in_blocks(); ++block) {
      const int valid = ValidLanes(block);
      for (int64_t y = 0; y < d_.out_h(); ++y) {
        for (int64_t x = 0; x < d_.out_w(); ++x) {
          const int64_t offset =
              int64_t{block} * d_.in_plane_pitch() + y * d_.in_row_pitch() + x * d_.in_col_pitch();
          const int64_t to = d_.out_base() + int64_t{block} * d_.out_plane_pitch() +
                             y * d_.out_row_pitch() + x * d_.out_col_pitch();
          for (int l = 0; l < valid; ++l) {
            const int64_t a = int64_t{Code(d_.in_origin() + offset, l)} - d_.add_zero_a_signed();
            const int64_t b = int64_t{Code(d_.in2_origin() + offset, l)} - d_.add_zero_b_signed();
            const int64_t scaled =
                is_single ? (b * multiplier + (int64_t{1} << (10 - shift))) >> (11 - shift)
                          : ShiftAway((b * multiplier + (1 << 10)) >> 11, -shift);
            Put(to, l,
                Requantize(a * (1 << 19) + scaled, static_cast<int32_t>(d_.multiplier()),
                           d_.shift_signed()));
          }
        }
      }
    }
    return {};
  }

  //--- input words ----------------------------------------------------------------------------

  int ValidLanes(int64_t block) const {
    return block + 1 == d_.in_blocks() ? static_cast<int>(d_.last_lanes()) : lanes_;
  }

  void FetchWord(int64_t ox, int64_t oy, int64_t kx, int64_t ky, int64_t block,
                 std::vector<int8_t>& word) {
    const int64_t ix = ox * d_.stride_w() + kx - d_.pad_left();
    const int64_t iy = oy * d_.stride_h() + ky - d_.pad_top();
    if (ix < 0 || iy < 0 || ix >= d_.in_w() || iy >= d_.in_h()) {
      std::fill(word.begin(), word.end(), static_cast<int8_t>(d_.pad_code_signed()));
      return;
    }
    const int64_t address =
        (d_.in_origin() + ox * d_.in_x_step() + oy * d_.in_y_step() + block * d_.in_plane_pitch() +
         ky * d_.in_row_pitch() + kx * d_.in_col_pitch()) &
        0xFFFF;
    for (int l = 0; l < lanes_; ++l) word[static_cast<size_t>(l)] = Code(address, l);
  }

  MachineState& m_;
  const arch::Descriptor& d_;
  int lanes_, rows_;
  int64_t low_ = 0, high_ = 0;
  std::vector<Channel> channels_;
  const int8_t* weights_ = nullptr;
  bool out_of_range_ = false;
};

}  // namespace

Status Execute(MachineState& machine, const arch::Descriptor& descriptor) {
  return Operation(machine, descriptor).Run();
}

}  // namespace macloom::sim
