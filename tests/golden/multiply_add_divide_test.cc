// floor((m*x + b) / d) against its definition as an inequality, and weighted sums.
#include <gtest/gtest.h>

#include "base/rng.h"
#include "golden/reference/operators.h"
#include "golden/reference/requantize.h"
#include "stimulus/random_graph.h"

namespace macloom::golden {
namespace {

constexpr uint64_t kMultiplyAddDivideSeed = 20261125;

/// q is the floor exactly if q*d <= m*x + b < (q + 1)*d.
void ExpectFloor(int64_t x, int64_t m, int64_t b, int64_t d) {
  const auto q = static_cast<__int128>(MultiplyAddDivide(x, m, b, d));
  const __int128 dividend = static_cast<__int128>(m) * x + b;
  EXPECT_TRUE(q * d <= dividend && dividend < (q + 1) * d) << x << " " << m << " " << b << " " << d;
}

TEST(MultiplyAddDivideTest, EqualsItsDefinitionForSmallOperands) {
  for (int64_t x = -40; x <= 40; ++x) {
    for (int64_t m = -6; m <= 6; ++m) {
      for (int64_t b = -7; b <= 7; ++b) {
        for (int64_t d = 1; d <= 9; ++d) ExpectFloor(x, m, b, d);
      }
    }
  }
}

TEST(MultiplyAddDivideTest, EqualsItsDefinitionUpTo62Bits) {
  SCOPED_TRACE(kMultiplyAddDivideSeed);
  Rng rng(kMultiplyAddDivideSeed);
  for (int i = 0; i < 20000; ++i) {
    const int64_t m = rng.UniformInt(INT32_MIN, INT32_MAX);
    const int64_t x = rng.UniformInt(-(int64_t{1} << 29), int64_t{1} << 29);
    const int64_t b = rng.UniformInt(-(int64_t{1} << 60), int64_t{1} << 60);
    ExpectFloor(x, m, b, rng.UniformInt(1, int64_t{1} << rng.UniformInt(0, 61)));
  }
}

TEST(MultiplyAddDivideTest, DistinguishesFloorFromTruncationAndRounding) {
  EXPECT_EQ(MultiplyAddDivide(-1, 1, 0, 2), -1);
  EXPECT_EQ(MultiplyAddDivide(1, 1, 0, 2), 0);
  EXPECT_EQ(MultiplyAddDivide(3, -1, 0, 2), -2);
  EXPECT_EQ(MultiplyAddDivide(-4, 1, 0, 2), -2);
}

TEST(MultiplyAddDivideTest, UsesMultiplierAndAddendOfTheChannel) {
  ir::Requantization requantization;
  requantization.kind = ir::RequantizationKind::kMultiplyAddDivide;
  requantization.channels = {{3, 0}, {-5, 0}};
  requantization.addends = {7, 100};
  requantization.divisor = 10;
  requantization.zero_point = 2;
  EXPECT_EQ(Requantize(11, requantization, 0, 0).code, 6);    // floor(40 / 10) + 2
  EXPECT_EQ(Requantize(11, requantization, 1, 0).code, 6);    // floor(45 / 10) + 2
  EXPECT_EQ(Requantize(-11, requantization, 0, 0).code, -1);  // floor(-26 / 10) + 2
  EXPECT_TRUE(Requantize(5000, requantization, 0, 0).is_clamped_high);
}

// All pairs of int8 codes under random weights.
TEST(MultiplyAddDivideTest, SumsOfTwoTensorsEqualTheirDefinition) {
  SCOPED_TRACE(kMultiplyAddDivideSeed);
  Rng rng(kMultiplyAddDivideSeed);
  for (int round = 0; round < 8; ++round) {
    stimulus::LayerSpec spec;
    spec.input = {256, 256, 1};
    spec.input_zero_point = static_cast<int32_t>(rng.UniformInt(-128, 127));
    spec.output_zero_point = static_cast<int32_t>(rng.UniformInt(-128, 127));
    spec.kind = ir::OperatorKind::kAdd;
    ir::Graph graph = stimulus::StartGraph(spec);
    const int32_t zero_b = static_cast<int32_t>(rng.UniformInt(-128, 127));
    const ir::TensorId other =
        stimulus::AddTensor(graph, spec.input, ir::NumberFormat::Int8(), zero_b);
    stimulus::AppendLayer(rng, graph, spec, graph.input, other);
    ir::Node& node = graph.nodes.back();
    node.requantization.kind = ir::RequantizationKind::kMultiplyAddDivide;
    node.requantization.clamp_min = -128;
    node.requantization.clamp_max = 127;
    node.requantization.channels.clear();
    node.requantization.divisor = rng.UniformInt(1, 300);
    node.requantization.addends = {rng.UniformInt(-3000, 3000)};
    const int64_t m_a = rng.UniformInt(-200, 200);
    const int64_t m_b = rng.UniformInt(-200, 200);
    node.add = {{{static_cast<int32_t>(m_a), 0}, {static_cast<int32_t>(m_b), 0}}, {0, 0}};
    ir::TensorValue a{spec.input, {}}, b{spec.input, {}};
    for (int32_t i = 0; i < 65536; ++i) {
      a.codes.push_back(i / 256 - 128);
      b.codes.push_back(i % 256 - 128);
    }
    const NodeRun run = Add(graph, node, a, b);
    ASSERT_EQ(run.output.codes.size(), 65536u);
    int num_wrong = 0;
    for (size_t i = 0; i < 65536; ++i) {
      const int64_t dividend = m_a * (a.codes[i] - spec.input_zero_point) +
                               m_b * (b.codes[i] - zero_b) + node.requantization.addends[0];
      const int64_t d = node.requantization.divisor;
      const int64_t quotient = run.output.codes[i] - spec.output_zero_point;
      const bool is_floor = quotient * d <= dividend && dividend < (quotient + 1) * d;
      const bool is_low = run.output.codes[i] == -128 && dividend < (quotient + 1) * d;
      const bool is_high = run.output.codes[i] == 127 && dividend >= quotient * d;
      num_wrong += is_floor || is_low || is_high ? 0 : 1;
    }
    EXPECT_EQ(num_wrong, 0) << round;
  }
}

}  // namespace
}  // namespace macloom::golden
