#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/metrics/accuracy.h"
#include "train/metrics/detection.h"
#include "train/metrics/paired.h"

namespace macloom::metrics {
namespace {

using ::testing::HasSubstr;

TEST(AccuracyTest, NormalQuantilesAreTheTabulatedOnes) {
  EXPECT_NEAR(NormalQuantile(0.5), 0.0, 1e-12);
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(NormalQuantile(0.05), -1.644853626951473, 1e-12);
  EXPECT_NEAR(NormalQuantile(1e-9), -5.997807015007686, 1e-9);
}

TEST(AccuracyTest, WilsonIntervalsAreTheKnownOnes) {
  // Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
  const auto expect = [](int64_t successes, int64_t trials, double low, double high) {
    const Interval interval = WilsonInterval(successes, trials);
    EXPECT_NEAR(interval.low, low, 5e-5) << successes;
    EXPECT_NEAR(interval.high, high, 5e-5) << successes;
  };
  expect(81, 263, 0.2553, 0.3662);
  expect(15, 148, 0.0624, 0.1605);
  expect(0, 20, 0.0000, 0.1611);
  expect(1, 29, 0.0061, 0.1718);
}

TEST(AccuracyTest, ConfusionMatrixCounts) {
  ConfusionMatrix matrix({"yes", "no", "up"});
  EXPECT_EQ(matrix.AccuracyText(), "no samples");
  for (const auto& [truth, prediction] :
       {std::pair(0, 0), std::pair(0, 1), std::pair(1, 1), std::pair(1, 1)}) {
    matrix.Add(truth, prediction);
  }
  EXPECT_EQ(matrix.num_correct(), 3);
  EXPECT_EQ(matrix.Accuracy(), 0.75);
  EXPECT_EQ(matrix.Recall(0), 0.5);
  EXPECT_EQ(matrix.Recall(2), 0.0);
  EXPECT_EQ(matrix.Precision(1), 2.0 / 3.0);
  EXPECT_EQ(matrix.Precision(2), 0.0);
  EXPECT_EQ(matrix.ToCsv(), "truth,yes,no,up\nyes,1,1,0\nno,0,2,0\nup,0,0,0\n");
  EXPECT_EQ(matrix.AccuracyText(), "3 of 4 (75.00 %, 95 % interval 30.06 to 95.44 %)");
}

TEST(DetectionTest, TheLargestKeywordCountsWhateverUnknownSays) {
  const std::vector<bool> is_keyword = {true, true, false};
  const Detection spoken = Detect(1, std::vector<double>{0.2, 0.3, 0.5}, is_keyword);
  EXPECT_EQ(spoken.truth, 1);
  EXPECT_EQ(spoken.keyword, 1);
  EXPECT_EQ(spoken.score, 0.3);
  const Detection unknown = Detect(2, std::vector<double>{0.25, 0.25, 0.5}, is_keyword);
  EXPECT_EQ(unknown.truth, -1);
  EXPECT_EQ(unknown.keyword, 0);
}

TEST(DetectionTest, RatesFollowTheDefinitions) {
  // Four keyword clips, one of them heard as another keyword, and two clips without a keyword.
  const std::vector<Detection> clips = {{0, 0, 0.9}, {1, 1, 0.6},  {0, 1, 0.8},
                                        {1, 1, 0.2}, {-1, 0, 0.7}, {-1, 1, 0.1}};
  const DetectionRates rates = RatesAt(clips, 0.6);
  EXPECT_EQ(rates.num_keyword_clips, 4);
  EXPECT_EQ(rates.false_rejections, 1);
  EXPECT_EQ(rates.detections, 4);
  EXPECT_EQ(rates.false_detections, 2);
  EXPECT_EQ(rates.Frr(), 0.25);
  EXPECT_EQ(rates.Fdr(), 0.5);
  EXPECT_EQ(RatesAt(clips, 1.0).Fdr(), 0.0);
  // The largest threshold that keeps the rate: one clip more would be rejected above it.
  EXPECT_EQ(*ThresholdAtFrr(clips, 0.25), 0.6);
  EXPECT_EQ(*ThresholdAtFrr(clips, 0.24), 0.2);
  EXPECT_EQ(*ThresholdAtFrr(clips, 0.99), 0.9);
}

TEST(DetectionTest, TheThresholdKeepsTheRateAtEveryCount) {
  std::vector<Detection> clips;
  for (int n = 1; n <= 40; ++n) {
    clips.push_back({0, 0, n * 7 % 41 / 41.0});
    for (int percent = 0; percent < 100; percent += 5) {
      const double threshold = *ThresholdAtFrr(clips, percent / 100.0);
      // Exact arithmetic: at most percent * n / 100 rejections, and one more for the next score.
      EXPECT_LE(RatesAt(clips, threshold).false_rejections * 100, percent * n);
      EXPECT_GT((RatesAt(clips, std::nextafter(threshold, 2.0)).false_rejections) * 100,
                percent * n);
    }
  }
}

TEST(DetectionTest, BadRatesAndMissingKeywordsAreNamed) {
  const std::vector<Detection> clips = {{-1, 0, 0.5}};
  EXPECT_THAT(ThresholdAtFrr(clips, 0.1).error().message, HasSubstr("no clip with a keyword"));
  EXPECT_THAT(ThresholdAtFrr(clips, 1.0).error().message,
              HasSubstr("false rejection rate 1; accepted are 0 to below 1"));
}

TEST(PairedTest, McNemarIsTheBinomialTail) {
  EXPECT_NEAR(McNemarTest(1, 9).p_value, 22.0 / 1024.0, 1e-12);
  EXPECT_NEAR(McNemarTest(9, 1).p_value, 22.0 / 1024.0, 1e-12);
  EXPECT_NEAR(McNemarTest(0, 5).p_value, 2.0 / 32.0, 1e-12);
  EXPECT_EQ(McNemarTest(0, 0).p_value, 1.0);
  EXPECT_EQ(McNemarTest(3, 3).p_value, 1.0);
  EXPECT_NEAR(McNemarTest(2000, 2000).p_value, 1.0, 1e-12);
  const McNemar test = McNemarTest({true, true, false, true}, {true, false, true, false});
  EXPECT_EQ(test.only_first_right, 2);
  EXPECT_EQ(test.only_second_right, 1);
}

std::vector<PairedOutcome> OneWorse(int num_clips, int num_seeds) {
  std::vector<PairedOutcome> outcomes;
  for (int clip = 0; clip < num_clips; ++clip) {
    for (int seed = 0; seed < num_seeds; ++seed) outcomes.push_back({clip, true, clip != 0});
  }
  return outcomes;
}

TEST(PairedTest, BootstrapLimitIsTheBinomialQuantile) {
  // One of five clips is worse: the resampled drop is Binomial(5, 1/5) / 5, and P(X <= 2) = 0.942,
  // P(X <= 3) = 0.993. Seeds of one clip are drawn together, so their number changes nothing.
  for (const int num_seeds : {1, 3}) {
    const Result<PairedDrop> drop = BootstrapDrop(OneWorse(5, num_seeds), 20000, 7);
    ASSERT_TRUE(drop.ok());
    EXPECT_EQ(drop->drop, 0.2);
    EXPECT_EQ(drop->upper_limit, 0.6);
    EXPECT_EQ(drop->num_clusters, 5);
  }
}

TEST(PairedTest, BootstrapOfOneClusterIsItsDrop) {
  std::vector<PairedOutcome> outcomes = OneWorse(4, 1);
  for (PairedOutcome& outcome : outcomes) outcome.cluster = 3;
  const Result<PairedDrop> drop = BootstrapDrop(outcomes, 100, 1);
  ASSERT_TRUE(drop.ok());
  EXPECT_EQ(drop->upper_limit, 0.25);
  EXPECT_EQ(drop->num_clusters, 1);
}

TEST(PairedTest, BadBootstrapIsRefused) {
  EXPECT_THAT(BootstrapDrop({}, 10, 1).error().message, HasSubstr("no outcomes"));
  EXPECT_THAT(BootstrapDrop(OneWorse(2, 1), 0, 1).error().message, HasSubstr("0 resamples"));
  EXPECT_THAT(BootstrapDrop(OneWorse(2, 1), 9, 1, 1.0).error().message,
              HasSubstr("confidence 1; accepted"));
}

}  // namespace
}  // namespace macloom::metrics
