// Rounding, straight-through gradients and the regularizer, against values worked out by hand.
#include "train/qat/quantizers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace macloom::train {
namespace {

using Values = std::vector<double>;

Tensor Row(const Values& values) { return at::tensor(values, at::kDouble); }

TEST(QuantizersTest, TiesGoUpAndCodesSaturate) {
  const Grid grid{2, -8, 7};  // Quarters from -2 to 1.75.
  const Tensor y =
      QuantizeFixedPoint(Row({0.125, -0.125, -0.375, 0.12499, 1.9, -3, 1.625}), Tensor(), grid);
  EXPECT_EQ(ToVector(y), (Values{0.25, 0, -0.25, 0, 1.75, -2, 1.75}));
}

TEST(QuantizersTest, NegativeFractionBitsAreMultiples) {
  EXPECT_EQ(ToVector(QuantizeFixedPoint(Row({5, 6, -6}), Tensor(), {-2, -8, 7})),
            (Values{4, 8, -4}));
}

TEST(QuantizersTest, GradientPassesInsideTheCodesOnly) {
  Tensor x = Row({0.3, 1.8, 1.9, -2.1, -2.2}).requires_grad_(true);
  QuantizeFixedPoint(x, Tensor(), {2, -8, 7}).sum().backward();
  EXPECT_EQ(ToVector(x.grad()), (Values{1, 1, 0, 1, 0}));
}

TEST(QuantizersTest, RangeGradientIsTheOneOfTrainedThresholds) {
  Tensor x = Row({0.3, 5, -5});
  Tensor range = at::scalar_tensor(1.0, at::kDouble).requires_grad_(true);
  QuantizeFixedPoint(x, range, {2, -8, 7}).sum().backward();
  // 0.3 * 4 = 1.2, code 1: q - v = -0.2; outside: q = 7 and -8.
  EXPECT_NEAR(range.grad().item<double>(), 0.25 * std::numbers::ln2 * (-0.2 + 7 - 8), 1e-12);
}

TEST(QuantizersTest, TruncationGoesTowardZeroWithGradientOne) {
  Tensor x = Row({1.9, -1.9, 0.5}).requires_grad_(true);
  const Tensor y = TruncateStraightThrough(x);
  EXPECT_EQ(ToVector(y), (Values{1, -1, 0}));
  (y * Row({1, 2, 3})).sum().backward();
  EXPECT_EQ(ToVector(x.grad()), (Values{1, 2, 3}));
}

TEST(QuantizersTest, CosineDistanceVanishesOnTheLevels) {
  EXPECT_NEAR(CosineDistance(Row({0, 0.25, -0.5, 1.75}), 0.25).item<double>(), 0, 1e-12);
  EXPECT_NEAR(CosineDistance(Row({0.125, -0.375}), 0.25).item<double>(), 1, 1e-12);
}

TEST(QuantizersTest, CosineDistancePullsTowardTheNearestLevel) {
  Tensor w = Row({0.3, 0.2}).requires_grad_(true);
  CosineDistance(w, 0.25).backward();
  const Values gradient = ToVector(w.grad());
  EXPECT_GT(gradient[0], 0);  // Down to 0.25.
  EXPECT_LT(gradient[1], 0);  // Up to 0.25.
}

}  // namespace
}  // namespace macloom::train
