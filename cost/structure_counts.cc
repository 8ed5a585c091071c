#include "cost/structure_counts.h"

#include <algorithm>
#include <bit>

namespace macloom::cost {

int CeilLog2(int value) {
  return static_cast<int>(std::bit_width(static_cast<unsigned>(std::max(value, 1) - 1)));
}

int PartialProducts(int a_bits, int b_bits, int c) {
  const int first = std::max(0, c - (b_bits - 1));
  const int last = std::min(c, a_bits - 1);
  return std::max(0, last - first + 1);
}

TreeCount operator*(TreeCount count, int factor) {
  count.full_adders *= factor;
  count.half_adders *= factor;
  count.carryless *= factor;
  return count;
}

MultiplierCount CountMultiplier(int a_bits, int b_bits) {
  MultiplierCount multiplier;
  multiplier.ands = a_bits * b_bits;
  std::vector<int> heights;
  heights.reserve(static_cast<size_t>(a_bits + b_bits));
  for (int c = 0; c < a_bits + b_bits; ++c) heights.push_back(PartialProducts(a_bits, b_bits, c));
  multiplier.tree = CountTree(std::move(heights));
  return multiplier;
}

std::vector<int> StageHeights(int height) {
  std::vector<int> heights;
  for (int goal = 2; goal < height; goal = goal * 3 / 2) heights.insert(heights.begin(), goal);
  return heights;
}

TreeCount CountTree(std::vector<int> heights) {
  TreeCount count;
  const int highest = heights.empty() ? 0 : *std::max_element(heights.begin(), heights.end());
  const std::vector<int> goals = StageHeights(highest);
  count.stages = static_cast<int>(goals.size());
  for (const int goal : goals) {
    int carries = 0;
    for (size_t c = 0; c < heights.size(); ++c) {
      const int height = heights[c] + carries;
      const int excess = std::max(0, height - goal);
      carries = (excess + 1) / 2;
      heights[c] = height - excess;
      if (c + 1 == heights.size()) {
        count.carryless += carries;
      } else {
        count.full_adders += excess / 2;
        count.half_adders += excess % 2;
      }
    }
  }
  bool has_carry = false;
  for (size_t c = 0; c < heights.size(); ++c) {
    const int inputs = heights[c] + (has_carry ? 1 : 0);
    if (has_carry || inputs > 1) ++count.ripple_bits;
    if (inputs > 1 && c + 1 == heights.size()) {
      count.carryless += 1;
    } else if (inputs == 3) {
      ++count.full_adders;
    } else if (inputs == 2) {
      ++count.half_adders;
    }
    has_carry = inputs > 1;
  }
  return count;
}

ShifterCount CountShifter(int width, int stages, int low, int high) {
  ShifterCount shifter;
  for (int k = 0; k < stages; ++k) {
    const int step = 1 << k;
    const int later = (1 << stages) - (2 << k);
    const int needed_low = std::max(0, low - later);
    const int next = std::min(width + step, high);
    for (int i = needed_low; i < next; ++i) {
      const bool has_kept = i < width;
      const bool has_shifted = i >= step && i - step < width;
      if (has_kept && has_shifted) {
        ++shifter.muxes;
      } else if (has_kept || has_shifted) {
        ++shifter.ands;
      }
    }
    width = next;
  }
  return shifter;
}

}  // namespace macloom::cost
