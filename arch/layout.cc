#include "arch/layout.h"

#include <algorithm>

namespace macloom::arch {

std::optional<Image> ImageOf(const ir::Shape& shape) {
  if (shape.size() == 3) {
    return Image{static_cast<int>(shape[0]), static_cast<int>(shape[1]),
                 static_cast<int>(shape[2])};
  }
  if (shape.size() == 1) return Image{1, 1, static_cast<int>(shape[0])};
  return std::nullopt;
}

std::optional<int> MemoryPlan::Allocate(int words, int first_node, int last_node, bool from_top) {
  std::vector<Range> live;
  for (const Range& range : ranges_) {
    if (range.first_node <= last_node && first_node <= range.last_node) live.push_back(range);
  }
  std::vector<int> candidates = {from_top ? words_ - words : 0};
  for (const Range& range : live) {
    candidates.push_back(from_top ? range.base - words : range.base + range.words);
  }
  std::sort(candidates.begin(), candidates.end());
  if (from_top) std::reverse(candidates.begin(), candidates.end());
  for (const int base : candidates) {
    if (base < 0 || base + words > words_) continue;
    const bool is_free = std::none_of(live.begin(), live.end(), [&](const Range& range) {
      return base < range.base + range.words && range.base < base + words;
    });
    if (is_free) {
      ranges_.push_back({base, words, first_node, last_node});
      return base;
    }
  }
  return std::nullopt;
}

}  // namespace macloom::arch
