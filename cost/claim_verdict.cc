#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "cost/claim_result.h"

namespace macloom::cost {
namespace {

struct Range {
  double lowest = 0.0, highest = 0.0;
  int number = 0;
  void Add(double value) {
    lowest = number == 0 ? value : std::min(lowest, value);
    highest = number == 0 ? value : std::max(highest, value);
    ++number;
  }
};

/// "below", "in", "above" the band, or what it reaches over.
std::string Position(const Range& range) {
  const auto side = [](double ratio) { return ratio < kClaimLow ? 0 : ratio > kClaimHigh ? 2 : 1; };
  static const char* const kWords[3][3] = {
      {"below", "below and in", "below to above"}, {"", "in", "in and above"}, {"", "", "above"}};
  return kWords[side(range.lowest)][side(range.highest)];
}

std::string ToText(const Range& range) {
  return fmt::format("{:.2f} to {:.2f} ({})", range.lowest, range.highest, Position(range));
}

/// Geometric mean of highest / lowest area over groups of units that differ in one respect only.
class Spread {
 public:
  void Add(const std::string& group, double ratio) { groups_[group].Add(ratio); }
  double Mean() const {
    double sum = 0.0;
    int number = 0;
    for (const auto& [name, range] : groups_) {
      if (range.number < 2) continue;
      sum += std::log(range.highest / range.lowest);
      ++number;
    }
    return number == 0 ? 1.0 : std::exp(sum / number);
  }

 private:
  std::map<std::string, Range> groups_;
};

/// Areas and gate equivalents of the FP8 units of `level` against int8/24, by accumulator and by
/// encoding.
struct LevelAreas {
  std::vector<std::string> accumulators;
  std::map<std::string, Range> by_accumulator;
  Spread over_accumulators, over_encodings;
};

LevelAreas AreasOf(const ClaimTable& table, const std::string& level) {
  LevelAreas areas;
  for (const ClaimUnit& unit : table.units) {
    if (!unit.is_fp8 || unit.level != level) continue;
    if (areas.by_accumulator.count(unit.accumulator) == 0) {
      areas.accumulators.push_back(unit.accumulator);
    }
    Range& range = areas.by_accumulator[unit.accumulator];
    for (const ClaimFigure& figure : FiguresOf(table)) {
      if (figure.quantity != ClaimQuantity::kGateEquivalents &&
          figure.quantity != ClaimQuantity::kArea) {
        continue;
      }
      const std::optional<double> ratio = RatioTo(table, unit, kClaimBaselines[0], figure);
      if (!ratio) continue;
      range.Add(*ratio);
      areas.over_accumulators.Add(unit.format + figure.name, *ratio);
      areas.over_encodings.Add(unit.accumulator + figure.name, *ratio);
    }
  }
  return areas;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text.empty() ? "none" : text;
}

}  // namespace

std::vector<std::string> VerdictOf(const ClaimTable& table) {
  std::vector<std::string> sentences;
  std::map<std::string, BandCount> counts;
  for (const ClaimLine& line : CheckClaim(table)) {
    BandCount& count = counts[line.level];
    count.below += line.count.below;
    count.within += line.count.within;
    count.above += line.count.above;
  }
  std::map<std::string, std::vector<std::string>> holds;
  for (const std::string& level : table.Levels()) {
    const BandCount& count = counts[level];
    if (count.all() == 0) continue;
    const LevelAreas areas = AreasOf(table, level);
    std::vector<std::string> parts;
    for (const std::string& accumulator : areas.accumulators) {
      const Range& range = areas.by_accumulator.at(accumulator);
      if (range.number == 0) continue;
      parts.push_back(accumulator + " " + ToText(range));
      holds[Position(range)].push_back(level + " " + accumulator);
    }
    sentences.push_back(fmt::format(
        "{}: {} of {} ratios ({:.0f} %) lie in the band of {:.1f} to {:.1f}, {} below, {} above",
        level, count.within, count.all(), 100.0 * count.within / count.all(), kClaimLow, kClaimHigh,
        count.below, count.above));
    if (parts.empty()) continue;
    const double accumulators = areas.over_accumulators.Mean();
    const double encodings = areas.over_encodings.Mean();
    sentences.push_back(
        fmt::format("{}: area against int8/24 by accumulator: {}", level, Join(parts)));
    sentences.push_back(fmt::format(
        "{}: another accumulator changes the area by a factor of {:.2f}, another encoding by "
        "{:.2f}: the {} decides",
        level, accumulators, encodings, accumulators >= encodings ? "accumulator" : "encoding"));
  }
  if (holds.empty()) return sentences;
  sentences.push_back("areas wholly in the band: " + Join(holds["in"]) + "; wholly below: " +
                      Join(holds["below"]) + "; wholly above: " + Join(holds["above"]));
  return sentences;
}

}  // namespace macloom::cost
