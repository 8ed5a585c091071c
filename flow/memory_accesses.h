// How often a compiled network uses the accelerator's memories.
#pragma once

#include <cstdint>

#include "arch/job.h"
#include "base/result.h"

namespace macloom::flow {

/// Words of one instance, read or written, of an inference.
struct MemoryAccesses {
  int64_t activation_words = 0;  ///< L codes of one bank.
  int64_t ring_words = 0;        ///< L bytes of one of the M banks of the weight ring.
  int64_t staging_words = 0;
};

/// Counts what the descriptors of `job` make the units do; independent of data.
///
///   convolution: a word per step, pixel and group of M channels; a ring row (M words) per step and
///     tile; a write per chunk of R results. im2col: a staging word per run of up to L bytes, an
///     activation word written per block and pixel.
///   window: (pixels - 1) stride + taps words per fill; a ring row per M taps of a group of pixels.
///   addition: two reads and L / R writes per word. Load and store: their words.
///   every stream: each ring row written once, parameter rows read once.
/// A position outside the image counts as read; a partial write as one of the whole word.
MemoryAccesses CountMemoryAccesses(const arch::Job& job);

/// Energy of `accesses` by the memories' model (docs/cost.md, "Memories"), pJ at 45 nm and 0.9 V.
double MemoryEnergyPj(const MemoryAccesses& accesses, const arch::HardwareConfig& config);

}  // namespace macloom::flow
