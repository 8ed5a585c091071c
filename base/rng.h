// Seeded random numbers, the same on every platform and in every release.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/check.h"

namespace macloom {

/// xoshiro256** (Blackman and Vigna), seeded by splitmix64. Not for secrets.
class Rng {
 public:
  explicit Rng(uint64_t seed) {
    for (uint64_t& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }

  /// 64 uniform bits.
  uint64_t Next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [low, high], both included and without bias. @pre low <= high.
  int64_t UniformInt(int64_t low, int64_t high) {
    MACLOOM_CHECK(low <= high);
    const uint64_t span = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    if (span == 0) return static_cast<int64_t>(Next());  // All 2^64 values.
    // Values below 2^64 mod span would make the first residues likelier.
    const uint64_t threshold = (0 - span) % span;
    uint64_t value = Next();
    while (value < threshold) value = Next();
    return static_cast<int64_t>(static_cast<uint64_t>(low) + value % span);
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  double UniformDouble() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  /// Standard normal by Box-Muller. The last bit may depend on the C library's log and cos.
  double Normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - UniformDouble()));
    return radius * std::cos(2.0 * std::numbers::pi * UniformDouble());
  }

  /// True with `probability` in [0, 1].
  bool Bernoulli(double probability) { return UniformDouble() < probability; }

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace macloom
