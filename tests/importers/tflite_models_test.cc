// The public MLPerf Tiny models: layer tables, and every multiplier against the reference vectors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "importers/tflite/importer.h"
#include "tests/support/data_pack.h"

namespace macloom::importers {
namespace {

struct Layer {
  const char* name;
  const char* input;
  const char* output;
  ir::Window window;
  int input_zero_point, output_zero_point;
  int64_t macs;
};

// Taken from the model files with another reader. Columns: kernel, stride, pads top, bottom, left,
// right.
// clang-format off
constexpr Layer kKeywordSpotting[] = {
    {"op00_conv_2d", "49x10x1", "25x5x64", {10, 4, 2, 2, 4, 5, 1, 1}, 83, -128, 320000},
    {"op01_depthwise_conv_2d", "25x5x64", "25x5x64", {3, 3, 1, 1, 1, 1, 1, 1}, -128, -128, 72000},
    {"op02_conv_2d", "25x5x64", "25x5x64", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 512000},
    {"op03_depthwise_conv_2d", "25x5x64", "25x5x64", {3, 3, 1, 1, 1, 1, 1, 1}, -128, -128, 72000},
    {"op04_conv_2d", "25x5x64", "25x5x64", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 512000},
    {"op05_depthwise_conv_2d", "25x5x64", "25x5x64", {3, 3, 1, 1, 1, 1, 1, 1}, -128, -128, 72000},
    {"op06_conv_2d", "25x5x64", "25x5x64", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 512000},
    {"op07_depthwise_conv_2d", "25x5x64", "25x5x64", {3, 3, 1, 1, 1, 1, 1, 1}, -128, -128, 72000},
    {"op08_conv_2d", "25x5x64", "25x5x64", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 512000},
    {"op09_average_pool_2d", "25x5x64", "1x1x64", {25, 5, 25, 5, 0, 0, 0, 0}, -128, -128, 0},
    {"op10_reshape", "1x1x64", "64", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 0},
    {"op11_fully_connected", "64", "12", {1, 1, 1, 1, 0, 0, 0, 0}, -128, 14, 768},
    {"op12_softmax", "12", "12", {1, 1, 1, 1, 0, 0, 0, 0}, 14, -128, 0},
};
constexpr Layer kResnet8[] = {
    {"op00_conv_2d", "32x32x3", "32x32x16", {3, 3, 1, 1, 1, 1, 1, 1}, -128, -128, 442368},
    {"op01_conv_2d", "32x32x16", "32x32x16", {3, 3, 1, 1, 1, 1, 1, 1}, -128, -128, 2359296},
    {"op02_conv_2d", "32x32x16", "32x32x16", {3, 3, 1, 1, 1, 1, 1, 1}, -128, 4, 2359296},
    {"op03_add", "32x32x16", "32x32x16", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 0},
    {"op04_conv_2d", "32x32x16", "16x16x32", {3, 3, 2, 2, 0, 1, 0, 1}, -128, -128, 1179648},
    {"op05_conv_2d", "16x16x32", "16x16x32", {3, 3, 1, 1, 1, 1, 1, 1}, -128, 4, 2359296},
    {"op06_conv_2d", "32x32x16", "16x16x32", {1, 1, 2, 2, 0, 0, 0, 0}, -128, -17, 131072},
    {"op07_add", "16x16x32", "16x16x32", {1, 1, 1, 1, 0, 0, 0, 0}, -17, -128, 0},
    {"op08_conv_2d", "16x16x32", "8x8x64", {3, 3, 2, 2, 0, 1, 0, 1}, -128, -128, 1179648},
    {"op09_conv_2d", "8x8x64", "8x8x64", {3, 3, 1, 1, 1, 1, 1, 1}, -128, -2, 2359296},
    {"op10_conv_2d", "16x16x32", "8x8x64", {1, 1, 2, 2, 0, 0, 0, 0}, -128, 38, 131072},
    {"op11_add", "8x8x64", "8x8x64", {1, 1, 1, 1, 0, 0, 0, 0}, 38, -128, 0},
    {"op12_average_pool_2d", "8x8x64", "1x1x64", {8, 8, 8, 8, 0, 0, 0, 0}, -128, -128, 0},
    {"op13_reshape", "1x1x64", "64", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 0},
    {"op14_fully_connected", "64", "10", {1, 1, 1, 1, 0, 0, 0, 0}, -128, 24, 640},
    {"op15_softmax", "10", "10", {1, 1, 1, 1, 0, 0, 0, 0}, 24, -128, 0},
};
constexpr Layer kAnomaly[] = {
    {"op00_fully_connected", "640", "128", {1, 1, 1, 1, 0, 0, 0, 0}, 89, -128, 81920},
    {"op01_fully_connected", "128", "128", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 16384},
    {"op02_fully_connected", "128", "128", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 16384},
    {"op03_fully_connected", "128", "128", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 16384},
    {"op04_fully_connected", "128", "8", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 1024},
    {"op05_fully_connected", "8", "128", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 1024},
    {"op06_fully_connected", "128", "128", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 16384},
    {"op07_fully_connected", "128", "128", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 16384},
    {"op08_fully_connected", "128", "128", {1, 1, 1, 1, 0, 0, 0, 0}, -128, -128, 16384},
    {"op09_fully_connected", "128", "640", {1, 1, 1, 1, 0, 0, 0, 0}, -128, 96, 81920},
};
// clang-format on

void ExpectLayers(const ir::Graph& graph, std::span<const Layer> layers, int accumulator_bits) {
  ASSERT_EQ(graph.nodes.size(), layers.size());
  int largest_bits = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    const ir::Node& node = graph.nodes[i];
    const ir::TensorInfo& input = graph.tensor(node.inputs[0]);
    const ir::TensorInfo& output = graph.tensor(node.output);
    EXPECT_EQ(node.name, layers[i].name);
    EXPECT_EQ(ir::ToString(input.shape), layers[i].input) << node.name;
    EXPECT_EQ(ir::ToString(output.shape), layers[i].output) << node.name;
    EXPECT_EQ(node.window, layers[i].window) << node.name;
    EXPECT_EQ(input.quantization.zero_point(), layers[i].input_zero_point) << node.name;
    EXPECT_EQ(output.quantization.zero_point(), layers[i].output_zero_point) << node.name;
    EXPECT_EQ(ir::NumMacs(graph, node), layers[i].macs) << node.name;
    largest_bits = std::max(largest_bits, ir::RequiredAccumulatorBits(graph, node));
  }
  EXPECT_EQ(largest_bits, accumulator_bits);
}

/// Compares every line of a parameter file with the graph; returns the number of multipliers.
int CompareParameters(const ir::Graph& graph, const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  int num_compared = 0;
  std::map<size_t, size_t> num_channels_of;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string word;
    if (line.starts_with("op ")) {
      size_t index = 0;
      int input_zero_point = 0, output_zero_point = 0, minimum = 0, maximum = 0;
      std::string kind;
      words >> word >> index >> kind >> word >> input_zero_point >> word >> output_zero_point >>
          word >> minimum >> word >> maximum;
      EXPECT_TRUE(words) << line;
      const ir::Node& node = graph.nodes.at(index);
      EXPECT_EQ(ir::ToString(node.kind), kind);
      EXPECT_EQ(graph.tensor(node.inputs[0]).quantization.zero_point(), input_zero_point) << line;
      EXPECT_EQ(graph.tensor(node.output).quantization.zero_point(), output_zero_point) << line;
      EXPECT_EQ(node.requantization.clamp_min, minimum) << line;
      EXPECT_EQ(node.requantization.clamp_max, maximum) << line;
      continue;
    }
    size_t index = 0, channel = 0;
    ir::FixedPointMultiplier expected;
    std::string what;
    words >> index >> what >> channel >> expected.multiplier >> expected.shift;
    EXPECT_TRUE(words) << line;
    const ir::Node& node = graph.nodes.at(index);
    ++num_compared;
    if (what == "ADD.input1") {
      EXPECT_EQ(node.add.input[0], expected) << line;
    } else if (what == "ADD.input2") {
      EXPECT_EQ(node.add.input[1], expected) << line;
    } else if (what == "ADD.output") {
      EXPECT_EQ(node.add.output, expected) << line;
    } else if (what == "SOFTMAX") {
      int diff_min = 0;
      words >> word >> diff_min;
      EXPECT_TRUE(words) << line;
      EXPECT_EQ(node.softmax.input_multiplier, expected.multiplier) << line;
      EXPECT_EQ(node.softmax.input_left_shift, expected.shift) << line;
      EXPECT_EQ(node.softmax.diff_min, diff_min) << line;
    } else {
      EXPECT_EQ(ir::ToString(node.kind), what);
      EXPECT_EQ(node.requantization.channels.at(channel), expected) << line;
      num_channels_of[index] = channel + 1;
    }
  }
  for (const auto& [index, num_channels] : num_channels_of) {
    EXPECT_EQ(graph.nodes[index].requantization.channels.size(), num_channels) << index;
  }
  return num_compared;
}

struct Model {
  const char* name;
  std::span<const Layer> layers;
  int accumulator_bits;
  int num_multipliers;
};

const Model kModels[] = {
    {"kws_ref_model", kKeywordSpotting, 21, 578},
    {"pretrainedResnet_quant", kResnet8, 23, 347},
    {"ad01_int8", kAnomaly, 22, 10},
};

TEST(TfliteModelsTest, LayerTablesMatchAnotherReader) {
  MACLOOM_DATA_PACK(folder, "mlperf-tiny-models");
  for (const Model& model : kModels) {
    const auto graph = ImportTfliteFile(folder / (std::string(model.name) + ".tflite"));
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    SCOPED_TRACE(model.name);
    ExpectLayers(*graph, model.layers, model.accumulator_bits);
  }
}

TEST(TfliteModelsTest, EveryMultiplierMatchesTheReferenceVectors) {
  MACLOOM_DATA_PACK(folder, "mlperf-tiny-models");
  MACLOOM_DATA_PACK(vectors, "tflite_vectors");
  for (const Model& model : kModels) {
    const auto graph = ImportTfliteFile(folder / (std::string(model.name) + ".tflite"));
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    SCOPED_TRACE(model.name);
    EXPECT_EQ(CompareParameters(*graph, vectors / model.name / "requant_params.txt"),
              model.num_multipliers);
  }
}

TEST(TfliteModelsTest, SingleRoundingKeepsTheMultipliers) {
  MACLOOM_DATA_PACK(folder, "mlperf-tiny-models");
  MACLOOM_DATA_PACK(vectors, "tflite_vectors");
  for (const Model& model : kModels) {
    const auto graph =
        ImportTfliteFile(folder / (std::string(model.name) + ".tflite"), {ir::Rounding::kSingle});
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    SCOPED_TRACE(model.name);
    EXPECT_EQ(CompareParameters(*graph, vectors / model.name / "requant_params.txt"),
              model.num_multipliers);
    for (const ir::Node& node : graph->nodes) {
      EXPECT_NE(node.requantization.kind, ir::RequantizationKind::kMultiplierDouble) << node.name;
    }
  }
}

TEST(TfliteModelsTest, DepthMultipliersAreImported) {
  MACLOOM_DATA_PACK(folder, "tflite-micro/models");
  const auto speech = ImportTfliteFile(folder / "micro_speech_quantized.tflite");
  ASSERT_TRUE(speech.ok()) << speech.error().message;
  EXPECT_EQ(speech->nodes[1].kind, ir::OperatorKind::kDepthwiseConv2d);
  EXPECT_EQ(speech->nodes[1].depth_multiplier, 8);
  const auto person = ImportTfliteFile(folder / "person_detect.tflite");
  ASSERT_TRUE(person.ok()) << person.error().message;
  EXPECT_EQ(person->nodes.size(), 31u);
  EXPECT_EQ(person->nodes[0].depth_multiplier, 8);
}

struct Outcome {
  const char* path;
  const char* refusal;  ///< Part of the message; empty for files that import.
};

constexpr Outcome kOutcomes[] = {
    {"mlperf-tiny-models/ad01_int8.tflite", ""},
    {"mlperf-tiny-models/kws_ref_model.tflite", ""},
    {"mlperf-tiny-models/pretrainedResnet_quant.tflite", ""},
    {"mlperf-tiny-models/str_ww_ref_model.tflite", ""},
    {"mlperf-tiny-models/kws_ref_model_float32.tflite", "has type FLOAT32"},
    {"mlperf-tiny-models/pretrainedResnet.tflite", "has type FLOAT32"},
    {"tflite-micro/models/hello_world_int8.tflite", ""},
    {"tflite-micro/models/micro_speech_quantized.tflite", ""},
    {"tflite-micro/models/person_detect.tflite", ""},
    {"tflite-micro/models/hello_world_float.tflite", "has type FLOAT32"},
    {"tflite-micro/models/audio_preprocessor_float.tflite", "CUSTOM 'SignalWindow' (operator 0)"},
    {"tflite-micro/models/audio_preprocessor_int8.tflite", "CUSTOM 'SignalWindow' (operator 0)"},
    {"tflite-micro/models/keyword_scrambled.tflite", "SVDF (operator 1)"},
    {"tflite-micro/models/keyword_scrambled_8bit.tflite", "SVDF (operator 1)"},
    {"tflite-micro/models/micro_speech_lstm.tflite", "UNIDIRECTIONAL_SEQUENCE_LSTM (operator 0)"},
    {"tflite-micro/models/trained_lstm.tflite", "UNIDIRECTIONAL_SEQUENCE_LSTM (operator 0)"},
    {"tflite-micro/models/trained_lstm_int8.tflite", "UNIDIRECTIONAL_SEQUENCE_LSTM (operator 0)"},
};

TEST(TfliteModelsTest, PublicFilesImportOrAreRefusedForTheRightReason) {
  MACLOOM_DATA_PACK(mlperf, "mlperf-tiny-models");
  MACLOOM_DATA_PACK(micro, "tflite-micro/models");
  const std::filesystem::path root = mlperf.parent_path();
  for (const Outcome& outcome : kOutcomes) {
    const auto graph = ImportTfliteFile(root / outcome.path);
    const std::string refusal = outcome.refusal;
    ASSERT_EQ(graph.ok(), refusal.empty()) << outcome.path;
    if (graph.ok()) continue;
    EXPECT_EQ(graph.error().kind, ErrorKind::kUnsupported) << outcome.path;
    EXPECT_THAT(graph.error().message, ::testing::HasSubstr(refusal));
  }
}

}  // namespace
}  // namespace macloom::importers
