// The published claim that FP8 datapaths need 50 to 180 % more hardware than INT8: what is compared
// with what. Plain values: reports/ may include this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace macloom::cost {

/// "FP8 versus INT8 for efficient deep learning inference" (2023): 1.5 to 2.8 times the hardware.
inline constexpr double kClaimLow = 1.5;
inline constexpr double kClaimHigh = 2.8;

/// How many ratios lie below, in and above the claimed band, whose ends belong to it.
struct BandCount {
  int below = 0, within = 0, above = 0;
  void Add(double ratio) { (ratio < kClaimLow ? below : ratio > kClaimHigh ? above : within) += 1; }
  int all() const { return below + within + above; }
  bool operator==(const BandCount&) const = default;
};

/// Levels at which units are compared.
inline constexpr const char* kClaimLevels[] = {"mac", "row", "row+dw", "system"};
/// Formats that all ratios are against.
inline constexpr const char* kClaimBaselines[] = {"int8/24", "int8/32"};
/// Added to the name of an accelerator whose requantization has no multipliers.
inline constexpr const char* kShiftSuffix = " shift";

/// Energy of a cycle, or of an inference at system level, pJ.
struct ClaimEnergy {
  double settled_pj = 0.0;  ///< Every net settles once a cycle.
  double glitch_pj = 0.0;   ///< What the transitions beyond that cost.
  double total_pj() const { return settled_pj + glitch_pj; }
};

/// A unit in one library.
struct ClaimMapping {
  double area_um2 = 0.0;  ///< All cells; memories not included. 0: not mapped, nor are delays.
  double critical_path_ns = 0.0;
  double period_ns = 0.0;  ///< Accumulate loop; at system level the longest path.
  double flip_flop_um2 = 0.0;
  std::optional<ClaimEnergy> energy;          ///< Normally distributed operands.
  std::optional<ClaimEnergy> network_energy;  ///< Operands of the network.
};

/// What a whole accelerator has besides gates.
struct ClaimSystem {
  int64_t multipliers = 0;
  double utilization = 0.0;  ///< Busy multipliers on the network, 0..1.
  int64_t cycles = 0;        ///< Of an inference.
  double memory_gate_equivalents = 0.0;
  double array_pj = 0.0;  ///< Of an inference, glitches included; 0: not measured.
  double memory_pj = 0.0;
};

/// One format with one accumulator at one level.
struct ClaimUnit {
  std::string level;
  std::string name;         ///< "e4m3/fp16".
  std::string format;       ///< "e4m3".
  std::string accumulator;  ///< "integer", "exact", "cut", "FP16", "FP32".
  bool is_fp8 = false;
  double gates = 0.0, flip_flops = 0.0;
  double cut_bits = 0.0;  ///< Bits of one pipeline register in front of the accumulate loop.
  double macs = 1.0;      ///< Products per cycle; at system level busy multipliers.
  std::vector<ClaimMapping> mapped;  ///< One per library.
  std::optional<ClaimSystem> system;

  /// Gates, and flip-flops at `gates_per_flip_flop`.
  double GateEquivalents() const;
  /// Pipeline registers that bring the feed-forward part down to `period_ns`.
  int ExtraStages(size_t library, double period_ns) const;
  /// Area x period per MAC at the period of the accumulate loop, pipeline registers counted.
  double AreaPeriod(size_t library) const;
  /// Area that does a step every `period_ns`: as many copies as the loop makes necessary, each with
  /// the pipeline registers that it then needs.
  double AreaAt(size_t library, double period_ns) const;
};

enum class ClaimQuantity {
  kGates,            ///< Two-input gates, as the publication counts.
  kGateEquivalents,  ///< With flip-flops.
  kArea,
  kDelay,
  kAreaPeriod,
  kEnergy,
  kNetworkEnergy
};

/// A number that every unit has, or (energies, accelerators' areas) that some units have.
struct ClaimFigure {
  ClaimQuantity quantity = ClaimQuantity::kGates;
  size_t library = 0;
  std::string name;  ///< "gates", "osu018 area".
};

struct ClaimTable {
  std::vector<std::string> libraries;  ///< Labels.
  std::string network;                 ///< Whose operands and cycles; empty: none.
  int lanes = 16;                      ///< Of rows.
  std::string configuration;           ///< Of the accelerators.
  std::vector<ClaimUnit> units;        ///< Level by level.

  /// Levels that have units, in order.
  std::vector<std::string> Levels() const;
  /// nullptr: none.
  const ClaimUnit* Find(const std::string& level, const std::string& name) const;
};

/// Energies include glitches. Figures that no unit has are left out.
std::vector<ClaimFigure> FiguresOf(const ClaimTable& table);
std::optional<double> ValueOf(const ClaimUnit& unit, const ClaimFigure& figure);
/// Value over that of `baseline` at the unit's level; nothing if either lacks the figure.
std::optional<double> RatioTo(const ClaimTable& table, const ClaimUnit& unit,
                              const std::string& baseline, const ClaimFigure& figure);

/// All FP8 units of a level by one figure against one baseline.
struct ClaimLine {
  std::string level, baseline, figure;
  BandCount count;
  double lowest = 0.0, highest = 0.0;  ///< Ratios.
  std::string lowest_unit, highest_unit;
};
std::vector<ClaimLine> CheckClaim(const ClaimTable& table);

/// The band under one assumption, level by level as ClaimTable::Levels().
struct ClaimAssumption {
  std::string group;  ///< "encoding", "accumulator", "clock", "wires", ...
  std::string name;
  std::vector<BandCount> by_level;
};

/// Ratio when `share` of the baseline's figure is added in proportion to something of which the
/// unit has `added_ratio` times as much as the baseline: (ratio + share added) / (1 + share).
double WithShare(double ratio, double share, double added_ratio);

/// How the counts of areas (gate equivalents among them) and energies move with the assumptions of
/// docs/cost.md.
std::vector<ClaimAssumption> SensitivityOf(const ClaimTable& table);

/// What follows from the numbers, one sentence each.
std::vector<std::string> VerdictOf(const ClaimTable& table);

/// Accuracy of the network in one format beside its cost; all ratios to int8/24.
struct ClaimAccuracy {
  std::string name;     ///< "e4m3/fp16".
  std::string weights;  ///< "tensor", "channel".
  int correct = 0, float_correct = 0, samples = 0;
  int same_class_as_float = 0;
  double output_sqnr_db = 0.0;
  int64_t overflow_events = 0;
};

}  // namespace macloom::cost
