// The sum of a window's products as an accumulator of given width and order computes it.
#pragma once

#include <cstdint>

#include "golden/reference/step_order.h"
#include "ir/accumulation.h"

namespace macloom::golden {

/// A view of every `stride`-th element, one per window position.
template <typename T>
struct Strided {
  const T* data = nullptr;
  int64_t stride = 1;
  T operator[](int64_t i) const { return data[i * stride]; }
};

/// One accumulated window.
struct WindowSum {
  int64_t accumulator = 0;  ///< What the accumulator holds at the end.
  int64_t exact = 0;        ///< start + the sum of all products.
  int64_t num_events = 0;   ///< Steps that left the accumulator's range.
};

/// Sums windows of one extent under one accumulation contract (docs/numerics.md section 2).
///
/// Width 64 is exact: the accumulator is the exact sum, without events, in any order. Other widths
/// go step by step. @pre Exact sums, prefixes included, fit 63 bits (ir::Verify()).
class Summation {
 public:
  /// @pre As MakeStepOrder() and Accumulator.
  Summation(const ir::Accumulation& accumulation, const WindowExtent& extent);

  /// start + sum over positions i of codes[i] * weights[i].
  WindowSum Run(int64_t start, Strided<int32_t> codes, Strided<int64_t> weights) const;

 private:
  ir::Accumulation accumulation_;
  WindowExtent extent_;
  StepOrder order_;
};

}  // namespace macloom::golden
