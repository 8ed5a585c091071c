#include "sim/job_check.h"

#include <fmt/format.h>

#include "arch/layout.h"

namespace macloom::sim {
namespace {

Error Bad(const std::string& text) { return {ErrorKind::kCheckFailed, "job: " + text}; }

/// A pitch times an index stays far below 2^63 with sizes up to this.
constexpr int64_t kMaxPitch = int64_t{1} << 32;

/// True if rows x cols x blocks elements of `unit` at `placement` lie in [0, size).
bool Fits(const arch::TensorPlacement& placement, int64_t rows, int64_t cols, int64_t blocks,
          int64_t unit, int64_t size) {
  int64_t low = placement.base, high = placement.base;
  if (low < 0 || low > size) return false;
  for (const auto& [pitch, count] : {std::pair{placement.col_pitch, cols},
                                     {placement.row_pitch, rows},
                                     {placement.plane_pitch, blocks}}) {
    if (count < 1 || count > int64_t{1} << 26 || pitch > kMaxPitch || pitch < -kMaxPitch) {
      return false;
    }
    (pitch < 0 ? low : high) += pitch * (count - 1);
  }
  return low >= 0 && high + unit <= size;
}

Status CheckRegion(const arch::Job& job, const arch::JobStep& step,
                   const arch::TensorRegion& region) {
  const auto bad = [&](const std::string& text) {
    return Bad(fmt::format("step {}: region of tensor {}: {}", step.tag, region.tensor, text));
  };
  if (region.tensor < 0 || region.tensor >= static_cast<int>(job.graph.tensors.size())) {
    return bad(fmt::format("the network has tensors 0 to {}", job.graph.tensors.size() - 1));
  }
  const auto image = arch::ImageOf(job.graph.tensor(region.tensor).shape);
  if (!image) return bad("the tensor is no image");
  if (region.first_row < 0 || region.num_rows < 1 ||
      region.num_rows > image->height - region.first_row || region.first_col < 0 ||
      region.num_cols < 1 || region.num_cols > image->width - region.first_col) {
    return bad(fmt::format("rows {}+{}, columns {}+{} leave the {}x{} image", region.first_row,
                           region.num_rows, region.first_col, region.num_cols, image->height,
                           image->width));
  }
  if (!Fits(region.placement, region.num_rows, region.num_cols, image->Blocks(job.config.lanes), 1,
            job.config.activation_words())) {
    return bad(fmt::format("base {} leaves the activation memory of {} words",
                           region.placement.base, job.config.activation_words()));
  }
  return {};
}

Status CheckInput(const arch::Job& job, const ir::TensorValue& input) {
  const ir::TensorInfo& info = job.graph.tensor(job.device_input);
  if (input.shape != info.shape ||
      static_cast<int64_t>(input.codes.size()) != ir::NumElements(info.shape)) {
    return InvalidInput(fmt::format("input of shape {} with {} codes; accepted: {}",
                                    ir::ToString(input.shape), input.codes.size(),
                                    ir::ToString(info.shape)));
  }
  const bool is_minifloat = job.config.is_minifloat();
  const int low = is_minifloat ? 0 : -128, high = is_minifloat ? 255 : 127;
  for (size_t i = 0; i < input.codes.size(); ++i) {
    if (input.codes[i] < low || input.codes[i] > high ||
        (is_minifloat && !info.format.IsFinite(input.codes[i]))) {
      return InvalidInput(fmt::format("input code {} is {}; accepted: {}{} to {}", i,
                                      input.codes[i], is_minifloat ? "finite codes from " : "", low,
                                      high));
    }
  }
  return {};
}

}  // namespace

Status CheckJob(const arch::Job& job, const ir::TensorValue& input) {
  MACLOOM_RETURN_IF_ERROR(arch::Validate(job.config));
  if (job.image.size() > job.memory_bytes) {
    return Bad(
        fmt::format("an image of {} bytes in a memory of {}", job.image.size(), job.memory_bytes));
  }
  if (job.effective_accumulator_bits < 8 ||
      job.effective_accumulator_bits > job.config.accumulator_bits) {
    return Bad(fmt::format("effective_accumulator_bits {}; accepted: 8 to {}",
                           job.effective_accumulator_bits, job.config.accumulator_bits));
  }
  const int num_tensors = static_cast<int>(job.graph.tensors.size());
  for (const ir::TensorId tensor : {job.device_input, job.device_output}) {
    if (tensor < 0 || tensor >= num_tensors ||
        !arch::ImageOf(job.graph.tensor(tensor).shape).has_value()) {
      return Bad(fmt::format("tensor {} as input or output of the device", tensor));
    }
  }
  MACLOOM_RETURN_IF_ERROR(CheckInput(job, input));
  const int lanes = job.config.lanes;
  const arch::Image in = *arch::ImageOf(job.graph.tensor(job.device_input).shape);
  const arch::Image out = *arch::ImageOf(job.graph.tensor(job.device_output).shape);
  const bool input_fits = job.input_is_raw
                              ? Fits(job.input_placement, 1, 1, 1,
                                     static_cast<int64_t>(input.codes.size()), job.memory_bytes)
                              : Fits(job.input_placement, in.height, in.width, in.Blocks(lanes),
                                     in.LastLanes(lanes), job.memory_bytes);
  if (!input_fits) {
    return Bad(fmt::format("the input at 0x{:X} leaves the memory of {} bytes",
                           job.input_placement.base, job.memory_bytes));
  }
  if (!Fits(job.output_placement, out.height, out.width, out.Blocks(lanes), out.LastLanes(lanes),
            job.memory_bytes)) {
    return Bad(fmt::format("the output at 0x{:X} leaves the memory of {} bytes",
                           job.output_placement.base, job.memory_bytes));
  }
  for (size_t i = 0; i < job.steps.size(); ++i) {
    const arch::JobStep& step = job.steps[i];
    if (step.tag != i) return Bad(fmt::format("step {} has tag {}", i, step.tag));
    if (step.node < -1 || step.node >= static_cast<int>(job.graph.nodes.size())) {
      return Bad(fmt::format("step {} belongs to node {}", i, step.node));
    }
    for (const arch::TensorRegion& region : step.produces) {
      MACLOOM_RETURN_IF_ERROR(CheckRegion(job, step, region));
    }
  }
  const uint64_t records_end = job.record_address + uint64_t{arch::kRecordBytes} * job.steps.size();
  if (records_end > job.memory_bytes) {
    return Bad(fmt::format("the completion records end at 0x{:X}, outside the memory of {} bytes",
                           records_end, job.memory_bytes));
  }
  return {};
}

}  // namespace macloom::sim
