// The inner loops of the fast executor: what they are given, and one table of them per level.
#pragma once

#include <cstdint>

#include "golden/fast/level.h"

namespace macloom::golden::fast {

// Codes are stored as one byte each: code + 128 for signed formats, code for unsigned ones. Sums
// over stored bytes exceed those over codes by 128 * (sum of weights), which the start values and
// step corrections below take back. All 32-bit sums are modulo 2^32; the plan has proved that the
// final ones fit.

/// Requantization, one array element per channel, padded to a multiple of 16 channels.
struct Rounding {
  enum class Kind {
    kShift,
    kDouble,
    kSmallDouble,  ///< kDouble with |x| < 2^30 and no left shift.
    kSingle,
    kMean
  };
  Kind kind = Kind::kShift;
  bool has_left_shift = false;          ///< kDouble: any `left` is not 0.
  const int32_t* multiplier = nullptr;  ///< kDouble, kSingle.
  const int32_t* left = nullptr;        ///< kDouble: left shift.
  const int32_t* right = nullptr;     ///< Right shift: RDPOT's, the total of kSingle, or kShift's.
  const int32_t* divisors = nullptr;  ///< kMean: positions inside the image, one per row.
  int32_t low = 0, high = 0;          ///< Clamp limits less the zero point.
  int32_t offset = 0;                 ///< From the clamped value to the stored byte.
};

/// Counters of one call, arrays of the padded channel count; only their sums have a meaning.
struct LaneCounts {
  int32_t* clamped_low = nullptr;
  int32_t* clamped_high = nullptr;
  int32_t* events = nullptr;
  int32_t* overflowed = nullptr;
  int32_t* wrong = nullptr;
};

/// Where rows of output channels go. Row r is at output + r * num_channels.
struct Destination {
  uint8_t* output = nullptr;
  int32_t* accumulators = nullptr;  ///< Same layout; null if not wanted.
  int64_t num_channels = 0;
  Rounding rounding;
  LaneCounts counts;
};

/// Accumulation. Without steps, `start` plus all products is the accumulator. With steps:
///   t = acc + (correction + products of the step);  acc = policy(t, width_bits).
struct Steps {
  const int32_t* start = nullptr;        ///< Per channel: reduced to the width if there are steps.
  const int32_t* exact_start = nullptr;  ///< Per channel, not reduced.
  const int32_t* corrections = nullptr;  ///< [num_steps][padded channels].
  const int64_t* ends = nullptr;         ///< Ends of the steps, in groups or taps.
  int64_t num_steps = 0;                 ///< 0: exact.
  int64_t padded_channels = 0;
  int width_bits = 32;
  bool is_saturating = false;
};

/// Rows of bytes times a matrix: CONV_2D over gathered windows, FULLY_CONNECTED.
///
/// A group is 4 consecutive bytes of a row. `weights` is [vector of lanes][group][lane][4] int8 if
/// `Kernels::has_byte_dot`, else [vector of lanes][group][half][lane][2] int16.
struct MatrixArguments {
  const uint8_t* rows = nullptr;
  int64_t row_bytes = 0;  ///< From one row to the next.
  int64_t num_rows = 0;
  const void* weights = nullptr;
  int64_t num_groups = 0;
  Steps steps;
  Destination destination;
};

/// The taps of a window four at a time, for blocks of 64 channels, exact sums only.
///
/// Channel 16*l + 4*j + k of a block is lane 4*l + k of its vector j; `start`, `multiplier` and
/// `right` are in the order of lanes. Weights are [block][quad][vector][lane][4 taps] int8.
struct TapQuads {
  const void* weights = nullptr;  ///< Null: not available.
  const int64_t* tap_offsets = nullptr;
  int64_t num_quads = 0;
  const int32_t* start = nullptr;
  const int32_t* multiplier = nullptr;
  const int32_t* right = nullptr;
};

/// Sums over the taps of a window, every channel for itself: depthwise and pooling.
///
/// The channels of an image position are padded to a multiple of the lanes.
struct WindowArguments {
  const uint8_t* image = nullptr;
  const int64_t* row_offsets =
      nullptr;  ///< Per output position: its first tap in the image, bytes.
  int64_t num_rows = 0;
  const int64_t* tap_offsets = nullptr;  ///< In the order of accumulation, bytes.
  const int32_t* weights = nullptr;      ///< [tap][padded channels].
  int64_t num_taps = 0;
  TapQuads quads;
  Steps steps;
  Destination destination;
};

/// output[i] = requantized(table_a[a[i]] + table_b[b[i]]), with the parameters of channel 0; lane
/// counts have 16 elements.
struct AddArguments {
  const uint8_t* a = nullptr;
  const uint8_t* b = nullptr;
  const int32_t* table_a = nullptr;
  const int32_t* table_b = nullptr;
  int64_t num_elements = 0;
  Destination destination;
};

struct Kernels {
  int lanes = 4;
  bool has_byte_dot = false;  ///< Matrix weights are bytes, and TapQuads are used.
  void (*matrix)(const MatrixArguments&) = nullptr;
  void (*window)(const WindowArguments&) = nullptr;
  void (*add)(const AddArguments&) = nullptr;
};

/// Null if the program was not compiled for that instruction set.
const Kernels* PortableKernels();
const Kernels* Sse41Kernels();
const Kernels* Avx2Kernels();
const Kernels* Avx512Kernels();
const Kernels* KernelsOf(Level level);

}  // namespace macloom::golden::fast
