// Parts of a multiply-accumulate unit, counted as the RTL builds it.
#pragma once

#include <vector>

namespace macloom::cost {

/// ceil(log2(value)), 0 for values below 2.
int CeilLog2(int value);

/// Partial products of column c of one `a_bits` x `b_bits` multiplier.
int PartialProducts(int a_bits, int b_bits, int c);

/// Adders that reduce columns of bits to one row.
struct TreeCount {
  int full_adders = 0;
  int half_adders = 0;
  int carryless = 0;    ///< Adders of the last column: their carry is dropped.
  int stages = 0;       ///< Carry-save stages.
  int ripple_bits = 0;  ///< Length of the last adder.
};

/// `factor` such trees.
TreeCount operator*(TreeCount count, int factor);

/// Heights after each stage of a tree of columns of at most `height` bits: ..., 9, 6, 4, 3, 2.
std::vector<int> StageHeights(int height);

/// Counts of loom_bit_heap: Dadda's stages 2, 3, 4, 6, 9, ..., then a ripple adder (included).
/// @param heights bits of each column, column 0 first.
TreeCount CountTree(std::vector<int> heights);

struct MultiplierCount {
  int ands = 0;
  TreeCount tree;
};

/// Unsigned `a_bits` x `b_bits` product.
MultiplierCount CountMultiplier(int a_bits, int b_bits);

struct ShifterCount {
  int muxes = 0;
  int ands = 0;
};

/// Left shift of `width` bits by a number of `stages` bits, of which the bits [low, high) are used;
/// the stage of the least significant bit comes first.
ShifterCount CountShifter(int width, int stages, int low, int high);

}  // namespace macloom::cost
