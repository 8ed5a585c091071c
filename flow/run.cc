#include "flow/run.h"

#include <algorithm>

#include "base/interrupt.h"
#include "base/progress.h"

namespace macloom::flow {

Result<RunResult> RunBatch(const ir::Graph& graph, const Samples& samples,
                           const std::vector<int>& labels, bool keep_traces) {
  RunResult result;
  result.events.resize(graph.nodes.size());
  if (!labels.empty()) result.num_correct = 0;
  ProgressLine progress("run " + graph.name, static_cast<int64_t>(samples.inputs.size()));
  for (size_t n = 0; n < samples.inputs.size(); ++n) {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_ASSIGN_OR_RETURN(golden::Trace trace, golden::Run(graph, samples.inputs[n]));
    for (size_t i = 0; i < trace.events.size(); ++i) result.events[i] += trace.events[i];
    const ir::TensorValue& output = trace.tensors[static_cast<size_t>(graph.output)];
    const int prediction = static_cast<int>(
        std::max_element(output.codes.begin(), output.codes.end()) - output.codes.begin());
    result.predictions.push_back(prediction);
    if (!labels.empty() && labels[n] == prediction) ++*result.num_correct;
    result.outputs.push_back(output);
    if (keep_traces || n == 0) result.traces.push_back(std::move(trace));
    progress.Update(static_cast<int64_t>(n + 1));
  }
  return result;
}

}  // namespace macloom::flow
