#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

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

/// Ratios of the FP8 units of a level to int8/24, by accumulator and by encoding.
struct LevelRatios {
  std::vector<std::string> accumulators;
  std::map<std::string, Range> by_accumulator;
  Spread over_accumulators, over_encodings;

  /// "exact 0.91 to 2.29 (below and in), FP16 ..."; empty: no unit has such a figure.
  std::string ToText() const;
};

/// All figures of the given quantities together.
LevelRatios RatiosOf(const ClaimTable& table, const std::string& level,
                     const std::set<ClaimQuantity>& quantities) {
  LevelRatios ratios;
  for (const ClaimUnit& unit : table.units) {
    if (!unit.is_fp8 || unit.level != level) continue;
    for (const ClaimFigure& figure : FiguresOf(table)) {
      if (quantities.count(figure.quantity) == 0) continue;
      const std::optional<double> ratio = RatioTo(table, unit, kClaimBaselines[0], figure);
      if (!ratio) continue;
      if (ratios.by_accumulator.count(unit.accumulator) == 0) {
        ratios.accumulators.push_back(unit.accumulator);
      }
      ratios.by_accumulator[unit.accumulator].Add(*ratio);
      ratios.over_accumulators.Add(unit.format + figure.name, *ratio);
      ratios.over_encodings.Add(unit.accumulator + figure.name, *ratio);
    }
  }
  return ratios;
}

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text.empty() ? "none" : text;
}

std::string LevelRatios::ToText() const {
  std::string text;
  for (const std::string& accumulator : accumulators) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", accumulator,
                        macloom::cost::ToText(by_accumulator.at(accumulator)));
  }
  return text;
}

/// What the ratios of `quantities` say of a level; nothing if they have none.
void Describe(const std::string& level, const std::string& what, const LevelRatios& ratios,
              std::vector<std::string>& sentences) {
  if (ratios.accumulators.empty()) return;
  const double accumulators = ratios.over_accumulators.Mean();
  const double encodings = ratios.over_encodings.Mean();
  sentences.push_back(
      fmt::format("{}: {} against int8/24 by accumulator: {}", level, what, ratios.ToText()));
  sentences.push_back(fmt::format(
      "{}: another accumulator changes the {} by a factor of {:.2f}, another encoding by {:.2f}: "
      "the {} decides",
      level, what, accumulators, encodings,
      accumulators >= encodings ? "accumulator" : "encoding"));
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
    sentences.push_back(fmt::format(
        "{}: {} of {} ratios ({:.0f} %) lie in the band of {:.1f} to {:.1f}, {} below, {} above",
        level, count.within, count.all(), 100.0 * count.within / count.all(), kClaimLow, kClaimHigh,
        count.below, count.above));
    const LevelRatios areas =
        RatiosOf(table, level, {ClaimQuantity::kGateEquivalents, ClaimQuantity::kArea});
    for (const std::string& accumulator : areas.accumulators) {
      holds[Position(areas.by_accumulator.at(accumulator))].push_back(
          fmt::format("{} {}", level, accumulator));
    }
    Describe(level, "area", areas, sentences);
    Describe(level, "energy", RatiosOf(table, level, {ClaimQuantity::kNetworkEnergy}), sentences);
  }
  if (holds.empty()) return sentences;
  sentences.push_back("areas wholly in the band: " + Join(holds["in"]) + "; wholly below: " +
                      Join(holds["below"]) + "; wholly above: " + Join(holds["above"]));
  return sentences;
}

}  // namespace macloom::cost
