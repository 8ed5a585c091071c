// Corner-weighted random codes for weights and activations.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "ir/graph.h"

namespace macloom::stimulus {

/// Patterns that find what uniform numbers miss.
enum class CodeStyle {
  kUniform,      ///< Every code equally likely.
  kExtremes,     ///< Only the smallest and the largest code.
  kAlternating,  ///< Smallest, largest, smallest, ...
  kAllEqual,     ///< One code everywhere: smallest, largest, 0 or a random one.
};

/// Uniform for half of the draws, otherwise one of the corner patterns.
CodeStyle RandomStyle(Rng& rng);

/// `count` codes in [low, high].
std::vector<int64_t> RandomCodes(Rng& rng, CodeStyle style, int64_t count, int64_t low,
                                 int64_t high);

/// An input of `graph`: uniform, extreme, alternating or constant codes of its input format; now
/// and then the zero point everywhere.
ir::TensorValue RandomInput(Rng& rng, const ir::Graph& graph);

}  // namespace macloom::stimulus
