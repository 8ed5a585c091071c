// The fast executor against the reference: every tensor, accumulator and count, on every level.
#include "golden/fast/plan.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "golden/reference/operators.h"
#include "stimulus/random_graph.h"

namespace macloom::golden::fast {
namespace {

int64_t PlanSetting(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoll(text);
}

void ExpectEqual(const Trace& fast, const Trace& reference, const ir::Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    SCOPED_TRACE("node " + std::to_string(i) + " " + ir::ToString(graph.nodes[i].kind));
    const LayerEvents& a = fast.events[i];
    const LayerEvents& b = reference.events[i];
    EXPECT_EQ(a.overflow_events, b.overflow_events);
    EXPECT_EQ(a.overflowed_outputs, b.overflowed_outputs);
    EXPECT_EQ(a.wrong_outputs, b.wrong_outputs);
    EXPECT_EQ(a.clamped_low, b.clamped_low);
    EXPECT_EQ(a.clamped_high, b.clamped_high);
    EXPECT_EQ(fast.accumulators[i], reference.accumulators[i]);
    const auto output = static_cast<size_t>(graph.nodes[i].output);
    EXPECT_EQ(fast.tensors[output], reference.tensors[output]);
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_TRUE(fast.tensors == reference.tensors);
}

/// What the comparisons covered, so that a test can say that it tested something.
struct Coverage {
  int64_t networks = 0, with_events = 0, with_wrong_outputs = 0, reference_nodes = 0, nodes = 0;
};

/// Compares `graph` on all levels, sample by sample and as a batch.
void Compare(const ir::Graph& graph, const std::vector<ir::Accumulation>& accumulation,
             const std::vector<ir::TensorValue>& inputs, Coverage& coverage) {
  SCOPED_TRACE(ir::ToText(graph));
  if (!accumulation.empty()) SCOPED_TRACE(ir::ToString(accumulation.back()));
  std::vector<Trace> references;
  std::vector<LayerEvents> sums(graph.nodes.size());
  for (const ir::TensorValue& input : inputs) {
    auto trace = golden::Run(graph, input, {accumulation, true});
    ASSERT_TRUE(trace.ok()) << trace.error().message;
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += trace->events[i];
    references.push_back(std::move(*trace));
  }
  ++coverage.networks;
  bool has_events = false, has_wrong = false;
  for (const LayerEvents& events : sums) {
    has_events |= events.overflow_events > 0;
    has_wrong |= events.wrong_outputs > 0;
  }
  coverage.with_events += has_events ? 1 : 0;
  coverage.with_wrong_outputs += has_wrong ? 1 : 0;
  for (Level level : SupportedLevels()) {
    SCOPED_TRACE(ToString(level));
    const auto plan = Plan::Create(graph, {accumulation, level});
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_EQ(plan->level(), level);
    coverage.nodes += static_cast<int64_t>(graph.nodes.size());
    coverage.reference_nodes += plan->num_reference_nodes();
    for (size_t n = 0; n < inputs.size(); ++n) {
      const auto trace = plan->Run(inputs[n], true);
      ASSERT_TRUE(trace.ok()) << trace.error().message;
      ExpectEqual(*trace, references[n], graph);
      // Kernels that keep no accumulators differ.
      auto lean = plan->Run(inputs[n]);
      ASSERT_TRUE(lean.ok()) << lean.error().message;
      EXPECT_EQ(lean->accumulators, decltype(lean->accumulators)(graph.nodes.size()));
      lean->accumulators = references[n].accumulators;
      ExpectEqual(*lean, references[n], graph);
      if (::testing::Test::HasFailure()) return;
    }
    const auto batch = plan->RunBatch(inputs);
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    EXPECT_EQ(batch->events, sums);
    ASSERT_EQ(batch->outputs.size(), inputs.size());
    for (size_t n = 0; n < inputs.size(); ++n) {
      EXPECT_EQ(batch->outputs[n], references[n].tensors[static_cast<size_t>(graph.output)]);
    }
  }
}

/// Contracts of every kind for every node: orders, steps, widths around the certificate, policies.
/// Empty, i.e. exact, now and then.
std::vector<ir::Accumulation> RandomContracts(Rng& rng, const ir::Graph& graph) {
  if (rng.Bernoulli(0.15)) return {};
  std::vector<ir::Accumulation> contracts;
  const bool saturates = rng.Bernoulli(0.5);
  for (const ir::Node& node : graph.nodes) {
    ir::Accumulation contract;
    const int required = std::max(8, ir::RequiredAccumulatorBits(graph, node));
    contract.width_bits = static_cast<int>(rng.UniformInt(8, std::min(required, 32)));
    if (rng.Bernoulli(0.2)) contract.width_bits = std::min(required, 32);
    if (rng.Bernoulli(0.1)) contract.width_bits = 32;
    if (rng.Bernoulli(0.1)) contract.width_bits = 64;
    contract.overflow = saturates ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
    const int64_t steps[] = {1, 2, 3, 4, 5, 8, 16, 48};
    contract.products_per_step = static_cast<int>(steps[rng.UniformInt(0, 7)]);
    contract.order =
        rng.Bernoulli(0.5) ? ir::AccumulationOrder::kBlockTap : ir::AccumulationOrder::kFlatTap;
    const bool is_single_channel = node.kind == ir::OperatorKind::kDepthwiseConv2d ||
                                   node.kind == ir::OperatorKind::kAveragePool2d;
    if (is_single_channel && rng.Bernoulli(0.5)) {
      contract.order = rng.Bernoulli(0.5) ? ir::AccumulationOrder::kTapSerial
                                          : ir::AccumulationOrder::kTapSerialColumn;
      contract.products_per_step = 1;
    }
    contracts.push_back(contract);
    // A saturating accumulator must hold its start values: the narrowest width that does.
    while (!CheckAccumulation(graph, node, contracts.back()).ok()) {
      contracts.back().width_bits += contracts.back().width_bits < 32 ? 1 : 32;
      if (contracts.back().width_bits > 64) contracts.back() = ir::Accumulation::Exact();
    }
  }
  return contracts;
}

ir::Graph RandomNetwork(Rng& rng, int64_t index) {
  const ir::OperatorKind kinds[] = {ir::OperatorKind::kConv2d,
                                    ir::OperatorKind::kDepthwiseConv2d,
                                    ir::OperatorKind::kFullyConnected,
                                    ir::OperatorKind::kAveragePool2d,
                                    ir::OperatorKind::kAdd,
                                    ir::OperatorKind::kSoftmax,
                                    ir::OperatorKind::kReshape};
  if (index % 8 == 7) {
    stimulus::ChainOptions options;
    options.num_layers = static_cast<int>(rng.UniformInt(1, 4));
    options.input = {rng.UniformInt(1, 14), rng.UniformInt(1, 12), rng.UniformInt(1, 24)};
    options.requantization = rng.Bernoulli(0.5) ? ir::RequantizationKind::kMultiplierDouble
                                                : ir::RequantizationKind::kMultiplierSingle;
    return stimulus::RandomChain(rng, options);
  }
  const ir::OperatorKind kind = kinds[index % 8];
  stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, kind);
  if (rng.Bernoulli(0.3)) spec.input.back() = rng.UniformInt(1, 70);
  if (rng.Bernoulli(0.1)) spec.input.back() = rng.UniformInt(63, 132);
  if (rng.Bernoulli(0.3)) spec.output_channels = rng.UniformInt(1, 70);
  if (rng.Bernoulli(0.1)) spec.output_channels = rng.UniformInt(63, 132);
  if (kind != ir::OperatorKind::kSoftmax) {
    const bool is_wide = rng.Bernoulli(0.1);
    const auto format = [&](ir::NumberFormat& target) {
      target.bits = static_cast<int>(is_wide              ? rng.UniformInt(2, 12)
                                     : rng.Bernoulli(0.6) ? 8
                                                          : rng.UniformInt(2, 8));
      target.is_signed = rng.Bernoulli(0.8);
    };
    format(spec.input_format);
    format(spec.weight_format);
    format(spec.output_format);
    const auto zero_point = [&](const ir::NumberFormat& target) {
      return static_cast<int32_t>(
          rng.Bernoulli(0.3) ? 0 : rng.UniformInt(target.MinCode(), target.MaxCode()));
    };
    spec.input_zero_point = zero_point(spec.input_format);
    spec.output_zero_point = zero_point(spec.output_format);
    if (kind == ir::OperatorKind::kAveragePool2d) spec.output_format = spec.input_format;
    const ir::RequantizationKind roundings[] = {ir::RequantizationKind::kMultiplierDouble,
                                                ir::RequantizationKind::kMultiplierSingle,
                                                ir::RequantizationKind::kShift};
    // Sums of wide codes leave the 32 bits that a multiplier takes.
    spec.requantization =
        is_wide ? ir::RequantizationKind::kShift : roundings[rng.UniformInt(0, 2)];
  }
  return stimulus::RandomLayerGraph(rng, spec);
}

TEST(PlanTest, EqualsTheReferenceOnRandomNetworks) {
  const int64_t count = PlanSetting("MACLOOM_RANDOM_LAYERS", 1600);
  const auto seed = static_cast<uint64_t>(PlanSetting("MACLOOM_SEED", 1));
  Rng rng(seed);
  Coverage coverage;
  for (int64_t i = 0; i < count; ++i) {
    SCOPED_TRACE("network " + std::to_string(i) + " of seed " + std::to_string(seed));
    const ir::Graph graph = RandomNetwork(rng, i);
    std::vector<ir::TensorValue> inputs;
    for (int64_t n = rng.UniformInt(1, 3); n > 0; --n) {
      inputs.push_back(stimulus::RandomInput(rng, graph));
    }
    Compare(graph, RandomContracts(rng, graph), inputs, coverage);
    if (HasFatalFailure() || HasNonfatalFailure()) return;
  }
  std::printf(
      "%lld networks, %lld with events, %lld with wrong outputs, %lld of %lld nodes by the "
      "reference\n",
      static_cast<long long>(coverage.networks), static_cast<long long>(coverage.with_events),
      static_cast<long long>(coverage.with_wrong_outputs),
      static_cast<long long>(coverage.reference_nodes), static_cast<long long>(coverage.nodes));
  EXPECT_GE(coverage.with_events, coverage.networks / 10);
  EXPECT_GE(coverage.with_wrong_outputs, coverage.networks / 20);
  EXPECT_GT(coverage.reference_nodes, 0);
  EXPECT_LT(coverage.reference_nodes, coverage.nodes / 4);
}

/// Wide codes have no form in bytes: the node runs by the reference, its neighbours do not.
TEST(PlanTest, NodeWithoutFastFormRunsByTheReference) {
  Rng rng(3);
  Coverage coverage;
  for (int i = 0; i < 20; ++i) {
    stimulus::LayerSpec spec;
    spec.requantization = ir::RequantizationKind::kShift;
    spec.input_format.bits = 8;
    spec.output_format.bits = 12;
    ir::Graph graph = stimulus::RandomConvGraph(rng, spec);
    spec.output_format.bits = 8;
    spec.kind = ir::OperatorKind::kDepthwiseConv2d;
    stimulus::AppendLayer(rng, graph, spec, graph.output);
    stimulus::AppendLayer(rng, graph, spec, graph.output);
    graph = stimulus::Verified(std::move(graph));
    EXPECT_EQ(Plan::Create(graph)->num_reference_nodes(), 2);
    Compare(graph, {}, {stimulus::RandomInput(rng, graph), stimulus::RandomInput(rng, graph)},
            coverage);
  }
}

/// A certificate above 32 bits, and a step whose sum could leave 30 bits.
TEST(PlanTest, SumsBeyondTheLanesRunByTheReference) {
  Rng rng(4);
  Coverage coverage;
  stimulus::LayerSpec spec;
  spec.requantization = ir::RequantizationKind::kShift;
  ir::Graph graph = stimulus::RandomConvGraph(rng, spec);
  graph.constants[static_cast<size_t>(graph.nodes[0].bias)].codes[0] = int64_t{1} << 40;
  EXPECT_EQ(Plan::Create(stimulus::Verified(graph))->num_reference_nodes(), 1);
  const ir::TensorValue input = stimulus::RandomInput(rng, graph);
  Compare(graph, {}, {input}, coverage);
  Compare(graph, {{30, ir::Overflow::kWrap, 4, ir::AccumulationOrder::kFlatTap}}, {input},
          coverage);

  spec.kind = ir::OperatorKind::kFullyConnected;
  spec.input = {8, 64, 65};  // 33,280 products, all in one step.
  spec.output_channels = 2;
  graph = stimulus::RandomLayerGraph(rng, spec);
  const ir::Accumulation one_step{12, ir::Overflow::kWrap, 33280, ir::AccumulationOrder::kFlatTap};
  EXPECT_EQ(Plan::Create(graph, {{one_step}, {}})->num_reference_nodes(), 1);
  Compare(graph, {one_step}, {stimulus::RandomInput(rng, graph)}, coverage);
}

TEST(PlanTest, RefusesWhatTheReferenceRefusesInItsWords) {
  Rng rng(6);
  const ir::Graph graph = stimulus::RandomConvGraph(rng, {});
  const Plan plan = Plan::Create(graph).value();
  ir::TensorValue input = stimulus::RandomInput(rng, graph);
  const auto expect_refused = [&] {
    const auto reference = golden::Run(graph, input);
    ASSERT_FALSE(reference.ok());
    EXPECT_EQ(plan.Run(input).error().message, reference.error().message);
    EXPECT_EQ(plan.RunBatch({&input, 1}).error().message, reference.error().message);
  };
  input.codes[3] = 128;
  expect_refused();
  input.codes.pop_back();
  expect_refused();
  input.shape.push_back(1);
  expect_refused();
  input = stimulus::RandomInput(rng, graph);
  for (const auto& contracts :
       {std::vector<ir::Accumulation>(2), std::vector<ir::Accumulation>{{7}},
        std::vector<ir::Accumulation>{
            {16, ir::Overflow::kWrap, 1, ir::AccumulationOrder::kTapSerial}}}) {
    const auto reference = golden::Run(graph, input, {contracts, false});
    const auto refused = Plan::Create(graph, {contracts, {}});
    ASSERT_FALSE(reference.ok());
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message, reference.error().message);
  }
}

TEST(PlanTest, BadLevelIsRefusedWithTheSupportedOnes) {
  Rng rng(6);
  const ir::Graph graph = stimulus::RandomConvGraph(rng, {});
  const std::vector<Level> supported = SupportedLevels();
  ASSERT_FALSE(supported.empty());
  EXPECT_EQ(supported[0], Level::kPortable);
  EXPECT_EQ(Plan::Create(graph)->level(), supported.back());
  const auto refused = Plan::Create(graph, {{}, static_cast<Level>(-1)});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("accepted on this machine: portable"), std::string::npos);
}

TEST(PlanTest, EmptyBatchGivesNothing) {
  Rng rng(6);
  const ir::Graph graph = stimulus::RandomConvGraph(rng, {});
  const auto batch = Plan::Create(graph)->RunBatch({});
  ASSERT_TRUE(batch.ok());
  EXPECT_TRUE(batch->outputs.empty());
  EXPECT_EQ(batch->events, std::vector<LayerEvents>(1));
}

}  // namespace
}  // namespace macloom::golden::fast
