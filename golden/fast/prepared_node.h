// One node of a plan: constants packed for the kernels of one level.
#pragma once

#include <cstdint>
#include <vector>

#include "golden/fast/fixed_point.h"
#include "golden/fast/kernels.h"
#include "ir/graph.h"

namespace macloom::golden::fast {

/// Largest channel padding of any level.
constexpr int64_t kMaxLanes = 16;

/// Whether codes of `format` are stored as bytes, and what is added to a code to get its byte.
bool IsByteFormat(const ir::NumberFormat& format);
int32_t StorageOffset(const ir::NumberFormat& format);

enum class NodeForm { kReference, kMatrix, kWindow, kAdd, kReshape, kSoftmax };

/// One contiguous piece of a gathered row.
struct CopyRun {
  int64_t source = 0;       ///< Bytes from the window's first tap in the image.
  int64_t destination = 0;  ///< Bytes from the start of the row.
  int64_t num_bytes = 0;
};

/// 64 bytes of packed weights, aligned as vectors like it.
struct alignas(64) WeightBlock {
  int32_t words[16];
};

struct PreparedRounding {
  Rounding::Kind kind = Rounding::Kind::kShift;
  bool has_left_shift = false;
  std::vector<int32_t> multiplier, left, right;  ///< By padded channel.
  int32_t low = 0, high = 0, offset = 0;         ///< As Rounding.
};

struct PreparedSteps {
  std::vector<int32_t> start, exact_start, corrections;
  std::vector<int64_t> ends;  ///< Empty: exact.
  int width_bits = 32;
  bool is_saturating = false;
};

/// The input image as a kernel reads it: padding written out, channels repeated and padded.
struct PreparedImage {
  bool is_copied = false;  ///< False: the tensor itself.
  int64_t height = 0, width = 0, channels = 0;
  int64_t top = 0, left = 0;
  int64_t repeat = 1;  ///< Image channel c is tensor channel c / repeat.
  uint8_t outside = 0;
};

/// As TapQuads.
struct PreparedQuads {
  std::vector<WeightBlock> weights;
  std::vector<int64_t> tap_offsets;
  std::vector<int32_t> start, multiplier, right;
};

struct PreparedNode {
  NodeForm form = NodeForm::kReference;
  int64_t num_channels = 0, padded_channels = 0;
  int64_t num_rows = 0;  ///< Output positions of one sample.
  PreparedRounding rounding;
  PreparedSteps steps;
  PreparedImage image;                ///< kMatrix with `runs`, kWindow.
  std::vector<int64_t> row_offsets;   ///< By output position: its window's first byte.
  std::vector<WeightBlock> weights;   ///< kMatrix.
  int64_t num_groups = 0;             ///< kMatrix.
  std::vector<CopyRun> runs;          ///< kMatrix; empty: rows lie in the tensor as they are.
  std::vector<int64_t> tap_offsets;   ///< kWindow, in order of accumulation.
  std::vector<int32_t> tap_weights;   ///< kWindow, [tap][padded channel].
  PreparedQuads quads;                ///< kWindow, exact, if the kernels use it; else empty.
  std::vector<int32_t> divisors;      ///< kMean, by output position.
  std::vector<int32_t> tables[2];     ///< kAdd, by stored byte.
  std::vector<int64_t> exponentials;  ///< kSoftmax, by (largest - code); -1: adds nothing.
};

/// Prepares a node of a verified graph for a contract that golden::CheckContracts() accepts; form
/// kReference if the node has no form in 32-bit lanes.
PreparedNode Prepare(const ir::Graph& graph, const ir::Node& node,
                     const ir::Accumulation& accumulation, const Kernels& kernels);

}  // namespace macloom::golden::fast
