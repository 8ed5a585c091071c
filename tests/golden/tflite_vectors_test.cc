// Every operator output of every sample of the TensorFlow Lite Micro reference vectors.
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <map>
#include <sstream>
#include <tuple>

#include "base/digest.h"
#include "base/npy.h"
#include "golden/reference/executor.h"
#include "importers/tflite/importer.h"
#include "tests/support/data_pack.h"

namespace macloom::golden {
namespace {

struct Model {
  const char* name;
  size_t num_operators;
  bool ends_in_softmax;
};

// Two sets of samples, as the pack's README counts them.
constexpr struct {
  const char* name;
  size_t num_samples;
} kSets[] = {{"uniform", 32}, {"corner", 10}};

std::vector<uint8_t> Int8Bytes(const ir::TensorValue& value) {
  std::vector<uint8_t> bytes;
  for (int32_t code : value.codes) {
    EXPECT_TRUE(code >= -128 && code <= 127);
    bytes.push_back(static_cast<uint8_t>(static_cast<int8_t>(code)));
  }
  return bytes;
}

// Rows of a file whose first axis is the sample.
std::vector<std::vector<uint8_t>> Rows(const std::filesystem::path& path, size_t num_samples) {
  const NpyArray array = ReadNpy(path).value();
  EXPECT_EQ(array.dtype, "|i1") << path;
  EXPECT_EQ(static_cast<size_t>(array.shape.at(0)), num_samples) << path;
  std::vector<std::vector<uint8_t>> rows;
  const auto row_bytes = static_cast<std::ptrdiff_t>(array.bytes.size() / num_samples);
  for (size_t i = 0; i < num_samples; ++i) {
    const auto first = array.bytes.begin() + static_cast<std::ptrdiff_t>(i) * row_bytes;
    rows.emplace_back(first, first + row_bytes);
  }
  return rows;
}

// (set, sample, operator) -> CRC-32 of the output under double and single rounding.
using Checksums = std::map<std::tuple<std::string, size_t, size_t>, std::array<uint32_t, 2>>;

Checksums ReadChecksums(const std::filesystem::path& path) {
  std::ifstream file(path);
  Checksums checksums;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream fields(line);
    std::string set;
    size_t sample = 0, index = 0, tensor = 0;
    std::array<uint32_t, 2> crc{};
    fields >> set >> sample >> index >> tensor >> std::hex >> crc[0] >> crc[1];
    EXPECT_TRUE(fields) << line;
    EXPECT_TRUE(checksums.emplace(std::tuple{set, sample, index}, crc).second) << line;
  }
  return checksums;
}

// layers/uniform_sN/opNN_*.npy of one sample, by operator.
std::map<size_t, std::vector<uint8_t>> ReadLayers(const std::filesystem::path& folder) {
  std::map<size_t, std::vector<uint8_t>> layers;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    layers[std::stoul(name.substr(2, 2))] = ReadNpy(entry.path()).value().bytes;
  }
  return layers;
}

class TfliteVectorsTest : public ::testing::TestWithParam<std::tuple<Model, ir::Rounding>> {};

TEST_P(TfliteVectorsTest, EveryOperatorOfEverySampleIsBitExact) {
  const auto& [model, rounding] = GetParam();
  MACLOOM_DATA_PACK(file, std::string("mlperf-tiny-models/") + model.name + ".tflite");
  MACLOOM_DATA_PACK(vectors, std::string("tflite_vectors/") + model.name);
  const auto imported = importers::ImportTfliteFile(file, {rounding});
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  const ir::Graph& graph = *imported;
  ASSERT_EQ(graph.nodes.size(), model.num_operators);
  const bool is_double = rounding == ir::Rounding::kDouble;
  const std::string suffix = is_double ? ".npy" : "_single_rounding.npy";
  const Checksums checksums = ReadChecksums(vectors / "layer_crc32.txt");
  ASSERT_EQ(checksums.size(), model.num_operators * 42);

  size_t num_outputs = 0, num_layers = 0;
  for (const auto& set : kSets) {
    const std::string name = set.name;
    const auto rows = [&](const std::string& ending) {
      return Rows(vectors / (name + ending), set.num_samples);
    };
    const auto inputs = rows("_input.npy");
    const auto outputs = rows("_output" + suffix);
    std::vector<std::vector<uint8_t>> logits;
    if (model.ends_in_softmax) {
      logits = rows("_logits" + suffix);
    }
    for (size_t sample = 0; sample < set.num_samples; ++sample) {
      ir::TensorValue input{graph.tensor(graph.input).shape, {}};
      for (uint8_t byte : inputs[sample]) input.codes.push_back(static_cast<int8_t>(byte));
      const auto trace = golden::Run(graph, input);
      ASSERT_TRUE(trace.ok()) << trace.error().message;
      const auto bytes_of = [&](ir::TensorId id) {
        return Int8Bytes(trace->tensors[static_cast<size_t>(id)]);
      };
      for (size_t op = 0; op < graph.nodes.size(); ++op) {
        const uint32_t expected = checksums.at({name, sample, op})[is_double ? 0 : 1];
        ASSERT_EQ(Crc32(bytes_of(graph.nodes[op].output)), expected)
            << name << " sample " << sample << " operator " << op;
        ++num_outputs;
      }
      ASSERT_EQ(bytes_of(graph.output), outputs[sample]) << name << " sample " << sample;
      if (model.ends_in_softmax) {
        ASSERT_EQ(bytes_of(graph.nodes.back().inputs[0]), logits[sample]) << name << sample;
      }
      if (!is_double || name != "uniform" || sample >= 2) continue;
      const auto layers = ReadLayers(vectors / "layers" / ("uniform_s" + std::to_string(sample)));
      ASSERT_EQ(layers.size(), graph.nodes.size());
      for (const auto& [op, bytes] : layers) {
        ASSERT_EQ(bytes_of(graph.nodes.at(op).output), bytes)
            << "sample " << sample << " operator " << op;
        ++num_layers;
      }
    }
  }
  EXPECT_EQ(num_outputs, model.num_operators * 42);
  EXPECT_EQ(num_layers, is_double ? model.num_operators * 2 : 0);
  RecordProperty("operator_outputs", static_cast<int>(num_outputs));
}

INSTANTIATE_TEST_SUITE_P(
    Models, TfliteVectorsTest,
    ::testing::Combine(::testing::Values(Model{"kws_ref_model", 13, true},
                                         Model{"ad01_int8", 10, false},
                                         Model{"pretrainedResnet_quant", 16, true}),
                       ::testing::Values(ir::Rounding::kDouble, ir::Rounding::kSingle)),
    [](const auto& info) {
      return std::string(std::get<0>(info.param).name) +
             (std::get<1>(info.param) == ir::Rounding::kDouble ? "_double" : "_single");
    });

}  // namespace
}  // namespace macloom::golden
