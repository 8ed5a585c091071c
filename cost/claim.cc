#include <fmt/format.h>

#include "cost/claim_result.h"

namespace macloom::cost {

std::vector<std::string> FigureNames(const MacComparison& comparison) {
  std::vector<std::string> names = {"gates"};
  for (const std::string& library : comparison.libraries) {
    for (const char* figure : {"area", "delay", "area x period"}) {
      names.push_back(library + " " + figure);
    }
    if (!comparison.baselines[0].energies.empty()) names.push_back(library + " energy");
  }
  return names;
}

std::vector<double> FigureValues(const MacResult& result) {
  std::vector<double> values = {static_cast<double>(result.gates.gates)};
  for (size_t l = 0; l < result.mapped.size(); ++l) {
    values.push_back(result.mapped[l].area_um2);
    values.push_back(result.mapped[l].critical_path_ns);
    values.push_back(result.IsoAreaPeriod(l));
    if (!result.energies.empty()) values.push_back(result.energies[l].dynamic_pj());
  }
  return values;
}

const MacResult* Int8Like(const MacComparison& comparison, const MacResult& result,
                          int accumulator_bits) {
  for (const std::vector<MacResult>* list : {&comparison.baselines, &comparison.results}) {
    for (const MacResult& candidate : *list) {
      if (candidate.format == "int8" && candidate.accumulator_bits == accumulator_bits &&
          candidate.lanes == result.lanes && candidate.shape == result.shape) {
        return &candidate;
      }
    }
  }
  return nullptr;
}

std::vector<ClaimLine> CheckClaim(const MacComparison& comparison) {
  const std::vector<std::string> names = FigureNames(comparison);
  std::vector<ClaimLine> lines;
  for (const MacResult& group : comparison.baselines) {
    for (const int bits : {24, 32}) {
      const MacResult* base = Int8Like(comparison, group, bits);
      if (base == nullptr) continue;
      const std::vector<double> base_values = FigureValues(*base);
      for (size_t figure = 0; figure < names.size(); ++figure) {
        ClaimLine line;
        line.group = fmt::format("{} L{}", group.shape, group.lanes);
        line.baseline = fmt::format("int8 a{}", bits);
        line.figure = names[figure];
        for (const MacResult& result : comparison.results) {
          if (!result.is_fp8 || result.lanes != group.lanes || result.shape != group.shape) {
            continue;
          }
          const double ratio = FigureValues(result)[figure] / base_values[figure];
          (ratio < kClaimLow ? line.below : ratio > kClaimHigh ? line.above : line.within) += 1;
          if (line.lowest_unit.empty() || ratio < line.lowest) {
            line.lowest = ratio;
            line.lowest_unit = result.name;
          }
          if (line.highest_unit.empty() || ratio > line.highest) {
            line.highest = ratio;
            line.highest_unit = result.name;
          }
        }
        if (!line.lowest_unit.empty()) lines.push_back(std::move(line));
      }
    }
  }
  return lines;
}

}  // namespace macloom::cost
