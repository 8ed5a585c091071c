// A compiled network: descriptors, memory image, and where every tensor lies. What a device runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "arch/config.h"
#include "arch/descriptor.h"
#include "ir/graph.h"

namespace macloom::arch {

/// Position of (part of) a tensor as L-byte words: word(y, x, block) = base + block*plane_pitch +
/// y*row_pitch + x*col_pitch, lane = channel % L. On chip the unit is the activation word; in
/// external memory `base` is a byte address and the pitches are bytes.
struct TensorPlacement {
  int64_t base = 0;
  int64_t col_pitch = 1, row_pitch = 0, plane_pitch = 0;
};

/// Rows [first_row, first_row + num_rows) of a tensor that one descriptor completes.
struct TensorRegion {
  ir::TensorId tensor = -1;
  int first_row = 0, num_rows = 0;
  int first_col = 0, num_cols = 0;
  TensorPlacement placement;  ///< Of (first_row, first_col) in the activation memory.
};

/// One descriptor of the job, in execution order, and what it does for the network.
struct JobStep {
  uint32_t tag = 0;                    ///< Equals its index in Job::steps.
  Descriptor descriptor;               ///< As encoded in the image.
  uint32_t address = 0;                ///< Byte address of the descriptor.
  int node = -1;                       ///< Index into graph.nodes; -1 for pure loads and stores.
  int64_t macs = 0;                    ///< MACs this step performs, padding positions counted.
  int64_t useful_macs = 0;             ///< Of them the network's: arch/canonical.h fills in zeros.
  int64_t ideal_cycles = 0;            ///< useful_macs / (M*L), rounded up.
  std::vector<TensorRegion> produces;  ///< Readable from the activation memory once it is done.
};

/// Most descriptors of a job.
inline constexpr size_t kMaxSteps = 65536;

/// A compiled network for one configuration.
struct Job {
  HardwareConfig config;
  ir::Graph graph;  ///< The network (the host part after `device_output` included).
  int effective_accumulator_bits = 32;  ///< <= config.accumulator_bits; smaller = narrowing input.
  ir::Overflow overflow = ir::Overflow::kWrap;
  /// By node index: what golden must be given so that it sums as this job does.
  std::vector<ir::Accumulation> accumulation;
  std::vector<uint8_t> image;  ///< External memory at start, byte 0 = address 0; input zero-filled.
  uint32_t memory_bytes = 0;   ///< External memory the job needs, >= image.size().
  uint32_t first_descriptor = 0;
  uint32_t record_address = 0;  ///< Record of tag t lies at record_address + t * 64.
  std::vector<JobStep> steps;
  ir::TensorId device_input = -1;
  ir::TensorId device_output = -1;   ///< Last tensor on the accelerator (input of a host SOFTMAX).
  std::vector<int> host_nodes;       ///< Nodes after device_output, run on the host.
  TensorPlacement input_placement;   ///< External, bytes; raw input: lanes packed, see is_raw.
  bool input_is_raw = false;         ///< Input stored as plain row-major bytes (for im2col).
  TensorPlacement output_placement;  ///< External, bytes.
};

struct CompileOptions {
  ir::Overflow overflow = ir::Overflow::kWrap;
  int effective_accumulator_bits = 0;  ///< 0 = config.accumulator_bits.
};

/// Graph -> job. Memory planning, tiling, weight streaming (docs/accelerator.md "Compiler").
/// @return kUnsupported naming node and reason if the network cannot be mapped to `config`;
///         kInvalidInput for an invalid configuration.
Result<Job> Compile(const ir::Graph& graph, const HardwareConfig& config,
                    const CompileOptions& options = {});

/// Writes one sample into the external memory (input area) / reads the stored output tensor.
void WriteInput(const Job& job, const ir::TensorValue& input, std::vector<uint8_t>& memory);
ir::TensorValue ReadOutput(const Job& job, const std::vector<uint8_t>& memory);

/// Copies a region's codes out of an activation-memory snapshot into `value` (shape of the tensor).
void UnpackRegion(const Job& job, const TensorRegion& region,
                  const std::vector<uint8_t>& activation_memory, ir::TensorValue& value);

/// Inputs of a job and what its tensors must become, from whoever knows (this stage does not).
struct JobSamples {
  std::vector<ir::TensorValue> inputs;
  /// By sample and TensorId; as long as `inputs`, or empty if nothing is expected.
  std::vector<std::vector<ir::TensorValue>> expected;
};

/// Job folder (docs/formats.md, "Job"): manifest.json, memory.bin, memory.hex, network.safetensors,
/// hardware.toml; with samples inputs.npy and expected/NNN_NODE.npy.
Status SaveJob(const Job& job, const std::filesystem::path& directory,
               const JobSamples& samples = {});
Result<Job> LoadJob(const std::filesystem::path& directory);
/// The samples of a job folder; none if it has no inputs.npy. @return kInvalidInput naming the file
/// whose shape or codes do not fit the network.
Result<JobSamples> LoadJobSamples(const Job& job, const std::filesystem::path& directory);

}  // namespace macloom::arch
