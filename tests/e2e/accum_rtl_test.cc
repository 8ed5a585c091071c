// What the accumulator explorer says, on RTL: adversarial inputs, every width of one wide build,
// and the hardware built for the recommendation.
#include "flow/accum_rtl.h"

#include "explore/explore.h"
#include "importers/max78000/importer.h"
#include "networks/model.h"
#include "tests/e2e/three_ways.h"
#include "tests/support/data_pack.h"
#include "tests/support/setting.h"

namespace macloom {
namespace {

ir::Graph DefaultNetwork() {
  return *networks::LoadModel("ds-cnn-untrained", ir::Rounding::kDouble);
}

void ExpectAdversarialInputsReachTheirBounds(const ir::Graph& graph) {
  const auto rows = flow::RunAdversarialOnRtl(graph, *arch::Preset("m4l16"), false);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_FALSE(rows->empty());
  for (const flow::AdversarialOnRtl& row : *rows) {
    const std::string what = row.layer + ", " + explore::ToString(row.form) + ": " + row.note;
    EXPECT_GT(row.width_bits, 8) << what;
    EXPECT_TRUE(row.is_equal) << what;
    EXPECT_TRUE(row.holds_at_width) << what;
    EXPECT_TRUE(row.fails_below) << what;
  }
}

TEST(AccumRtlTest, AdversarialInputsReachTheCertificateOfEveryLayer) {
  ExpectAdversarialInputsReachTheirBounds(DefaultNetwork());
}

TEST(AccumRtlTest, AdversarialInputsReachTheCertificateOfAPowerOfTwoNetwork) {
  MACLOOM_DATA_PACK(pack, "max78000-qat-models");
  const auto graph = importers::ImportMax78000(pack.string() + "/mnist-chw-extrasmall-ai85.yaml@" +
                                               pack.string() + "/mnist_extrasmall@1x28x28@8");
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  ExpectAdversarialInputsReachTheirBounds(*graph);
}

/// Every width and policy of one build; MACLOOM_RTL_SAMPLES of the default network.
TEST(AccumRtlTest, OneWideBuildEqualsGoldenAtEveryWidthAndPolicy) {
  const ir::Graph graph = DefaultNetwork();
  const int count = static_cast<int>(testing::Setting("MACLOOM_RTL_SAMPLES", 1));
  const auto points = flow::SweepOnRtl(graph, *arch::Preset("m4l16"),
                                       flow::RandomInputs(graph, count, 3), 8, 32, false);
  ASSERT_TRUE(points.ok()) << points.error().message;
  ASSERT_EQ(points->size(), 50u);
  int ran = 0, overflowed = 0;
  for (const flow::RtlSweepPoint& point : *points) {
    EXPECT_EQ(point.mismatches, 0) << point.width_bits << " bits: " << point.first_mismatch;
    EXPECT_TRUE(point.overflow == ir::Overflow::kSaturate || point.refusal.empty())
        << point.refusal;
    ran += point.refusal.empty() ? 1 : 0;
    overflowed += point.events > 0 ? 1 : 0;
  }
  EXPECT_GT(ran, 30);
  EXPECT_GT(overflowed, 10);
}

TEST(AccumRtlTest, HardwareOfTheRecommendedWidthIsExact) {
  const ir::Graph graph = DefaultNetwork();
  const arch::HardwareConfig base = *arch::Preset("m4l16");
  const auto result = explore::Explore(graph, base, {}, {}, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  const auto config = explore::Apply(base, result->recommendations[0]);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_LT(config->accumulator_bits, 32);
  const flow::Samples samples = flow::RandomInputs(graph, 3, 4);
  const auto run = flow::Verify(graph, *config, samples, {});
  ASSERT_TRUE(run.ok()) << run.error().message;
  EXPECT_EQ(run->mismatches(), 0) << run->first_mismatch;
  for (const ir::TensorValue& input : samples.inputs) {
    golden::RunOptions options;
    options.accumulation = run->job.accumulation;
    const auto narrow = golden::Run(graph, input, options);
    const auto exact = golden::Run(graph, input);
    ASSERT_TRUE(narrow.ok() && exact.ok());
    EXPECT_EQ(narrow->tensors, exact->tensors);
  }
}

}  // namespace
}  // namespace macloom
