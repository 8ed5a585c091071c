// Digests, random numbers, progress lines and interrupts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <thread>

#include "base/digest.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/rng.h"

namespace macloom {
namespace {

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

TEST(DigestTest, MatchesPublishedValues) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Crc32(BytesOf("123456789")), 0xCBF43926u);
  EXPECT_EQ(Crc32({}), 0u);
}

TEST(DigestTest, Crc32EqualsTheBitwiseDefinition) {
  Rng rng(5);
  std::vector<uint8_t> bytes(1000);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng.Next());
  uint32_t crc = 0xffffffff;
  for (uint8_t byte : bytes) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
  }
  EXPECT_EQ(Crc32(bytes), ~crc);
}

TEST(RngTest, GivesTheSameNumbersEverywhere) {
  // splitmix64(0) seeds the state: its published first outputs.
  Rng rng(0);
  // xoshiro256**: rotl(state[1] * 5, 7) * 9 with state[1] = 0x6e789e6aa1b965f4.
  EXPECT_EQ(rng.Next(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(rng.Next(), 0xbf6e1f784956452au);
  EXPECT_EQ(rng.Next(), 0x1a5f849d4933e6e0u);
}

TEST(RngTest, UniformIntCoversItsRangeEvenly) {
  Rng rng(1);
  std::map<int64_t, int> counts;
  for (int i = 0; i < 60000; ++i) ++counts[rng.UniformInt(-2, 3)];
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [value, count] : counts) {
    EXPECT_GE(value, -2);
    EXPECT_LE(value, 3);
    EXPECT_NEAR(count, 10000, 500) << value;  // More than five standard deviations.
  }
  EXPECT_EQ(rng.UniformInt(7, 7), 7);
  bool has_negative = false, has_positive = false;
  for (int i = 0; i < 100; ++i) {
    (rng.UniformInt(INT64_MIN, INT64_MAX) < 0 ? has_negative : has_positive) = true;
  }
  EXPECT_TRUE(has_negative && has_positive);
}

TEST(RngTest, DoublesAndNormalsHaveTheirMoments) {
  Rng rng(2);
  constexpr int kCount = 100000;
  double sum = 0, normal_sum = 0, normal_squares = 0;
  int num_true = 0;
  for (int i = 0; i < kCount; ++i) {
    const double uniform = rng.UniformDouble();
    ASSERT_GE(uniform, 0.0);
    ASSERT_LT(uniform, 1.0);
    sum += uniform;
    const double normal = rng.Normal();
    normal_sum += normal;
    normal_squares += normal * normal;
    num_true += rng.Bernoulli(0.25);
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.005);
  EXPECT_NEAR(normal_sum / kCount, 0.0, 0.02);
  EXPECT_NEAR(normal_squares / kCount, 1.0, 0.03);
  EXPECT_NEAR(num_true, kCount / 4.0, 800);
  EXPECT_FALSE(rng.Bernoulli(0));
  EXPECT_TRUE(rng.Bernoulli(1));
}

TEST(RngDeathTest, AnEmptyRangeIsOurBug) {
  Rng rng(3);
  EXPECT_EXIT(rng.UniformInt(1, 0), ::testing::ExitedWithCode(70), "internal error");
}

TEST(ProgressTest, ShowsPercentAndTimeLeft) {
  EXPECT_EQ(ProgressText("verify", 0, 1000, 0), "verify: 0 % (0 of 1000)");
  EXPECT_EQ(ProgressText("verify", 250, 1000, 10), "verify: 25 % (250 of 1000), 30 s left");
  EXPECT_EQ(ProgressText("verify", 999, 1000, 999), "verify: 99 % (999 of 1000), 1 s left");
  EXPECT_EQ(ProgressText("verify", 1000, 1000, 10), "verify: 100 % (1000 of 1000)");
  EXPECT_EQ(ProgressText("verify", 2000, 1000, 10), "verify: 100 % (1000 of 1000)");
  EXPECT_EQ(ProgressText("building RTL model, once", 0, 0, 75),
            "building RTL model, once: 1 min 15 s");
}

TEST(ProgressTest, WritesDurationsForPeople) {
  EXPECT_EQ(DurationText(0.4), "0 s");
  EXPECT_EQ(DurationText(59.4), "59 s");
  EXPECT_EQ(DurationText(59.6), "1 min 00 s");
  EXPECT_EQ(DurationText(3599), "59 min 59 s");
  EXPECT_EQ(DurationText(7500), "2 h 05 min");
  EXPECT_EQ(DurationText(-1), "0 s");
}

TEST(ProgressTest, IsSilentButForTheEndWhenQuickAndNotATerminal) {
  char* buffer = nullptr;
  size_t size = 0;
  std::FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  {
    ProgressLine line("verify", 100, file);
    for (int i = 0; i <= 100; ++i) line.Update(i);
    line.Finish("all 12 tensors equal");
    line.Finish("again");
  }
  std::rewind(file);
  ASSERT_GT(getline(&buffer, &size, file), 0);
  EXPECT_STREQ(buffer, "verify: all 12 tensors equal\n");
  EXPECT_EQ(getline(&buffer, &size, file), -1);
  std::free(buffer);
  std::fclose(file);
}

TEST(ProgressTest, RewritesOneLineOnATerminal) {
  int controller = -1;
  int terminal = -1;
  ASSERT_EQ(openpty(&controller, &terminal, nullptr, nullptr, nullptr), 0);
  std::FILE* file = fdopen(terminal, "w");
  ASSERT_NE(file, nullptr);
  {
    ProgressLine line("verify", 4, file);
    std::this_thread::sleep_for(std::chrono::milliseconds(110));
    line.Update(2);
    line.Update(3);  // Too soon after the one before.
    line.Finish("done");
    ProgressLine unfinished("more", 0, file);
  }
  // Output comes write by write; without its terminal end, reading ends with an error.
  std::fclose(file);
  std::string output;
  char buffer[1000];
  for (ssize_t size = 0; (size = read(controller, buffer, sizeof(buffer))) > 0;) {
    output.append(buffer, static_cast<size_t>(size));
  }
  EXPECT_EQ(output,
            "\r\x1b[Kverify\r\x1b[Kverify: 50 % (2 of 4), 0 s left\r\x1b[Kverify: done\r\n"
            "\r\x1b[Kmore\r\n");
  close(controller);
}

// In a child process, so that this one keeps its handlers.
TEST(InterruptDeathTest, SignalsSetTheFlag) {
  for (int signal : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          InstallInterruptHandlers();
          InstallInterruptHandlers();
          if (Interrupted() || !CheckInterrupted().ok()) std::_Exit(9);
          std::raise(signal);
          if (!Interrupted()) std::_Exit(8);
          std::fprintf(stderr, "%s", CheckInterrupted().error().message.c_str());
          std::_Exit(ExitStatus(CheckInterrupted().error().kind));
        },
        ::testing::ExitedWithCode(130), "interrupted");
  }
}

TEST(InterruptDeathTest, ASecondSignalEndsTheProgram) {
  EXPECT_EXIT(
      {
        InstallInterruptHandlers();
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace macloom
