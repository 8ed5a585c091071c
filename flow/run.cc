#include "flow/run.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/interrupt.h"
#include "base/progress.h"
#include "golden/fast/plan.h"

namespace macloom::flow {
namespace {

constexpr size_t kSamplesPerUpdate = 256;

void TakeTrace(const ir::Graph& graph, golden::Trace trace, bool keep_traces, RunResult& result) {
  for (size_t i = 0; i < trace.events.size(); ++i) result.events[i] += trace.events[i];
  result.outputs.push_back(trace.tensors[static_cast<size_t>(graph.output)]);
  if (keep_traces) result.traces.push_back(std::move(trace));
}

/// Every sample by itself, through `run`.
template <typename Run>
Status RunTraces(const ir::Graph& graph, const Samples& samples, bool keep_traces, Run run,
                 RunResult& result, ProgressLine& progress) {
  for (size_t n = 0; n < samples.inputs.size(); ++n) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(golden::Trace trace, run(samples.inputs[n]));
    TakeTrace(graph, std::move(trace), keep_traces, result);
    progress.Update(static_cast<int64_t>(n + 1));
  }
  return {};
}

Status RunSlices(const golden::fast::Plan& plan, const Samples& samples, RunResult& result,
                 ProgressLine& progress) {
  const std::span<const ir::TensorValue> inputs = samples.inputs;
  for (size_t first = 0; first < inputs.size(); first += kSamplesPerUpdate) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    const auto slice = inputs.subspan(first, std::min(kSamplesPerUpdate, inputs.size() - first));
    MACLOOM_ASSIGN_OR_RETURN(golden::fast::Batch batch, plan.RunBatch(slice));
    for (size_t i = 0; i < batch.events.size(); ++i) result.events[i] += batch.events[i];
    for (ir::TensorValue& output : batch.outputs) result.outputs.push_back(std::move(output));
    progress.Update(static_cast<int64_t>(first + slice.size()));
  }
  return {};
}

}  // namespace

Result<RunResult> RunBatch(const ir::Graph& graph, const Samples& samples,
                           const std::vector<int>& labels, bool keep_traces, Executor executor) {
  RunResult result;
  result.events.resize(graph.nodes.size());
  ProgressLine progress("run " + graph.name, static_cast<int64_t>(samples.inputs.size()));
  if (executor == Executor::kReference) {
    const auto run = [&](const ir::TensorValue& input) { return golden::Run(graph, input); };
    MACLOOM_RETURN_IF_ERROR(RunTraces(graph, samples, keep_traces, run, result, progress));
  } else {
    MACLOOM_ASSIGN_OR_RETURN(const golden::fast::Plan plan, golden::fast::Plan::Create(graph));
    const auto run = [&](const ir::TensorValue& input) { return plan.Run(input); };
    MACLOOM_RETURN_IF_ERROR(keep_traces
                                ? RunTraces(graph, samples, keep_traces, run, result, progress)
                                : RunSlices(plan, samples, result, progress));
  }
  if (!labels.empty()) result.num_correct = 0;
  for (size_t n = 0; n < result.outputs.size(); ++n) {
    const std::vector<int32_t>& codes = result.outputs[n].codes;
    const auto prediction =
        static_cast<int>(std::max_element(codes.begin(), codes.end()) - codes.begin());
    result.predictions.push_back(prediction);
    if (!labels.empty() && labels[n] == prediction) ++*result.num_correct;
  }
  return result;
}

std::vector<double> ClassScores(const ir::Graph& graph, const ir::TensorValue& output) {
  const ir::TensorInfo& info = graph.tensor(graph.output);
  std::vector<double> values;
  for (const int32_t code : output.codes) {
    values.push_back(info.format.family == ir::NumberFamily::kFixedPoint
                         ? std::ldexp(static_cast<double>(code), -info.format.fraction_bits)
                         : static_cast<double>(info.quantization.scale()) *
                               (code - info.quantization.zero_point()));
  }
  for (const ir::Node& node : graph.nodes) {
    if (node.output == graph.output && node.kind == ir::OperatorKind::kSoftmax) return values;
  }
  const double largest = *std::max_element(values.begin(), values.end());
  double sum = 0.0;
  for (double& value : values) sum += value = std::exp(value - largest);
  for (double& value : values) value /= sum;
  return values;
}

}  // namespace macloom::flow
