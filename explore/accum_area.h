// What hardware of a width costs, beside what the width does to the network: plain data.
#pragma once

#include <string>
#include <vector>

namespace macloom::explore {

/// An accelerator with accumulators of `width_bits` that does what the sweep's policy says.
struct AreaPoint {
  int width_bits = 0;
  bool is_saturating = false;
  /// Two-input gates and flip-flops (as gates) per busy multiplier, memories not included.
  double gates_per_effective_mac = 0.0;
  std::vector<double> um2_per_effective_mac;  ///< By AreaTable::libraries.
  std::vector<double> row_pj_per_mac;         ///< By library; a row of the array, dense mode.
};

/// Areas of one network's configuration with other accumulators.
struct AreaTable {
  double utilization = 0.0;  ///< Share of busy multipliers, by the cycle model.
  std::vector<std::string> libraries;
  std::vector<AreaPoint> points;  ///< Ascending widths by policy; 32 bits, the baseline, included.

  /// The 32-bit point of the policy of `point`; nullptr without.
  const AreaPoint* BaselineOf(const AreaPoint& point) const {
    for (const AreaPoint& other : points) {
      if (other.width_bits == 32 && other.is_saturating == point.is_saturating) return &other;
    }
    return nullptr;
  }
};

}  // namespace macloom::explore
