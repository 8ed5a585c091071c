// Vectors hold what golden computes, in every format; compare finds what differs from them.
#include "flow/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/memory_hex.h"
#include "base/npy.h"
#include "flow/compare.h"
#include "golden/reference/executor.h"
#include "networks/untrained_network.h"
#include "tests/support/temporary_folder.h"

namespace macloom::flow {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class VectorsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    graph_ = networks::MakeUntrainedKwsNetwork();
    samples_ = RandomInputs(graph_, 2, 5);
    VectorOptions options;
    options.layers = {"pointwise_2", "dense"};
    const auto set = MakeVectors(graph_, samples_, options);
    ASSERT_TRUE(set.ok()) << set.error().message;
    set_ = *set;
    ASSERT_TRUE(WriteVectors(set_, {VectorFormat::kNpy, VectorFormat::kHex, VectorFormat::kC},
                             Path("vectors"))
                    .ok());
  }

  fs::path Path(const std::string& name) const { return folder_.path() / name; }

  /// The user's folder: a copy of `arrays` of every layer.
  void MakeDumps(const std::vector<std::string>& files) const {
    for (const std::string& file : files) {
      fs::create_directories(Path("got/" + file).parent_path());
      fs::copy_file(Path("vectors/" + file), Path("got/" + file),
                    fs::copy_options::overwrite_existing);
    }
  }

  void ReplaceWord(const std::string& file, size_t index, const std::string& word) const {
    std::string text = *ReadTextFile(Path(file));
    size_t at = text.find('\n') + 1;
    for (size_t i = 0; i < index; ++i) at = text.find('\n', at) + 1;
    text.replace(at, text.find('\n', at) - at, word);
    ASSERT_TRUE(WriteFileAtomically(Path(file), std::string_view(text)).ok());
  }

  Result<CompareResult> Compare(const CompareOptions& options = {}) const {
    return CompareVectors(Path("vectors"), Path("got"), options);
  }

  ir::Graph graph_;
  Samples samples_;
  VectorSet set_;
  testing::TemporaryFolder folder_;
};

TEST_F(VectorsTest, HoldWhatGoldenComputes) {
  golden::RunOptions options;
  options.keep_accumulators = true;
  ASSERT_EQ(set_.layers.size(), 2u);
  for (const VectorLayer& layer : set_.layers) {
    const size_t index = static_cast<size_t>(layer.node);
    const ir::Node& node = graph_.nodes[index];
    std::vector<int64_t> inputs, accumulators, outputs;
    for (const ir::TensorValue& input : samples_.inputs) {
      const auto trace = golden::Run(graph_, input, options);
      ASSERT_TRUE(trace.ok());
      const auto& in = trace->tensors[static_cast<size_t>(node.inputs[0])].codes;
      const auto& out = trace->tensors[static_cast<size_t>(node.output)].codes;
      const auto& sums = trace->accumulators[index];
      inputs.insert(inputs.end(), in.begin(), in.end());
      outputs.insert(outputs.end(), out.begin(), out.end());
      accumulators.insert(accumulators.end(), sums.begin(), sums.end());
    }
    std::vector<std::string> names;
    for (const VectorArray& array : layer.arrays) {
      names.push_back(array.name);
      EXPECT_EQ(static_cast<int64_t>(array.codes.size()), ir::NumElements(array.shape));
      if (array.name == "input") {
        EXPECT_EQ(array.codes, inputs);
      }
      if (array.name == "accumulator") {
        EXPECT_EQ(array.codes, accumulators);
      }
      if (array.name == "output") {
        EXPECT_EQ(array.codes, outputs);
      }
      if (array.name == "weights") {
        EXPECT_EQ(array.codes, graph_.constant(node.weights).codes);
      }
    }
    EXPECT_EQ(names, (std::vector<std::string>{"input", "weights", "bias", "start", "multiplier",
                                               "shift", "accumulator", "output"}));
  }
}

TEST_F(VectorsTest, EveryFormatHoldsTheSameNumbers) {
  for (const VectorLayer& layer : set_.layers) {
    const std::string header = *ReadTextFile(Path("vectors/" + layer.folder + ".h"));
    for (const VectorArray& array : layer.arrays) {
      const std::string stem = "vectors/" + layer.folder + "/" + array.name;
      const auto npy = ReadNpy(Path(stem + ".npy"));
      ASSERT_TRUE(npy.ok());
      EXPECT_EQ(npy->shape, array.shape);
      EXPECT_EQ(*ToInt64(*npy), array.codes);
      const auto words = ParseMemoryHex(*ReadTextFile(Path(stem + ".hex")));
      ASSERT_TRUE(words.ok());
      std::vector<int64_t> values;
      for (const HexWord& word : *words)
        values.push_back(HexValue(word, array.width_bits, array.is_signed));
      EXPECT_EQ(values, array.codes) << stem;
      EXPECT_THAT(header, HasSubstr(layer.folder + "_" + array.name + "[" +
                                    std::to_string(array.codes.size()) + "]"));
    }
  }
}

TEST_F(VectorsTest, NarrowAccumulatorIsOfTheChosenLayersOnly) {
  VectorOptions options;
  options.layers = {"dense"};
  options.accumulation = {12, ir::Overflow::kWrap, 1, ir::AccumulationOrder::kFlatTap};
  const auto narrow = MakeVectors(graph_, samples_, options);
  ASSERT_TRUE(narrow.ok()) << narrow.error().message;
  const VectorLayer& layer = narrow->layers[0];
  EXPECT_GT(layer.overflow_events, 0);
  EXPECT_EQ(layer.arrays[0].codes, set_.layers[1].arrays[0].codes) << "input of the exact network";
  for (const VectorArray& array : layer.arrays) {
    if (array.name != "accumulator") continue;
    EXPECT_EQ(array.width_bits, 12);
    for (const int64_t sum : array.codes) {
      EXPECT_GE(sum, -2048);
      EXPECT_LE(sum, 2047);
    }
  }
  options.accumulation.overflow = ir::Overflow::kSaturate;
  const auto saturated = MakeVectors(graph_, samples_, options);
  ASSERT_FALSE(saturated.ok());
  EXPECT_THAT(saturated.error().message, HasSubstr("start value of output channel"));
}

TEST_F(VectorsTest, EqualDumpsPass) {
  MakeDumps({"pointwise_2/output.npy", "pointwise_2/accumulator.hex", "dense/output.hex"});
  const auto result = Compare();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->mismatches(), 0);
  EXPECT_EQ(result->first_mismatch(), "");
  ASSERT_EQ(result->arrays.size(), 3u);
  EXPECT_EQ(result->arrays[0].array, "accumulator");
  EXPECT_EQ(result->arrays[0].elements, 2 * 25 * 5 * 64);
}

TEST_F(VectorsTest, FirstMismatchIsNamedAndAllAreCounted) {
  MakeDumps({"pointwise_2/output.hex", "dense/output.hex"});
  // Sample 1, y 3, x 2, c 7; the codes' lowest bit flipped.
  const size_t element = ((25 + 3) * 5 + 2) * 64 + 7;
  const int64_t code = set_.layers[0].arrays.back().codes[element];
  ReplaceWord("got/pointwise_2/output.hex", element, code % 2 == 0 ? "01" : "00");
  ReplaceWord("got/pointwise_2/output.hex", element + 1, "xx");
  ReplaceWord("got/dense/output.hex", 23, "zz");
  const auto result = Compare();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->mismatches(), 3);
  EXPECT_THAT(result->first_mismatch(),
              HasSubstr("layer `pointwise_2`: output element (sample 1, y 3, x 2, c 7): expected " +
                        std::to_string(code) + ", got "));
  EXPECT_THAT(result->arrays[1].first, HasSubstr("(sample 1, c 11)"));
  EXPECT_THAT(result->arrays[1].first, HasSubstr("got x (undefined)"));
}

TEST_F(VectorsTest, MissingElementsAndLayersAreMismatches) {
  MakeDumps({"dense/output.hex"});
  std::string text = *ReadTextFile(Path("got/dense/output.hex"));
  text.resize(text.size() - 6);
  ASSERT_TRUE(WriteFileAtomically(Path("got/dense/output.hex"), std::string_view(text)).ok());
  const auto result = Compare();
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->mismatches(), 2 * 25 * 5 * 64 + 2);
  EXPECT_THAT(result->arrays[0].first, HasSubstr("neither "));
  EXPECT_THAT(result->arrays[1].first, HasSubstr("(the file ends after 22)"));
  EXPECT_EQ(Compare({{"dense"}, "output"})->mismatches(), 2);
}

TEST_F(VectorsTest, OneFileIsOneArray) {
  const auto compare = [&](const CompareOptions& options) {
    return CompareVectors(Path("vectors"), Path("vectors/dense/accumulator.npy"), options);
  };
  EXPECT_EQ(compare({{"dense"}, "accumulator"})->mismatches(), 0);
  EXPECT_GT(compare({{"dense"}, "output"})->mismatches(), 0);
  EXPECT_THAT(compare({}).error().message, HasSubstr("name one with --layer"));
  EXPECT_THAT(compare({{"dense"}, "sum"}).error().message, HasSubstr("layer `dense` has input"));
}

TEST_F(VectorsTest, BadDumpsAreRefused) {
  const auto message = [&](const CompareOptions& options = {}) {
    const auto result = Compare(options);
    return result.ok() ? std::string("accepted") : result.error().message;
  };
  EXPECT_THAT(message(), HasSubstr("no such file or folder"));
  fs::create_directories(Path("got"));
  EXPECT_THAT(message(), HasSubstr("expected files such as pointwise_2/output.npy"));
  EXPECT_THAT(message({{"nope"}, "output"}), HasSubstr("have pointwise_2, dense"));
  MakeDumps({"dense/output.hex"});
  ReplaceWord("got/dense/output.hex", 3, "0q");
  EXPECT_THAT(message({{"dense"}, "output"}), HasSubstr("line 5: `0q`"));
  ReplaceWord("got/dense/output.hex", 3, "00 00");
  EXPECT_THAT(message({{"dense"}, "output"}), HasSubstr("25 elements; array output"));
  ASSERT_TRUE(
      WriteNpy(Path("got/dense/output.npy"), FromInt32({12, 2}, std::vector<int32_t>(24, 0))).ok());
  EXPECT_THAT(message({{"dense"}, "output"}), HasSubstr("shape 12x2; accepted are 2x12"));
  const auto itself = CompareVectors(Path("vectors"), Path("vectors"), {});
  EXPECT_THAT(itself.error().message, HasSubstr("the vectors themselves"));
}

TEST_F(VectorsTest, BadVectorsAreRefused) {
  MakeDumps({"dense/output.hex"});
  const CompareOptions dense{{"dense"}, "output"};
  ReplaceWord("vectors/dense/output.hex", 0, "55");
  EXPECT_EQ(Compare(dense)->mismatches(), 0) << ".npy is read if it is there";
  const auto write = [&](const std::string& file, std::string_view text) {
    ASSERT_TRUE(WriteFileAtomically(Path(file), text).ok());
  };
  write("vectors/dense/output.npy", "damaged");
  EXPECT_THAT(Compare(dense).error().message, HasSubstr("differs from the index's digest"));
  auto index = nlohmann::json::parse(*ReadTextFile(Path("vectors/index.json")));
  index["layers"][1]["folder"] = "../dense";
  write("vectors/index.json", index.dump());
  EXPECT_THAT(Compare(dense).error().message, HasSubstr("folder is not a plain name"));
  write("vectors/index.json", "{\"format\": \"other\", \"format_version\": 1, \"layers\": []}");
  EXPECT_THAT(Compare(dense).error().message, HasSubstr("macloom.vectors version 1"));
  write("vectors/index.json", "{");
  EXPECT_THAT(Compare(dense).error().message, HasSubstr("not JSON"));
  ASSERT_TRUE(WriteVectors(set_, {VectorFormat::kC}, Path("vectors")).ok());
  EXPECT_THAT(Compare(dense).error().message, HasSubstr("as C only"));
}

}  // namespace
}  // namespace macloom::flow
