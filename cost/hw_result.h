// What a whole accelerator costs. Plain values: explore/ and reports/ may include this.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace macloom::cost {

/// One module of the hierarchy, its sub-modules not included.
struct HwBlock {
  std::string module;
  int64_t instances = 0;
  int64_t gates_each = 0;
  int64_t flip_flops_each = 0;
  std::vector<double> area_um2_each;  ///< By HwCost::libraries; flip-flops included.

  int64_t gates() const { return instances * gates_each; }
};

/// One kind of memory, by the stated model (docs/cost.md, "Memories").
struct HwMemory {
  std::string name;
  int64_t instances = 0;
  int64_t words = 0;
  int64_t word_bits = 0;
  double gate_equivalents = 0.0;  ///< All instances, in two-input NAND gates of area.
  double read_pj = 0.0;           ///< One access of one instance, 45 nm at 0.9 V.
};

struct HwCost {
  std::string configuration;
  std::string digest;
  int64_t multipliers = 0;  ///< rows * lanes.
  std::vector<HwBlock> blocks;
  std::vector<HwMemory> memories;
  int64_t gates = 0;
  int64_t flip_flops = 0;
  double memory_gate_equivalents = 0.0;
  std::vector<std::string> libraries;    ///< Labels.
  std::vector<double> area_um2;          ///< By library; memories not included.
  std::vector<double> critical_path_ns;  ///< By library; paths through memories not included.

  /// Two-input gates plus flip-flops, each counted as kGatesPerFlipFlop gates.
  double logic_gate_equivalents() const;
  /// Cells, um2, without memories, per busy multiplier. @param utilization 0..1.
  double area_per_effective_mac_um2(size_t library, double utilization) const {
    return area_um2[library] / static_cast<double>(multipliers) / utilization;
  }
  /// Logic (without memories) per multiplier.
  double logic_per_mac() const {
    return logic_gate_equivalents() / static_cast<double>(multipliers);
  }
  /// Logic per multiplier that is busy. @param utilization 0..1.
  double logic_per_effective_mac(double utilization) const { return logic_per_mac() / utilization; }
};

/// Row array of one row with its control, composed of modules and flattened.
struct FlatCheck {
  int64_t composed_gates = 0, flat_gates = 0;
  int64_t composed_flip_flops = 0, flat_flip_flops = 0;
  double composed_gate_equivalents() const;
  double flat_gate_equivalents() const;
};

/// A flip-flop as two-input gates: 96 um2 of DFFPOSX1 / 24 um2 of NAND2X1 in OSU018; 5.7 in
/// Nangate45.
inline constexpr double kGatesPerFlipFlop = 4.0;

}  // namespace macloom::cost
