// Inferences per CPU-second of the golden executors on kws_ref_model, batch 64, one thread.
#include <benchmark/benchmark.h>

#include <string>

#include "arch/job.h"
#include "golden/fast/plan.h"
#include "golden/reference/operators.h"
#include "tests/benchmark/keyword_model.h"

namespace macloom {
namespace {

namespace fast = golden::fast;

/// Contracts in the order of preset m4l16, all `width_bits` wide.
std::vector<ir::Accumulation> HardwareContracts(const ir::Graph& graph, int width_bits,
                                                ir::Overflow overflow) {
  const auto job = arch::Compile(graph, arch::Preset("m4l16").value(), {ir::Overflow::kWrap, 0});
  std::vector<ir::Accumulation> contracts = job.value().accumulation;
  for (ir::Accumulation& contract : contracts) {
    contract.width_bits = width_bits;
    contract.overflow = overflow;
  }
  return contracts;
}

/// For every node the narrowest width from `width_bits` on that holds its start values.
std::vector<ir::Accumulation> NarrowContracts(const ir::Graph& graph, int width_bits) {
  std::vector<ir::Accumulation> contracts =
      HardwareContracts(graph, width_bits, ir::Overflow::kSaturate);
  for (size_t i = 0; i < contracts.size(); ++i) {
    while (!golden::CheckAccumulation(graph, graph.nodes[i], contracts[i]).ok()) {
      ++contracts[i].width_bits;
    }
  }
  return contracts;
}

void RunFast(benchmark::State& state, const ir::Graph& graph, const fast::PlanOptions& options) {
  const fast::Plan plan = fast::Plan::Create(graph, options).value();
  const auto inputs = testing::UniformInputs(graph, testing::kBatch);
  int64_t events = 0;
  for (auto _ : state) {
    const fast::Batch batch = plan.RunBatch(inputs).value();
    for (const golden::LayerEvents& layer : batch.events) events += layer.overflow_events;
    benchmark::DoNotOptimize(batch.outputs.data());
  }
  state.SetLabel(fast::ToString(plan.level()));
  const auto samples = static_cast<double>(state.iterations() * testing::kBatch);
  state.counters["inferences_per_s"] = benchmark::Counter(samples, benchmark::Counter::kIsRate);
  state.counters["events_per_inference"] = static_cast<double>(events) / samples;
}

void RunReference(benchmark::State& state, const ir::Graph& graph) {
  const auto inputs = testing::UniformInputs(graph, 1);
  for (auto _ : state) {
    const golden::Trace trace = golden::Run(graph, inputs[0]).value();
    benchmark::DoNotOptimize(trace.tensors.data());
  }
  state.counters["inferences_per_s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void Register() {
  const ir::Graph graph = testing::KeywordModel();
  const auto add = [&](const std::string& name, fast::PlanOptions options) {
    benchmark::RegisterBenchmark(("fast/" + name).c_str(),
                                 [=](benchmark::State& state) { RunFast(state, graph, options); });
  };
  for (fast::Level level : fast::SupportedLevels()) {
    const std::string suffix = "/" + fast::ToString(level);
    add("exact" + suffix, {{}, level});
    add("saturate_32" + suffix, {HardwareContracts(graph, 32, ir::Overflow::kSaturate), level});
    add("saturate_narrow" + suffix, {NarrowContracts(graph, 8), level});
    add("wrap_12" + suffix, {HardwareContracts(graph, 12, ir::Overflow::kWrap), level});
  }
  benchmark::RegisterBenchmark("reference/exact",
                               [=](benchmark::State& state) { RunReference(state, graph); });
}

}  // namespace
}  // namespace macloom

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  macloom::Register();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
