#include "reports/cost_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cost/claim_result.h"
#include "reports/svg.h"

namespace macloom::reports {
namespace {

// Distinguishable with the common colour deficiencies (Okabe and Ito).
const std::vector<std::string> kColours = {"#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                           "#e69f00", "#56b4e9", "#8c6d31", "#7570b3"};
constexpr double kLeft = 150, kTop = 60, kPanelWidth = 340, kPanelGap = 30, kRowHeight = 17;
constexpr double kLegendHeight = 18;
const std::vector<double> kTicks = {0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64};

struct Scale {
  double lowest = 0.5, highest = 4.0;
  double X(double ratio) const {
    return kPanelWidth * std::log(ratio / lowest) / std::log(highest / lowest);
  }
};

Scale ScaleOf(const cost::MacComparison& comparison) {
  Scale scale;
  for (const cost::MacResult& result : comparison.results) {
    const std::vector<double> base = cost::FigureValues(comparison.BaselineOf(result));
    const std::vector<double> values = cost::FigureValues(result);
    for (size_t i = 0; i < values.size(); ++i) {
      // Against the wider baseline ratios are smaller.
      scale.lowest = std::min(scale.lowest, 0.7 * values[i] / base[i]);
      scale.highest = std::max(scale.highest, 1.1 * values[i] / base[i]);
    }
  }
  return scale;
}

void DrawPanel(const cost::MacComparison& comparison, const Scale& scale, int accumulator_bits,
               double left, Svg& svg) {
  const double bottom = kTop + kRowHeight * static_cast<double>(comparison.results.size());
  svg.Band({{left + scale.X(cost::kClaimLow), bottom}, {left + scale.X(cost::kClaimHigh), bottom}},
           {{left + scale.X(cost::kClaimLow), kTop}, {left + scale.X(cost::kClaimHigh), kTop}},
           "#bbbbbb");
  for (const double tick : kTicks) {
    if (tick < scale.lowest || tick > scale.highest) continue;
    const double x = left + scale.X(tick);
    svg.Line(x, kTop, x, bottom, tick == 1 ? "#666666" : "#dddddd");
    svg.Text(x, bottom + 16, fmt::format("{:g}", tick), Anchor::kMiddle, 11);
  }
  svg.Text(left, kTop - 10, fmt::format("against int8 with {} accumulator bits", accumulator_bits),
           Anchor::kStart, 12);
  const std::vector<std::string> names = cost::FigureNames(comparison);
  for (size_t row = 0; row < comparison.results.size(); ++row) {
    const cost::MacResult& result = comparison.results[row];
    const cost::MacResult* base = cost::Int8Like(comparison, result, accumulator_bits);
    if (base == nullptr) continue;
    const std::vector<double> values = cost::FigureValues(result);
    const std::vector<double> base_values = cost::FigureValues(*base);
    const double y = kTop + kRowHeight * (static_cast<double>(row) + 0.5);
    for (size_t i = 0; i < values.size(); ++i) {
      const double ratio = values[i] / base_values[i];
      if (ratio < scale.lowest) continue;
      svg.Circle(left + scale.X(ratio), y, 3.5, kColours[i % kColours.size()],
                 fmt::format("{}, {}: {:.2f} of {}", result.name, names[i], ratio, base->name));
    }
  }
}

}  // namespace

std::string ClaimPlot(const cost::MacComparison& comparison) {
  const Scale scale = ScaleOf(comparison);
  const std::vector<std::string> names = cost::FigureNames(comparison);
  const double bottom = kTop + kRowHeight * static_cast<double>(comparison.results.size());
  const double height =
      bottom + 40 + kLegendHeight * std::ceil(static_cast<double>(names.size()) / 4.0);
  Svg svg(kLeft + 2 * kPanelWidth + kPanelGap + 20, height,
          "INT and FP8 multiply-accumulate units against INT8");
  svg.Text(kLeft, 24, "INT and FP8 units against INT8; grey: 50 to 180 % more, as published",
           Anchor::kStart, 14);
  for (size_t row = 0; row < comparison.results.size(); ++row) {
    svg.Text(kLeft - 10, kTop + kRowHeight * (static_cast<double>(row) + 0.75),
             comparison.results[row].name, Anchor::kEnd, 11);
  }
  DrawPanel(comparison, scale, 24, kLeft, svg);
  DrawPanel(comparison, scale, 32, kLeft + kPanelWidth + kPanelGap, svg);
  for (size_t i = 0; i < names.size(); ++i) {
    const double x = kLeft + 180 * static_cast<double>(i % 4);
    const double y = bottom + 40 + kLegendHeight * static_cast<double>(i / 4);
    svg.Circle(x, y - 4, 4, kColours[i % kColours.size()], names[i]);
    svg.Text(x + 10, y, names[i], Anchor::kStart, 11);
  }
  return svg.Document();
}

}  // namespace macloom::reports
