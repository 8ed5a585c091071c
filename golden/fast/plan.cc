#include "golden/fast/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "golden/fast/minifloat_node.h"
#include "golden/fast/prepared_node.h"
#include "golden/reference/operators.h"

namespace macloom::golden::fast {
namespace {

constexpr int64_t kChunkBytes = 384 * 1024;  // Of all tensors: stays in a second-level cache.
constexpr int64_t kMaxChunk = 64;
constexpr int64_t kRowsPerCall = 1020;  // Whole tiles; bounds the lane counters.
constexpr int64_t kGatheredRows = 96;
constexpr size_t kSlackBytes = 64;  // Vector loads may reach past the last code.

/// The codes of one tensor for all samples of a chunk, as bytes or, if wider, as they are.
struct Buffer {
  std::vector<uint8_t> bytes;
  std::vector<int32_t> codes;
};

/// Memory of one thread's execution.
struct Workspace {
  std::vector<Buffer> buffers;  // By TensorId.
  std::vector<uint8_t> image, rows;
  std::vector<int32_t> lane_counts;
  std::vector<int32_t> accumulators;  // Of the last node, one sample.
  std::vector<int64_t> wide_accumulators;
};

int64_t SumOf(const int32_t* lanes, int64_t count) {
  int64_t sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += lanes[i];
  return sum;
}

/// Lane counters of one kernel call, added to `events` at the end.
class Counting {
 public:
  Counting(const PreparedNode& node, Workspace& workspace, LayerEvents& events)
      : node_(node), lanes_(workspace.lane_counts), events_(events) {
    lanes_.assign(static_cast<size_t>(5 * node.padded_channels), 0);
  }
  ~Counting() {
    const LaneCounts counts = Lanes();
    const int64_t channels = node_.num_channels;
    events_.clamped_low += SumOf(counts.clamped_low, channels);
    events_.clamped_high += SumOf(counts.clamped_high, channels);
    events_.overflow_events += SumOf(counts.events, channels);
    events_.overflowed_outputs += SumOf(counts.overflowed, channels);
    events_.wrong_outputs += SumOf(counts.wrong, channels);
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;

  LaneCounts Lanes() {
    int32_t* lanes = lanes_.data();
    const int64_t size = node_.padded_channels;
    return {lanes, lanes + size, lanes + 2 * size, lanes + 3 * size, lanes + 4 * size};
  }

 private:
  const PreparedNode& node_;
  std::vector<int32_t>& lanes_;
  LayerEvents& events_;
};

Rounding RoundingOf(const PreparedNode& node) {
  const PreparedRounding& rounding = node.rounding;
  return {rounding.kind,        rounding.has_left_shift, rounding.multiplier.data(),
          rounding.left.data(), rounding.right.data(),   node.divisors.data(),
          rounding.low,         rounding.high,           rounding.offset};
}

Steps StepsOf(const PreparedNode& node) {
  const PreparedSteps& steps = node.steps;
  return {steps.start.data(),
          steps.exact_start.data(),
          steps.corrections.data(),
          steps.ends.data(),
          static_cast<int64_t>(steps.ends.size()),
          node.padded_channels,
          steps.width_bits,
          steps.is_saturating};
}

/// Writes one sample's image with padding and repeated channels; what is `outside` stays as it is.
void CopyImage(const PreparedImage& image, const ir::Shape& shape, const uint8_t* from,
               uint8_t* to) {
  const int64_t channels = shape[2];
  for (int64_t y = 0; y < shape[0]; ++y) {
    uint8_t* row = to + ((y + image.top) * image.width + image.left) * image.channels;
    if (image.channels == channels) {
      std::memcpy(row, from, static_cast<size_t>(shape[1] * channels));
      from += shape[1] * channels;
      continue;
    }
    for (int64_t x = 0; x < shape[1]; ++x, row += image.channels, from += channels) {
      for (int64_t c = 0; c < channels * image.repeat; ++c) row[c] = from[c / image.repeat];
    }
  }
}

void Gather(const std::vector<CopyRun>& runs, const uint8_t* window, uint8_t* row) {
  for (const CopyRun& run : runs) {
    const uint8_t* from = window + run.source;
    uint8_t* to = row + run.destination;
    if (run.num_bytes == 4) {
      std::memcpy(to, from, 4);
    } else {
      std::memcpy(to, from, static_cast<size_t>(run.num_bytes));
    }
  }
}

}  // namespace

struct Plan::Prepared {
  ir::Graph graph;
  std::vector<ir::Accumulation> accumulation;  // One per node.
  Level level = Level::kPortable;
  const Kernels* kernels = nullptr;
  std::vector<PreparedNode> nodes;
  std::vector<std::optional<MinifloatNode>> minifloat_nodes;  // By node index.
  int64_t bytes_per_sample = 0;

  const ir::TensorInfo& Tensor(ir::TensorId id) const { return graph.tensor(id); }

  Workspace MakeWorkspace(int64_t num_samples) const {
    Workspace workspace;
    workspace.buffers.resize(graph.tensors.size());
    for (size_t i = 0; i < graph.tensors.size(); ++i) {
      const auto size = static_cast<size_t>(ir::NumElements(graph.tensors[i].shape) * num_samples);
      if (IsByteFormat(graph.tensors[i].format)) {
        workspace.buffers[i].bytes.resize(size + kSlackBytes);
      } else {
        workspace.buffers[i].codes.resize(size);
      }
    }
    return workspace;
  }

  void StoreSample(Workspace& workspace, ir::TensorId id, int64_t sample,
                   const std::vector<int32_t>& codes) const {
    Buffer& buffer = workspace.buffers[static_cast<size_t>(id)];
    const size_t first = static_cast<size_t>(sample) * codes.size();
    if (!IsByteFormat(Tensor(id).format)) {
      std::copy(codes.begin(), codes.end(), buffer.codes.begin() + static_cast<int64_t>(first));
      return;
    }
    const int32_t offset = StorageOffset(Tensor(id).format);
    for (size_t i = 0; i < codes.size(); ++i) {
      buffer.bytes[first + i] = static_cast<uint8_t>(codes[i] + offset);
    }
  }

  ir::TensorValue LoadSample(const Workspace& workspace, ir::TensorId id, int64_t sample) const {
    const Buffer& buffer = workspace.buffers[static_cast<size_t>(id)];
    ir::TensorValue value{Tensor(id).shape, {}};
    const auto size = static_cast<size_t>(ir::NumElements(value.shape));
    const size_t first = static_cast<size_t>(sample) * size;
    value.codes.resize(size);
    const bool is_bytes = IsByteFormat(Tensor(id).format);
    const int32_t offset = StorageOffset(Tensor(id).format);
    for (size_t i = 0; i < size; ++i) {
      value.codes[i] = is_bytes ? buffer.bytes[first + i] - offset : buffer.codes[first + i];
    }
    return value;
  }

  const uint8_t* Bytes(const Workspace& workspace, ir::TensorId id) const {
    return workspace.buffers[static_cast<size_t>(id)].bytes.data();
  }
  uint8_t* Bytes(Workspace& workspace, ir::TensorId id) const {
    return workspace.buffers[static_cast<size_t>(id)].bytes.data();
  }

  /// Rows `first`.. of the node's output, over all samples.
  Destination DestinationOf(const PreparedNode& prepared, const ir::Node& node,
                            Workspace& workspace, int64_t first) const {
    Destination to;
    to.output = Bytes(workspace, node.output) + first * prepared.num_channels;
    if (!workspace.accumulators.empty()) {
      to.accumulators = workspace.accumulators.data() + first * prepared.num_channels;
    }
    to.num_channels = prepared.num_channels;
    to.rounding = RoundingOf(prepared);
    return to;
  }

  void CallMatrix(const PreparedNode& prepared, const ir::Node& node, const uint8_t* rows,
                  int64_t first, int64_t num_rows, Workspace& workspace,
                  LayerEvents& events) const {
    Counting counting(prepared, workspace, events);
    MatrixArguments arguments;
    arguments.rows = rows;
    arguments.row_bytes = 4 * prepared.num_groups;
    arguments.num_rows = num_rows;
    arguments.weights = prepared.weights.data();
    arguments.num_groups = prepared.num_groups;
    arguments.steps = StepsOf(prepared);
    arguments.destination = DestinationOf(prepared, node, workspace, first);
    arguments.destination.counts = counting.Lanes();
    kernels->matrix(arguments);
  }

  void RunMatrix(const PreparedNode& prepared, const ir::Node& node, int64_t num_samples,
                 Workspace& workspace, LayerEvents& events) const {
    const uint8_t* input = Bytes(workspace, node.inputs[0]);
    const int64_t num_rows = num_samples * prepared.num_rows;
    const int64_t row_bytes = 4 * prepared.num_groups;
    if (prepared.runs.empty()) {
      for (int64_t first = 0; first < num_rows; first += kRowsPerCall) {
        CallMatrix(prepared, node, input + first * row_bytes, first,
                   std::min(kRowsPerCall, num_rows - first), workspace, events);
      }
      return;
    }
    const ir::Shape& shape = Tensor(node.inputs[0]).shape;
    const int64_t sample_bytes = ir::NumElements(shape);
    PrepareImage(prepared, workspace);
    workspace.rows.assign(static_cast<size_t>(kGatheredRows * row_bytes), 0);
    int64_t first = 0, gathered = 0;
    for (int64_t sample = 0; sample < num_samples; ++sample, input += sample_bytes) {
      const uint8_t* image = ImageOf(prepared, shape, input, workspace);
      for (int64_t offset : prepared.row_offsets) {
        Gather(prepared.runs, image + offset, workspace.rows.data() + gathered * row_bytes);
        if (++gathered < kGatheredRows) continue;
        CallMatrix(prepared, node, workspace.rows.data(), first, gathered, workspace, events);
        first += gathered;
        gathered = 0;
      }
    }
    if (gathered == 0) return;
    CallMatrix(prepared, node, workspace.rows.data(), first, gathered, workspace, events);
  }

  void PrepareImage(const PreparedNode& prepared, Workspace& workspace) const {
    const PreparedImage& image = prepared.image;
    if (!image.is_copied) return;
    workspace.image.assign(
        static_cast<size_t>(image.height * image.width * image.channels) + kSlackBytes,
        image.outside);
  }

  const uint8_t* ImageOf(const PreparedNode& prepared, const ir::Shape& shape, const uint8_t* input,
                         Workspace& workspace) const {
    if (!prepared.image.is_copied) return input;
    CopyImage(prepared.image, shape, input, workspace.image.data());
    return workspace.image.data();
  }

  void RunWindow(const PreparedNode& prepared, const ir::Node& node, int64_t num_samples,
                 Workspace& workspace, LayerEvents& events) const {
    const ir::Shape& shape = Tensor(node.inputs[0]).shape;
    const uint8_t* input = Bytes(workspace, node.inputs[0]);
    const int64_t sample_bytes = ir::NumElements(shape);
    PrepareImage(prepared, workspace);
    for (int64_t sample = 0; sample < num_samples; ++sample, input += sample_bytes) {
      WindowArguments arguments;
      arguments.image = ImageOf(prepared, shape, input, workspace);
      arguments.tap_offsets = prepared.tap_offsets.data();
      arguments.weights = prepared.tap_weights.data();
      arguments.num_taps = static_cast<int64_t>(prepared.tap_offsets.size());
      arguments.steps = StepsOf(prepared);
      const PreparedQuads& quads = prepared.quads;
      if (!quads.weights.empty()) {
        arguments.quads = {quads.weights.data(),
                           quads.tap_offsets.data(),
                           static_cast<int64_t>(quads.tap_offsets.size()) / 4,
                           quads.start.data(),
                           quads.multiplier.data(),
                           quads.right.data()};
      }
      for (int64_t row = 0; row < prepared.num_rows; row += kRowsPerCall) {
        Counting counting(prepared, workspace, events);
        arguments.row_offsets = prepared.row_offsets.data() + row;
        arguments.num_rows = std::min(kRowsPerCall, prepared.num_rows - row);
        arguments.destination =
            DestinationOf(prepared, node, workspace, sample * prepared.num_rows + row);
        if (!prepared.divisors.empty()) {
          arguments.destination.rounding.divisors = prepared.divisors.data() + row;
        }
        arguments.destination.counts = counting.Lanes();
        kernels->window(arguments);
      }
    }
  }

  void RunAdd(const PreparedNode& prepared, const ir::Node& node, int64_t num_samples,
              Workspace& workspace, LayerEvents& events) const {
    const int64_t num_elements = num_samples * prepared.num_rows;
    constexpr int64_t kElementsPerCall = int64_t{1} << 20;
    for (int64_t first = 0; first < num_elements; first += kElementsPerCall) {
      Counting counting(prepared, workspace, events);
      AddArguments arguments;
      arguments.a = Bytes(workspace, node.inputs[0]) + first;
      arguments.b = Bytes(workspace, node.inputs[1]) + first;
      arguments.table_a = prepared.tables[0].data();
      arguments.table_b = prepared.tables[1].data();
      arguments.num_elements = std::min(kElementsPerCall, num_elements - first);
      arguments.destination.output = Bytes(workspace, node.output) + first;
      arguments.destination.rounding = RoundingOf(prepared);
      arguments.destination.counts = counting.Lanes();
      kernels->add(arguments);
    }
  }

  void RunSoftmax(const PreparedNode& prepared, const ir::Node& node, int64_t num_samples,
                  Workspace& workspace) const {
    const int64_t size = prepared.num_channels;
    const uint8_t* input = Bytes(workspace, node.inputs[0]);
    uint8_t* output = Bytes(workspace, node.output);
    for (int64_t row = 0; row < num_samples * prepared.num_rows; ++row) {
      const uint8_t largest = *std::max_element(input, input + size);
      int64_t sum = 0;
      const auto exponential = [&](int64_t i) {
        return prepared.exponentials[static_cast<size_t>(largest - input[i])];
      };
      for (int64_t i = 0; i < size; ++i) {
        if (exponential(i) >= 0) sum += DivideByPowerOfTwo(exponential(i), 12);
      }
      const RowScale scale = ReciprocalScale(sum);
      for (int64_t i = 0; i < size; ++i) {
        // Stored bytes are codes + 128, which cancels the output's zero point of -128.
        const int64_t value = exponential(i) < 0 ? 0 : scale.Apply(exponential(i));
        output[i] = static_cast<uint8_t>(std::clamp<int64_t>(value, 0, 255));
      }
      input += size;
      output += size;
    }
  }

  void RunByReference(size_t index, int64_t num_samples, Workspace& workspace,
                      LayerEvents& events) const {
    const ir::Node& node = graph.nodes[index];
    std::vector<ir::TensorValue> tensors(graph.tensors.size());
    for (int64_t sample = 0; sample < num_samples; ++sample) {
      for (ir::TensorId id : node.inputs) {
        tensors[static_cast<size_t>(id)] = LoadSample(workspace, id, sample);
      }
      const std::optional<MinifloatNode>& minifloat = minifloat_nodes[index];
      NodeRun run = minifloat ? minifloat->Run(tensors[static_cast<size_t>(node.inputs[0])])
                              : RunNode(graph, node, tensors, accumulation[index]);
      StoreSample(workspace, node.output, sample, run.output.codes);
      events += run.events;
      workspace.wide_accumulators = std::move(run.accumulators);
    }
  }

  /// Executes node `index` for all samples in the workspace. With `keep_accumulators`, they are
  /// left in `wide_accumulators`.
  void RunOneNode(size_t index, int64_t num_samples, bool keep_accumulators, Workspace& workspace,
                  LayerEvents& events) const {
    const ir::Node& node = graph.nodes[index];
    const PreparedNode& prepared = nodes[index];
    const int64_t num_outputs = ir::NumElements(Tensor(node.output).shape);
    workspace.wide_accumulators.clear();
    workspace.accumulators.clear();
    const bool has_accumulators =
        prepared.form == NodeForm::kMatrix || prepared.form == NodeForm::kWindow;
    if (keep_accumulators && has_accumulators) {
      workspace.accumulators.assign(static_cast<size_t>(num_outputs), 0);
    }
    switch (prepared.form) {
      case NodeForm::kMatrix:
        RunMatrix(prepared, node, num_samples, workspace, events);
        break;
      case NodeForm::kWindow:
        RunWindow(prepared, node, num_samples, workspace, events);
        break;
      case NodeForm::kAdd:
        RunAdd(prepared, node, num_samples, workspace, events);
        break;
      case NodeForm::kReshape:
        std::memcpy(Bytes(workspace, node.output), Bytes(workspace, node.inputs[0]),
                    static_cast<size_t>(num_samples * num_outputs));
        break;
      case NodeForm::kSoftmax:
        RunSoftmax(prepared, node, num_samples, workspace);
        break;
      case NodeForm::kReference:
        RunByReference(index, num_samples, workspace, events);
        break;
    }
    if (keep_accumulators && has_accumulators) {
      workspace.wide_accumulators.assign(workspace.accumulators.begin(),
                                         workspace.accumulators.end());
    }
  }
};

Plan::Plan(std::unique_ptr<const Prepared> prepared) : prepared_(std::move(prepared)) {}
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;
Plan::~Plan() = default;

Result<Plan> Plan::Create(const ir::Graph& graph, const PlanOptions& options) {
  MACLOOM_RETURN_IF_ERROR(CheckContracts(graph, options.accumulation));
  const std::vector<Level> supported = SupportedLevels();
  auto prepared = std::make_unique<Prepared>();
  prepared->level = options.level.value_or(supported.back());
  if (std::find(supported.begin(), supported.end(), prepared->level) == supported.end()) {
    std::string names;
    for (Level level : supported) names += (names.empty() ? "" : ", ") + ToString(level);
    return InvalidInput(fmt::format("instruction set is {}; accepted on this machine: {}",
                                    ToString(prepared->level), names));
  }
  prepared->kernels = KernelsOf(prepared->level);
  prepared->graph = graph;
  prepared->accumulation = options.accumulation;
  if (options.accumulation.empty()) {
    prepared->accumulation.assign(graph.nodes.size(), ir::Accumulation::Exact());
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    prepared->nodes.push_back(
        Prepare(graph, graph.nodes[i], prepared->accumulation[i], *prepared->kernels));
    prepared->minifloat_nodes.push_back(
        MinifloatNode::Create(graph, graph.nodes[i], prepared->accumulation[i]));
  }
  for (const ir::TensorInfo& tensor : graph.tensors) {
    prepared->bytes_per_sample +=
        ir::NumElements(tensor.shape) * (IsByteFormat(tensor.format) ? 1 : 4);
  }
  return Plan(std::move(prepared));
}

Result<Trace> Plan::Run(const ir::TensorValue& input, bool keep_accumulators) const {
  const Prepared& prepared = *prepared_;
  const ir::Graph& graph = prepared.graph;
  MACLOOM_RETURN_IF_ERROR(CheckInput(graph, input));
  Workspace workspace = prepared.MakeWorkspace(1);
  prepared.StoreSample(workspace, graph.input, 0, input.codes);
  Trace trace;
  trace.tensors.resize(graph.tensors.size());
  trace.tensors[static_cast<size_t>(graph.input)] = input;
  trace.accumulators.resize(graph.nodes.size());
  trace.events.resize(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    prepared.RunOneNode(i, 1, keep_accumulators, workspace, trace.events[i]);
    const ir::TensorId output = graph.nodes[i].output;
    trace.tensors[static_cast<size_t>(output)] = prepared.LoadSample(workspace, output, 0);
    if (keep_accumulators) trace.accumulators[i] = std::move(workspace.wide_accumulators);
  }
  return trace;
}

Result<Batch> Plan::RunBatch(std::span<const ir::TensorValue> inputs) const {
  const Prepared& prepared = *prepared_;
  const ir::Graph& graph = prepared.graph;
  for (const ir::TensorValue& input : inputs) MACLOOM_RETURN_IF_ERROR(CheckInput(graph, input));
  Batch batch;
  batch.events.resize(graph.nodes.size());
  const auto total = static_cast<int64_t>(inputs.size());
  const int64_t chunk = std::clamp<int64_t>(
      kChunkBytes / std::max<int64_t>(prepared.bytes_per_sample, 1), 1, kMaxChunk);
  Workspace workspace = prepared.MakeWorkspace(std::min(chunk, total));
  for (int64_t first = 0; first < total; first += chunk) {
    const int64_t count = std::min(chunk, total - first);
    for (int64_t n = 0; n < count; ++n) {
      prepared.StoreSample(workspace, graph.input, n, inputs[static_cast<size_t>(first + n)].codes);
    }
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      prepared.RunOneNode(i, count, false, workspace, batch.events[i]);
    }
    for (int64_t n = 0; n < count; ++n) {
      batch.outputs.push_back(prepared.LoadSample(workspace, graph.output, n));
    }
  }
  return batch;
}

Level Plan::level() const { return prepared_->level; }

int Plan::num_reference_nodes() const {
  int count = 0;
  for (size_t i = 0; i < prepared_->nodes.size(); ++i) {
    const bool is_reference = prepared_->nodes[i].form == NodeForm::kReference;
    count += is_reference && !prepared_->minifloat_nodes[i] ? 1 : 0;
  }
  return count;
}

}  // namespace macloom::golden::fast
