// A drawing as SVG text: no scripts, fonts or files from elsewhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace macloom::reports {

enum class Anchor { kStart, kMiddle, kEnd };

/// Shapes in user units (pixels), origin top left, y downwards; drawn in order of the calls. All
/// text is escaped. Every shape may carry a tooltip (an SVG title).
class Svg {
 public:
  Svg(double width, double height, std::string title);

  void Line(double x1, double y1, double x2, double y2, const std::string& colour,
            double width = 1);
  void Polyline(const std::vector<std::pair<double, double>>& points, const std::string& colour,
                bool is_dashed);
  /// A filled band between `lower` and `upper` (same x values), half transparent.
  void Band(const std::vector<std::pair<double, double>>& lower,
            const std::vector<std::pair<double, double>>& upper, const std::string& colour);
  void Circle(double x, double y, double radius, const std::string& colour,
              const std::string& tooltip);
  void Rectangle(double x, double y, double width, double height, const std::string& colour,
                 const std::string& tooltip);
  void Text(double x, double y, const std::string& text, Anchor anchor, double size,
            const std::string& colour = "#333333");

  /// The complete document.
  std::string Document() const;

 private:
  double width_, height_;
  std::string title_, body_;
};

/// Text with & < > " as entities.
std::string EscapeXml(const std::string& text);

}  // namespace macloom::reports
