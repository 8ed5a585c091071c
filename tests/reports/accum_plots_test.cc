// Plots are complete, well-formed, need nothing from elsewhere, and draw what the result says.
#include "reports/accum_plots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "base/files.h"
#include "reports/area_plot.h"
#include "reports/svg.h"
#include "tests/support/temporary_folder.h"

namespace macloom::reports {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

explore::AccumResult Result() {
  explore::AccumResult result;
  result.network = "a<b & \"c\"";
  result.configuration = "m4l16";
  result.num_samples = 10;
  result.has_labels = true;
  result.widths.hardware_order = {20, 19, 0};
  for (const explore::Policy policy : {explore::Policy::kWrap, explore::Policy::kSaturate}) {
    for (int bits = 8; bits <= 32; ++bits) {
      explore::SweepPoint point;
      point.width_bits = bits;
      point.policy = policy;
      point.accuracy = {bits < 14 ? 1 : 9, 10, bits < 14 ? 0.1 : 0.9, 0.05, 0.95};
      if (policy == explore::Policy::kSaturate && bits < 12) point.refusal = "start";
      result.sweep.push_back(point);
    }
  }
  explore::LayerCertificate layer;
  layer.name = "conv";
  layer.widths.data_type = 21;
  layer.widths.l1 = 20;
  layer.widths.hardware_order = {20, 19, 0};
  layer.widths.final_sum = {20, 19, 0};
  result.layers = {layer};
  return result;
}

size_t Count(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  return static_cast<size_t>(
      std::distance(std::sregex_iterator(text.begin(), text.end(), regex), {}));
}

/// Every element is closed in order, and nothing is fetched.
void ExpectWellFormed(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z]+)([^>]*)>");
  for (auto it = std::sregex_iterator(svg.begin(), svg.end(), tag); it != std::sregex_iterator();
       ++it) {
    const std::string attributes = (*it)[3];
    if ((*it)[1] == "/") {
      ASSERT_FALSE(open.empty());
      ASSERT_EQ(open.back(), (*it)[2]);
      open.pop_back();
    } else if (attributes.empty() || attributes.back() != '/') {
      open.push_back((*it)[2]);
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_THAT(svg, Not(HasSubstr("href")));
  EXPECT_THAT(svg, Not(HasSubstr("url(")));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(SvgTest, TextIsEscaped) {
  EXPECT_EQ(EscapeXml("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  Svg svg(10, 10, "<t>");
  svg.Text(1, 2, "<x>", Anchor::kMiddle, 12);
  ExpectWellFormed(svg.Document());
  EXPECT_THAT(svg.Document(), HasSubstr("&lt;x&gt;"));
}

TEST(AccumPlotsTest, AccuracyPlotDrawsEveryDefinedPoint) {
  const std::string svg = AccuracyPlot({Result()});
  ExpectWellFormed(svg);
  // 8 to 22 bits (two above the certificate): 15 of wrap, 11 of saturate, where it is defined.
  EXPECT_EQ(Count(svg, "<circle"), 26u);
  EXPECT_EQ(Count(svg, "stroke-dasharray"), 2u);  // The curve and its legend.
  EXPECT_THAT(svg, HasSubstr("a&lt;b &amp; &quot;c&quot;, wrap, 13 bits: 1 of 10 (10.0 %"));
  EXPECT_THAT(svg, HasSubstr("certificate, 20 bits"));
}

TEST(AccumPlotsTest, LayerPlotHasABarPerKnownWidth) {
  const std::string svg = LayerWidthPlot(Result());
  ExpectWellFormed(svg);
  EXPECT_EQ(Count(svg, "conv, [a-z0-9 ]+: [0-9]+ bits"), 4u);  // Nothing was observed.
  EXPECT_THAT(svg, HasSubstr("conv, certificate: 19 bits"));
}

TEST(AreaPlotTest, DrawsEveryWidthAgainstThe32BitsOfItsPolicy) {
  explore::AccumResult result = Result();
  explore::AreaTable table;
  table.utilization = 0.5;
  for (const bool is_saturating : {false, true}) {
    for (const int bits : {16, 24, 32}) {
      explore::AreaPoint point;
      point.width_bits = bits;
      point.is_saturating = is_saturating;
      point.gates_per_effective_mac = (is_saturating ? 2000.0 : 1000.0) * (0.5 + bits / 64.0);
      table.points.push_back(point);
    }
  }
  result.area = table;
  const std::string svg = AreaPlot({Result(), result});
  ExpectWellFormed(svg);
  EXPECT_EQ(Count(svg, "<circle"), 6u);  // The network without areas has none.
  EXPECT_THAT(svg, HasSubstr("wrap, 16 bits: 750 gate equivalents per effective MAC, 75.0 %"));
  EXPECT_THAT(svg, HasSubstr("saturate, 24 bits: 1750 gate equivalents per effective MAC, 87.5 %"));
  testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteAccumPlots({result}, folder.path() / "plots").ok());
  EXPECT_TRUE(ReadTextFile(folder.path() / "plots" / "area.svg").ok());
}

TEST(AccumPlotsTest, FilesAppearTogether) {
  testing::TemporaryFolder folder;
  ASSERT_TRUE(WriteAccumPlots({Result()}, folder.path() / "plots").ok());
  EXPECT_TRUE(ReadTextFile(folder.path() / "plots" / "accuracy.svg").ok());
  EXPECT_TRUE(ReadTextFile(folder.path() / "plots" / "layers_a_b____c_.svg").ok());
  const auto failed = WriteAccumPlots({Result()}, folder.path() / "missing" / "plots");
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(failed.error().message, HasSubstr("missing"));
}

}  // namespace
}  // namespace macloom::reports
