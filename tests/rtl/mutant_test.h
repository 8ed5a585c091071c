// Runs one campaign on a module and on its mutants.
#pragma once

#include <gtest/gtest.h>
#ifdef MACLOOM_MUTATION_COUNT
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <cstdint>
#include <cstdio>
#include <string>

#include "base/rng.h"

namespace macloom::testing {

#ifdef MACLOOM_MUTATION_COUNT
/// Whether `run()` returns 0 mismatches. It runs in a process of its own: a mutant that makes the
/// test crash or spin is noticed as well.
template <typename Run>
bool IsUnnoticed(Run run) {
  constexpr rlim_t kCpuSeconds = 20;
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const rlimit limit{kCpuSeconds, kCpuSeconds};
    setrlimit(RLIMIT_CPU, &limit);
    const bool unnoticed = run() == 0;
    std::fflush(nullptr);
    _exit(unnoticed ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
#endif

/// `campaign(dut, rng)` returns the number of mismatches against an independent model. The module
/// itself must have none, every mutant at least one.
///
/// Compiled with MACLOOM_MUTATION_COUNT (tests/mutation) it prints which of that many generated
/// mutants survive instead.
template <typename Model, typename Campaign>
void ExpectMutantsCaught(int num_mutants, Campaign campaign) {
  constexpr uint64_t kSeed = 2024;
#ifdef MACLOOM_MUTATION_COUNT
  std::string survivors;
  for (int mutant = 0; mutant <= MACLOOM_MUTATION_COUNT; ++mutant) {
    const bool survives = IsUnnoticed([&] {
      Model dut;
      dut.mutant_i = static_cast<uint8_t>(mutant);
      Rng rng(kSeed);
      return campaign(dut, rng);
    });
    if (mutant == 0) ASSERT_TRUE(survives) << "the netlist itself fails";
    if (mutant > 0 && survives) survivors += " " + std::to_string(mutant);
  }
  std::printf("survivors:%s\n", survivors.c_str());
  return;
#endif
  for (int mutant = 0; mutant <= num_mutants; ++mutant) {
    Model dut;
    dut.mutant_i = static_cast<uint8_t>(mutant);
    Rng rng(kSeed);
    const int64_t mismatches = campaign(dut, rng);
    std::printf("seed %llu, mutant %d: %lld mismatches\n", static_cast<unsigned long long>(kSeed),
                mutant, static_cast<long long>(mismatches));
    if (mutant == 0) {
      EXPECT_EQ(mismatches, 0);
    } else {
      EXPECT_GT(mismatches, 0) << "mutant " << mutant << " survived";
    }
  }
}

/// One clock cycle of a model with clk_i.
template <typename Model>
void Clock(Model& dut) {
  dut.clk_i = 0;
  dut.eval();
  dut.clk_i = 1;
  dut.eval();
}

}  // namespace macloom::testing
