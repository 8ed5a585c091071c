#include "reports/area_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "reports/svg.h"

namespace macloom::reports {
namespace {

using explore::AccumResult;
using explore::AreaPoint;

// Distinguishable with the common colour deficiencies (Okabe and Ito).
const std::vector<std::string> kColours = {"#0072b2", "#d55e00", "#009e73",
                                           "#cc79a7", "#e69f00", "#56b4e9"};
constexpr double kLeft = 70, kTop = 50, kPlotWidth = 560, kPlotHeight = 300;
constexpr int kMaxBits = 32;

struct Axes {
  int min_bits = kMaxBits;
  double min_percent = 100.0, max_percent = 100.0;

  double X(int bits) const {
    return kLeft + kPlotWidth * (bits - min_bits) / std::max(kMaxBits - min_bits, 1);
  }
  double Y(double percent) const {
    return kTop + kPlotHeight * (max_percent - percent) / (max_percent - min_percent);
  }
};

double PercentOfBaseline(const explore::AreaTable& table, const AreaPoint& point) {
  const AreaPoint* base = table.BaselineOf(point);
  return base == nullptr ? 100.0
                         : 100.0 * point.gates_per_effective_mac / base->gates_per_effective_mac;
}

Axes AxesOf(const std::vector<AccumResult>& results) {
  Axes axes;
  for (const AccumResult& result : results) {
    if (!result.area) continue;
    for (const AreaPoint& point : result.area->points) {
      const double percent = PercentOfBaseline(*result.area, point);
      axes.min_bits = std::min(axes.min_bits, point.width_bits);
      axes.min_percent = std::min(axes.min_percent, percent);
      axes.max_percent = std::max(axes.max_percent, percent);
    }
  }
  axes.min_percent = 5.0 * std::floor(axes.min_percent / 5.0) - 5.0;
  axes.max_percent = 5.0 * std::ceil(axes.max_percent / 5.0);
  return axes;
}

void DrawFrame(const Axes& axes, Svg& svg) {
  for (double percent = axes.min_percent; percent <= axes.max_percent; percent += 5.0) {
    svg.Line(kLeft, axes.Y(percent), kLeft + kPlotWidth, axes.Y(percent), "#dddddd");
    svg.Text(kLeft - 8, axes.Y(percent) + 4, fmt::format("{:.0f}", percent), Anchor::kEnd, 12);
  }
  for (int bits = axes.min_bits; bits <= kMaxBits; bits += 2) {
    svg.Text(axes.X(bits), kTop + kPlotHeight + 20, std::to_string(bits), Anchor::kMiddle, 12);
  }
  svg.Line(kLeft, kTop + kPlotHeight, kLeft + kPlotWidth, kTop + kPlotHeight, "#333333");
  svg.Text(kLeft + kPlotWidth / 2, kTop + kPlotHeight + 42, "accumulator width P, bits",
           Anchor::kMiddle, 13);
  svg.Text(kLeft - 40, kTop - 14, "logic of the accelerator per busy multiplier, % of 32 bits",
           Anchor::kStart, 13);
}

void DrawCurve(const AccumResult& result, bool is_saturating, const Axes& axes,
               const std::string& colour, Svg& svg) {
  std::vector<std::pair<double, double>> line;
  std::vector<std::string> tooltips;
  for (const AreaPoint& point : result.area->points) {
    if (point.is_saturating != is_saturating) continue;
    const double percent = PercentOfBaseline(*result.area, point);
    line.emplace_back(axes.X(point.width_bits), axes.Y(percent));
    tooltips.push_back(
        fmt::format("{}, {}, {} bits: {:.0f} gate equivalents per effective MAC, "
                    "{:.1f} % of 32 bits",
                    result.network, is_saturating ? "saturate" : "wrap", point.width_bits,
                    point.gates_per_effective_mac, percent));
  }
  svg.Polyline(line, colour, is_saturating);
  for (size_t i = 0; i < line.size(); ++i) {
    svg.Circle(line[i].first, line[i].second, 3, colour, tooltips[i]);
  }
}

}  // namespace

std::string AreaPlot(const std::vector<AccumResult>& results) {
  const double legend_top = kTop + kPlotHeight + 70;
  Svg svg(kLeft + kPlotWidth + 60, legend_top + 22 * static_cast<double>(results.size()) + 20,
          "area against accumulator width");
  const Axes axes = AxesOf(results);
  DrawFrame(axes, svg);
  size_t drawn = 0;
  for (const AccumResult& result : results) {
    if (!result.area) continue;
    const std::string& wrap = kColours[2 * drawn % kColours.size()];
    const std::string& saturate = kColours[(2 * drawn + 1) % kColours.size()];
    DrawCurve(result, false, axes, wrap, svg);
    DrawCurve(result, true, axes, saturate, svg);
    const double y = legend_top + 22 * static_cast<double>(drawn++);
    svg.Polyline({{kLeft, y}, {kLeft + 30, y}}, wrap, false);
    svg.Polyline({{kLeft + 80, y}, {kLeft + 110, y}}, saturate, true);
    svg.Text(kLeft + 36, y + 4, "wrap", Anchor::kStart, 12);
    svg.Text(kLeft + 116, y + 4, "saturate", Anchor::kStart, 12);
    svg.Text(kLeft + 180, y + 4,
             fmt::format("{} on {}, {:.1f} % of the multipliers busy; without memories",
                         result.network, result.configuration, 100.0 * result.area->utilization),
             Anchor::kStart, 12);
  }
  return svg.Document();
}

}  // namespace macloom::reports
