// Damaged .tflite files: the importer answers with a graph or an error, in bounded time and memory.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/rng.h"
#include "importers/tflite/importer.h"
#include "tests/importers/tflite_model_builder.h"
#include "tests/support/data_pack.h"

namespace macloom::importers {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t kSeed = 20240229;
constexpr int kNumMutations = 600;
constexpr double kMaxSeconds = 2.0;

size_t Below(Rng& random, size_t limit) {
  return static_cast<size_t>(random.UniformInt(0, static_cast<int64_t>(limit) - 1));
}

constexpr uint32_t kExtremes[] = {0,          1,          2,          0x7f,       0x80,
                                  0xff,       0x7fff,     0x8000,     0xffff,     0x7fffffff,
                                  0x80000000, 0xffffffff, 0xfffffffe, 0x7f800000, 0xff800000,
                                  0x7fc00000, 0x00000001, 0x00800000, 0x7f7fffff, 0x40000000};

/// Positions of structure: small files everywhere, large ones mostly where the tables are, which
/// the converter writes before and after the weights.
size_t Position(Rng& random, const Bytes& bytes) {
  constexpr size_t kRegion = 6000;
  const size_t region = std::min(kRegion, bytes.size());
  switch (Below(random, 3)) {
    case 0:
      return Below(random, region);
    case 1:
      return bytes.size() - 1 - Below(random, region);
    default:
      return Below(random, bytes.size());
  }
}

Bytes Mutate(const Bytes& original, Rng& random) {
  Bytes bytes = original;
  switch (Below(random, 6)) {
    case 0:  // Flipped bits.
      for (size_t count = 1 + Below(random, 8); count > 0; --count) {
        bytes[Position(random, bytes)] ^= static_cast<uint8_t>(1u << Below(random, 8));
      }
      break;
    case 1:  // Truncated, at times with zeros up to the old size.
      bytes.resize(Below(random, bytes.size()));
      if (Below(random, 2) == 0) bytes.resize(original.size());
      break;
    case 2: {  // A piece copied over another place.
      const size_t size = 1 + Below(random, std::min<size_t>(64, bytes.size()));
      const size_t from = std::min(Position(random, bytes), bytes.size() - size);
      const size_t to = std::min(Position(random, bytes), bytes.size() - size);
      std::memmove(bytes.data() + to, original.data() + from, size);
      break;
    }
    case 3: {  // A zeroed range.
      const size_t from = Position(random, bytes);
      const size_t size = std::min(bytes.size() - from, 1 + Below(random, 64));
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), size, uint8_t{0});
      break;
    }
    default:  // 32-bit fields overwritten with extremes.
      for (size_t count = 1 + Below(random, 3); count > 0; --count) {
        const size_t at = std::min(Position(random, bytes), bytes.size() - 4) / 4 * 4;
        const uint32_t value = kExtremes[Below(random, std::size(kExtremes))];
        std::memcpy(bytes.data() + at, &value, sizeof value);
      }
      break;
  }
  return bytes;
}

/// Imports `bytes`, which must end in a verified graph or in an error with a message, in time.
bool ImportBounded(const Bytes& bytes, ir::Rounding rounding) {
  const auto start = std::chrono::steady_clock::now();
  const auto graph = ImportTflite(bytes, {rounding});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_LT(seconds.count(), kMaxSeconds);
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

/// Caps the address space for its lifetime, except under a sanitizer, which needs terabytes of it.
class MemoryCap {
 public:
  MemoryCap() {
#ifndef __SANITIZE_ADDRESS__
    constexpr rlim_t kMaxBytes = rlim_t{1} << 30;
    EXPECT_EQ(getrlimit(RLIMIT_AS, &old_), 0);
    rlimit cap = old_;
    cap.rlim_cur = std::min(kMaxBytes, old_.rlim_max);
    EXPECT_EQ(setrlimit(RLIMIT_AS, &cap), 0);
#endif
  }
  ~MemoryCap() {
#ifndef __SANITIZE_ADDRESS__
    EXPECT_EQ(setrlimit(RLIMIT_AS, &old_), 0);
#endif
  }
  MemoryCap(const MemoryCap&) = delete;
  MemoryCap& operator=(const MemoryCap&) = delete;

 private:
  rlimit old_{};
};

void FuzzFile(const Bytes& original, int num_mutations) {
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
  FuzzFile(testing::Serialize(testing::SmallModel()), 20000);
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
    FuzzFile(*bytes, kNumMutations);
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
