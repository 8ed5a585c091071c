// The table of `macloom cost mac`. Plain values: explore/ and reports/ may include this.
#pragma once

#include <string>
#include <vector>

#include "cost/energy_result.h"
#include "cost/synthesis_result.h"

namespace macloom::cost {

/// One unit in gates and in every library.
struct MacResult {
  std::string name;
  std::string format;
  int accumulator_bits = 0;
  int lanes = 1;
  std::string shape;  ///< "bare", "row", "row+dw".
  int cut_bits = 0;   ///< Bits of one pipeline register in front of the accumulate loop.
  GateCount gates;
  std::vector<MappedArea> mapped;    ///< One per library.
  std::vector<UnitEnergy> energies;  ///< One per library; empty if not asked for.
  /// The same on a network's operands; empty if not asked for or if the network has none of the
  /// unit's format.
  std::vector<UnitEnergy> network_energies;

  /// Pipeline registers that bring the feed-forward part down to the period of the loop.
  int ExtraStages(size_t library) const;
  /// Area with those registers, um2.
  double IsoArea(size_t library) const;
  /// IsoArea x loop period / lanes, um2 * ns per MAC.
  double IsoAreaPeriod(size_t library) const;
};

struct MacComparison {
  std::vector<std::string> libraries;  ///< Labels.
  std::string baseline;                ///< Format/accumulator that ratios are against.
  std::vector<MacResult> results;
  std::vector<MacResult> baselines;  ///< One per number of lanes and shape.
  int num_cached = 0;
  int num_made = 0;

  /// The baseline of the lanes and shape of `result`.
  const MacResult& BaselineOf(const MacResult& result) const;
};

}  // namespace macloom::cost
