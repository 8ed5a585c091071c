#include "reports/accum_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/files.h"
#include "reports/area_plot.h"
#include "reports/svg.h"

namespace macloom::reports {
namespace {

using explore::AccumResult;
using explore::Policy;
using explore::SweepPoint;

// Distinguishable with the common colour deficiencies (Okabe and Ito).
const std::vector<std::string> kColours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00",
                                           "#56b4e9", "#000000", "#7f7f00", "#800040", "#7f7f7f"};
constexpr double kLeft = 70, kTop = 50, kPlotWidth = 560, kPlotHeight = 300;

const std::string& ColourOf(size_t i) { return kColours[i % kColours.size()]; }

struct Axis {
  int min_bits = 8, max_bits = 32;
  double X(double bits) const {
    return kLeft + kPlotWidth * (bits - min_bits) / std::max(max_bits - min_bits, 1);
  }
  static double Y(double percent) { return kTop + kPlotHeight * (1 - percent / 100); }
};

Axis AxisOf(const std::vector<AccumResult>& results) {
  Axis axis{32, 8};
  for (const AccumResult& result : results) {
    for (const SweepPoint& point : result.sweep) {
      axis.min_bits = std::min(axis.min_bits, point.width_bits);
      // Beyond the certificate nothing changes: two more bits show that.
      if (point.width_bits <= result.widths.hardware_order[0] + 2) {
        axis.max_bits = std::max(axis.max_bits, point.width_bits);
      }
    }
  }
  return axis;
}

void DrawFrame(const Axis& axis, const std::string& label, Svg& svg) {
  for (int percent = 0; percent <= 100; percent += 20) {
    const double y = Axis::Y(percent);
    svg.Line(kLeft, y, kLeft + kPlotWidth, y, "#dddddd");
    svg.Text(kLeft - 8, y + 4, std::to_string(percent), Anchor::kEnd, 12);
  }
  for (int bits = axis.min_bits; bits <= axis.max_bits; bits += 2) {
    svg.Line(axis.X(bits), kTop + kPlotHeight, axis.X(bits), kTop + kPlotHeight + 5, "#333333");
    svg.Text(axis.X(bits), kTop + kPlotHeight + 20, std::to_string(bits), Anchor::kMiddle, 12);
  }
  svg.Line(kLeft, kTop + kPlotHeight, kLeft + kPlotWidth, kTop + kPlotHeight, "#333333");
  svg.Text(kLeft + kPlotWidth / 2, kTop + kPlotHeight + 42, "accumulator width P, bits",
           Anchor::kMiddle, 13);
  svg.Text(kLeft - 40, kTop - 14, label, Anchor::kStart, 13);
}

/// Two colours per network while they last, else one; bands of many networks would hide the lines.
constexpr size_t kMaxTwoColoured = 3;

const std::string& ColourOf(size_t network, Policy policy, size_t num_networks) {
  if (num_networks > kMaxTwoColoured) return ColourOf(network);
  return ColourOf(2 * network + (policy == Policy::kWrap ? 0 : 1));
}

void DrawCurve(const AccumResult& result, Policy policy, const Axis& axis,
               const std::string& colour, bool has_band, Svg& svg) {
  std::vector<std::pair<double, double>> line, lower, upper;
  std::vector<std::string> tooltips;
  for (const SweepPoint& point : result.sweep) {
    if (point.policy != policy || !point.refusal.empty() || point.width_bits > axis.max_bits) {
      continue;
    }
    const explore::Proportion& p = result.has_labels ? point.accuracy : point.agreement;
    const double x = axis.X(point.width_bits);
    line.emplace_back(x, Axis::Y(100 * p.value));
    lower.emplace_back(x, Axis::Y(100 * p.low));
    upper.emplace_back(x, Axis::Y(100 * p.high));
    tooltips.push_back(fmt::format("{}, {}, {} bits: {} of {} ({:.1f} %, 95 %: {:.1f} to {:.1f})",
                                   result.network, explore::ToString(policy), point.width_bits,
                                   p.part, p.whole, 100 * p.value, 100 * p.low, 100 * p.high));
  }
  if (has_band) svg.Band(lower, upper, colour);
  svg.Polyline(line, colour, policy == Policy::kSaturate);
  for (size_t i = 0; i < line.size(); ++i) {
    svg.Circle(line[i].first, line[i].second, 3, colour, tooltips[i]);
  }
}

struct Series {
  const char* name;
  int (*bits)(const explore::Widths&);
};

constexpr size_t kClampIndex = static_cast<size_t>(explore::RangeKind::kClamp);

const Series kSeries[] = {
    {"data type", [](const explore::Widths& w) { return w.data_type; }},
    {"l1", [](const explore::Widths& w) { return w.l1; }},
    {"certificate", [](const explore::Widths& w) { return w.hardware_order[kClampIndex]; }},
    {"final sum", [](const explore::Widths& w) { return w.final_sum[kClampIndex]; }},
    {"observed prefix", [](const explore::Widths& w) { return w.observed_prefix; }},
    {"observed final", [](const explore::Widths& w) { return w.observed_final; }},
};

std::string FileName(const std::string& network) {
  std::string name;
  for (const char c : network) {
    name += std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' ? c : '_';
  }
  return name;
}

std::string Title(const AccumResult& result) {
  return result.network + (result.is_untrained ? " (untrained)" : "");
}

}  // namespace

std::string AccuracyPlot(const std::vector<AccumResult>& results) {
  const double legend_top = kTop + kPlotHeight + 70;
  Svg svg(kLeft + kPlotWidth + 130, legend_top + 22 * static_cast<double>(results.size()) + 20,
          "accuracy against accumulator width");
  const Axis axis = AxisOf(results);
  const bool has_labels = std::all_of(results.begin(), results.end(),
                                      [](const AccumResult& result) { return result.has_labels; });
  DrawFrame(axis, has_labels ? "accuracy, %" : "accuracy or agreement with the exact network, %",
            svg);
  for (size_t i = 0; i < results.size(); ++i) {
    const AccumResult& result = results[i];
    const double certificate = axis.X(result.widths.hardware_order[0]);
    const std::string& wrap = ColourOf(i, Policy::kWrap, results.size());
    const std::string& saturate = ColourOf(i, Policy::kSaturate, results.size());
    const bool has_band = results.size() <= kMaxTwoColoured;
    svg.Line(certificate, kTop, certificate, kTop + kPlotHeight, wrap, 1);
    DrawCurve(result, Policy::kWrap, axis, wrap, has_band, svg);
    DrawCurve(result, Policy::kSaturate, axis, saturate, has_band, svg);
    const double y = legend_top + 22 * static_cast<double>(i);
    svg.Polyline({{kLeft, y}, {kLeft + 30, y}}, wrap, false);
    svg.Polyline({{kLeft + 80, y}, {kLeft + 110, y}}, saturate, true);
    svg.Text(kLeft + 36, y + 4, "wrap", Anchor::kStart, 12);
    svg.Text(kLeft + 116, y + 4, "saturate", Anchor::kStart, 12);
    svg.Text(kLeft + 180, y + 4,
             fmt::format("{} ({}, {} samples); vertical line: certificate, {} bits", Title(result),
                         result.has_labels ? "accuracy" : "agreement", result.num_samples,
                         result.widths.hardware_order[0]),
             Anchor::kStart, 12);
  }
  return svg.Document();
}

std::string LayerWidthPlot(const AccumResult& result) {
  constexpr double kBar = 11, kGap = 16, kLabel = 210, kBarLeft = 220, kPerBit = 14;
  const double group = kBar * static_cast<double>(std::size(kSeries)) + kGap;
  const double height = 70 + group * static_cast<double>(result.layers.size()) + 10;
  Svg svg(kBarLeft + kPerBit * 34 + 90, height, "accumulator widths of the layers");
  svg.Text(kBarLeft, 20,
           fmt::format("{} on {}: accumulator width by layer, bits", Title(result),
                       result.configuration),
           Anchor::kStart, 13);
  double x = kBarLeft;
  for (size_t s = 0; s < std::size(kSeries); ++s) {
    svg.Rectangle(x, 32, 10, 10, ColourOf(s), "");
    svg.Text(x + 14, 41, kSeries[s].name, Anchor::kStart, 11);
    x += 30 + 6.2 * static_cast<double>(std::string(kSeries[s].name).size());
  }
  for (size_t i = 0; i < result.layers.size(); ++i) {
    const explore::LayerCertificate& layer = result.layers[i];
    const double top = 60 + group * static_cast<double>(i);
    std::string name = layer.name;
    if (name.size() > 30) name = "..." + name.substr(name.size() - 27);
    svg.Text(kLabel, top + group / 2 - 4, name, Anchor::kEnd, 12);
    for (size_t s = 0; s < std::size(kSeries); ++s) {
      const int bits = kSeries[s].bits(layer.widths);
      if (bits == 0) continue;
      const double y = top + kBar * static_cast<double>(s);
      svg.Rectangle(kBarLeft, y, kPerBit * bits, kBar - 2, ColourOf(s),
                    fmt::format("{}, {}: {} bits", layer.name, kSeries[s].name, bits));
      svg.Text(kBarLeft + kPerBit * bits + 4, y + 8, std::to_string(bits), Anchor::kStart, 9);
    }
  }
  return svg.Document();
}

Status WriteAccumPlots(const std::vector<AccumResult>& results,
                       const std::filesystem::path& directory) {
  MACLOOM_ASSIGN_OR_RETURN(OutputDirectory out, OutputDirectory::Create(directory));
  MACLOOM_RETURN_IF_ERROR(out.Write("accuracy.svg", std::string_view(AccuracyPlot(results))));
  if (std::any_of(results.begin(), results.end(),
                  [](const AccumResult& result) { return result.area.has_value(); })) {
    MACLOOM_RETURN_IF_ERROR(out.Write("area.svg", std::string_view(AreaPlot(results))));
  }
  for (const AccumResult& result : results) {
    MACLOOM_RETURN_IF_ERROR(out.Write("layers_" + FileName(result.network) + ".svg",
                                      std::string_view(LayerWidthPlot(result))));
  }
  return out.Commit();
}

}  // namespace macloom::reports
