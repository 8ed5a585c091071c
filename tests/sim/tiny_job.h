// Hand-made jobs: descriptors and memory written out without the compiler.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "arch/job.h"

namespace macloom::testing {

inline constexpr uint32_t kRecords = 0x800, kInput = 0x1000, kOutput = 0x8000, kData = 0x10000;
inline constexpr uint32_t kMemoryBytes = 0x40000;
inline constexpr int kInputWord = 0, kOutputWord = 1024;

/// Collects descriptors in order; tag = position, linked one behind the other, each with a record.
class JobBuilder {
 public:
  /// Tensor 0 is the input, tensor 1 the output, node 0 turns one into the other.
  JobBuilder(arch::HardwareConfig config, ir::Shape input, ir::Shape output) {
    job_.config = std::move(config);
    job_.effective_accumulator_bits = job_.config.accumulator_bits;
    job_.graph.name = "tiny";
    job_.graph.tensors.resize(2);
    job_.graph.tensors[0].shape = std::move(input);
    job_.graph.tensors[1].shape = std::move(output);
    job_.graph.input = job_.device_input = 0;
    job_.graph.output = job_.device_output = 1;
    job_.graph.nodes.resize(1);
    job_.graph.nodes[0].name = "layer";
    job_.graph.nodes[0].inputs = {0};
    job_.graph.nodes[0].output = 1;
    job_.memory_bytes = kMemoryBytes;
    job_.record_address = kRecords;
    job_.image.assign(kMemoryBytes, 0);
    job_.input_placement = External(kInput, job_.graph.tensors[0].shape);
    job_.output_placement = External(kOutput, job_.graph.tensors[1].shape);
  }

  arch::Job& job() { return job_; }

  /// Blocks of L channels of an [H, W, C] image.
  int Blocks(const ir::Shape& shape) const {
    return static_cast<int>((shape[2] + job_.config.lanes - 1) / job_.config.lanes);
  }

  /// Puts a stream into memory; returns its address.
  uint32_t AddStream(const std::vector<uint8_t>& bytes) {
    const uint32_t address = next_data_;
    std::copy(bytes.begin(), bytes.end(), job_.image.begin() + address);
    next_data_ += (static_cast<uint32_t>(bytes.size()) + 63) / 64 * 64;
    return address;
  }

  void AddStep(arch::Descriptor d, int64_t macs = 0, std::vector<arch::TensorRegion> produces = {},
               int node = -1) {
    const int64_t tag = static_cast<int64_t>(job_.steps.size());
    d.set_version(arch::kDescriptorVersion)
        .set_tag(tag)
        .set_record(1)
        .set_next_address(128 * (tag + 1));
    d.set_record_address(kRecords + 64 * tag);
    arch::JobStep step;
    step.tag = static_cast<uint32_t>(tag);
    step.descriptor = d;
    step.address = static_cast<uint32_t>(128 * tag);
    step.node = node;
    step.macs = macs;
    const int64_t multipliers = int64_t{job_.config.rows} * job_.config.lanes;
    step.ideal_cycles = (macs + multipliers - 1) / multipliers;
    step.produces = std::move(produces);
    job_.steps.push_back(std::move(step));
  }

  /// Loads the input image to word kInputWord / stores the output image from word kOutputWord.
  void AddLoad() {
    const ir::Shape& shape = job_.graph.tensors[0].shape;
    AddStep(Transfer(arch::Opcode::kLoad, job_.input_placement, shape)
                .set_out_base(kInputWord)
                .set_out_row_pitch(shape[1])
                .set_out_plane_pitch(shape[0] * shape[1]));
  }
  void AddStore() {
    const ir::Shape& shape = job_.graph.tensors[1].shape;
    AddStep(Transfer(arch::Opcode::kStore, job_.output_placement, shape)
                .set_in_origin(kOutputWord)
                .set_in_row_pitch(shape[1])
                .set_in_plane_pitch(shape[0] * shape[1]));
  }

  /// The whole output tensor at word kOutputWord.
  arch::TensorRegion OutputRegion() const {
    const ir::Shape& shape = job_.graph.tensors[1].shape;
    arch::TensorRegion region;
    region.tensor = 1;
    region.num_rows = static_cast<int>(shape[0]);
    region.num_cols = static_cast<int>(shape[1]);
    region.placement = {kOutputWord, 1, shape[1], shape[0] * shape[1]};
    return region;
  }

  /// Encodes the list; the last descriptor ends it.
  arch::Job Finish() {
    job_.steps.back().descriptor.set_last(1);
    for (const arch::JobStep& step : job_.steps) {
      for (size_t w = 0; w < arch::kDescriptorWords; ++w) {
        for (size_t b = 0; b < 4; ++b) {
          job_.image[step.address + 4 * w + b] =
              static_cast<uint8_t>(step.descriptor.words()[w] >> (8 * b));
        }
      }
    }
    return job_;
  }

 private:
  arch::TensorPlacement External(int64_t base, const ir::Shape& shape) const {
    const int64_t lanes = job_.config.lanes;
    return {base, lanes, shape[1] * lanes, shape[0] * shape[1] * lanes};
  }

  arch::Descriptor Transfer(arch::Opcode opcode, const arch::TensorPlacement& placement,
                            const ir::Shape& shape) const {
    return arch::Descriptor()
        .set_opcode(static_cast<int>(opcode))
        .set_ext_address(placement.base)
        .set_ext_row_pitch(placement.row_pitch)
        .set_ext_plane_pitch(placement.plane_pitch)
        .set_row_bytes(shape[1] * job_.config.lanes)
        .set_dma_rows(shape[0])
        .set_dma_planes(Blocks(shape));
  }

  arch::Job job_;
  uint32_t next_data_ = kData;
};

}  // namespace macloom::testing
