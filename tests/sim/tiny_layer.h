// One random layer as a hand-made job, with the result of naive code.
#pragma once

#include "arch/job.h"
#include "base/rng.h"

namespace macloom::testing {

/// A job (load, layer, store: tags 0, 1, 2), an input, and what must come out.
struct TinyLayer {
  arch::Job job;
  ir::TensorValue input, output;
  int64_t events = 0, clamped_low = 0, clamped_high = 0, macs = 0;
};

enum class TinyKind { kConv, kPixelOuterConv, kIm2col, kDepthwise, kMean, kAdd };

/// Draws a layer of `kind`; accumulators of `bits` below 32 make overflow events likely. kMean
/// needs at least 13 bits: the reciprocal is exact only where the sum has not wrapped.
TinyLayer MakeTinyLayer(Rng& rng, const arch::HardwareConfig& config, TinyKind kind, int bits);

}  // namespace macloom::testing
