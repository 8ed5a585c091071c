// The estimator's counts against known adder counts, its fit on made-up units, its files.
#include "cost/estimator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cost/estimator_fit.h"
#include "cost/mac_cost.h"
#include "cost/structure_counts.h"
#include "cost/structure_paths.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;

/// An n x n Dadda multiplier has n^2 - 4n + 3 full and n - 1 half adders (Dadda, 1965) before its
/// last adder of 2n - 2 bits, whose first is a half adder.
TEST(CountTreeTest, DaddaMultipliersHaveTheKnownAdders) {
  for (const int n : {4, 6, 8, 12, 16}) {
    std::vector<int> heights(static_cast<size_t>(2 * n), 0);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) ++heights[static_cast<size_t>(i + j)];
    }
    const cost::TreeCount count = cost::CountTree(heights);
    EXPECT_EQ(count.full_adders + count.half_adders, (n * n - 4 * n + 3) + (n - 1) + (2 * n - 2));
    EXPECT_EQ(count.full_adders, (n * n - 4 * n + 3) + (2 * n - 3)) << n;
    EXPECT_EQ(count.carryless, 0);
    EXPECT_EQ(count.stages, n == 4 ? 2 : n == 6 ? 3 : n == 8 ? 4 : n == 12 ? 5 : 6);
  }
}

TEST(CountTreeTest, LastColumnDropsItsCarry) {
  const cost::TreeCount count = cost::CountTree({1, 2, 2});
  EXPECT_EQ(count.half_adders, 1);
  EXPECT_EQ(count.carryless, 1);
  EXPECT_EQ(count.full_adders, 0);
  EXPECT_EQ(count.ripple_bits, 2);
  EXPECT_EQ(count.stages, 0);
}

/// A path of ripple bits alone; the carry enters at column 0 and the sum leaves at the last.
TEST(TreePathsTest, TwoRowsRipple) {
  const cost::PathColumns columns(12, std::vector<cost::Path>(2));
  const cost::Path path = cost::Longest(cost::TreePaths(columns));
  EXPECT_EQ(path.at(cost::PathElement::kRippleBit), 10);
  EXPECT_EQ(path.at(cost::PathElement::kFullAdder), 0);
}

/// A stage more lengthens the path; what arrives late overtakes the others.
TEST(TreePathsTest, PathsGrowWithTheStagesOrFollowTheLateBit) {
  double shorter = 0.0;
  for (const size_t height : {2u, 3u, 4u, 6u, 9u, 13u, 19u}) {
    const double length =
        cost::Longest(cost::TreePaths(cost::PathColumns(16, std::vector<cost::Path>(height))))
            .length;
    EXPECT_GT(length, shorter) << height;
    shorter = length;
  }
  cost::PathColumns late(16, std::vector<cost::Path>(19));
  late[15][18] = cost::Path::From(50.0);
  const cost::Path path = cost::Longest(cost::TreePaths(late));
  EXPECT_GT(path.length, 50.0);
  EXPECT_EQ(path.at(cost::PathElement::kRippleBit), 0);
}

/// A constant makes half adders of full ones, and two of them wires.
TEST(TreePathsTest, ConstantsShortenThePath) {
  cost::PathColumns columns(4, std::vector<cost::Path>(3));
  const double plain = cost::Longest(cost::TreePaths(columns)).length;
  for (std::vector<cost::Path>& column : columns) column[2] = cost::Path::Constant();
  const cost::Path path = cost::Longest(cost::TreePaths(columns));
  EXPECT_LT(path.length, plain);
  EXPECT_EQ(path.at(cost::PathElement::kFullAdder), 0);
}

/// The last stage's multiplexer is passed by the data or by the select that comes later.
TEST(ShifterPathsTest, DataPassEveryStageAndLateSelectsOvertake) {
  const std::vector<cost::Path> bits(8);
  const std::vector<cost::Path> early(3, cost::Path::From(-50.0));
  const cost::Path data = cost::Longest(cost::ShifterPaths(bits, early, 0, 15));
  EXPECT_EQ(data.at(cost::PathElement::kMux), 3);
  EXPECT_EQ(data.at(cost::PathElement::kSelect), 0);
  std::vector<cost::Path> late = early;
  late[1] = cost::Path::From(5.0);
  const cost::Path select = cost::Longest(cost::ShifterPaths(bits, late, 0, 15));
  EXPECT_EQ(select.at(cost::PathElement::kMux), 1);
  EXPECT_EQ(select.at(cost::PathElement::kSelect), 1);
}

std::vector<cost::EstimatorPoint> MadeUpPoints(const std::vector<cost::MacSpec>& specs) {
  std::vector<cost::EstimatorPoint> points;
  for (const cost::MacSpec& spec : specs) {
    cost::EstimatorPoint point;
    point.spec = spec;
    for (size_t figure = 0; figure < point.measured.figures.size(); ++figure) {
      const std::vector<double> values =
          cost::FeaturesOf(spec, cost::KindOf(static_cast<cost::EstimatedFigure>(figure)));
      for (size_t i = 0; i < values.size(); ++i) {
        point.measured.figures[figure] +=
            values[i] * (1.0 + 0.25 * static_cast<double>(i + figure));
      }
    }
    points.push_back(point);
  }
  return points;
}

/// Figures that are such sums are found again, on units that the fit has not seen, too.
TEST(EstimatorTest, FitFindsFiguresThatAreSumsOfTheFeatures) {
  std::vector<cost::EstimatorPoint> training, held_out;
  for (int f = 0; f < cost::kNumUnitFamilies; ++f) {
    const cost::EstimatorUnits units = cost::DrawUnits(static_cast<cost::UnitFamily>(f), 30, 8, 5);
    EXPECT_GE(units.training.size(), 20u);
    EXPECT_GE(units.held_out.size(), 4u);
    for (const cost::MacSpec& spec : units.held_out) {
      for (const cost::MacSpec& other : units.training) EXPECT_NE(spec.Name(), other.Name());
    }
    for (const auto& point : MadeUpPoints(units.training)) training.push_back(point);
    for (const auto& point : MadeUpPoints(units.held_out)) held_out.push_back(point);
  }
  const Result<cost::EstimatorCard> card = cost::FitEstimator(training);
  ASSERT_TRUE(card.ok()) << card.error().message;
  for (const cost::EstimatorError& error : cost::ErrorsOf(*card, held_out)) {
    EXPECT_LT(error.worst, 1e-6) << cost::FamilyName(error) << " " << error.worst_unit;
  }
  EXPECT_EQ(cost::ErrorsOf(*card, held_out).back().units, static_cast<int>(held_out.size()));
  // The check can fail: one wrong coefficient shows.
  cost::EstimatorCard wrong = *card;
  wrong.coefficients[0][0][1] *= 1.1;
  EXPECT_GT(cost::ErrorsOf(wrong, held_out)[0].worst, 0.01);
}

/// The card that is shipped belongs to the mapping of this program: one unit of each family.
TEST(EstimatorTest, ShippedCardIsNearSynthesis) {
  const Result<cost::EstimatorCard> card = cost::OpenEstimatorCard("osu018");
  ASSERT_TRUE(card.ok()) << card.error().message;
  std::vector<cost::MacSpec> specs;
  for (const char* unit : {"int8/24", "e4m3/45", "e3m4/fp16", "e2m1/fp32"}) {
    specs.push_back(*cost::ParseMacSpec(unit));
  }
  const Result<cost::LibraryFile> library = cost::OpenLibrary("osu018");
  ASSERT_TRUE(library.ok()) << library.error().message;
  const auto measured = cost::MeasureMacs(specs, {}, {*library});
  ASSERT_TRUE(measured.ok()) << measured.error().message;
  for (size_t i = 0; i < specs.size(); ++i) {
    const cost::MacResult& unit = measured->results[i];
    const cost::UnitEstimate estimate = cost::EstimateUnit(*card, specs[i]);
    const std::vector<double> figures = {static_cast<double>(unit.gates.gates),
                                         unit.mapped[0].area_um2, unit.mapped[0].critical_path_ns,
                                         unit.mapped[0].loop_path_ns};
    for (size_t figure = 0; figure < figures.size(); ++figure) {
      EXPECT_NEAR(estimate.figures[figure] / figures[figure], 1.0, figure < 2 ? 0.05 : 0.1)
          << specs[i].Name() << " " << cost::FigureName(static_cast<cost::EstimatedFigure>(figure));
    }
  }
}

TEST(EstimatorTest, TooFewUnitsAreRefused) {
  const cost::EstimatorUnits units = cost::DrawUnits(cost::UnitFamily::kInteger, 30, 1, 5);
  const auto card = cost::FitEstimator(MadeUpPoints(units.training));
  ASSERT_FALSE(card.ok());
  EXPECT_THAT(card.error().message, HasSubstr("0 units of the family minifloat in fixed point"));
}

TEST(EstimatorTest, ShippedCardReadsBackAndDamagedOnesAreRefused) {
  const Result<cost::EstimatorCard> card = cost::OpenEstimatorCard("osu018");
  ASSERT_TRUE(card.ok()) << card.error().message;
  EXPECT_EQ(card->library, "osu018");
  const std::string text = cost::ToJson(*card).dump();
  const Result<cost::EstimatorCard> again = cost::ParseEstimatorCard(text, "card");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->coefficients, card->coefficients);

  const auto refused = [](const std::string& bad) {
    const Result<cost::EstimatorCard> parsed = cost::ParseEstimatorCard(bad, "card");
    return parsed.ok() ? std::string("accepted") : parsed.error().message;
  };
  EXPECT_THAT(refused("not json"), HasSubstr("card: "));
  EXPECT_THAT(refused("{}"), HasSubstr("format is missing"));
  nlohmann::json json = nlohmann::json::parse(text);
  json["families"]["integer"]["gates"].erase("full_adders");
  EXPECT_THAT(refused(json.dump()), HasSubstr("families.integer.gates.full_adders is missing"));
  json = nlohmann::json::parse(text);
  json["families"]["integer"]["gates"]["magic"] = 1;
  EXPECT_THAT(refused(json.dump()), HasSubstr("magic is not a field"));
  EXPECT_THAT(cost::OpenEstimatorCard("no-such").error().message,
              HasSubstr("no estimator for `no-such`: accepted are osu018"));
}

}  // namespace
}  // namespace macloom
