// Which values an accumulator can take: the certificates behind RequiredAccumulatorBits().
#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"

namespace macloom::ir {

/// Inclusive range of activation codes, as fed to the multiplier.
struct CodeRange {
  int64_t min = 0;
  int64_t max = 0;
  bool operator==(const CodeRange&) const = default;
};

/// All codes that the format of `node`'s first input allows, e.g. -128..127: what the bit width
/// allows (the first of docs/numerics.md section 3's "three ranges").
CodeRange InputCodeRange(const Graph& graph, const Node& node);

/// Inclusive bounds of an accumulator.
struct AccumulatorRange {
  int64_t low = 0;
  int64_t high = 0;
  /// False if a bound lies outside 63 bits; `low` and `high` are then clamped to int64 limits.
  bool fits_63_bits = true;

  /// Smallest P with -2^(P-1) <= low and high <= 2^(P-1) - 1, at least 1; 64 if !fits_63_bits.
  int RequiredBits() const;
  bool operator==(const AccumulatorRange&) const = default;
};

/// Bounds of every prefix in every order of summation, one per output channel (docs/numerics.md
/// section 3, "any order, any prefix"), for activation codes in `codes`.
///
/// Per padding class (the set of window positions inside the image):
///   high = b + sum over free taps of max(w*min, w*max, 0) + sum over padding taps of max(w*z, 0)
///   low  = b + sum over free taps of min(w*min, w*max, 0) + sum over padding taps of min(w*z, 0)
/// with b the start value and z the pad code (input zero point); then the hull over the classes
/// that occur in the output. Average pooling: weight 1, b = 0, padding left out, one range for all.
///
/// Integers only; minifloats: minifloat_range.h. @pre Shapes, indices and code ranges of `node`
/// have been verified. Empty for nodes without
///      accumulator.
std::vector<AccumulatorRange> AccumulatorRanges(const Graph& graph, const Node& node,
                                                const CodeRange& codes);

}  // namespace macloom::ir
