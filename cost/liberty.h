// A standard-cell library as its Liberty file describes it: area, capacitance, delay, power.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace macloom::cost {

/// A table over (input slew, output load), either axis possibly absent.
struct LibertyTable {
  std::vector<double> slew_ns;  ///< Empty: does not depend on it.
  std::vector<double> load_ff;
  std::vector<double> values;  ///< [slew][load], in the unit of whoever holds the table.

  bool empty() const { return values.empty(); }
  /// Bilinear interpolation, clamped to the table's range.
  double At(double slew_ns, double load_ff) const;
};

/// A timing arc to an output pin. Setup, hold and other constraints are not kept.
struct TimingArc {
  std::string related_pin;
  LibertyTable rise_ns;
  LibertyTable fall_ns;
};

/// Energy inside the cell of one transition: of an output pin caused by `related_pin`, or, without
/// related_pin, of the input pin itself.
struct PowerArc {
  std::string related_pin;
  std::string when;
  LibertyTable rise_fj;
  LibertyTable fall_fj;
};

struct LibertyPin {
  std::string name;
  bool is_output = false;
  bool is_clock = false;
  double capacitance_ff = 0.0;
  std::string function;
  std::vector<TimingArc> timing;
  std::vector<PowerArc> power;
};

struct LibertyCell {
  std::string name;
  double area = 0.0;  ///< In the library's unit, um2 in all libraries we know.
  bool has_area = false;
  double leakage_nw = 0.0;
  bool has_leakage = false;
  bool is_sequential = false;  ///< Has a flip-flop or latch.
  /// Of the flip-flop, as in the file; empty without one. `state` and `inverted_state` are the
  /// names that output functions use.
  std::string next_state, clocked_on, clear, preset, state, inverted_state;
  bool is_dont_use = false;
  std::vector<LibertyPin> pins;

  const LibertyPin* Find(std::string_view pin) const;
};

struct LibertyLibrary {
  std::string name;
  std::string source;
  double voltage_v = 0.0;
  std::map<std::string, LibertyCell, std::less<>> cells;

  /// kInvalidInput naming what is missing, each over all cells that logic is mapped to.
  Status RequireArea() const;
  Status RequireTiming() const;
  Status RequirePower() const;
};

/// Largest Liberty text that is read, in bytes, unzipped.
inline constexpr int64_t kMaxLibertyBytes = int64_t{256} << 20;

/// The text of a `.lib` or `.lib.gz` file.
/// @return kInvalidInput for an unreadable, damaged or too large file.
Result<std::string> ReadLibertyText(const std::filesystem::path& path);

/// Cells of `text`. @param source named in errors.
/// @return kInvalidInput with the line for what is not Liberty, for numbers that are none, for
///         tables whose size does not fit their axes, and for a library without cells.
Result<LibertyLibrary> ReadLiberty(std::string_view text, const std::string& source);

}  // namespace macloom::cost
