// Rounding to a fixed-point grid with straight-through gradients.
#pragma once

#include "train/qat/tensors.h"

namespace macloom::train {

/// Codes of one tensor: value = code * 2^-fraction_bits, min_code <= code <= max_code. The network
/// file's codes are these plus `zero_point`.
struct Grid {
  int fraction_bits = 0;
  int64_t min_code = -128;
  int64_t max_code = 127;
  int64_t zero_point = 0;
};

/// y = clamp(floor(x * 2^n + 1/2), min_code, max_code) * 2^-n, n = fraction_bits.
///
/// Gradients: dy/dx = 1 where x * 2^n is within half a step of the codes, else 0. With v = x * 2^n,
/// q = its code and r = the range's exponent (`log2_range`, a scalar of which n is
/// bits - 1 - ceil(r), straight through the ceil): dy/dr = 2^-n ln 2 (q - v) inside, 2^-n ln 2 q
/// outside; an undefined range gets no gradient (Jain et al., "Trained quantization thresholds",
/// arXiv 1903.08066).
Tensor QuantizeFixedPoint(const Tensor& x, const Tensor& log2_range, const Grid& grid);

/// y = trunc(x), dy/dx = 1.
Tensor TruncateStraightThrough(const Tensor& x);

/// Absolute cosine regularization: mean of 1 - |cos(pi * w / step)|, 0 on the levels k * step of a
/// mid-tread grid and 1 midway between them. (|cos| alone has its minima between the levels.)
Tensor CosineDistance(const Tensor& weights, double step);

}  // namespace macloom::train
