// QONNX networks: every quantizer's codes against a second model on real numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/npy.h"
#include "base/rng.h"
#include "golden/reference/executor.h"
#include "importers/onnx/file_model.h"
#include "importers/onnx/importer.h"
#include "tests/importers_onnx/real_valued_model.h"
#include "tests/support/data_pack.h"

namespace macloom::importers {
namespace {

using testing::RealTensor;
using testing::RealValuedModel;

size_t ArgMax(const std::vector<double>& values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// Runs network and second model; `input` is what the file's input is, in real numbers.
/// @return the class, or -1 after a failure.
int CheckQuantizers(const std::filesystem::path& path, const std::vector<double>& input,
                    size_t num_layers) {
  const auto graph = ImportOnnxFile(path);
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  const auto bytes = ReadFile(path, 1 << 28);
  if (!graph.ok() || !bytes.ok()) return -1;
  const auto file = onnx::OpenContainer(*bytes);
  if (!file.ok()) return -1;
  RealValuedModel model(*file);
  const auto tensors = model.Run({file->input.shape, input});
  // The network begins with the codes of the quantizer behind the input: the first of the file.
  ir::TensorValue codes{graph->tensor(graph->input).shape, {}};
  const auto first = std::find_if(file->nodes.begin(), file->nodes.end(), [](const auto& node) {
    return node.type == "Quant" || node.type == "BipolarQuant";
  });
  const double input_scale = tensors.at(first->inputs[1]).values[0];
  for (const double value : tensors.at(first->outputs[0]).values) {
    codes.codes.push_back(static_cast<int32_t>(std::lround(value / input_scale)));
  }
  const auto trace = golden::Run(*graph, codes);
  EXPECT_TRUE(trace.ok()) << trace.error().message;
  if (!trace.ok()) return -1;
  size_t num_compared = 0;
  for (size_t i = 0; i < graph->tensors.size(); ++i) {
    const ir::TensorInfo& tensor = graph->tensors[i];
    const bool is_compared = std::any_of(file->nodes.begin(), file->nodes.end(), [&](auto& node) {
      return node.outputs[0] == tensor.name &&
             (node.type == "Quant" || node.type == "BipolarQuant");
    });
    if (!is_compared) continue;
    const RealTensor& expected = tensors.at(tensor.name);
    const double scale = expected.values.empty() ? 1 : tensor.quantization.scale();
    size_t num_different = 0;
    for (size_t k = 0; k < expected.values.size(); ++k) {
      num_different += std::lround(expected.values[k] / scale) != trace->tensors[i].codes[k];
    }
    EXPECT_EQ(num_different, 0u) << tensor.name << " of " << expected.values.size();
    ++num_compared;
  }
  EXPECT_EQ(num_compared, num_layers);
  // The last accumulators and the real outputs name the same class.
  const std::vector<int32_t>& last = trace->tensors[static_cast<size_t>(graph->output)].codes;
  const std::vector<double> scores(last.begin(), last.end());
  EXPECT_EQ(ArgMax(scores), ArgMax(tensors.at(file->output).values));
  return static_cast<int>(ArgMax(scores));
}

std::vector<double> Floats(const NpyArray& array) {
  std::vector<double> values;
  for (size_t i = 0; i + 4 <= array.bytes.size(); i += 4) {
    float value = 0;
    std::memcpy(&value, array.bytes.data() + i, 4);
    values.push_back(value);
  }
  return values;
}

TEST(QonnxNetworks, KeywordMlpNamesThePublishedClass) {
  MACLOOM_DATA_PACK(pack, "qonnx-models");
  auto bytes = ReadFile(pack / "kwsmlp_input.npy", 1 << 20);
  const auto output = ReadNpy(pack / "kwsmlp_expected_output.npy");
  ASSERT_TRUE(bytes.ok() && output.ok());
  // The array 1x1x10x49 is stored in Fortran order: as 49x10 in C order.
  const std::string before = "'fortran_order': True, ";
  const auto place = std::search(bytes->begin(), bytes->end(), before.begin(), before.end());
  ASSERT_NE(place, bytes->end());
  const std::string after = "'fortran_order': False,";
  std::copy(after.begin(), after.end(), place);
  const auto input = ParseNpy(*bytes);
  ASSERT_TRUE(input.ok()) << input.error().message;
  const std::vector<double> stored = Floats(*input);
  ASSERT_EQ(stored.size(), 490u);
  std::vector<double> sample(490);
  for (size_t i = 0; i < 490; ++i) sample[i] = stored[i % 49 * 10 + i / 49];
  const int label = static_cast<int>(ToInt64(*output).value()[0]);
  EXPECT_EQ(CheckQuantizers(pack / "kwsmlp_w3a3.onnx", sample, 3), label);
}

class QonnxRandom : public ::testing::TestWithParam<std::pair<const char*, size_t>> {};

TEST_P(QonnxRandom, EveryQuantizerEqualsTheSecondModel) {
  MACLOOM_DATA_PACK(path, std::string("qonnx-models/") + GetParam().first);
  Rng random(20241121);
  const bool is_image = GetParam().second == 784;
  for (int sample = 0; sample < 40; ++sample) {
    std::vector<double> input(GetParam().second);
    for (double& value : input) {
      const auto drawn = static_cast<double>(random.UniformInt(0, 255));
      value = is_image ? drawn / 255 : drawn - 128;
    }
    ASSERT_GE(CheckQuantizers(path, input, 3), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, QonnxRandom,
                         ::testing::Values(std::pair<const char*, size_t>{"TFC_1W1A.onnx", 784},
                                           std::pair<const char*, size_t>{"TFC_2W2A.onnx", 784},
                                           std::pair<const char*, size_t>{"kwsmlp_w3a3.onnx",
                                                                          490}));

TEST(QonnxBad, AnUnquantizedInputIsRefused) {
  MACLOOM_DATA_PACK(path, "qonnx-models/qkeras_jettagging.onnx");
  const auto graph = ImportOnnxFile(path);
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().message.find("input without quantizer"), std::string::npos)
      << graph.error().message;
}

}  // namespace
}  // namespace macloom::importers
