#include "reports/claim_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "reports/svg.h"

namespace macloom::reports {
namespace {

struct Series {
  cost::ClaimQuantity quantity;
  const char* name;
  const char* colour;  ///< Distinguishable with the common colour deficiencies (Okabe and Ito).
};
constexpr Series kSeries[] = {
    {cost::ClaimQuantity::kGates, "gates", "#000000"},
    {cost::ClaimQuantity::kGateEquivalents, "gates and flip-flops", "#888888"},
    {cost::ClaimQuantity::kArea, "area", "#0072b2"},
    {cost::ClaimQuantity::kDelay, "delay", "#e69f00"},
    {cost::ClaimQuantity::kAreaPeriod, "area x period", "#d55e00"},
    {cost::ClaimQuantity::kEnergy, "energy, normal operands", "#009e73"},
    {cost::ClaimQuantity::kNetworkEnergy, "energy, network", "#cc79a7"}};
constexpr double kLeft = 100, kTop = 60, kPanelsWidth = 992, kPanelGap = 18, kRowHeight = 15;
constexpr double kBlockGap = 60, kLetterWidth = 6.2, kSeriesGap = 30;
constexpr double kTicks[] = {0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64};

const Series& SeriesOf(const cost::ClaimFigure& figure) {
  return *std::find_if(std::begin(kSeries), std::end(kSeries),
                       [&](const Series& series) { return series.quantity == figure.quantity; });
}

struct Scale {
  double lowest = 0.5, highest = 4.0;
  double panel_width = kPanelsWidth;
  double X(double ratio) const {
    return panel_width * std::log(ratio / lowest) / std::log(highest / lowest);
  }
};

Scale ScaleOf(const cost::ClaimTable& table) {
  Scale scale;
  const double panels = static_cast<double>(std::max<size_t>(table.Levels().size(), 1));
  scale.panel_width = kPanelsWidth / panels - kPanelGap;
  for (const cost::ClaimUnit& unit : table.units) {
    for (const char* baseline : cost::kClaimBaselines) {
      for (const cost::ClaimFigure& figure : cost::FiguresOf(table)) {
        const std::optional<double> ratio = cost::RatioTo(table, unit, baseline, figure);
        if (!ratio || *ratio <= 0.0) continue;
        scale.lowest = std::min(scale.lowest, 0.9 * *ratio);
        scale.highest = std::max(scale.highest, 1.1 * *ratio);
      }
    }
  }
  return scale;
}

/// Names in order of their first unit.
std::vector<std::string> Names(const cost::ClaimTable& table) {
  std::vector<std::string> names;
  for (const cost::ClaimUnit& unit : table.units) {
    if (std::count(names.begin(), names.end(), unit.name) == 0) names.push_back(unit.name);
  }
  return names;
}

void DrawPanel(const cost::ClaimTable& table, const std::vector<std::string>& names,
               const Scale& scale, const std::string& level, const char* baseline, double left,
               double top, Svg& svg) {
  const double bottom = top + kRowHeight * static_cast<double>(names.size());
  const double low = left + scale.X(cost::kClaimLow), high = left + scale.X(cost::kClaimHigh);
  svg.Band({{low, bottom}, {high, bottom}}, {{low, top}, {high, top}}, "#bbbbbb");
  for (const double tick : kTicks) {
    if (tick < scale.lowest || tick > scale.highest) continue;
    const double x = left + scale.X(tick);
    svg.Line(x, top, x, bottom, tick == 1 ? "#666666" : "#dddddd");
    svg.Text(x, bottom + 14, fmt::format("{:g}", tick), Anchor::kMiddle, 10);
  }
  svg.Text(left, top - 8, fmt::format("{}, against {}", level, baseline), Anchor::kStart, 12);
  for (size_t row = 0; row < names.size(); ++row) {
    const cost::ClaimUnit* unit = table.Find(level, names[row]);
    if (unit == nullptr) continue;
    for (const cost::ClaimFigure& figure : cost::FiguresOf(table)) {
      const std::optional<double> ratio = cost::RatioTo(table, *unit, baseline, figure);
      if (!ratio || *ratio <= 0.0) continue;
      svg.Circle(
          left + scale.X(*ratio), top + kRowHeight * (static_cast<double>(row) + 0.5), 3,
          SeriesOf(figure).colour,
          fmt::format("{} {}, {}: {:.2f} of {}", level, unit->name, figure.name, *ratio, baseline));
    }
  }
}

}  // namespace

std::string ClaimPlot(const cost::ClaimTable& table) {
  const Scale scale = ScaleOf(table);
  const std::vector<std::string> names = Names(table), levels = table.Levels();
  const double block = kRowHeight * static_cast<double>(names.size()) + kBlockGap;
  const double legend = kTop + 2 * block;
  Svg svg(kLeft + kPanelsWidth, legend + 20,
          "INT and FP8 at MAC, row and system level against INT8");
  svg.Text(kLeft, 24, "INT and FP8 against INT8; grey: 50 to 180 % more, as published",
           Anchor::kStart, 14);
  for (int b = 0; b < 2; ++b) {
    const double top = kTop + block * b;
    for (size_t row = 0; row < names.size(); ++row) {
      svg.Text(kLeft - 10, top + kRowHeight * (static_cast<double>(row) + 0.75), names[row],
               Anchor::kEnd, 11);
    }
    for (size_t i = 0; i < levels.size(); ++i) {
      DrawPanel(table, names, scale, levels[i], cost::kClaimBaselines[b],
                kLeft + (scale.panel_width + kPanelGap) * static_cast<double>(i), top, svg);
    }
  }
  double x = kLeft;
  for (const Series& series : kSeries) {
    svg.Circle(x, legend - 4, 4, series.colour, series.name);
    svg.Text(x + 10, legend, series.name, Anchor::kStart, 11);
    x += kLetterWidth * static_cast<double>(std::string_view(series.name).size()) + kSeriesGap;
  }
  return svg.Document();
}

}  // namespace macloom::reports
