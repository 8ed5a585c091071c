// Energy of a unit. Plain values: explore/ and reports/ may include this.
#pragma once

namespace macloom::cost {

/// Energy of one cycle, pJ. No wires; glitches apart: docs/cost.md, "Energy".
struct UnitEnergy {
  double switching_pj = 0.0;   ///< Charging of the pins that nets drive.
  double internal_pj = 0.0;    ///< Inside combinational cells: one arc per output toggle.
  double sequential_pj = 0.0;  ///< Inside flip-flops: clock edges, output toggles; clock pins.
  double leakage_uw = 0.0;
  /// As internal_pj, had every arc of a toggling output been paid: an upper bound that no event can
  /// reach, printed because some tools add so.
  double internal_all_arcs_pj = 0.0;
  double toggles_per_net = 0.0;  ///< Per cycle.
  /// Transitions with the cells' delays / toggles without, all nets.
  double glitch_factor = 1.0;
  double glitch_pj = 0.0;  ///< What the transitions beyond the toggles cost; in none of the above.

  double dynamic_pj() const { return switching_pj + internal_pj + sequential_pj; }
};

}  // namespace macloom::cost
