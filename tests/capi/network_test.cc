// Whole networks through the C interface against golden called directly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "capi/macloom.h"
#include "golden/reference/executor.h"
#include "golden/reference/operators.h"
#include "ir/accumulator_range.h"
#include "ir/network_file.h"
#include "stimulus/random_graph.h"
#include "tests/importers/tflite_model_builder.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kNetworkSeed = 20261129;

struct Free {
  void operator()(macloom_network* network) const { macloom_free(network); }
};
using Network = std::unique_ptr<macloom_network, Free>;

class CNetworkTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return (folder_ / name).string(); }

  Network Load(const std::string& model) {
    macloom_network* network = nullptr;
    EXPECT_EQ(macloom_load(model.c_str(), MACLOOM_ROUND_DOUBLE, &network), MACLOOM_OK)
        << macloom_last_error();
    return Network(network);
  }

  Network LoadGraph(const ir::Graph& graph) {
    EXPECT_TRUE(ir::SaveNetwork(graph, Path("network.safetensors")).ok());
    return Load(Path("network.safetensors"));
  }

  /// `network` has just run `input`; everything it tells must be what golden tells.
  static void ExpectEqualsGolden(const macloom_network* network, const ir::Graph& graph,
                                 const ir::TensorValue& input,
                                 const std::vector<ir::Accumulation>& accumulation) {
    const auto trace = golden::Run(graph, input, {accumulation, true});
    ASSERT_TRUE(trace.ok()) << trace.error().message;
    for (size_t i = 0; i < graph.tensors.size(); ++i) {
      std::vector<int32_t> codes(trace->tensors[i].codes.size());
      ASSERT_EQ(macloom_read_tensor(network, static_cast<int32_t>(i), codes.data(), codes.size()),
                MACLOOM_OK)
          << macloom_last_error();
      ASSERT_EQ(codes, trace->tensors[i].codes) << "tensor " << i;
    }
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const auto node = static_cast<int32_t>(i);
      macloom_events events = {};
      ASSERT_EQ(macloom_read_events(network, node, &events), MACLOOM_OK);
      const golden::LayerEvents told{events.overflow_events, events.overflowed_outputs,
                                     events.wrong_outputs, events.clamped_low, events.clamped_high};
      ASSERT_TRUE(told == trace->events[i]) << "node " << i;
      std::vector<int64_t> accumulators(trace->accumulators[i].size());
      if (accumulators.empty()) continue;
      ASSERT_EQ(macloom_read_accumulators(network, node, accumulators.data(), accumulators.size()),
                MACLOOM_OK)
          << macloom_last_error();
      ASSERT_EQ(accumulators, trace->accumulators[i]) << "node " << i;
    }
  }

  testing::TemporaryFolder folder_;
};

std::vector<int8_t> RandomInput(Rng& rng, size_t size) {
  std::vector<int8_t> codes(size);
  for (int8_t& code : codes) code = static_cast<int8_t>(rng.UniformInt(-128, 127));
  return codes;
}

TEST_F(CNetworkTest, RandomNetworksEqualGoldenInEveryTensorAndCount) {
  Rng rng(kNetworkSeed);
  int64_t total_events = 0;
  for (int i = 0; i < 20; ++i) {
    stimulus::ChainOptions options;
    options.has_classifier = i % 2 == 0;
    if (i % 3 == 0) options.requantization = ir::RequantizationKind::kMultiplierSingle;
    const ir::Graph graph = stimulus::RandomChain(rng, options);
    const Network network = LoadGraph(graph);
    ASSERT_NE(network, nullptr);
    const ir::Shape& shape = graph.tensor(graph.input).shape;
    const auto input = RandomInput(rng, static_cast<size_t>(ir::NumElements(shape)));
    std::vector<int8_t> output(
        static_cast<size_t>(ir::NumElements(graph.tensor(graph.output).shape)));

    // Exact; then one narrow wrapping accumulator; then all of them.
    std::vector<ir::Accumulation> accumulation(graph.nodes.size());
    for (int pass = 0; pass < 3; ++pass) {
      if (pass > 0) {
        const int32_t node = pass == 1 ? 0 : MACLOOM_ALL_NODES;
        const ir::Accumulation narrow{pass == 1 ? 12 : 14, ir::Overflow::kWrap, 3,
                                      ir::AccumulationOrder::kFlatTap};
        ASSERT_EQ(macloom_set_accumulation(network.get(), node, narrow.width_bits, MACLOOM_WRAP, 3,
                                           MACLOOM_FLAT_TAP),
                  MACLOOM_OK)
            << macloom_last_error();
        if (pass == 1) accumulation[0] = narrow;
        if (pass == 2) accumulation.assign(graph.nodes.size(), narrow);
      }
      ASSERT_EQ(
          macloom_run_int8(network.get(), input.data(), input.size(), output.data(), output.size()),
          MACLOOM_OK)
          << macloom_last_error();
      ExpectEqualsGolden(network.get(), graph, {shape, {input.begin(), input.end()}}, accumulation);
      std::vector<int32_t> tensor(output.size());
      ASSERT_EQ(macloom_read_tensor(network.get(), graph.output, tensor.data(), tensor.size()),
                MACLOOM_OK);
      EXPECT_TRUE(std::equal(output.begin(), output.end(), tensor.begin()));
      macloom_events events = {};
      ASSERT_EQ(macloom_read_events(network.get(), 0, &events), MACLOOM_OK);
      total_events += events.overflow_events;
      EXPECT_TRUE(pass > 0 || events.overflow_events == 0);
    }
  }
  EXPECT_GT(total_events, 1000);
}

TEST_F(CNetworkTest, SaturationEqualsGolden) {
  Rng rng(kNetworkSeed);
  stimulus::LayerSpec spec;
  spec.has_bias = false;  // So that every start value fits.
  spec.window = {3, 3, 1, 1, 1, 1, 1, 1};
  const ir::Graph graph = stimulus::RandomConvGraph(rng, spec);
  const Network network = LoadGraph(graph);
  ASSERT_EQ(macloom_set_accumulation(network.get(), 0, 14, MACLOOM_SATURATE, 2, MACLOOM_BLOCK_TAP),
            MACLOOM_OK)
      << macloom_last_error();
  const std::vector<int32_t> input(90, -128);
  std::vector<int32_t> output(120);
  ASSERT_EQ(
      macloom_run_int32(network.get(), input.data(), input.size(), output.data(), output.size()),
      MACLOOM_OK)
      << macloom_last_error();
  ExpectEqualsGolden(network.get(), graph, {{6, 5, 3}, input},
                     {{14, ir::Overflow::kSaturate, 2, ir::AccumulationOrder::kBlockTap}});
  macloom_events events = {};
  ASSERT_EQ(macloom_read_events(network.get(), 0, &events), MACLOOM_OK);
  EXPECT_GT(events.overflow_events, 0);
}

TEST_F(CNetworkTest, ProvedWidthHasNoEvents) {
  const Network network = Load("ds-cnn-untrained");
  macloom_network_info info = {};
  ASSERT_EQ(macloom_describe(network.get(), &info), MACLOOM_OK);
  for (int32_t i = 0; i < info.num_nodes; ++i) {
    macloom_node_info node = {};
    ASSERT_EQ(macloom_describe_node(network.get(), i, &node), MACLOOM_OK);
    if (node.required_accumulator_bits == 0) continue;
    ASSERT_EQ(macloom_set_accumulation(network.get(), i, node.required_accumulator_bits,
                                       MACLOOM_SATURATE, 16, MACLOOM_BLOCK_TAP),
              MACLOOM_OK)
        << macloom_last_error();
  }
  Rng rng(kNetworkSeed);
  const std::vector<int8_t> input = RandomInput(rng, 490);
  std::vector<int8_t> output(12);
  ASSERT_EQ(macloom_run_int8(network.get(), input.data(), 490, output.data(), 12), MACLOOM_OK);
  for (int32_t i = 0; i < info.num_nodes; ++i) {
    macloom_events events = {};
    ASSERT_EQ(macloom_read_events(network.get(), i, &events), MACLOOM_OK);
    EXPECT_EQ(events.overflow_events, 0) << i;
  }
}

TEST_F(CNetworkTest, DescribesWhatTheGraphHolds) {
  Rng rng(kNetworkSeed);
  ir::Graph graph = stimulus::RandomChain(rng);
  graph.class_labels.clear();
  for (int64_t i = 0; i < ir::NumElements(graph.tensor(graph.output).shape); ++i) {
    graph.class_labels.push_back("class " + std::to_string(i));
  }
  const Network network = LoadGraph(graph);
  ASSERT_NE(network, nullptr);
  macloom_network_info info = {};
  ASSERT_EQ(macloom_describe(network.get(), &info), MACLOOM_OK);
  EXPECT_EQ(info.name, graph.name);
  EXPECT_EQ(info.is_untrained, 1);
  EXPECT_EQ(info.input_tensor, graph.input);
  EXPECT_EQ(info.output_tensor, graph.output);
  ASSERT_EQ(info.num_tensors, std::ssize(graph.tensors));
  ASSERT_EQ(info.num_nodes, std::ssize(graph.nodes));
  ASSERT_EQ(info.num_class_labels, std::ssize(graph.class_labels));
  for (int32_t i = 0; i < info.num_tensors; ++i) {
    const ir::TensorInfo& from = graph.tensor(i);
    macloom_tensor_info tensor = {};
    ASSERT_EQ(macloom_describe_tensor(network.get(), i, &tensor), MACLOOM_OK);
    EXPECT_EQ(tensor.name, from.name);
    EXPECT_EQ(ir::Shape(tensor.shape, tensor.shape + tensor.num_axes), from.shape);
    EXPECT_EQ(tensor.num_elements, ir::NumElements(from.shape));
    EXPECT_EQ(tensor.format, ir::ToString(from.format));
    EXPECT_EQ(tensor.min_code, -128);
    EXPECT_EQ(tensor.max_code, 127);
    EXPECT_EQ(tensor.is_affine, 1);
    EXPECT_EQ(tensor.zero_point, from.quantization.zero_point());
    EXPECT_EQ(tensor.scale, from.quantization.scale());
  }
  for (int32_t i = 0; i < info.num_nodes; ++i) {
    const ir::Node& from = graph.nodes[static_cast<size_t>(i)];
    macloom_node_info node = {};
    ASSERT_EQ(macloom_describe_node(network.get(), i, &node), MACLOOM_OK);
    EXPECT_EQ(node.name, from.name);
    EXPECT_EQ(node.operator_name, ir::ToString(from.kind));
    ASSERT_EQ(node.num_inputs, std::ssize(from.inputs));
    EXPECT_EQ(node.inputs[0], from.inputs[0]);
    EXPECT_EQ(node.inputs[1], from.inputs.size() > 1 ? from.inputs[1] : -1);
    EXPECT_EQ(node.output, from.output);
    EXPECT_EQ(node.num_macs, ir::NumMacs(graph, from));
    EXPECT_EQ(node.required_accumulator_bits, ir::RequiredAccumulatorBits(graph, from));
  }
  const char* label = nullptr;
  ASSERT_EQ(macloom_class_label(network.get(), info.num_class_labels - 1, &label), MACLOOM_OK);
  EXPECT_EQ(label, graph.class_labels.back());
}

TEST_F(CNetworkTest, RoundingDecidesHowATfliteFileIsRead) {
  const std::vector<uint8_t> bytes =
      importers::testing::Serialize(importers::testing::SmallModel());
  std::ofstream(Path("small.tflite"), std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
  std::vector<std::vector<int32_t>> traces;
  for (const int32_t rounding : {MACLOOM_ROUND_DOUBLE, MACLOOM_ROUND_SINGLE}) {
    macloom_network* loaded = nullptr;
    ASSERT_EQ(macloom_load(Path("small.tflite").c_str(), rounding, &loaded), MACLOOM_OK)
        << macloom_last_error();
    const Network network(loaded);
    macloom_network_info info = {};
    ASSERT_EQ(macloom_describe(loaded, &info), MACLOOM_OK);
    EXPECT_EQ(info.is_untrained, 0);
    traces.emplace_back();
    for (int seed = 0; seed < 50; ++seed) {
      Rng rng(kNetworkSeed + static_cast<uint64_t>(seed));
      macloom_tensor_info in = {}, out = {};
      ASSERT_EQ(macloom_describe_tensor(loaded, info.input_tensor, &in), MACLOOM_OK);
      ASSERT_EQ(macloom_describe_tensor(loaded, info.output_tensor, &out), MACLOOM_OK);
      const auto input = RandomInput(rng, static_cast<size_t>(in.num_elements));
      std::vector<int8_t> output(static_cast<size_t>(out.num_elements));
      ASSERT_EQ(macloom_run_int8(loaded, input.data(), input.size(), output.data(), output.size()),
                MACLOOM_OK);
      for (int32_t i = 0; i < info.num_tensors; ++i) {
        macloom_tensor_info tensor = {};
        ASSERT_EQ(macloom_describe_tensor(loaded, i, &tensor), MACLOOM_OK);
        std::vector<int32_t> codes(static_cast<size_t>(tensor.num_elements));
        ASSERT_EQ(macloom_read_tensor(loaded, i, codes.data(), codes.size()), MACLOOM_OK);
        traces.back().insert(traces.back().end(), codes.begin(), codes.end());
      }
    }
  }
  EXPECT_NE(traces[0], traces[1]);
}

TEST_F(CNetworkTest, WideOutputsAreRefusedInInt8AndGivenInInt32) {
  Rng rng(kNetworkSeed);
  stimulus::LayerSpec spec;
  spec.requantization = ir::RequantizationKind::kShift;
  spec.window = {3, 3, 1, 1, 1, 1, 1, 1};
  const ir::NumberFormat q8{ir::NumberFamily::kFixedPoint, 8, true, 5};
  spec.input_format = spec.weight_format = q8;
  spec.output_format = {ir::NumberFamily::kFixedPoint, 16, true, 8};
  const ir::Graph graph = stimulus::RandomConvGraph(rng, spec);
  const Network network = LoadGraph(graph);
  ASSERT_NE(network, nullptr);
  const std::vector<int8_t> narrow_input(90, 127);
  std::vector<int8_t> narrow(120);
  EXPECT_EQ(macloom_run_int8(network.get(), narrow_input.data(), 90, narrow.data(), 120),
            MACLOOM_UNSUPPORTED);
  EXPECT_THAT(macloom_last_error(), HasSubstr("use macloom_run_int32"));
  const std::vector<int32_t> input(90, 127);
  std::vector<int32_t> output(120);
  ASSERT_EQ(macloom_run_int32(network.get(), input.data(), 90, output.data(), 120), MACLOOM_OK)
      << macloom_last_error();
  ExpectEqualsGolden(network.get(), graph, {{6, 5, 3}, input}, {});
}

}  // namespace
}  // namespace macloom
