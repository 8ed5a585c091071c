// The sweep against plain runs of the normative golden code, and what follows from it.
#include "explore/sweep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "explore/certificate.h"
#include "explore/explore.h"
#include "explore/held_out.h"
#include "explore/policy_run.h"
#include "stimulus/random_graph.h"

namespace macloom::explore {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kSweepSeed = 41;

ir::Graph SmallNetwork(Rng& rng) {
  stimulus::ChainOptions options;
  options.num_layers = 3;
  options.residual_probability = 0.5;
  return stimulus::RandomChain(rng, options);
}

std::vector<ir::TensorValue> Inputs(Rng& rng, const ir::Graph& graph, int count) {
  std::vector<ir::TensorValue> inputs;
  for (int i = 0; i < count; ++i) inputs.push_back(stimulus::RandomInput(rng, graph));
  return inputs;
}

int Largest(const std::vector<int32_t>& codes) {
  return static_cast<int>(std::max_element(codes.begin(), codes.end()) - codes.begin());
}

/// Every figure of `point` by runs of golden/reference of the whole network.
void ExpectPointIsTrue(const ir::Graph& graph, const std::vector<ir::Accumulation>& accumulation,
                       const std::vector<ir::TensorValue>& inputs, const std::vector<int>& labels,
                       const AccumResult& result, const SweepPoint& point) {
  golden::RunOptions options;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    ir::Accumulation contract = accumulation[n];
    if (point.node < 0 || point.node == static_cast<int>(n)) {
      contract.width_bits = point.width_bits;
      contract.overflow =
          point.policy == Policy::kWrap ? ir::Overflow::kWrap : ir::Overflow::kSaturate;
    } else {
      contract = ir::Accumulation::Exact();
    }
    options.accumulation.push_back(contract);
  }
  int64_t agreeing = 0, correct = 0, identical = 0;
  std::vector<golden::LayerEvents> events(graph.nodes.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto exact = golden::Run(graph, inputs[i]);
    const auto trace = golden::Run(graph, inputs[i], options);
    ASSERT_TRUE(exact.ok());
    ASSERT_EQ(trace.ok(), point.refusal.empty());
    if (!trace.ok()) {
      EXPECT_EQ(trace.error().message, point.refusal);
      return;
    }
    const size_t output = static_cast<size_t>(graph.output);
    const size_t logits = static_cast<size_t>(graph.nodes.back().inputs[0]);
    const int decision = Largest(trace->tensors[output].codes);
    agreeing += decision == Largest(exact->tensors[output].codes) ? 1 : 0;
    correct += decision == labels[i] ? 1 : 0;
    identical += trace->tensors[logits] == exact->tensors[logits] ? 1 : 0;
    for (size_t n = 0; n < events.size(); ++n) events[n] += trace->events[n];
  }
  EXPECT_EQ(point.agreement.part, agreeing);
  EXPECT_EQ(point.accuracy.part, correct);
  EXPECT_EQ(point.identical.part, identical);
  for (const LayerCertificate& layer : result.layers) {
    LayerCounts counts;
    for (const LayerCounts& c : point.layers) {
      if (c.node == layer.node) counts = c;
    }
    const golden::LayerEvents& want = events[static_cast<size_t>(layer.node)];
    EXPECT_EQ(counts.events, want.overflow_events) << layer.name << " " << point.width_bits;
    EXPECT_EQ(counts.transient_outputs, want.overflowed_outputs);
    EXPECT_EQ(counts.persistent_outputs, want.wrong_outputs);
  }
}

TEST(SweepTest, EveryPointEqualsPlainRuns) {
  Rng rng(kSweepSeed);
  for (int i = 0; i < 4; ++i) {
    const ir::Graph graph = SmallNetwork(rng);
    const std::vector<ir::TensorValue> inputs = Inputs(rng, graph, 6);
    std::vector<int> labels;
    for (size_t n = 0; n < inputs.size(); ++n) labels.push_back(static_cast<int>(n % 3));
    const arch::HardwareConfig config = *arch::Preset("m4l16");
    const auto accumulation = HardwareAccumulation(graph, config);
    ASSERT_TRUE(accumulation.ok()) << accumulation.error().message;
    const auto result = Explore(graph, config, inputs, labels, {});
    ASSERT_TRUE(result.ok()) << result.error().message;
    ASSERT_EQ(result->sweep.size(), 50u);
    ASSERT_EQ(result->layer_sweep.size(), 50 * result->layers.size());
    for (const auto* points : {&result->sweep, &result->layer_sweep}) {
      for (const SweepPoint& point : *points) {
        ExpectPointIsTrue(graph, *accumulation, inputs, labels, *result, point);
        if (HasFailure()) FAIL() << ir::ToText(graph) << "P = " << point.width_bits;
      }
    }
  }
}

TEST(SweepTest, ASplitChoosesOnOnePartAndJudgesOnTheOther) {
  Rng rng(kSweepSeed);
  const ir::Graph graph = SmallNetwork(rng);
  const std::vector<ir::TensorValue> inputs = Inputs(rng, graph, 9);
  std::vector<int> labels;
  for (size_t n = 0; n < inputs.size(); ++n) labels.push_back(static_cast<int>(n % 3));
  const arch::HardwareConfig config = *arch::Preset("m4l16");
  ExploreOptions options;
  options.recommend.max_loss_points = 40;
  options.choose_fraction = 0.4;
  options.split_seed = 7;
  const auto result = Explore(graph, config, inputs, labels, options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  const Split split = SplitSamples(inputs.size(), 0.4, 7);
  std::vector<ir::TensorValue> chosen, judged;
  std::vector<int> chosen_labels, judged_labels;
  for (const size_t n : split.choose) {
    chosen.push_back(inputs[n]);
    chosen_labels.push_back(labels[n]);
  }
  for (const size_t n : split.judge) {
    judged.push_back(inputs[n]);
    judged_labels.push_back(labels[n]);
  }
  options.choose_fraction = 0;
  AccumResult alone = *Explore(graph, config, chosen, chosen_labels, options);
  EXPECT_EQ(result->num_samples, 4);
  EXPECT_EQ(result->num_held_out_samples, 5);
  ASSERT_EQ(result->recommendations.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const Recommendation& r = result->recommendations[i];
    EXPECT_EQ(r.width_bits, alone.recommendations[i].width_bits) << r.rule;
    EXPECT_EQ(r.layer_bits, alone.recommendations[i].layer_bits) << r.rule;
    ASSERT_EQ(r.held_out.has_value(), r.width_bits > 0);
    if (!r.held_out) continue;
    EXPECT_EQ(r.held_out->point.agreement.whole, 5);
    ExpectPointIsTrue(graph, *HardwareAccumulation(graph, config), judged, judged_labels, *result,
                      r.held_out->point);
  }
  options.choose_fraction = 0.5;
  const auto refused = Explore(graph, config, {inputs[0]}, {}, options);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("1 samples with 0 labels cannot be split"));
}

TEST(SweepTest, ASplitTakesEverySampleOnce) {
  for (const size_t count : {2u, 3u, 100u}) {
    for (const double fraction : {0.01, 0.5, 0.99}) {
      const Split split = SplitSamples(count, fraction, 3);
      EXPECT_FALSE(split.choose.empty());
      EXPECT_FALSE(split.judge.empty());
      std::vector<size_t> all = split.choose;
      all.insert(all.end(), split.judge.begin(), split.judge.end());
      std::sort(all.begin(), all.end());
      ASSERT_EQ(all.size(), count);
      for (size_t n = 0; n < count; ++n) EXPECT_EQ(all[n], n);
    }
  }
  EXPECT_EQ(SplitSamples(100, 0.3, 3).choose.size(), 30u);
  EXPECT_NE(SplitSamples(100, 0.3, 3).choose, SplitSamples(100, 0.3, 4).choose);
}

TEST(SweepTest, ObservedRangesEqualTheAccumulatorsOfPlainRuns) {
  Rng rng(kSweepSeed);
  for (int i = 0; i < 10; ++i) {
    const ir::Graph graph = SmallNetwork(rng);
    const std::vector<ir::TensorValue> inputs = Inputs(rng, graph, 3);
    ExploreOptions options;
    options.has_sweep = options.has_adversarial = false;
    const auto result = Explore(graph, *arch::Preset("m4l16"), inputs, {}, options);
    ASSERT_TRUE(result.ok()) << result.error().message;
    for (const LayerCertificate& layer : result->layers) {
      std::vector<ir::AccumulatorRange> seen;
      for (const ir::TensorValue& input : inputs) {
        const auto trace = golden::Run(graph, input, {{}, true});
        const auto& sums = trace->accumulators[static_cast<size_t>(layer.node)];
        for (size_t k = 0; k < sums.size(); ++k) {
          const ir::AccumulatorRange point{sums[k], sums[k], true};
          if (seen.size() < layer.channels.size()) {
            seen.push_back(point);
          } else {
            ir::AccumulatorRange& range = seen[k % layer.channels.size()];
            range = Hull(range, point);
          }
        }
      }
      for (size_t c = 0; c < layer.channels.size(); ++c) {
        const ChannelCertificate& channel = layer.channels[c];
        EXPECT_EQ(*channel.observed_final, seen[c]) << layer.name << " channel " << c;
        EXPECT_EQ(Hull(*channel.observed_prefix, seen[c]), *channel.observed_prefix);
        const auto& bounds = channel.bounds[static_cast<size_t>(RangeKind::kObserved)];
        EXPECT_EQ(Hull(bounds.hardware_order, *channel.observed_prefix), bounds.hardware_order);
        EXPECT_EQ(Hull(channel.bounds[1].hardware_order, bounds.hardware_order),
                  channel.bounds[1].hardware_order);
      }
    }
  }
}

TEST(SweepTest, WrongInputsAreNamed) {
  Rng rng(kSweepSeed);
  const ir::Graph graph = SmallNetwork(rng);
  const std::vector<ir::TensorValue> inputs = Inputs(rng, graph, 2);
  const arch::HardwareConfig config = *arch::Preset("m4l16");
  EXPECT_THAT(Explore(graph, config, inputs, {1}, {}).error().message,
              HasSubstr("1 labels are given for 2 samples"));
  EXPECT_THAT(Evaluation::Create(graph, {}, {}).error().message, HasSubstr("0 samples"));
  ir::TensorValue wrong = inputs[0];
  wrong.codes[0] = 1000;
  EXPECT_THAT(Explore(graph, config, {wrong}, {}, {}).error().message, HasSubstr("1000"));
}

TEST(WilsonTest, KnownIntervals) {
  // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  const auto expect = [](int64_t part, int64_t whole, double low, double high) {
    const Proportion p = WilsonInterval(part, whole);
    EXPECT_EQ(std::round(p.low * 1e4), std::round(low * 1e4)) << part << " of " << whole;
    EXPECT_EQ(std::round(p.high * 1e4), std::round(high * 1e4)) << part << " of " << whole;
  };
  expect(81, 263, 0.2553, 0.3662);
  expect(15, 148, 0.0624, 0.1605);
  expect(0, 20, 0, 0.1611);
  expect(1, 29, 0.0061, 0.1718);
  EXPECT_EQ(WilsonInterval(20, 20).high, 1);
  EXPECT_EQ(WilsonInterval(0, 0).high, 0);
}

TEST(PolicyTest, ByHand) {
  const std::vector<int64_t> products = {100, 50, -120, 10};
  const std::vector<int64_t> one_each = {1, 2, 3, 4};
  // 8 bits: 100, 127 (150 clamped), 7, 17; exact 40.
  const auto at_end = PolicySum({Policy::kSaturateAtEnd, 8, 0}, 0, products, one_each);
  EXPECT_EQ(at_end.accumulator, 40);
  EXPECT_EQ(at_end.exact, 40);
  EXPECT_EQ(at_end.num_events, 0);
  EXPECT_EQ(PolicySum({Policy::kSaturateAtEnd, 8, 0}, 100, products, one_each).accumulator, 127);
  // Sorted: 0 takes -120, then 100 (-20), 50 (30), 10 (40): no clamp.
  const auto sorted = PolicySum({Policy::kSorted, 8, 0}, 0, products, one_each);
  EXPECT_EQ(sorted.accumulator, 40);
  EXPECT_EQ(sorted.num_events, 0);
  // Two levels: the inner register clamps as one saturating register, the start is outside it.
  const auto two = PolicySum({Policy::kTwoLevel, 8, 32}, 1000, products, one_each);
  EXPECT_EQ(two.accumulator, 1017);
  EXPECT_EQ(two.num_events, 1);
  // Dropped bits: floor(100/8) + floor(50/8) + floor(-120/8) + floor(10/8) = 12 + 6 - 15 + 1 = 4.
  const auto dropped = PolicySum({Policy::kDroppedBits, 8, 3}, 0, products, one_each);
  EXPECT_EQ(dropped.accumulator, 32);
  EXPECT_EQ(dropped.num_events, 0);
  EXPECT_EQ(PolicySum({Policy::kDroppedBits, 8, 3}, -9, products, one_each).accumulator, 16);
}

TEST(PolicyTest, WideRegistersAreExact) {
  Rng rng(kSweepSeed);
  const ir::Graph graph = SmallNetwork(rng);
  const std::vector<ir::TensorValue> inputs = Inputs(rng, graph, 3);
  const auto accumulation = HardwareAccumulation(graph, *arch::Preset("m4l16"));
  ASSERT_TRUE(accumulation.ok());
  for (const PolicySetting& setting :
       {PolicySetting{Policy::kSaturateAtEnd, 32, 0}, PolicySetting{Policy::kTwoLevel, 32, 32},
        PolicySetting{Policy::kSorted, 32, 0}, PolicySetting{Policy::kDroppedBits, 32, 0}}) {
    const auto batch = RunPolicy(graph, *accumulation, setting, inputs);
    ASSERT_TRUE(batch.ok());
    for (size_t n = 0; n < inputs.size(); ++n) {
      const auto trace = golden::Run(graph, inputs[n]);
      EXPECT_EQ(batch->outputs[n], trace->tensors[static_cast<size_t>(graph.output)])
          << ToString(setting.policy);
    }
    for (const golden::LayerEvents& events : batch->events) EXPECT_EQ(events.overflow_events, 0);
  }
}

SweepPoint Point(int bits, Policy policy, int64_t agreeing) {
  SweepPoint point;
  point.width_bits = bits;
  point.policy = policy;
  point.agreement = WilsonInterval(agreeing, 100);
  return point;
}

TEST(RecommendTest, RulesAndTheirLimits) {
  AccumResult result;
  result.num_samples = 100;
  result.widths.final_sum = {20, 18, 0};
  result.widths.hardware_order = {22, 19, 0};
  result.widths.observed_final = 15;
  result.widths.observed_prefix = 19;
  result.sweep = {Point(12, Policy::kWrap, 100), Point(13, Policy::kWrap, 90),
                  Point(14, Policy::kWrap, 99), Point(15, Policy::kWrap, 100),
                  Point(15, Policy::kSaturate, 0)};
  const auto widths = [&](const RecommendOptions& options) {
    std::vector<int> bits;
    for (const Recommendation& r : Recommend(result, options)) bits.push_back(r.width_bits);
    return bits;
  };
  // 12 bits do not count: 13 above them lose too much.
  EXPECT_EQ(widths({Policy::kWrap, 2, 1.0}), (std::vector<int>{18, 17, 14}));
  EXPECT_EQ(widths({Policy::kWrap, 9, 0.5}), (std::vector<int>{18, 18, 15}));
  EXPECT_EQ(widths({Policy::kSaturate, 1, 1.0}), (std::vector<int>{19, 19, 0}));
  const arch::HardwareConfig base = *arch::Preset("m4l16");
  const auto recommended = Recommend(result, {Policy::kSaturate, 1, 1.0});
  const auto config = Apply(base, recommended[0]);
  ASSERT_TRUE(config.ok()) << config.error().message;
  EXPECT_EQ(config->accumulator_bits, 19);
  EXPECT_EQ(config->accumulator_policy, arch::AccumulatorPolicy::kSaturate);
  EXPECT_EQ(config->name, "m4l16_p19");
  const auto reread = arch::ParseConfig(arch::ToToml(*config), "emitted");
  ASSERT_TRUE(reread.ok()) << reread.error().message;
  EXPECT_EQ(*reread, *config);
  EXPECT_THAT(Apply(base, recommended[2]).error().message, HasSubstr("rule `accuracy` gives no"));
}

TEST(AccumJsonTest, HoldsWhatTheSchemaNames) {
  Rng rng(kSweepSeed);
  const ir::Graph graph = SmallNetwork(rng);
  const auto result = Explore(graph, *arch::Preset("m4l16"), Inputs(rng, graph, 2), {}, {});
  ASSERT_TRUE(result.ok());
  const auto json = nlohmann::json::parse(ToJsonText({*result}));
  EXPECT_EQ(json["format"], "macloom.accum");
  EXPECT_EQ(json["format_version"], 1);
  const auto& network = json["networks"][0];
  EXPECT_EQ(network["network_digest"], ir::Digest(graph));
  EXPECT_EQ(network["sweep"].size(), 50u);
  EXPECT_TRUE(network["exact_accuracy"].is_null());
  EXPECT_EQ(network["layers"].size(), result->layers.size());
  EXPECT_EQ(network["layers"][0]["channels"].size(), result->layers[0].channels.size());
  EXPECT_EQ(network["sweep"][24]["width_bits"], 32);
  EXPECT_TRUE(network["sweep"][24]["sqnr_db"].is_null());
  EXPECT_EQ(network["recommendations"].size(), 3u);
}

}  // namespace
}  // namespace macloom::explore
