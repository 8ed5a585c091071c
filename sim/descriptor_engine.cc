#include "sim/descriptor_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "base/interrupt.h"
#include "sim/descriptor_check.h"
#include "sim/integer_unit.h"
#include "sim/minifloat_unit.h"

namespace macloom::sim {
namespace {

/// One operation: the descriptor, the machine, and the helpers every operator needs.
template <typename Unit>
class Operation {
 public:
  Operation(MachineState& machine, const arch::Descriptor& d)
      : m_(machine),
        d_(d),
        lanes_(machine.config.lanes),
        rows_(machine.config.rows),
        unit_(machine, d) {}

  Status Run() {
    MACLOOM_RETURN_IF_ERROR(CheckDescriptor(m_.config, d_));
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
        if constexpr (std::is_same_v<Unit, IntegerUnit>) status = Add();
        break;
    }
    if (status.ok()) status = unit_.CheckCodes();
    if (status.ok() && outside_field_ != nullptr) {
      return DescriptorError(
          d_, fmt::format("{}: word {} lies outside the activation memory of {}", outside_field_,
                          outside_word_, m_.config.activation_words()));
    }
    return status;
  }

 private:
  using Sum = typename Unit::Sum;
  using Channel = typename Unit::Channel;

  //--- memories -------------------------------------------------------------------------------

  /// Byte of a lane; notes the first access outside the memory, made through `field`'s address.
  uint8_t* Byte(const char* field, int64_t word, int lane) {
    const uint64_t byte = static_cast<uint64_t>(word & 0xFFFF) * lanes_ + lane;
    if (byte < m_.activation.size()) return &m_.activation[byte];
    if (outside_field_ == nullptr) {
      outside_field_ = field;
      outside_word_ = word & 0xFFFF;
    }
    return nullptr;
  }

  int8_t Code(const char* field, int64_t word, int lane) {
    const uint8_t* byte = Byte(field, word, lane);
    return byte == nullptr ? int8_t{0} : static_cast<int8_t>(*byte);
  }

  void Put(const char* field, int64_t word, int lane, int value) {
    if (uint8_t* byte = Byte(field, word, lane)) *byte = static_cast<uint8_t>(value);
  }

  Status Transfer() {
    const bool is_load = d_.opcode() == static_cast<uint32_t>(arch::Opcode::kLoad);
    std::vector<uint8_t>& chip = is_load && d_.to_staging() ? m_.staging : m_.activation;
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
        if (external + d_.row_bytes() > m_.memory.size()) {
          return DescriptorError(
              d_,
              fmt::format("ext_address: {} bytes at 0x{:X} leave the external memory of {} bytes",
                          d_.row_bytes(), external, m_.memory.size()));
        }
        if (on_chip + d_.row_bytes() > chip.size()) {
          return DescriptorError(
              d_,
              fmt::format("{}: {} bytes at word {} leave the on-chip memory of {} bytes",
                          is_load ? "out_base" : "in_origin", d_.row_bytes(), word, chip.size()));
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
    if (base + group_bytes > m_.memory.size()) {
      return DescriptorError(
          d_,
          fmt::format("stream_address: group {} at 0x{:X} leaves the external memory of {} bytes",
                      group, base, m_.memory.size()));
    }
    channels_.assign(static_cast<size_t>(entries), {});
    for (int e = 0; e < entries; ++e) {
      const uint64_t at = base + static_cast<uint64_t>(e) * record;
      Channel& channel = channels_[static_cast<size_t>(e)];
      MACLOOM_RETURN_IF_ERROR(unit_.ReadChannel(
          at, fmt::format("stream_address: multiplier {} of group {}", e, group), channel));
    }
    weights_ = reinterpret_cast<const int8_t*>(m_.memory.data() + base + d_.stream_param_bytes());
    return {};
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
              if (byte >= m_.staging.size()) {
                return DescriptorError(
                    d_,
                    fmt::format("stage_rows {}, stage_row_bytes {}: byte {} lies outside the "
                                "staging memory of {}",
                                d_.stage_rows(), d_.stage_row_bytes(), byte, m_.staging.size()));
              }
              value = static_cast<int8_t>(m_.staging[byte]);
            }
          }
          Put("in_origin",
              d_.in_origin() + oy * d_.in_y_step() + ox * d_.in_x_step() +
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
    std::vector<Sum> acc(static_cast<size_t>(rows_));
    std::vector<int8_t> word(static_cast<size_t>(lanes_));
    for (uint32_t group = 0; group < d_.stream_groups(); ++group) {
      MACLOOM_RETURN_IF_ERROR(OpenGroup(group, rows_));
      const int first = static_cast<int>(group) * rows_;
      const int valid = std::min(rows_, static_cast<int>(d_.out_channels()) - first);
      for (int64_t oy = 0; oy < d_.out_h(); ++oy) {
        MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
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
                  unit_.Step(acc[static_cast<size_t>(m)], word.data(), weights,
                             Unit::kMasksLanes ? ValidLanes(block) : lanes_);
                }
                m_.counters.macs += int64_t{valid} * ValidLanes(block);
              }
            }
          }
          const int64_t to = d_.out_base() + first / lanes_ * int64_t{d_.out_plane_pitch()} +
                             oy * d_.out_row_pitch() + ox * d_.out_col_pitch();
          for (int m = 0; m < valid; ++m) {
            Put("out_base", to, first % lanes_ + m,
                unit_.Requantize(acc[static_cast<size_t>(m)], channels_[static_cast<size_t>(m)]));
          }
        }
      }
    }
    return {};
  }

  Status Depthwise() {
    const bool unit = d_.unit_weights();
    std::vector<int8_t> word(static_cast<size_t>(lanes_));
    std::vector<Sum> acc(static_cast<size_t>(lanes_));
    for (uint32_t block = 0; block < d_.in_blocks(); ++block) {
      if (!unit) MACLOOM_RETURN_IF_ERROR(OpenGroup(block, lanes_));
      const int valid = ValidLanes(block);
      for (int64_t oy = 0; oy < d_.out_h(); ++oy) {
        MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
        for (int64_t ox = 0; ox < d_.out_w(); ++ox) {
          for (int l = 0; l < valid; ++l) {
            acc[static_cast<size_t>(l)] = unit ? Sum{} : channels_[static_cast<size_t>(l)].start;
          }
          int64_t tap = 0;
          for (int64_t ky = 0; ky < d_.kernel_h(); ++ky) {
            for (int64_t kx = 0; kx < d_.kernel_w(); ++kx, ++tap) {
              FetchWord(ox, oy, kx, ky, block, word);
              for (int l = 0; l < valid; ++l) {
                const size_t lane = static_cast<size_t>(l);
                if (!unit) {
                  unit_.Step(acc[lane], &word[lane], &weights_[tap * lanes_ + l], 1);
                } else if (!d_.maximum()) {
                  unit_.UnitStep(acc[lane], word[lane]);
                } else {
                  const Sum code = Unit::CodeSum(word[lane]);
                  if (tap == 0 || acc[lane] < code) acc[lane] = code;
                }
              }
              if (!unit) m_.counters.macs += valid;
            }
          }
          const int64_t to = d_.out_base() + int64_t{block} * d_.out_plane_pitch() +
                             oy * d_.out_row_pitch() + ox * d_.out_col_pitch();
          for (int l = 0; l < valid; ++l) {
            const size_t lane = static_cast<size_t>(l);
            Put("out_base", to, l,
                unit_.Requantize(acc[lane], unit ? unit_.LayerChannel() : channels_[lane]));
          }
        }
      }
    }
    return {};
  }

  Status Add() {
    const bool is_single = d_.requant_mode() == static_cast<uint32_t>(arch::RequantMode::kSingle);
    const int shift = d_.add_shift_signed();
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
            const int64_t a =
                int64_t{Code("in_origin", d_.in_origin() + offset, l)} - d_.add_zero_a_signed();
            const int64_t b =
                int64_t{Code("in2_origin", d_.in2_origin() + offset, l)} - d_.add_zero_b_signed();
            const int64_t scaled =
                is_single ? (b * multiplier + (int64_t{1} << (10 - shift))) >> (11 - shift)
                          : IntegerUnit::ShiftAway((b * multiplier + (1 << 10)) >> 11, -shift);
            Put("out_base", to, l, unit_.Requantize(a * (1 << 19) + scaled, unit_.LayerChannel()));
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
    for (int l = 0; l < lanes_; ++l) word[static_cast<size_t>(l)] = Code("in_origin", address, l);
  }

  MachineState& m_;
  const arch::Descriptor& d_;
  int lanes_, rows_;
  Unit unit_;
  std::vector<Channel> channels_;
  const int8_t* weights_ = nullptr;
  const char* outside_field_ = nullptr;  ///< First access outside the activation memory.
  int64_t outside_word_ = 0;
};

}  // namespace

Status Execute(MachineState& machine, const arch::Descriptor& descriptor) {
  if (machine.config.is_minifloat()) {
    return Operation<MinifloatUnit>(machine, descriptor).Run();
  }
  return Operation<IntegerUnit>(machine, descriptor).Run();
}

}  // namespace macloom::sim
