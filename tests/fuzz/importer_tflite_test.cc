// Damaged .tflite files: the importer answers with a graph or an error, in bounded time and memory.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/rng.h"
#include "importers/tflite/importer.h"
#include "tests/fuzz/mutation.h"
#include "tests/importers/tflite_model_builder.h"
#include "tests/support/data_pack.h"

namespace macloom::importers {
namespace {

using fuzz::Below;
using fuzz::Bytes;
using fuzz::kExtremes;
using fuzz::kSeed;
using fuzz::MemoryCap;
using fuzz::Mutate;

constexpr int kNumMutations = 600;

/// Imports `bytes`, which must end in a verified graph or in an error with a message. A hang ends
/// at the time limit of the test.
bool ImportBounded(const Bytes& bytes, ir::Rounding rounding) {
  const auto graph = ImportTflite(bytes, {rounding});
  if (graph.ok()) {
    EXPECT_TRUE(ir::Verify(*graph).ok());
    return true;
  }
  const ErrorKind kind = graph.error().kind;
  EXPECT_TRUE(kind == ErrorKind::kInvalidInput || kind == ErrorKind::kUnsupported);
  EXPECT_FALSE(graph.error().message.empty());
  for (const char character : graph.error().message)
    EXPECT_TRUE(character >= ' ' && character <= '~');
  return false;
}

void FuzzTfliteFile(const Bytes& original, int num_mutations) {
  const MemoryCap cap;
  Rng random(kSeed);
  int num_imported = 0;
  for (int i = 0; i < num_mutations; ++i) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", mutation " + std::to_string(i));
    const Bytes bytes = Mutate(original, random);
    const auto rounding = i % 2 == 0 ? ir::Rounding::kDouble : ir::Rounding::kSingle;
    if (ImportBounded(bytes, rounding)) ++num_imported;
    if (::testing::Test::HasFailure()) return;
  }
  // Else the mutations would only test the outermost check.
  EXPECT_LT(num_imported, num_mutations);
  ::testing::Test::RecordProperty("imported", num_imported);
}

TEST(ImporterTfliteFuzzTest, SurvivesMutationsOfAFileWithEveryOperator) {
  FuzzTfliteFile(testing::Serialize(testing::SmallModel()), 20000);
}

TEST(ImporterTfliteFuzzTest, SurvivesEveryByteOfTheSmallFileReplaced) {
  const MemoryCap cap;
  const Bytes original = testing::Serialize(testing::SmallModel());
  for (size_t at = 0; at < original.size(); ++at) {
    for (const uint8_t value : std::to_array<uint8_t>({0x00, 0x01, 0x7f, 0x80, 0xff})) {
      Bytes bytes = original;
      bytes[at] = value;
      ImportBounded(bytes, ir::Rounding::kDouble);
      ASSERT_FALSE(HasFailure()) << "byte " << at << " = " << int{value};
    }
  }
}

TEST(ImporterTfliteFuzzTest, SurvivesEveryWordOfTheSmallFileReplacedByExtremes) {
  const MemoryCap cap;
  const Bytes original = testing::Serialize(testing::SmallModel());
  for (size_t at = 0; at + 4 <= original.size(); at += 4) {
    for (const uint32_t value : kExtremes) {
      Bytes bytes = original;
      std::memcpy(bytes.data() + at, &value, sizeof value);
      ImportBounded(bytes, ir::Rounding::kSingle);
      ASSERT_FALSE(HasFailure()) << "word at " << at << " = " << value;
    }
  }
}

void FuzzFolder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".tflite") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty()) << folder;
  for (const auto& file : files) {
    SCOPED_TRACE(file.filename().string());
    const auto bytes = ReadFile(file);
    ASSERT_TRUE(bytes.ok()) << bytes.error().message;
    FuzzTfliteFile(*bytes, kNumMutations);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(ImporterTfliteFuzzTest, SurvivesMutationsOfTheMlperfTinyModels) {
  MACLOOM_DATA_PACK(folder, "mlperf-tiny-models");
  FuzzFolder(folder);
}

TEST(ImporterTfliteFuzzTest, SurvivesMutationsOfTheMicroModels) {
  MACLOOM_DATA_PACK(folder, "tflite-micro/models");
  FuzzFolder(folder);
}

}  // namespace
}  // namespace macloom::importers
