#include "arch/job_samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/digest.h"
#include "base/npy.h"

namespace macloom::arch {
namespace {

/// Nodes whose output the job's steps complete.
std::set<int> ProducedNodes(const Job& job) {
  std::set<ir::TensorId> tensors;
  for (const JobStep& step : job.steps) {
    for (const TensorRegion& region : step.produces) tensors.insert(region.tensor);
  }
  std::set<int> nodes;
  for (size_t n = 0; n < job.graph.nodes.size(); ++n) {
    if (tensors.count(job.graph.nodes[n].output) > 0) nodes.insert(static_cast<int>(n));
  }
  return nodes;
}

NpyArray Batch(const std::vector<const ir::TensorValue*>& values) {
  std::vector<int64_t> shape = values[0]->shape;
  shape.insert(shape.begin(), static_cast<int64_t>(values.size()));
  std::vector<int32_t> codes;
  for (const ir::TensorValue* value : values)
    codes.insert(codes.end(), value->codes.begin(), value->codes.end());
  return FromInt32(shape, codes);
}

Result<std::vector<ir::TensorValue>> ReadBatch(const std::filesystem::path& path,
                                               const ir::TensorInfo& info) {
  MACLOOM_ASSIGN_OR_RETURN(const NpyArray array, ReadNpy(path));
  const Result<std::vector<int64_t>> codes = ToInt64(array);
  ir::Shape shape = array.shape;
  if (!shape.empty()) shape.erase(shape.begin());
  if (!codes.ok() || array.shape.empty() || array.shape[0] < 1 || shape != info.shape) {
    return InvalidInput(fmt::format("{}: {} of shape {}; accepted are integers of shape Nx{}",
                                    path.string(), array.dtype, ir::ToString(array.shape),
                                    ir::ToString(info.shape)));
  }
  std::vector<ir::TensorValue> values(static_cast<size_t>(array.shape[0]));
  const size_t size = static_cast<size_t>(ir::NumElements(info.shape));
  for (size_t i = 0; i < codes->size(); ++i) {
    const int64_t code = (*codes)[i];
    if (code < info.format.MinCode() || code > info.format.MaxCode()) {
      return InvalidInput(fmt::format("{}: element {} is {}; `{}` takes {} to {}", path.string(), i,
                                      code, info.name, info.format.MinCode(),
                                      info.format.MaxCode()));
    }
    values[i / size].shape = info.shape;
    values[i / size].codes.push_back(static_cast<int32_t>(code));
  }
  return values;
}

/// The words of 8 bytes in which `memory` differs from the image, with addresses, for $readmemh.
std::string InputHex(const Job& job, const std::vector<uint8_t>& memory) {
  std::string text;
  size_t next = 0;
  for (size_t at = 0; at < memory.size(); at += 8) {
    uint64_t word = 0, before = 0;
    for (size_t b = 8; b-- > 0;) {
      word = word << 8 | (at + b < memory.size() ? memory[at + b] : 0);
      before = before << 8 | (at + b < job.image.size() ? job.image[at + b] : 0);
    }
    if (word == before) continue;
    if (at / 8 != next) text += fmt::format("@{:x}\n", at / 8);
    text += fmt::format("{:016x}\n", word);
    next = at / 8 + 1;
  }
  return text.empty() ? "// equal to memory.hex\n" : text;
}

/// Byte address (8 digits) and code (2 digits) of every element of the stored output.
std::string ExpectedHex(const Job& job, const ir::TensorValue& output) {
  // Bytes numbered by their own address, so that ReadOutput() tells where it takes each from.
  std::vector<int64_t> addresses(output.codes.size(), 0);
  std::vector<uint8_t> memory(job.memory_bytes);
  for (int shift = 0; shift < 32; shift += 8) {
    for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint8_t>(i >> shift);
    const ir::TensorValue bytes = ReadOutput(job, memory);
    for (size_t i = 0; i < addresses.size(); ++i)
      addresses[i] |= static_cast<int64_t>(static_cast<uint8_t>(bytes.codes[i])) << shift;
  }
  std::string text;
  for (size_t i = 0; i < addresses.size(); ++i) {
    text += fmt::format("{:08x}{:02x}\n", addresses[i], static_cast<uint8_t>(output.codes[i]));
  }
  return text;
}

/// The ten words that the testbench needs to know of the job.
std::string TestbenchHex(const Job& job) {
  const ir::Shape& shape = job.graph.tensor(job.device_output).shape;
  const int64_t width = shape.size() == 3 ? shape[1] : 1;
  int64_t limit = 1'000'000 + int64_t{job.memory_bytes} * 8;
  for (const JobStep& step : job.steps) limit += step.macs;
  std::string text =
      "// memory bytes, first descriptor, accumulator bits to narrow, output elements, "
      "height, width, channels, configuration digest, words of memory.hex, cycle limit\n";
  for (const int64_t value :
       {int64_t{job.memory_bytes}, int64_t{job.first_descriptor},
        int64_t{job.config.accumulator_bits - job.effective_accumulator_bits},
        ir::NumElements(shape), shape.size() == 3 ? shape[0] : 1, width, shape.back(),
        static_cast<int64_t>(std::stoul(Digest(job.config).substr(0, 8), nullptr, 16)),
        static_cast<int64_t>((job.image.size() + 7) / 8), std::min(limit, int64_t{0xFFFFFFFF})}) {
    text += fmt::format("{:08x}\n", static_cast<uint32_t>(value));
  }
  return text;
}

}  // namespace

std::string ExpectedFile(const Job& job, int node) {
  std::string name = job.graph.nodes[static_cast<size_t>(node)].name.substr(0, 80);
  for (char& c : name) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!is_plain) c = '_';
  }
  return fmt::format("expected/{:03d}_{}.npy", node, name);
}

Status SaveJobSamples(const Job& job, const JobSamples& samples, OutputDirectory& output) {
  const auto write = [&](const std::string& name,
                         const std::vector<const ir::TensorValue*>& values) {
    const std::vector<uint8_t> bytes = SerializeNpy(Batch(values));
    return output.Write(name, std::span<const uint8_t>(bytes));
  };
  std::vector<const ir::TensorValue*> inputs;
  for (const ir::TensorValue& input : samples.inputs) inputs.push_back(&input);
  MACLOOM_RETURN_IF_ERROR(write("inputs.npy", inputs));
  MACLOOM_RETURN_IF_ERROR(output.Write("testbench.hex", std::string_view(TestbenchHex(job))));
  for (size_t n = 0; n < samples.inputs.size(); ++n) {
    std::vector<uint8_t> memory(job.memory_bytes, 0);
    std::copy(job.image.begin(), job.image.end(), memory.begin());
    WriteInput(job, samples.inputs[n], memory);
    const std::string folder = fmt::format("samples/{:04d}", n);
    MACLOOM_RETURN_IF_ERROR(
        output.Write(folder + "/input.hex", std::string_view(InputHex(job, memory))));
    if (samples.expected.empty()) continue;
    const ir::TensorValue& want = samples.expected[n][static_cast<size_t>(job.device_output)];
    MACLOOM_RETURN_IF_ERROR(
        output.Write(folder + "/expected.hex", std::string_view(ExpectedHex(job, want))));
  }
  if (samples.expected.empty()) return {};
  for (const int node : ProducedNodes(job)) {
    const size_t tensor = static_cast<size_t>(job.graph.nodes[static_cast<size_t>(node)].output);
    std::vector<const ir::TensorValue*> values;
    for (const auto& tensors : samples.expected) values.push_back(&tensors[tensor]);
    MACLOOM_RETURN_IF_ERROR(write(ExpectedFile(job, node), values));
  }
  return {};
}

Result<JobSamples> LoadJobSamples(const Job& job, const std::filesystem::path& directory) {
  JobSamples samples;
  std::error_code ignored;
  if (!std::filesystem::exists(directory / "inputs.npy", ignored)) return samples;
  MACLOOM_ASSIGN_OR_RETURN(samples.inputs,
                           ReadBatch(directory / "inputs.npy", job.graph.tensor(job.graph.input)));
  if (!std::filesystem::exists(directory / "expected", ignored)) return samples;
  samples.expected.resize(samples.inputs.size());
  for (auto& tensors : samples.expected) tensors.resize(job.graph.tensors.size());
  for (const int node : ProducedNodes(job)) {
    const ir::TensorId tensor = job.graph.nodes[static_cast<size_t>(node)].output;
    const std::filesystem::path path = directory / ExpectedFile(job, node);
    MACLOOM_ASSIGN_OR_RETURN(std::vector<ir::TensorValue> values,
                             ReadBatch(path, job.graph.tensor(tensor)));
    if (values.size() != samples.inputs.size()) {
      return InvalidInput(fmt::format("{}: {} samples; inputs.npy has {}", path.string(),
                                      values.size(), samples.inputs.size()));
    }
    for (size_t n = 0; n < values.size(); ++n)
      samples.expected[n][static_cast<size_t>(tensor)] = std::move(values[n]);
  }
  return samples;
}

}  // namespace macloom::arch
