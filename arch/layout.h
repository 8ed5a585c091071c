// Where tensors lie in the activation memory.
#pragma once

#include <optional>
#include <vector>

#include "arch/job.h"

namespace macloom::arch {

/// A tensor as the hardware sees it: an image of channel blocks. Vectors are 1x1 images.
struct Image {
  int height = 1, width = 1, channels = 1;
  int Blocks(int lanes) const { return (channels + lanes - 1) / lanes; }
  /// Valid lanes of the last block, 1..lanes.
  int LastLanes(int lanes) const { return channels - (Blocks(lanes) - 1) * lanes; }
};

/// [H, W, C] or [C]; nullopt for other ranks.
std::optional<Image> ImageOf(const ir::Shape& shape);

/// First-fit allocator of the activation memory over node indices.
class MemoryPlan {
 public:
  explicit MemoryPlan(int words) : words_(words) {}

  /// Words [base, base + words) are taken for nodes first..last (inclusive).
  /// @return the lowest free base, or, `from_top`, the highest; nullopt if there is none.
  std::optional<int> Allocate(int words, int first_node, int last_node, bool from_top = false);

 private:
  struct Range {
    int base, words, first_node, last_node;
  };
  int words_;
  std::vector<Range> ranges_;
};

}  // namespace macloom::arch
