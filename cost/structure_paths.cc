#include "cost/structure_paths.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "cost/structure_counts.h"

namespace macloom::cost {
namespace {

// Nominal lengths in full adders, near what the fits for osu018 find.
constexpr double kFullAdder = 1.0;
constexpr double kFullAdderThird = 0.7;
constexpr double kHalfAdder = 0.7;
constexpr double kRippleBit = 0.47;
constexpr double kRippleHalf = 0.4;
constexpr double kRippleEntry = 0.7;
constexpr double kRippleSum = 0.5;
constexpr double kPartialProduct = 0.6;
constexpr double kMux = 0.8;
constexpr double kSelect = 0.9;
constexpr double kFanOut = 0.25;
constexpr double kNever = -99.0;

const Path& Later(const Path& a, const Path& b) { return b.length > a.length ? b : a; }

/// Sum and carry of an adder.
using Outputs = std::pair<Path, Path>;

Outputs HalfAdder(const Path& x, const Path& y) {
  if (x.is_constant) return {y, y};
  if (y.is_constant) return {x, x};
  const Path out = Later(x, y).Plus(kHalfAdder, PathElement::kHalfAdder);
  return {out, out};
}

Outputs FullAdder(const Path& x, const Path& y, const Path& z) {
  if (x.is_constant) return HalfAdder(y, z);
  if (y.is_constant) return HalfAdder(x, z);
  if (z.is_constant) return HalfAdder(x, y);
  const Path out = Later(Later(x, y).Plus(kFullAdder, PathElement::kFullAdder),
                         z.Plus(kFullAdderThird, PathElement::kFullAdderThird));
  return {out, out};
}

/// One stage of loom_bit_heap.
PathColumns Reduce(const PathColumns& columns, int goal) {
  PathColumns next(columns.size());
  std::vector<Path> carries;
  for (size_t c = 0; c < columns.size(); ++c) {
    const std::vector<Path>& column = columns[c];
    const int height = static_cast<int>(column.size() + carries.size());
    const int excess = std::max(0, height - goal);
    const size_t full = static_cast<size_t>(excess / 2);
    const size_t half = static_cast<size_t>(excess % 2);
    const size_t used = 3 * full + 2 * half;
    std::vector<Path> sums, out;
    for (size_t i = 0; i < full + half; ++i) {
      const Outputs outputs = i < full
                                  ? FullAdder(column[3 * i], column[3 * i + 1], column[3 * i + 2])
                                  : HalfAdder(column[3 * i], column[3 * i + 1]);
      sums.push_back(outputs.first);
      out.push_back(outputs.second);
    }
    next[c].assign(column.begin() + static_cast<std::ptrdiff_t>(used), column.end());
    next[c].insert(next[c].end(), sums.begin(), sums.end());
    next[c].insert(next[c].end(), carries.begin(), carries.end());
    carries = std::move(out);
  }
  return next;
}

/// The last adder, for at most two bits in a column.
std::vector<Path> Ripple(const PathColumns& columns) {
  std::vector<Path> sum;
  bool has_carry = false;
  Path carry;
  for (const std::vector<Path>& column : columns) {
    std::vector<Path> inputs;
    for (const Path& path : column) {
      if (!path.is_constant) inputs.push_back(path);
    }
    if (inputs.empty() && !has_carry) {
      sum.push_back(Path::Constant());
      continue;
    }
    const bool is_alone = inputs.size() + (has_carry ? 1 : 0) == 1;
    Path latest = Path::Never();
    for (const Path& path : inputs) latest = Later(latest, path.Plus(is_alone ? 0 : kRippleEntry));
    sum.push_back(has_carry ? Later(latest, carry.Plus(kRippleSum)) : latest);
    const bool makes_carry = column.size() + (has_carry ? 1 : 0) > 1;
    if (makes_carry && has_carry) {
      carry = inputs.size() > 1 ? carry.Plus(kRippleBit, PathElement::kRippleBit)
                                : carry.Plus(kRippleHalf, PathElement::kRippleHalf);
      carry = Later(latest, carry);
    } else if (makes_carry) {
      carry = latest;
    }
    has_carry = makes_carry;
  }
  return sum;
}

}  // namespace

Path Path::Plus(double more) const {
  Path path = *this;
  path.length += more;
  return path;
}

Path Path::Plus(double more, PathElement kind, double count) const {
  Path path = Plus(more);
  path.elements[static_cast<size_t>(kind)] += count;
  return path;
}

Path Path::Constant() {
  Path path = Never();
  path.is_constant = true;
  return path;
}

Path Path::Never() { return From(kNever); }

Path Path::From(double start) {
  Path path;
  path.length = start;
  return path;
}

std::vector<Path> TreePaths(PathColumns columns) {
  size_t highest = 0;
  for (const std::vector<Path>& column : columns) highest = std::max(highest, column.size());
  const std::vector<int> goals = StageHeights(static_cast<int>(highest));
  for (const int goal : goals) columns = Reduce(columns, goal);
  return Ripple(columns);
}

std::vector<Path> MultiplierPaths(int a_bits, int b_bits, const Path& highest) {
  PathColumns columns(static_cast<size_t>(a_bits + b_bits));
  for (int i = 0; i < a_bits; ++i) {
    for (int j = 0; j < b_bits; ++j) {
      const bool is_highest = i == a_bits - 1 || j == b_bits - 1;
      columns[static_cast<size_t>(i + j)].push_back(
          (is_highest ? highest : Path()).Plus(kPartialProduct));
    }
  }
  return TreePaths(std::move(columns));
}

std::vector<Path> ShifterPaths(std::vector<Path> bits, const std::vector<Path>& selects, int low,
                               int high) {
  const int stages = static_cast<int>(selects.size());
  for (int k = 0; k < stages; ++k) {
    const int step = 1 << k;
    const int width = static_cast<int>(bits.size());
    const int needed_low = std::max(0, low - ((1 << stages) - (2 << k)));
    const int next_width = std::min(width + step, high);
    const double fan_out = std::log2(std::max(2, next_width - needed_low));
    const Path select = selects[static_cast<size_t>(k)]
                            .Plus(kSelect, PathElement::kSelect)
                            .Plus(kFanOut * fan_out, PathElement::kFanOut, fan_out);
    std::vector<Path> next(static_cast<size_t>(next_width), Path::Constant());
    for (int i = needed_low; i < next_width; ++i) {
      Path latest = select;
      bool is_used = false;
      for (const int from : {i, i - step}) {
        if (from < 0 || from >= width || bits[static_cast<size_t>(from)].is_constant) continue;
        latest = Later(latest, bits[static_cast<size_t>(from)].Plus(kMux, PathElement::kMux));
        is_used = true;
      }
      if (is_used) next[static_cast<size_t>(i)] = latest;
    }
    bits = std::move(next);
  }
  return bits;
}

Path AccumulatePath(const std::vector<Path>& sum, const Path& carry_in) {
  Path carry = carry_in;
  Path longest;
  for (const Path& path : sum) {
    longest = Later(longest, Later(path.Plus(kRippleEntry), carry.Plus(kRippleHalf)));
    carry = Later(path.Plus(kRippleEntry), carry.Plus(kRippleBit, PathElement::kRippleBit));
  }
  return longest;
}

Path Longest(const std::vector<Path>& paths) {
  Path longest = paths.front();
  for (const Path& path : paths) longest = Later(longest, path);
  return longest;
}

}  // namespace macloom::cost
