#include "reports/svg.h"

#include <fmt/format.h>

namespace macloom::reports {
namespace {

std::string Points(const std::vector<std::pair<double, double>>& points) {
  std::string text;
  for (const auto& [x, y] : points) text += fmt::format("{:.1f},{:.1f} ", x, y);
  if (!text.empty()) text.pop_back();
  return text;
}

std::string Tooltip(const std::string& text) {
  return text.empty() ? "" : "<title>" + EscapeXml(text) + "</title>";
}

}  // namespace

std::string EscapeXml(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

Svg::Svg(double width, double height, std::string title)
    : width_(width), height_(height), title_(std::move(title)) {}

void Svg::Line(double x1, double y1, double x2, double y2, const std::string& colour,
               double width) {
  body_ += fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
      "stroke-width=\"{:.1f}\"/>\n",
      x1, y1, x2, y2, colour, width);
}

void Svg::Polyline(const std::vector<std::pair<double, double>>& points, const std::string& colour,
                   bool is_dashed) {
  body_ +=
      fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n",
                  Points(points), colour, is_dashed ? " stroke-dasharray=\"6 4\"" : "");
}

void Svg::Band(const std::vector<std::pair<double, double>>& lower,
               const std::vector<std::pair<double, double>>& upper, const std::string& colour) {
  std::vector<std::pair<double, double>> outline = lower;
  outline.insert(outline.end(), upper.rbegin(), upper.rend());
  body_ += fmt::format("<polygon points=\"{}\" fill=\"{}\" fill-opacity=\"0.12\"/>\n",
                       Points(outline), colour);
}

void Svg::Circle(double x, double y, double radius, const std::string& colour,
                 const std::string& tooltip) {
  body_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\">{}</circle>\n",
                       x, y, radius, colour, Tooltip(tooltip));
}

void Svg::Rectangle(double x, double y, double width, double height, const std::string& colour,
                    const std::string& tooltip) {
  body_ += fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\">{}</rect>\n",
      x, y, width, height, colour, Tooltip(tooltip));
}

void Svg::Text(double x, double y, const std::string& text, Anchor anchor, double size,
               const std::string& colour) {
  const char* name = anchor == Anchor::kStart    ? "start"
                     : anchor == Anchor::kMiddle ? "middle"
                                                 : "end";
  body_ += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-size=\"{:.0f}\" "
      "fill=\"{}\">{}</text>\n",
      x, y, name, size, colour, EscapeXml(text));
}

std::string Svg::Document() const {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n"
      "<title>{2}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{3}</svg>\n",
      width_, height_, EscapeXml(title_), body_);
}

}  // namespace macloom::reports
