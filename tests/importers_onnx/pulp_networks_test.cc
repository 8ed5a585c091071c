// Integer networks of the PULP tools against the outputs that their publishers ship.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "golden/reference/executor.h"
#include "importers/onnx/importer.h"
#include "tests/importers_onnx/npz_file.h"
#include "tests/support/data_pack.h"

namespace macloom::importers {
namespace {

using testing::ChannelsLast;
using testing::ReadNpz;
using testing::WholeNumbers;

/// One value a line after a title line.
std::vector<int32_t> ReadValueLines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::vector<int32_t> values;
  while (std::getline(file, line)) {
    if (!line.empty()) values.push_back(static_cast<int32_t>(std::stod(line)));
  }
  return values;
}

size_t NumDifferences(const std::vector<int32_t>& a, const std::vector<int32_t>& b) {
  if (a.size() != b.size()) return std::max(a.size(), b.size());
  size_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += a[i] != b[i] ? 1 : 0;
  return count;
}

/// Node outputs in order, without the dividends that the importer makes of nested divisions.
std::vector<ir::TensorId> LayerOutputs(const ir::Graph& graph) {
  std::vector<ir::TensorId> outputs;
  for (const ir::Node& node : graph.nodes) {
    if (graph.tensor(node.output).name.find(" dividend") == std::string::npos) {
      outputs.push_back(node.output);
    }
  }
  return outputs;
}

/// `is_channels_first`: order of the values in the files, whatever their titles say.
void CheckEveryLayer(const std::filesystem::path& model, int num_layers, bool is_channels_first) {
  const auto graph = ImportOnnxFile(model);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const std::filesystem::path folder = model.parent_path();
  const auto trace = golden::Run(
      *graph, {graph->tensor(graph->input).shape, ReadValueLines(folder / "input.txt")});
  ASSERT_TRUE(trace.ok()) << trace.error().message;
  const std::vector<ir::TensorId> outputs = LayerOutputs(*graph);
  ASSERT_EQ(static_cast<int>(outputs.size()), num_layers);
  for (int layer = 0; layer < num_layers; ++layer) {
    const ir::TensorValue& tensor =
        trace->tensors[static_cast<size_t>(outputs[static_cast<size_t>(layer)])];
    const std::vector<int32_t>& got = tensor.codes;
    std::vector<int32_t> expected = ReadValueLines(folder / fmt::format("out_layer{}.txt", layer));
    if (is_channels_first) {
      expected = ChannelsLast({expected.begin(), expected.end()}, {1, tensor.shape.back()});
    }
    EXPECT_EQ(NumDifferences(got, expected), 0u)
        << "layer " << layer << " of " << expected.size() << " values";
  }
}

TEST(PulpNetworks, DsCnnEqualsEveryLayer) {
  MACLOOM_DATA_PACK(path, "pulp-int8-networks/dscnn_test/model_int.onnx");
  CheckEveryLayer(path, 11, true);
}

TEST(PulpNetworks, TcnEqualsEveryLayer) {
  MACLOOM_DATA_PACK(path, "pulp-int8-networks/TCN_T/TCN.onnx");
  CheckEveryLayer(path, 12, false);
}

/// Runs network.onnx of `folder` on inputs.npz; compares the output with outputs.npz.
void CheckOutput(const std::filesystem::path& folder, golden::Trace* trace_out = nullptr,
                 ir::Graph* graph_out = nullptr) {
  const auto graph = ImportOnnxFile(folder / "network.onnx");
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  const auto inputs = ReadNpz(folder / "inputs.npz");
  const auto outputs = ReadNpz(folder / "outputs.npz");
  ASSERT_FALSE(inputs.empty());
  ASSERT_EQ(outputs.size(), 1u);
  const NpyArray& input = inputs.begin()->second;
  const NpyArray& output = outputs.begin()->second;
  const auto trace = golden::Run(
      *graph, {graph->tensor(graph->input).shape, ChannelsLast(WholeNumbers(input), input.shape)});
  ASSERT_TRUE(trace.ok()) << trace.error().message;
  EXPECT_EQ(NumDifferences(trace->tensors[static_cast<size_t>(graph->output)].codes,
                           ChannelsLast(WholeNumbers(output), output.shape)),
            0u)
      << folder << ": of " << output.NumElements() << " values";
  if (trace_out != nullptr) *trace_out = *trace;
  if (graph_out != nullptr) *graph_out = *graph;
}

TEST(PulpNetworks, KeywordSpottingEqualsEveryActivation) {
  MACLOOM_DATA_PACK(folder, "pulp-int8-networks/deeploy/Models/MLPerf/KeywordSpotting");
  golden::Trace trace;
  ir::Graph graph;
  CheckOutput(folder, &trace, &graph);
  const auto activations = ReadNpz(folder / "activations.npz");
  for (int layer = 0; layer < 9; ++layer) {
    const auto found = activations.find(fmt::format(
        "model_{}__ql_replaced__integerize_bn2d_unsigned_act_pass_{}", (layer + 1) / 2, layer));
    ASSERT_NE(found, activations.end()) << layer;
    ASSERT_LT(static_cast<size_t>(layer), graph.nodes.size());
    const ir::TensorId id = graph.nodes[static_cast<size_t>(layer)].output;
    EXPECT_EQ(NumDifferences(trace.tensors[static_cast<size_t>(id)].codes,
                             ChannelsLast(WholeNumbers(found->second), found->second.shape)),
              0u)
        << "layer " << layer;
  }
}

TEST(PulpNetworks, MiniMobileNetEqualsEveryActivation) {
  MACLOOM_DATA_PACK(folder, "pulp-int8-networks/deeploy/Models/miniMobileNet");
  golden::Trace trace;
  ir::Graph graph;
  CheckOutput(folder, &trace, &graph);
  const auto activations = ReadNpz(folder / "activations.npz");
  for (int layer = 0; layer < 4; ++layer) {
    const auto found = activations.find(
        fmt::format("net__ql_replaced__integerize_bn2d_signed_act_pass_{}", layer));
    ASSERT_NE(found, activations.end()) << layer;
    ASSERT_LT(static_cast<size_t>(layer), graph.nodes.size());
    const ir::TensorId id = graph.nodes[static_cast<size_t>(layer)].output;
    EXPECT_EQ(NumDifferences(trace.tensors[static_cast<size_t>(id)].codes,
                             ChannelsLast(WholeNumbers(found->second), found->second.shape)),
              0u)
        << "layer " << layer;
  }
}

class PulpKernel : public ::testing::TestWithParam<const char*> {};

TEST_P(PulpKernel, EqualsThePublishedOutput) {
  MACLOOM_DATA_PACK(folder,
                    fmt::format("pulp-int8-networks/deeploy/Kernels/Integer/{}", GetParam()));
  CheckOutput(folder);
}

INSTANTIATE_TEST_SUITE_P(Kernels, PulpKernel,
                         ::testing::Values("Conv/Regular_2D_RQ", "Conv/DW_2D_RQ",
                                           "Conv/PW_2D_RQ/Unsigned_RQ", "Conv/Regular_1D_RQ",
                                           "Conv/StriddedPadded_2D_RQ"));

class PulpRefusal : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(PulpRefusal, NamesTheReason) {
  MACLOOM_DATA_PACK(folder, fmt::format("pulp-int8-networks/deeploy/{}", GetParam().first));
  const auto graph = ImportOnnxFile(folder / "network.onnx");
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().message.find(GetParam().second), std::string::npos)
      << graph.error().message;
}

INSTANTIATE_TEST_SUITE_P(
    Bad, PulpRefusal,
    ::testing::Values(std::pair{"Kernels/Integer/GEMM/Regular_RQPerRow", "batch of 32"},
                      std::pair{"Kernels/Integer/GEMM/TransB_RQ", "batch of 32"},
                      std::pair{"Kernels/Integer/ReduceSum", "(ReduceSum)"},
                      std::pair{"Kernels/Integer/Hardswish/Regular_RQ", "(iHardswish)"},
                      std::pair{"Kernels/Integer/iNoNorm", "(iNoNorm)"},
                      std::pair{"Kernels/Integer/Softmax/Regular", "(iSoftmax)"},
                      std::pair{"Kernels/Integer/Softmax/Large", "(iSoftmax)"},
                      std::pair{"Kernels/Integer/MatMul/Regular", "2 inputs"},
                      std::pair{"Kernels/Integer/MatMul/Regular_RQ", "2 inputs"},
                      std::pair{"Kernels/Integer/Add/Regular", "2 inputs"},
                      std::pair{"Models/CCT/Int/ICCT", "(iLayerNorm)"}));

}  // namespace
}  // namespace macloom::importers
