// Area and energy of an on-chip memory with one read and one write port, by a stated model.
#pragma once

#include <cstdint>

namespace macloom::cost {

/// A bit with its share of decoders and sense amplifiers, in two-input NAND gates of area: an
/// eight-transistor cell of 0.55 um2 at 45 nm, 60 % of the macro, over 0.80 um2 of a NAND.
inline constexpr double kNandsPerMemoryBit = 0.55 / 0.60 / 0.80;

/// Gate equivalents of a memory of `words` x `word_bits`.
double MemoryGateEquivalents(int64_t words, int64_t word_bits);

/// Energy of one read or write of a whole word, pJ at 45 nm and 0.9 V: 10 pJ for 64 bits from 8 KiB
/// (Horowitz, ISSCC 2014), proportional to the word, growing with capacity^0.475 (10, 20 and 100 pJ
/// at 8 KiB, 32 KiB and 1 MiB in the same table).
double MemoryAccessPj(int64_t words, int64_t word_bits);

}  // namespace macloom::cost
