// What synthesis of one unit gave. Plain values: explore/ and reports/ may include this.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace macloom::cost {

/// A unit in two-input gates.
struct GateCount {
  int64_t gates = 0;       ///< AND, NAND, OR, NOR, XOR, XNOR, ANDNOT, ORNOT.
  int64_t inverters = 0;   ///< Not counted as gates.
  int64_t flip_flops = 0;  ///< Bits; not counted as gates.
  bool operator==(const GateCount&) const = default;
};

/// A unit mapped to a cell library.
struct MappedArea {
  double area_um2 = 0.0;            ///< All cells.
  double flip_flop_area_um2 = 0.0;  ///< The part of it that is flip-flops and latches.
  int64_t cells = 0;
  int64_t flip_flops = 0;
  double largest_flip_flop_um2 = 0.0;  ///< The plain flip-flop in use, for estimated registers.
  double leakage_nw = 0.0;
  /// Longest path between registers or from an input to a register, setup included. No wires.
  double critical_path_ns = 0.0;
  /// Longest path from an accumulator register to an accumulator register; 0 without any.
  double loop_path_ns = 0.0;
  bool operator==(const MappedArea&) const = default;
};

}  // namespace macloom::cost
