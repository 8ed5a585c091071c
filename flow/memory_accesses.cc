#include "flow/memory_accesses.h"

#include <algorithm>

#include "cost/hw_cost.h"

namespace macloom::flow {
namespace {

using arch::Descriptor;
using arch::HardwareConfig;
using arch::Opcode;

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

void AddStream(const Descriptor& d, const HardwareConfig& config, MemoryAccesses& accesses) {
  const int64_t parameter_rows = CeilDivide(d.stream_param_bytes(), config.rows * config.lanes);
  accesses.ring_words += int64_t{d.stream_groups()} * config.rows *
                         (2 * parameter_rows + int64_t{d.stream_weight_rows()});
}

void AddConvolution(const Descriptor& d, const HardwareConfig& config, MemoryAccesses& accesses) {
  const int64_t pixels = int64_t{d.out_w()} * d.out_h(), groups = d.stream_groups();
  const int64_t steps = int64_t{d.in_blocks()} * d.kernel_w() * d.kernel_h();
  accesses.activation_words += groups * pixels * steps;
  accesses.activation_words += groups * pixels * std::max(1, config.rows / config.requant_lanes);
  accesses.ring_words += groups * CeilDivide(pixels, config.tile_pixels) * steps * config.rows;
  if (d.im2col() == 0) return;
  accesses.staging_words +=
      pixels * int64_t{d.stage_kernel_h()} * CeilDivide(d.run_bytes(), config.lanes);
  accesses.activation_words += pixels * int64_t{d.in_blocks()};
}

void AddWindow(const Descriptor& d, const HardwareConfig& config, MemoryAccesses& accesses) {
  const int64_t lines = int64_t{d.in_blocks()} * d.out_h();
  const int64_t stride = d.stride_w() == 2 ? 2 : 1;
  const int64_t taps = int64_t{d.kernel_w()} * d.kernel_h();
  int64_t words = 0, ring_rows = 0;
  for (int64_t x = 0; x < d.out_w(); x += d.group_rows()) {
    const int64_t pixels = std::min<int64_t>(d.group_rows(), d.out_w() - x);
    for (int64_t kx = 0; kx < d.kernel_w(); kx += d.window_taps()) {
      words += d.kernel_h() *
               ((pixels - 1) * stride + std::min<int64_t>(d.window_taps(), d.kernel_w() - kx));
    }
    if (d.unit_weights() == 0) ring_rows += CeilDivide(taps, config.rows);
  }
  accesses.activation_words +=
      lines * (words + int64_t{d.out_w()} * config.lanes / config.requant_lanes);
  accesses.ring_words += lines * ring_rows * config.rows;
}

void AddTransfer(const Descriptor& d, const HardwareConfig& config, MemoryAccesses& accesses) {
  const int64_t words =
      int64_t{d.dma_planes()} * d.dma_rows() * CeilDivide(d.row_bytes(), config.lanes);
  const bool is_load = d.opcode() == static_cast<uint32_t>(Opcode::kLoad);
  (is_load && d.to_staging() != 0 ? accesses.staging_words : accesses.activation_words) += words;
}

}  // namespace

MemoryAccesses CountMemoryAccesses(const arch::Job& job) {
  MemoryAccesses accesses;
  for (const arch::JobStep& step : job.steps) {
    const Descriptor& d = step.descriptor;
    AddStream(d, job.config, accesses);
    switch (static_cast<Opcode>(d.opcode())) {
      case Opcode::kConv:
        AddConvolution(d, job.config, accesses);
        break;
      case Opcode::kDepthwise:
        AddWindow(d, job.config, accesses);
        break;
      case Opcode::kAdd:
        accesses.activation_words += int64_t{d.in_blocks()} * d.out_w() * d.out_h() *
                                     (2 + job.config.lanes / job.config.requant_lanes);
        break;
      case Opcode::kLoad:
      case Opcode::kStore:
        AddTransfer(d, job.config, accesses);
        break;
      case Opcode::kEnd:
        break;
    }
  }
  return accesses;
}

double MemoryEnergyPj(const MemoryAccesses& accesses, const HardwareConfig& config) {
  const std::vector<cost::HwMemory> memories = cost::MemoriesOf(config);
  return static_cast<double>(accesses.activation_words) * memories[0].read_pj +
         static_cast<double>(accesses.ring_words) * memories[1].read_pj +
         static_cast<double>(accesses.staging_words) * memories[2].read_pj;
}

}  // namespace macloom::flow
