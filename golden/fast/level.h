// Instruction sets that the fast executor is compiled for.
#pragma once

#include <string>
#include <vector>

namespace macloom::golden::fast {

/// Ascending speed; results are the same on every level.
enum class Level {
  kPortable,  ///< Whatever the compiler targets by default (SSE2 on x86-64), 4 lanes.
  kSse41,     ///< 4 lanes.
  kAvx2,      ///< 8 lanes.
  kAvx512,    ///< AVX-512 F, BW, DQ, VL and VNNI, 16 lanes.
};

/// "portable", "sse4.1", "avx2", "avx512-vnni".
std::string ToString(Level level);

/// Levels that this program contains and this CPU executes, ascending; kPortable always.
std::vector<Level> SupportedLevels();

}  // namespace macloom::golden::fast
