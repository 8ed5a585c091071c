// Damaged float network files: a verified graph or an error, in bounded time and memory.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "ir/float_network_file.h"
#include "tests/fuzz/mutation.h"
#include "tests/support/float_networks.h"

namespace macloom::ir {
namespace {

using fuzz::Bytes;

bool ParseBounded(const Bytes& bytes) {
  const auto graph = ParseFloatNetwork(bytes);
  if (graph.ok()) {
    EXPECT_TRUE(Verify(*graph).ok());
    EXPECT_FALSE(ToText(*graph).empty());
    return true;
  }
  const ErrorKind kind = graph.error().kind;
  EXPECT_TRUE(kind == ErrorKind::kInvalidInput || kind == ErrorKind::kUnsupported);
  EXPECT_FALSE(graph.error().message.empty());
  return false;
}

TEST(FloatNetworkFuzzTest, SurvivesMutations) {
  const auto original = SerializeFloatNetwork(testing::SmallFloatNetwork());
  ASSERT_TRUE(original.ok());
  const fuzz::MemoryCap cap;
  Rng random(fuzz::kSeed);
  constexpr int kNumMutations = 6000;
  int num_read = 0;
  for (int i = 0; i < kNumMutations; ++i) {
    SCOPED_TRACE("seed " + std::to_string(fuzz::kSeed) + ", mutation " + std::to_string(i));
    if (ParseBounded(fuzz::Mutate(*original, random))) ++num_read;
    if (HasFailure()) return;
  }
  EXPECT_GT(num_read, 0);
  EXPECT_LT(num_read, kNumMutations);
}

// Digits of the graph's JSON: indices, shapes and windows of other values.
TEST(FloatNetworkFuzzTest, SurvivesEveryDigitReplaced) {
  const auto original = SerializeFloatNetwork(testing::SmallFloatNetwork());
  ASSERT_TRUE(original.ok());
  const fuzz::MemoryCap cap;
  uint64_t header_bytes = 0;
  std::memcpy(&header_bytes, original->data(), sizeof header_bytes);
  int num_refused = 0;
  for (size_t at = 8; at < 8 + header_bytes; ++at) {
    if ((*original)[at] < '0' || (*original)[at] > '9') continue;
    for (const char digit : {'0', '1', '7', '9', '-'}) {
      Bytes bytes = *original;
      bytes[at] = static_cast<uint8_t>(digit);
      if (!ParseBounded(bytes)) ++num_refused;
      ASSERT_FALSE(HasFailure()) << "byte " << at << " = " << digit;
    }
  }
  EXPECT_GT(num_refused, 100);
}

}  // namespace
}  // namespace macloom::ir
