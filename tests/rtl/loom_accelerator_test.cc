// loom_accelerator and loom_core (m4l16) against the descriptor device: whole jobs through AXI.
#include <memory>
#include <utility>
#include <vector>

#include "arch/cycle_model.h"
#include "arch/job.h"
#include "sim/descriptor_device.h"
#include "sim/harness/harness.cc"
#include "sim/verilated_device.h"
#include "tests/rtl/accelerator_networks.h"
#include "tests/rtl/accelerator_registers.h"
#include "tests/rtl/mutant_test.h"

namespace macloom {
namespace {

/// Above every run of the networks here; a hung mutant ends soon.
constexpr uint64_t kCycleLimit = 150'000;
constexpr size_t kNumCases = 60;

void RunLinkedModel(LoomRun* run) {
  run->cycle_limit = kCycleLimit;
  macloom_harness_run(run);
  // The module's default; the generated wrapper passes the digest of the configuration.
  if (run->registers[2] == 0) {
    const std::string digest = arch::Digest(*arch::Preset("m4l16")).substr(0, 8);
    run->registers[2] = static_cast<uint32_t>(std::stoul(digest, nullptr, 16));
  }
}

struct Case {
  arch::Job job;
  ir::TensorValue input;
  sim::DeviceRun expected;
  sim::MemoryTiming timing;
};

ir::Graph NetworkOf(Rng& rng, int index) {
  constexpr ir::OperatorKind kKinds[] = {ir::OperatorKind::kConv2d,
                                         ir::OperatorKind::kDepthwiseConv2d,
                                         ir::OperatorKind::kFullyConnected,
                                         ir::OperatorKind::kAveragePool2d,
                                         ir::OperatorKind::kAdd,
                                         ir::OperatorKind::kMaxPool2d,
                                         ir::OperatorKind::kPad};
  if (index % 8 == 7) {
    stimulus::ChainOptions options;
    options.num_layers = 3;
    options.input = {8, 9, rng.UniformInt(1, 3)};
    return stimulus::RandomChain(rng, options);
  }
  stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, kKinds[index % 8]);
  if (index % 16 >= 8) spec.input.back() = rng.UniformInt(17, 40);
  if (index % 16 >= 8) spec.output_channels = rng.UniformInt(17, 40);
  return stimulus::RandomLayerGraph(rng, spec);
}

/// Jobs with every opcode, im2col, both policies, narrow accumulators, ideal and stalling memory.
std::vector<Case> MakeCases(Rng& rng) {
  std::vector<Case> cases;
  const std::unique_ptr<sim::Device> model = sim::MakeDescriptorDevice();
  for (int i = 0; cases.size() < kNumCases && i < 400; ++i) {
    const ir::Graph graph = NetworkOf(rng, i);
    arch::CompileOptions options;
    options.overflow = rng.Bernoulli(0.6) ? ir::Overflow::kWrap : ir::Overflow::kSaturate;
    options.effective_accumulator_bits =
        rng.Bernoulli(0.4) ? 32 : static_cast<int>(rng.UniformInt(10, 20));
    Result<arch::Job> job = arch::Compile(graph, *arch::Preset("m4l16"), options);
    if (!job.ok()) continue;
    const ir::TensorValue input = stimulus::RandomInput(rng, graph);
    Result<sim::DeviceRun> expected = model->Run(*job, input);
    MACLOOM_CHECK(expected.ok());
    sim::MemoryTiming timing = sim::MemoryTiming::Random(static_cast<uint64_t>(i));
    // So slow that a record is still on its way when the next descriptor ends.
    constexpr size_t kSmallImage = 20000;
    if (rng.Bernoulli(0.1) && job->image.size() < kSmallImage) timing.stall_probability = 0.97;
    if (rng.Bernoulli(0.25)) timing = sim::MemoryTiming::Ideal();
    cases.push_back({*std::move(job), input, *std::move(expected), timing});
  }
  for (const ir::Graph& graph : testing::LargeNetworks(rng)) {
    Result<arch::Job> job = arch::Compile(graph, *arch::Preset("m4l16"), {});
    if (!job.ok()) std::printf("%s\n", job.error().message.c_str());
    MACLOOM_CHECK(job.ok());
    const ir::TensorValue input = stimulus::RandomInput(rng, graph);
    Result<sim::DeviceRun> expected = model->Run(*job, input);
    MACLOOM_CHECK(expected.ok());
    cases.push_back({*std::move(job), input, *std::move(expected), sim::MemoryTiming::Ideal()});
  }
  return cases;
}

/// Steps whose times are not those of the cycle model; it is exact for a memory without stalls.
int64_t WrongTimes(const Case& one, const sim::DeviceRun& run) {
  const Result<arch::CycleEstimate> times =
      arch::EstimateCycles(one.job, {.latency_cycles = one.timing.latency_cycles});
  MACLOOM_CHECK(times.ok() && times->steps.size() == run.steps.size());
  int64_t wrong = !(times->total == run.total);
  for (size_t s = 0; s < run.steps.size(); ++s) {
    wrong += !(times->steps[s] == run.steps[s].counters);
  }
  return wrong;
}

/// Differences in tensors and counts.
int64_t Differences(const Case& one, const sim::DeviceRun& run) {
  int64_t mismatches = one.timing.random_stalls ? 0 : WrongTimes(one, run);
  for (size_t t = 0; t < one.expected.tensors.size(); ++t) {
    mismatches += run.tensors[t].codes != one.expected.tensors[t].codes;
  }
  for (size_t s = 0; s < one.expected.steps.size(); ++s) {
    const sim::StepCounters& counted = run.steps[s].counters;
    const sim::StepCounters& expected = one.expected.steps[s].counters;
    mismatches += counted.macs != expected.macs;
    mismatches += counted.overflow_events != expected.overflow_events;
    mismatches += counted.clamped_low != expected.clamped_low;
    mismatches += counted.clamped_high != expected.clamped_high;
  }
  return mismatches;
}

/// A job whose descriptors write no records: only the output area of the memory may change.
int64_t DifferencesWithoutRecords(const Case& one) {
  const arch::Job& job = one.job;
  std::vector<uint8_t> memory(job.memory_bytes, 0);
  std::copy(job.image.begin(), job.image.end(), memory.begin());
  arch::WriteInput(job, one.input, memory);
  for (const arch::JobStep& step : job.steps) {
    memory[step.address + 2] = static_cast<uint8_t>(memory[step.address + 2] & ~4u);
  }
  const std::vector<uint8_t> before = memory;
  std::vector<uint8_t> activation(static_cast<size_t>(job.config.activation_bytes));
  std::vector<uint64_t> last_write(activation.size());
  LoomRun run{};
  run.memory = memory.data();
  run.memory_bytes = memory.size();
  run.activation = activation.data();
  run.last_write_cycle = last_write.data();
  run.activation_bytes = activation.size();
  run.lanes = static_cast<uint32_t>(job.config.lanes);
  run.banks = static_cast<uint32_t>(job.config.activation_banks);
  run.first_descriptor = job.first_descriptor;
  run.acc_narrow_bits =
      static_cast<uint32_t>(job.config.accumulator_bits - job.effective_accumulator_bits);
  run.latency_cycles = 3;
  run.on_done = [](void*, uint32_t, uint64_t) {};
  run.on_poll = [](void*) { return 0; };
  run.cycle_limit = kCycleLimit;
  macloom_harness_run(&run);
  const ir::TensorValue output = arch::ReadOutput(job, memory);
  const auto untouched = static_cast<int64_t>(job.output_placement.base);
  return (run.error[0] != 0) + (run.status != 2) +
         (output.codes != one.expected.tensors[static_cast<size_t>(job.device_output)].codes) +
         !std::equal(before.begin(), before.begin() + untouched, memory.begin());
}

/// The harness makes the model; this stands for it in ExpectMutantsCaught().
struct Selection {
  uint8_t mutant_i = 0;
};

TEST(AcceleratorTest, IsExactAndItsMutantsAreCaught) {
  Rng rng(7);
  const std::vector<Case> cases = MakeCases(rng);
  ASSERT_GT(cases.size(), kNumCases);
  testing::ExpectMutantsCaught<Selection>(
      14, [&](const Selection& selection, Rng& stimulus) -> int64_t {
        Vloom::selected = selection.mutant_i;
        if (const int64_t mismatches = testing::RegisterBench(stimulus).Run(); mismatches > 0) {
          return mismatches;
        }
        for (const Case& one : cases) {
          const auto device = sim::MakeLinkedDevice(one.job.config, {one.timing}, &RunLinkedModel);
          const Result<sim::DeviceRun> run = device->Run(one.job, one.input);
          if (!run.ok()) {
            if (selection.mutant_i == 0) std::printf("%s\n", run.error().message.c_str());
            return 1;
          }
          if (const int64_t mismatches = Differences(one, *run); mismatches > 0) return mismatches;
        }
        return DifferencesWithoutRecords(cases.front());
      });
  // The harness's context is gone; the next test's model takes the thread's.
  Verilated::threadContextp(Verilated::defaultContextp());
}

}  // namespace
}  // namespace macloom
