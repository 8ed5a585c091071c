// The accelerator's instruction: 32 little-endian 32-bit words in memory, linked by address.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace macloom::arch {

inline constexpr int kDescriptorWords = 32;
inline constexpr int kDescriptorBytes = 128;
inline constexpr int kDescriptorVersion = 1;
inline constexpr int kRecordWords = 16;
inline constexpr int kRecordBytes = 64;
inline constexpr int kParameterRecordBytes =
    16;  ///< start int32, multiplier int32, shift int8, 7 x 0.

enum class Opcode : uint32_t {
  kEnd = 0,
  kConv = 1,
  kDepthwise = 2,
  kAdd = 3,
  kLoad = 4,
  kStore = 5
};

enum class RequantMode : uint32_t { kDouble = 0, kSingle = 1, kMean = 2 };

/// One field: bits [lsb, lsb + bits) of word `word`. The SystemVerilog twin is loom_pkg (fields
/// DESC_<NAME>_LSB/_BITS); tests/arch compares the two.
struct DescriptorField {
  const char* name;
  int word, lsb, bits;
};

// X(name, word, lsb, bits): meaning. "word address" counts L-byte activation words.
#define MACLOOM_DESCRIPTOR_FIELDS(X)                                                               \
  X(opcode, 0, 0, 8)               /* Opcode */                                                    \
  X(version, 0, 8, 8)              /* kDescriptorVersion */                                        \
  X(irq, 0, 16, 1)                 /* raise the descriptor interrupt when done */                  \
  X(last, 0, 17, 1)                /* stop after this descriptor */                                \
  X(record, 0, 18, 1)              /* write a completion record */                                 \
  X(next_address, 1, 0, 32)        /* byte address of the next descriptor, multiple of 128 */      \
  X(tag, 2, 0, 32)                 /* copied to record and probe */                                \
  X(record_address, 3, 0, 32)      /* byte address, multiple of 64 */                              \
  X(stream_address, 4, 0, 32)      /* parameter+weight stream, byte address, multiple of 64 */     \
  X(stream_groups, 5, 0, 16)       /* groups in the stream; 0 = no stream */                       \
  X(stream_weight_rows, 5, 16, 16) /* ring rows of weights per group */                            \
  X(stream_param_bytes, 6, 0, 16)  /* bytes of parameters per group, multiple of 16 */             \
  X(per_layer, 6, 16, 1)           /* parameters are starts only (int32); word 19/20 the rest */   \
  X(unit_weights, 6, 17, 1)        /* depthwise: weight 1, start 0, no stream (pooling) */         \
  X(pixel_outer, 6, 18, 1)         /* conv: tiles outer, groups inner, weights stay in the ring */ \
  X(im2col, 6, 19, 1)              /* conv: input words come from the im2col unit */               \
  X(saturate, 6, 20, 1)            /* accumulators saturate instead of wrapping */                 \
  X(release_rows, 6, 21, 1)        /* ring rows are freed as they are read (one tile per group) */ \
  X(maximum, 6, 22, 1)             /* depthwise with unit_weights: largest code, not the sum */    \
  X(in_origin, 7, 0, 16)       /* word address of input (x = -pad_left, y = -pad_top), mod 2^16 */ \
  X(out_base, 7, 16, 16)       /* word address of output (0, 0), block 0 */                        \
  X(in_x_step, 8, 0, 16)       /* stride_w * in_col_pitch */                                       \
  X(in_y_step, 8, 16, 16)      /* stride_h * in_row_pitch */                                       \
  X(in_col_pitch, 9, 0, 16)    /* words from x to x+1 */                                           \
  X(in_row_pitch, 9, 16, 16)   /* words from y to y+1 */                                           \
  X(in_plane_pitch, 10, 0, 16) /* words from channel block to channel block */                     \
  X(out_plane_pitch, 10, 16, 16)                                                                   \
  X(out_col_pitch, 11, 0, 16)                                                                      \
  X(out_row_pitch, 11, 16, 16)                                                                     \
  X(in_w, 12, 0, 16)                                                                               \
  X(in_h, 12, 16, 16)                                                                              \
  X(out_w, 13, 0, 16)                                                                              \
  X(out_h, 13, 16, 16)                                                                             \
  X(kernel_w, 14, 0, 8)                                                                            \
  X(kernel_h, 14, 8, 8)                                                                            \
  X(stride_w, 14, 16, 8)                                                                           \
  X(stride_h, 14, 24, 8)                                                                           \
  X(pad_left, 15, 0, 8)                                                                            \
  X(pad_top, 15, 8, 8)                                                                             \
  X(pad_code, 15, 16, 8)    /* signed code fed for positions outside the image */                  \
  X(zero_out, 15, 24, 8)    /* signed output zero point */                                         \
  X(in_blocks, 16, 0, 16)   /* channel blocks of L */                                              \
  X(last_lanes, 16, 16, 16) /* valid lanes of the last block, 1..L */                              \
  X(out_channels, 17, 0, 16)                                                                       \
  X(window_taps, 17, 16, 8) /* depthwise: taps along x per window chunk */                         \
  X(group_rows, 17, 24, 8)  /* depthwise: output pixels per group, 1..M */                         \
  X(requant_mode, 18, 0, 2) /* RequantMode */                                                      \
  X(clamp_min, 18, 8, 8)                                                                           \
  X(clamp_max, 18, 16, 8)                                                                          \
  X(multiplier, 19, 0, 32)         /* per layer / ADD output / mean reciprocal */                  \
  X(shift, 20, 0, 8)               /* signed; per layer / ADD output; mean: right shift 0..62 */   \
  X(mean_half, 20, 16, 16)         /* mean: floor(n/2) */                                          \
  X(in2_origin, 21, 0, 16)         /* ADD: word address of the scaled operand */                   \
  X(add_zero_a, 21, 16, 8)         /* ADD: zero point of the aligned operand (at in_origin) */     \
  X(add_zero_b, 21, 24, 8)         /* ADD: zero point of the scaled operand */                     \
  X(add_multiplier, 22, 0, 32)     /* ADD: multiplier of the scaled operand */                     \
  X(add_shift, 23, 0, 8)           /* ADD: shift of the scaled operand, -31..0 */                  \
  X(stage_row_bytes, 24, 0, 16)    /* im2col: bytes from row to row in staging */                  \
  X(stage_valid_bytes, 24, 16, 16) /* im2col: W*C */                                               \
  X(stage_rows, 25, 0, 16)         /* im2col: H */                                                 \
  X(stage_x_step, 25, 16, 16)      /* im2col: stride_w*C */                                        \
  X(run_bytes, 26, 0, 16)          /* im2col: KW*C */                                              \
  X(stage_pad_left, 26, 16, 16)    /* im2col: pad_left*C */                                        \
  X(stage_kernel_h, 27, 0, 8)                                                                      \
  X(stage_stride_h, 27, 8, 8)                                                                      \
  X(stage_pad_top, 27, 16, 8)                                                                      \
  X(ext_address, 24, 0, 32)     /* load/store: external byte address, multiple of beat */          \
  X(ext_row_pitch, 25, 0, 32)   /* load/store: bytes from row to row */                            \
  X(ext_plane_pitch, 26, 0, 32) /* load/store: bytes from plane to plane */                        \
  X(row_bytes, 27, 0, 16)       /* load/store: contiguous bytes per row, multiple of beat */       \
  X(dma_rows, 27, 16, 16)                                                                          \
  X(dma_planes, 28, 0, 16)                                                                         \
  X(to_staging, 28, 16, 1) /* load: target is the staging memory (word addresses too) */

/// A descriptor under construction or decoded: word image plus named access.
class Descriptor {
 public:
#define MACLOOM_FIELD_ACCESS(name, word, lsb, bits)                    \
  uint32_t name() const { return Get(word, lsb, bits); }               \
  int32_t name##_signed() const { return GetSigned(word, lsb, bits); } \
  Descriptor& set_##name(int64_t value) { return Set(#name, word, lsb, bits, value); }
  MACLOOM_DESCRIPTOR_FIELDS(MACLOOM_FIELD_ACCESS)
#undef MACLOOM_FIELD_ACCESS

  const std::array<uint32_t, kDescriptorWords>& words() const { return words_; }
  std::array<uint32_t, kDescriptorWords>& words() { return words_; }
  bool operator==(const Descriptor&) const = default;

 private:
  uint32_t Get(int word, int lsb, int bits) const;
  int32_t GetSigned(int word, int lsb, int bits) const;
  /// MACLOOM_CHECKs that `value` fits the field (as signed or as unsigned).
  Descriptor& Set(const char* name, int word, int lsb, int bits, int64_t value);
  std::array<uint32_t, kDescriptorWords> words_{};
};

/// All fields, for printing, for the generator of loom_pkg and for tests.
const std::array<DescriptorField, 73>& DescriptorFields();
/// True if a descriptor of `opcode` reads `field`.
bool UsesField(Opcode opcode, const DescriptorField& field);
/// One `field = value` per line, only those the opcode uses.
std::string ToText(const Descriptor& descriptor);

/// Words of a completion record (docs/formats.md): low 32 bits of the running 64-bit counters.
enum class RecordWord {
  kTag,
  kMagic,
  kTotal,
  kBusy,
  kStallActivation,
  kStallWeight,
  kStallOutput,
  kStallDmaRead,
  kStallDmaWrite,
  kIdle,
  kMacs,
  kReadBeats,
  kWriteBeats,
  kOverflowEvents,
  kClampedLow,
  kClampedHigh,
};
inline constexpr uint32_t kRecordMagic = 0x4D4C0001;

}  // namespace macloom::arch
