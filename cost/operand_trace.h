// What a unit multiplies, cycle by cycle. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cost/mac_unit.h"

namespace macloom::cost {

/// Streams that are simulated side by side.
inline constexpr int kOperandStreams = 64;

/// Codes for every cycle, lane and stream. A bare unit has one accumulator; a row takes its `lanes`
/// accumulators in turn.
struct OperandTrace {
  std::string source = "gaussian";  ///< "gaussian", or the network's name.
  int cycles = 0;
  int lanes = 1;
  std::vector<uint16_t> a, b;    ///< [cycle][lane][stream], code bits.
  std::vector<uint64_t> starts;  ///< [cycle], bit per stream: a new sum starts (in a row: in the
                                 ///< accumulator of this cycle).

  size_t Index(int cycle, int lane, int stream) const {
    return static_cast<size_t>((cycle * lanes + lane) * kOperandStreams + stream);
  }
  /// SHA-256 over everything.
  std::string Digest() const;
};

/// Independent normal values of standard deviation 1/4 of the largest code, rounded to the format
/// of `spec`; both operands change every cycle, a new sum starts every 256 cycles.
OperandTrace GaussianOperands(const MacSpec& spec, int cycles, uint64_t seed);

}  // namespace macloom::cost
