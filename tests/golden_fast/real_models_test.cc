// The public MLPerf Tiny models: fast executor = reference on every level and accumulator.
#include <gtest/gtest.h>

#include <algorithm>

#include "golden/fast/plan.h"
#include "importers/tflite/importer.h"
#include "stimulus/random_codes.h"
#include "tests/support/data_pack.h"

namespace macloom::golden::fast {
namespace {

class RealModelTest : public ::testing::TestWithParam<const char*> {};

/// `width_bits` wide for nodes with an accumulator, wider where the start values need it.
std::vector<ir::Accumulation> Contracts(const ir::Graph& graph, int width_bits,
                                        ir::Overflow overflow) {
  std::vector<ir::Accumulation> contracts;
  for (const ir::Node& node : graph.nodes) {
    ir::Accumulation contract{width_bits, overflow, 16, ir::AccumulationOrder::kBlockTap};
    if (node.kind == ir::OperatorKind::kConv2d) contract.order = ir::AccumulationOrder::kFlatTap;
    if (node.kind == ir::OperatorKind::kDepthwiseConv2d) {
      contract = {width_bits, overflow, 1, ir::AccumulationOrder::kTapSerialColumn};
    }
    const int64_t num_outputs = node.weights < 0 ? 0 : graph.tensor(node.output).shape.back();
    for (int64_t c = 0; c < num_outputs && overflow == ir::Overflow::kSaturate; ++c) {
      const int64_t start = ir::AccumulatorStart(graph, node, c);
      while (start < -(int64_t{1} << (contract.width_bits - 1)) ||
             start >= int64_t{1} << (contract.width_bits - 1)) {
        ++contract.width_bits;
      }
    }
    contracts.push_back(contract);
  }
  return contracts;
}

TEST_P(RealModelTest, EqualsTheReference) {
  MACLOOM_DATA_PACK(path, std::string("mlperf-tiny-models/") + GetParam());
  for (ir::Rounding rounding : {ir::Rounding::kDouble, ir::Rounding::kSingle}) {
    const auto graph = importers::ImportTfliteFile(path, {rounding});
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    Rng rng(5);
    const ir::TensorValue input = stimulus::RandomInput(rng, *graph);
    for (const auto& accumulation :
         {std::vector<ir::Accumulation>{}, Contracts(*graph, 14, ir::Overflow::kWrap),
          Contracts(*graph, 12, ir::Overflow::kSaturate)}) {
      const auto reference = golden::Run(*graph, input, {accumulation, true});
      ASSERT_TRUE(reference.ok()) << reference.error().message;
      LayerEvents all;
      for (const LayerEvents& events : reference->events) all += events;
      EXPECT_EQ(all.overflow_events > 0, !accumulation.empty());
      for (Level level : SupportedLevels()) {
        SCOPED_TRACE(ToString(level));
        const auto plan = Plan::Create(*graph, {accumulation, level});
        ASSERT_TRUE(plan.ok()) << plan.error().message;
        EXPECT_EQ(plan->num_reference_nodes(), 0);
        const auto trace = plan->Run(input, true);
        ASSERT_TRUE(trace.ok()) << trace.error().message;
        EXPECT_TRUE(trace->tensors == reference->tensors);
        EXPECT_TRUE(trace->accumulators == reference->accumulators);
        EXPECT_TRUE(trace->events == reference->events);
        // Kernels that keep no accumulators differ.
        const auto batch = plan->RunBatch({&input, 1});
        ASSERT_TRUE(batch.ok()) << batch.error().message;
        EXPECT_TRUE(batch->events == reference->events);
        EXPECT_TRUE(batch->outputs[0] == reference->tensors[static_cast<size_t>(graph->output)]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(MlperfTiny, RealModelTest,
                         ::testing::Values("kws_ref_model.tflite", "pretrainedResnet_quant.tflite",
                                           "ad01_int8.tflite", "str_ww_ref_model.tflite"),
                         [](const auto& info) {
                           const std::string name = info.param;
                           return name.substr(0, name.find('.'));
                         });

}  // namespace
}  // namespace macloom::golden::fast
