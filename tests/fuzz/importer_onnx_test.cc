// Damaged .onnx files: the importer answers with a graph or an error, in bounded memory.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "base/files.h"
#include "importers/onnx/importer.h"
#include "tests/fuzz/mutation.h"
#include "tests/importers_onnx/onnx_model_builder.h"
#include "tests/support/data_pack.h"

namespace macloom::importers {
namespace {

using fuzz::Bytes;
using fuzz::kSeed;
using fuzz::MemoryCap;
using fuzz::Mutate;

/// Imports `bytes`, which must end in a verified graph or in an error with a message.
bool ImportBounded(const Bytes& bytes) {
  const auto graph = ImportOnnx(bytes);
  if (graph.ok()) {
    EXPECT_TRUE(ir::Verify(*graph).ok());
    return true;
  }
  const ErrorKind kind = graph.error().kind;
  EXPECT_TRUE(kind == ErrorKind::kInvalidInput || kind == ErrorKind::kUnsupported);
  EXPECT_FALSE(graph.error().message.empty());
  for (const char character : graph.error().message) {
    EXPECT_TRUE(character >= ' ' && character <= '~');
  }
  return false;
}

void FuzzFile(const Bytes& original, int num_mutations) {
  const MemoryCap cap;
  Rng random(kSeed);
  int num_imported = 0;
  for (int i = 0; i < num_mutations; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", mutation " + std::to_string(i));
    if (ImportBounded(Mutate(original, random))) ++num_imported;
    if (::testing::Test::HasFailure()) return;
  }
  // Else the mutations would only test the outermost check.
  EXPECT_LT(num_imported, num_mutations);
  EXPECT_GT(num_imported, 0);
}

TEST(ImporterOnnxFuzzTest, SurvivesMutationsOfAQdqFile) {
  FuzzFile(testing::QdqModel(3).Bytes(), 20000);
}

TEST(ImporterOnnxFuzzTest, SurvivesEveryByteOfAQdqFileReplaced) {
  const MemoryCap cap;
  const Bytes original = testing::QdqModel(3).Bytes();
  for (size_t at = 0; at < original.size(); ++at) {
    for (const uint8_t value : std::to_array<uint8_t>({0x00, 0x01, 0x7f, 0x80, 0xff})) {
      Bytes bytes = original;
      bytes[at] = value;
      ImportBounded(bytes);
      ASSERT_FALSE(HasFailure()) << "byte " << at << " = " << int{value};
    }
  }
}

TEST(ImporterOnnxFuzzTest, SurvivesEveryTruncation) {
  const Bytes original = testing::QdqModel(3).Bytes();
  for (size_t size = 0; size < original.size(); ++size) {
    EXPECT_FALSE(ImportBounded(Bytes(original.begin(), original.begin() + size))) << size;
  }
}

class ImporterOnnxRealFile : public ::testing::TestWithParam<const char*> {};

TEST_P(ImporterOnnxRealFile, SurvivesMutations) {
  MACLOOM_DATA_PACK(path, GetParam());
  const auto bytes = ReadFile(path, 1 << 28);
  ASSERT_TRUE(bytes.ok());
  FuzzFile(*bytes, 400);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, ImporterOnnxRealFile,
    ::testing::Values("pulp-int8-networks/dscnn_test/model_int.onnx",
                      "pulp-int8-networks/TCN_T/TCN.onnx",
                      "pulp-int8-networks/deeploy/Models/MLPerf/KeywordSpotting/network.onnx",
                      "pulp-int8-networks/deeploy/Models/miniMobileNet/network.onnx",
                      "qonnx-models/TFC_1W1A.onnx"));

TEST(ImporterOnnxFuzzTest, ManyNodesOnOneLargeConstantAreRefused) {
  const MemoryCap cap;
  testing::OnnxModelBuilder model;
  model.Input("x", {1, 4}).Output("y").Floats("s", {}, {1}).Floats("z", {}, {0});
  model.Floats("b", {}, {8}).Floats("w", {1 << 20}, std::vector<float>(1 << 20, 1.0f));
  for (int i = 0; i < 1000; ++i) model.Add("Quant", {"w", "s", "z", "b"}, std::to_string(i));
  const auto graph = ImportOnnx(model.Bytes());
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(graph.error().message.find("make constants of more than"), std::string::npos)
      << graph.error().message;
}

}  // namespace
}  // namespace macloom::importers
