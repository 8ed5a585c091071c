#include "flow/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stimulus/random_graph.h"

namespace macloom::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ir::Graph SweptNetwork() {
  Rng rng(3);
  stimulus::LayerSpec spec;
  spec.input = {9, 9, 20};
  spec.output_channels = 24;
  spec.window = {3, 3, 1, 1, 1, 1, 1, 1};
  return stimulus::RandomConvGraph(rng, spec);
}

TEST(SweepTest, BadAxesAreNamed) {
  EXPECT_THAT(ParseSweepAxis("rows").error().message, HasSubstr("\"rows\": accepted is KEY="));
  EXPECT_THAT(ParseSweepAxis("=1").error().message, HasSubstr("accepted is KEY="));
  EXPECT_THAT(ParseSweepAxis("a=1,,2").error().message, HasSubstr("value 1 is empty"));
  EXPECT_THAT(ParseSweepAxis("a=").error().message, HasSubstr("value 0 is empty"));
  const auto axis = ParseSweepAxis("requant.lanes=4,8");
  ASSERT_TRUE(axis.ok());
  EXPECT_EQ(axis->key, "requant.lanes");
  EXPECT_THAT(axis->values, ElementsAre("4", "8"));
}

TEST(SweepTest, EveryCombinationEqualsItsOwnEstimate) {
  const ir::Graph graph = SweptNetwork();
  const arch::HardwareConfig base = *arch::Preset("m4l16");
  const auto points = Sweep(
      graph, base, {{"array.tile_pixels", {"8", "16"}}, {"requant.lanes", {"4", "8"}}}, {}, {});
  ASSERT_TRUE(points.ok()) << points.error().message;
  ASSERT_EQ(points->size(), 4u);
  EXPECT_THAT((*points)[1].values, ElementsAre("8", "8"));
  EXPECT_THAT((*points)[2].values, ElementsAre("16", "4"));
  for (const SweepPoint& point : *points) {
    arch::HardwareConfig config = base;
    config.tile_pixels = std::stoi(point.values[0]);
    config.requant_lanes = std::stoi(point.values[1]);
    const auto estimate = EstimateNetwork(graph, config, {}, {});
    ASSERT_TRUE(estimate.ok());
    EXPECT_EQ(point.counts, estimate->total.counts);
    EXPECT_EQ(point.macs, 9 * 9 * 24 * 20 * 9);
    EXPECT_GT(point.utilization_percent(), 10);
  }
}

TEST(SweepTest, RefusedConfigurationsArePointsWithTheReason) {
  const auto points = Sweep(SweptNetwork(), *arch::Preset("m4l16"),
                            {{"memory.activation_bytes", {"64", "65536"}}}, {}, {});
  ASSERT_TRUE(points.ok()) << points.error().message;
  EXPECT_FALSE((*points)[0].refusal.empty());
  EXPECT_EQ((*points)[0].utilization_percent(), 0);
  EXPECT_TRUE((*points)[1].refusal.empty());
}

TEST(SweepTest, BadKeysAndSizesAreErrors) {
  const ir::Graph graph = SweptNetwork();
  const arch::HardwareConfig base = *arch::Preset("m4l16");
  EXPECT_THAT(Sweep(graph, base, {{"array.rowz", {"1"}}}, {}, {}).error().message,
              HasSubstr("array.rowz"));
  EXPECT_THAT(Sweep(graph, base, {{"array.rows", {"many"}}}, {}, {}).error().message,
              HasSubstr("many"));
  const std::vector<std::string> many(100, "4");
  EXPECT_THAT(
      Sweep(graph, base, {{"array.rows", many}, {"requant.lanes", many}}, {}, {}).error().message,
      HasSubstr("more than 4096 points"));
}

}  // namespace
}  // namespace macloom::flow
