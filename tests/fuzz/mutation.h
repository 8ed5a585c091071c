// Damaging files for importers, and the bounds they must keep.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

#include "base/rng.h"

namespace macloom::fuzz {

using Bytes = std::vector<uint8_t>;

inline constexpr uint64_t kSeed = 20240229;

inline size_t Below(Rng& random, size_t limit) {
  return static_cast<size_t>(random.UniformInt(0, static_cast<int64_t>(limit) - 1));
}

inline constexpr uint32_t kExtremes[] = {
    0,          1,          2,          0x7f,       0x80,       0xff,       0x7fff,
    0x8000,     0xffff,     0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x7f800000,
    0xff800000, 0x7fc00000, 0x00000001, 0x00800000, 0x7f7fffff, 0x40000000};

/// Positions of structure: small files everywhere, large ones mostly where the tables are, which
/// the converter writes before and after the weights.
inline size_t Position(Rng& random, const Bytes& bytes) {
  constexpr size_t kRegion = 6000;
  const size_t region = std::min(kRegion, bytes.size());
  switch (Below(random, 3)) {
    case 0:
      return Below(random, region);
    case 1:
      return bytes.size() - 1 - Below(random, region);
    default:
      return Below(random, bytes.size());
  }
}

inline Bytes Mutate(const Bytes& original, Rng& random) {
  Bytes bytes = original;
  switch (Below(random, 6)) {
    case 0:  // Flipped bits.
      for (size_t count = 1 + Below(random, 8); count > 0; --count) {
        bytes[Position(random, bytes)] ^= static_cast<uint8_t>(1u << Below(random, 8));
      }
      break;
    case 1:  // Truncated, at times with zeros up to the old size.
      bytes.resize(Below(random, bytes.size()));
      if (Below(random, 2) == 0) bytes.resize(original.size());
      break;
    case 2: {  // A piece copied over another place.
      const size_t size = 1 + Below(random, std::min<size_t>(64, bytes.size()));
      const size_t from = std::min(Position(random, bytes), bytes.size() - size);
      const size_t to = std::min(Position(random, bytes), bytes.size() - size);
      std::memmove(bytes.data() + to, original.data() + from, size);
      break;
    }
    case 3: {  // A zeroed range.
      const size_t from = Position(random, bytes);
      const size_t size = std::min(bytes.size() - from, 1 + Below(random, 64));
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), size, uint8_t{0});
      break;
    }
    default:  // 32-bit fields overwritten with extremes.
      for (size_t count = 1 + Below(random, 3); count > 0; --count) {
        const size_t at = std::min(Position(random, bytes), bytes.size() - 4) / 4 * 4;
        const uint32_t value = kExtremes[Below(random, std::size(kExtremes))];
        std::memcpy(bytes.data() + at, &value, sizeof value);
      }
      break;
  }
  return bytes;
}

/// Caps the address space for its lifetime, except under a sanitizer, which needs terabytes of it.
class MemoryCap {
 public:
  MemoryCap() {
#ifndef __SANITIZE_ADDRESS__
    constexpr rlim_t kMaxBytes = rlim_t{1} << 30;
    EXPECT_EQ(getrlimit(RLIMIT_AS, &old_), 0);
    rlimit cap = old_;
    cap.rlim_cur = std::min(kMaxBytes, old_.rlim_max);
    EXPECT_EQ(setrlimit(RLIMIT_AS, &cap), 0);
#endif
  }
  ~MemoryCap() {
#ifndef __SANITIZE_ADDRESS__
    EXPECT_EQ(setrlimit(RLIMIT_AS, &old_), 0);
#endif
  }
  MemoryCap(const MemoryCap&) = delete;
  MemoryCap& operator=(const MemoryCap&) = delete;

 private:
  rlimit old_{};
};

}  // namespace macloom::fuzz
