#include "cost/memory_model.h"

#include <cmath>

namespace macloom::cost {

double MemoryGateEquivalents(int64_t words, int64_t word_bits) {
  return kNandsPerMemoryBit * static_cast<double>(words * word_bits);
}

double MemoryAccessPj(int64_t words, int64_t word_bits) {
  const double bytes = static_cast<double>(words * word_bits) / 8.0;
  return 10.0 * static_cast<double>(word_bits) / 64.0 * std::pow(bytes / 8192.0, 0.475);
}

}  // namespace macloom::cost
