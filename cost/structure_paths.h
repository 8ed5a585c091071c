// The longest path through the carry-save trees and shifters of a unit, element by element.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace macloom::cost {

enum class PathElement {
  kFullAdder,
  kFullAdderThird,  ///< From the third input, which is spared one XOR.
  kHalfAdder,
  kRippleBit,
  kRippleHalf,   ///< A bit of the last adder with one summand.
  kExponentBit,  ///< Of the adder of the exponents.
  kSelect,       ///< The select input of a shifter's stage.
  kFanOut,       ///< log2 of the multiplexers that a select drives.
  kMux,
};
inline constexpr int kNumPathElements = 9;

/// The latest path to one bit. Which is the latest is decided by nominal lengths in full adders;
/// what an element takes in a cell library is fitted.
struct Path {
  double length = 0.0;
  bool is_constant = false;
  std::array<double, kNumPathElements> elements = {};

  double at(PathElement element) const { return elements[static_cast<size_t>(element)]; }
  /// This path and `length` more.
  Path Plus(double more) const;
  /// This path and `count` elements of `kind` of `more` in all.
  Path Plus(double more, PathElement kind, double count = 1.0) const;
  /// A path that starts at length `start`.
  static Path From(double start);
  /// One so early that no path through it is the latest.
  static Path Never();
  static Path Constant();
};

/// Bits of each column, column 0 first.
using PathColumns = std::vector<std::vector<Path>>;

/// Paths to the sum bits of loom_bit_heap, whose order of bits in a column is followed.
std::vector<Path> TreePaths(PathColumns columns);

/// Paths to the bits of an unsigned `a_bits` x `b_bits` product; the partial products of the
/// highest bits start at `highest`, the others at 0.
std::vector<Path> MultiplierPaths(int a_bits, int b_bits, const Path& highest);

/// Paths behind a left shifter as CountShifter() counts it; bits below `low` are constant.
/// @param selects the shift, least significant bit first.
std::vector<Path> ShifterPaths(std::vector<Path> bits, const std::vector<Path>& selects, int low,
                               int high);

/// The longest path of a ripple adder of two numbers of `sum.size()` bits, one of them at 0.
Path AccumulatePath(const std::vector<Path>& sum, const Path& carry);

/// The longest of `paths`; not empty.
Path Longest(const std::vector<Path>& paths);

}  // namespace macloom::cost
