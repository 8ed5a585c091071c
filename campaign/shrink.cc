#include "campaign/shrink.h"

#include <algorithm>
#include <utility>

#include "base/interrupt.h"
#include "campaign/cut.h"
#include "ir/shape_inference.h"

namespace macloom::campaign {
namespace {

class Shrinker {
 public:
  Shrinker(const Case& failing, Devices& devices, int64_t max_executions)
      : devices_(devices), max_executions_(max_executions) {
    best_.test_case = failing;
  }

  Result<ShrinkResult> Run() {
    MACLOOM_ASSIGN_OR_RETURN(best_.expected, Expect(best_.test_case));
    MACLOOM_ASSIGN_OR_RETURN(best_.outcome, Execute(best_.test_case, best_.expected, devices_));
    DropNodes();
    for (bool has_changed = true; has_changed && CanGoOn();) {
      has_changed = false;
      for (const auto pass :
           {&Shrinker::SimplifyMachine, &Shrinker::SimplifyMultipliers, &Shrinker::CutShapes,
            &Shrinker::ClearWeights, &Shrinker::ClearInput, &Shrinker::SimplifyParameters}) {
        has_changed |= (this->*pass)();
      }
    }
    // Drops constants that nothing reads any more.
    const ir::Graph& graph = best_.test_case.graph;
    Try(Between(best_.test_case, graph.input, graph.output, best_.test_case.input));
    MACLOOM_RETURN_IF_ERROR(status_);
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    return std::move(best_);
  }

 private:
  bool CanGoOn() const {
    return status_.ok() && best_.executions < max_executions_ && !Interrupted();
  }

  /// Takes `candidate` if it still fails.
  bool Try(const Case& candidate) {
    if (!CanGoOn() || !ir::Verify(candidate.graph).ok()) return false;
    Result<Expected> expected = Expect(candidate);
    if (!expected.ok()) return false;
    ++best_.executions;
    Result<Outcome> outcome = Execute(candidate, *expected, devices_);
    if (!outcome.ok()) {
      status_ = outcome.error();
      return false;
    }
    if (outcome->mismatch.empty() || outcome->is_tensor_wrong < best_.outcome.is_tensor_wrong ||
        outcome->is_descriptor_wrong != best_.outcome.is_descriptor_wrong) {
      return false;
    }
    best_.test_case = candidate;
    best_.expected = std::move(*expected);
    best_.outcome = std::move(*outcome);
    return true;
  }
  bool Try(const std::optional<Case>& candidate) { return candidate && Try(*candidate); }

  /// The shortest part between two tensors that still fails.
  bool DropNodes() {
    JoinOperands();
    const Case whole = best_.test_case;
    const std::vector<ir::TensorValue> values = best_.expected.trace.tensors;
    std::vector<Case> parts;
    for (ir::TensorId from = 0; from < std::ssize(whole.graph.tensors); ++from) {
      for (const ir::Node& node : whole.graph.nodes) {
        if (values[static_cast<size_t>(from)].codes.empty()) continue;
        const auto part = Between(whole, from, node.output, values[static_cast<size_t>(from)]);
        if (part && part->graph.nodes.size() < whole.graph.nodes.size()) parts.push_back(*part);
      }
    }
    std::ranges::stable_sort(parts, {}, [](const Case& part) { return part.graph.nodes.size(); });
    return std::ranges::any_of(parts, [&](const Case& part) { return Try(part); });
  }

  /// Nodes of two operands read one tensor twice, so that one node can stay alone.
  void JoinOperands() {
    for (size_t n = 0; n < best_.test_case.graph.nodes.size(); ++n) {
      for (const size_t kept : {size_t{0}, size_t{1}}) {
        Case candidate = best_.test_case;
        std::vector<ir::TensorId>& inputs = candidate.graph.nodes[n].inputs;
        if (inputs.size() != 2 || inputs[0] == inputs[1]) continue;
        inputs[1 - kept] = inputs[kept];
        Try(candidate);
      }
    }
  }

  bool SimplifyMachine() {
    bool has_changed = false;
    Case candidate = best_.test_case;
    if (candidate.timing.random_stalls) {
      candidate.timing = sim::MemoryTiming::Ideal();
      has_changed |= Try(candidate);
    }
    candidate = best_.test_case;
    if (candidate.compile.effective_accumulator_bits != 0 &&
        candidate.compile.effective_accumulator_bits != candidate.config.accumulator_bits) {
      candidate.compile.effective_accumulator_bits = 0;
      has_changed |= Try(candidate);
    }
    candidate = best_.test_case;
    if (candidate.compile.overflow == ir::Overflow::kSaturate &&
        candidate.config.accumulator_policy != arch::AccumulatorPolicy::kSaturate) {
      candidate.compile.overflow = ir::Overflow::kWrap;
      has_changed |= Try(candidate);
    }
    return has_changed;
  }

  /// Multipliers of 1, 1/2 and 1/4, if need be with the widest output and without bias: small sums
  /// then show in the codes.
  bool SimplifyMultipliers() {
    bool has_changed = false;
    for (size_t n = 0; n < best_.test_case.graph.nodes.size(); ++n) {
      const ir::Node& node = best_.test_case.graph.nodes[n];
      const std::vector<ir::FixedPointMultiplier> now = node.requantization.channels;
      for (const int halvings : {0, 1, 2}) {
        ir::FixedPointMultiplier pair = {int32_t{1} << 30, 1 - halvings};
        if (node.requantization.kind == ir::RequantizationKind::kShift) pair = {0, halvings};
        // Simple already.
        if (now.empty() || (now.size() == 1 && now[0] == pair)) break;
        Case candidate = best_.test_case;
        candidate.graph.nodes[n].requantization.channels = {pair};
        if (Try(candidate) || Try(WithoutBias(candidate, n))) {
          has_changed = true;
          break;
        }
      }
    }
    return has_changed;
  }

  static Case WithoutBias(Case candidate, size_t n) {
    ir::Node& node = candidate.graph.nodes[n];
    ir::TensorInfo& output = candidate.graph.tensors[static_cast<size_t>(node.output)];
    node.bias = -1;
    output.format.bits = candidate.config.activation_bits;
    node.requantization.clamp_min = static_cast<int32_t>(output.format.MinCode());
    node.requantization.clamp_max = static_cast<int32_t>(output.format.MaxCode());
    return candidate;
  }

  /// Shortens one axis: to one, to either half, by one at either end.
  template <typename RangeOf>
  bool CutAxis(RangeOf range_of) {
    bool has_changed = false;
    for (bool is_shorter = true; is_shorter && CanGoOn();) {
      is_shorter = false;
      Cut cut = WholeOf(best_.test_case.graph);
      const int64_t size = range_of(cut).count;
      const int64_t half = (size + 1) / 2;
      for (const Range range : {Range{0, 1}, Range{size - 1, 1}, Range{0, half},
                                Range{size - half, half}, Range{0, size - 1}, Range{1, size - 1}}) {
        if (range.count >= size || range.count < 1) continue;
        range_of(cut) = range;
        if (Try(Apply(best_.test_case, cut))) {
          is_shorter = has_changed = true;
          break;
        }
      }
    }
    return has_changed;
  }

  bool CutShapes() {
    bool has_changed = false;
    for (size_t n = 0; n < best_.test_case.graph.nodes.size(); ++n) {
      const ir::OperatorKind kind = best_.test_case.graph.nodes[n].kind;
      if (kind != ir::OperatorKind::kConv2d && kind != ir::OperatorKind::kFullyConnected) continue;
      has_changed |= CutAxis([n](Cut& cut) -> Range& { return cut.output_channels[n]; });
    }
    const size_t rank = best_.test_case.input.shape.size();
    for (size_t axis = rank; axis-- > 0;) {
      has_changed |= CutAxis([axis](Cut& cut) -> Range& { return cut.input[axis]; });
    }
    for (size_t n = 0; n < best_.test_case.graph.nodes.size(); ++n) has_changed |= CutWindow(n);
    return has_changed;
  }

  bool CutWindow(size_t n) {
    bool has_changed = false;
    const ir::OperatorKind kind = best_.test_case.graph.nodes[n].kind;
    if (!ir::HasWindow(kind)) return false;
    // Setting one value at a time; a kernel also with the padding and the size it leaves room for.
    const auto set = [&](int ir::Window::*field, int value) {
      Cut cut = WholeOf(best_.test_case.graph);
      if (cut.windows[n].*field <= value) return false;
      cut.windows[n].*field = value;
      ir::Window& w = cut.windows[n];
      const auto limit = [](int& pad, int kernel, int dilation) {
        pad = std::min(pad, (kernel - 1) * dilation);
      };
      if (kind != ir::OperatorKind::kPad) {
        limit(w.pad_top, w.kernel_h, w.dilation_h);
        limit(w.pad_bottom, w.kernel_h, w.dilation_h);
        limit(w.pad_left, w.kernel_w, w.dilation_w);
        limit(w.pad_right, w.kernel_w, w.dilation_w);
      }
      return Try(Apply(best_.test_case, cut));
    };
    for (const auto field : {&ir::Window::stride_h, &ir::Window::stride_w, &ir::Window::dilation_h,
                             &ir::Window::dilation_w}) {
      has_changed |= set(field, 1);
    }
    for (const auto field : {&ir::Window::pad_top, &ir::Window::pad_bottom, &ir::Window::pad_left,
                             &ir::Window::pad_right}) {
      has_changed |= set(field, 0) || set(field, 1);
    }
    for (const auto field : {&ir::Window::kernel_h, &ir::Window::kernel_w}) {
      if (set(field, 1)) has_changed = true;
      while (best_.test_case.graph.nodes[n].window.*field > 1 &&
             set(field, best_.test_case.graph.nodes[n].window.*field - 1)) {
        has_changed = true;
      }
    }
    return has_changed;
  }

  /// Sets chunks of codes to `value`, whole, halves, quarters, ..., single ones.
  template <typename Code, typename CodesOf>
  bool SetChunks(Code value, CodesOf codes_of) {
    bool has_changed = false;
    const size_t count = codes_of(best_.test_case).size();
    for (size_t chunk = count; chunk > 0 && CanGoOn(); chunk /= 2) {
      for (size_t first = 0; first < count; first += chunk) {
        Case candidate = best_.test_case;
        auto& codes = codes_of(candidate);
        bool is_different = false;
        for (size_t i = first; i < std::min(count, first + chunk); ++i) {
          // Zero is simpler than one: never back.
          const bool is_simpler = codes[i] != value && (value == 0 || codes[i] != 0);
          is_different |= is_simpler;
          if (is_simpler) codes[i] = value;
        }
        if (is_different) has_changed |= Try(candidate);
      }
    }
    return has_changed;
  }

  bool ClearWeights() {
    bool has_changed = false;
    for (size_t c = 0; c < best_.test_case.graph.constants.size(); ++c) {
      const auto codes = [c](Case& target) -> std::vector<int64_t>& {
        return target.graph.constants[c].codes;
      };
      has_changed |= SetChunks(int64_t{0}, codes);
      has_changed |= SetChunks(int64_t{1}, codes);
    }
    return has_changed;
  }

  bool ClearInput() {
    return SetChunks(int32_t{0},
                     [](Case& target) -> std::vector<int32_t>& { return target.input.codes; });
  }

  bool SimplifyParameters() {
    bool has_changed = false;
    for (size_t t = 0; t < best_.test_case.graph.tensors.size(); ++t) {
      Case candidate = best_.test_case;
      std::vector<int32_t>& points = candidate.graph.tensors[t].quantization.zero_points;
      if (points.empty() || points[0] == 0) continue;
      points[0] = 0;
      for (ir::Node& node : candidate.graph.nodes) {
        if (node.output == static_cast<ir::TensorId>(t)) node.requantization.zero_point = 0;
      }
      has_changed |= Try(candidate);
    }
    for (size_t n = 0; n < best_.test_case.graph.nodes.size(); ++n) {
      const ir::Requantization& now = best_.test_case.graph.nodes[n].requantization;
      const ir::NumberFormat format =
          best_.test_case.graph.tensor(best_.test_case.graph.nodes[n].output).format;
      const bool has_clamp = now.clamp_min != format.MinCode() || now.clamp_max != format.MaxCode();
      if (has_clamp && now.kind != ir::RequantizationKind::kNone) {
        Case candidate = best_.test_case;
        ir::Requantization& target = candidate.graph.nodes[n].requantization;
        target.clamp_min = static_cast<int32_t>(format.MinCode());
        target.clamp_max = static_cast<int32_t>(format.MaxCode());
        has_changed |= Try(candidate);
      }
    }
    return has_changed;
  }

  Devices& devices_;
  int64_t max_executions_;
  ShrinkResult best_;
  Status status_;
};

}  // namespace

Result<ShrinkResult> Shrink(const Case& failing, Devices& devices, int64_t max_executions) {
  return Shrinker(failing, devices, max_executions).Run();
}

}  // namespace macloom::campaign
