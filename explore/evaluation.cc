#include "explore/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "golden/fast/plan.h"

namespace macloom::explore {

std::string ToString(Policy policy) {
  switch (policy) {
    case Policy::kWrap:
      return "wrap";
    case Policy::kSaturate:
      return "saturate";
    case Policy::kSaturateAtEnd:
      return "saturate-at-end";
    case Policy::kTwoLevel:
      return "two-level";
    case Policy::kSorted:
      return "sorted";
    case Policy::kDroppedBits:
      return "dropped-bits";
  }
  return "unknown";
}

bool ExistsInRtl(Policy policy) { return policy == Policy::kWrap || policy == Policy::kSaturate; }

Proportion WilsonInterval(int64_t part, int64_t whole) {
  Proportion result{part, whole, 0, 0, 0};
  if (whole == 0) return result;
  constexpr double z = 1.959963984540054;
  const double n = static_cast<double>(whole);
  const double p = static_cast<double>(part) / n;
  const double center = p + z * z / (2 * n);
  const double spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  result.value = p;
  // At the ends the interval meets 0 or 1 exactly, which floating point misses.
  result.low = part == 0 ? 0 : (center - spread) / scale;
  result.high = part == whole ? 1 : (center + spread) / scale;
  return result;
}

Result<Evaluation> Evaluation::Create(const ir::Graph& graph,
                                      const std::vector<ir::TensorValue>& inputs,
                                      const std::vector<int>& labels) {
  if (inputs.empty()) return InvalidInput("0 samples are given; the sweep needs at least 1");
  if (!labels.empty() && labels.size() != inputs.size()) {
    return InvalidInput(fmt::format("{} labels are given for {} samples; accepted is one each",
                                    labels.size(), inputs.size()));
  }
  Evaluation evaluation;
  evaluation.body_ = graph;
  evaluation.labels_ = labels;
  const ir::Node& last = graph.nodes.back();
  if (graph.nodes.size() > 1 && last.kind == ir::OperatorKind::kSoftmax &&
      last.output == graph.output) {
    ir::Graph head = graph;
    head.nodes = {last};
    head.input = last.inputs[0];
    evaluation.head_ = std::move(head);
    evaluation.body_.output = last.inputs[0];
    evaluation.body_.nodes.pop_back();
  }
  const auto size = [&](ir::TensorId id) { return ir::NumElements(graph.tensor(id).shape); };
  evaluation.is_identity_ = size(graph.input) == size(graph.output);
  MACLOOM_ASSIGN_OR_RETURN(const golden::fast::Plan plan,
                           golden::fast::Plan::Create(evaluation.body_));
  MACLOOM_ASSIGN_OR_RETURN(golden::fast::Batch batch, plan.RunBatch(inputs));
  evaluation.exact_ = std::move(batch.outputs);
  for (const ir::TensorValue& output : evaluation.exact_) {
    MACLOOM_ASSIGN_OR_RETURN(const int decision, evaluation.Decide(output));
    evaluation.decisions_.push_back(decision);
  }
  return evaluation;
}

Result<int> Evaluation::Decide(const ir::TensorValue& output) const {
  const auto largest = [](const std::vector<int32_t>& codes) {
    return static_cast<int>(std::max_element(codes.begin(), codes.end()) - codes.begin());
  };
  if (!head_) return largest(output.codes);
  MACLOOM_ASSIGN_OR_RETURN(const golden::Trace trace, golden::Run(*head_, output));
  return largest(trace.tensors[static_cast<size_t>(head_->output)].codes);
}

Status Evaluation::Judge(const std::vector<ir::TensorValue>& outputs, SweepPoint& point) const {
  const int32_t zero = body_.tensor(body_.output).quantization.zero_point();
  double signal = 0, noise = 0;
  int64_t identical = 0, agreeing = 0, correct = 0;
  for (size_t n = 0; n < outputs.size(); ++n) {
    const std::vector<int32_t>& want = exact_[n].codes;
    const std::vector<int32_t>& have = outputs[n].codes;
    for (size_t i = 0; i < want.size(); ++i) {
      const double value = want[i] - zero;
      const double error = have[i] - want[i];
      signal += value * value;
      noise += error * error;
    }
    int decision = decisions_[n];
    if (have == want) {
      ++identical;
    } else {
      MACLOOM_ASSIGN_OR_RETURN(decision, Decide(outputs[n]));
    }
    if (is_identity_ ? have == want : decision == decisions_[n]) ++agreeing;
    if (!labels_.empty() && decision == labels_[n]) ++correct;
  }
  const auto count = static_cast<int64_t>(outputs.size());
  point.identical = WilsonInterval(identical, count);
  point.agreement = WilsonInterval(agreeing, count);
  if (!labels_.empty()) point.accuracy = WilsonInterval(correct, count);
  if (noise > 0) point.sqnr_db = 10 * std::log10(signal / noise);
  return {};
}

}  // namespace macloom::explore
