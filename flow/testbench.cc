#include "flow/testbench.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/files.h"
#include "flow/replay.h"
#include "flow/samples.h"
#include "networks/model.h"
#include "rtl/gen/generator.h"
#include "rtl/gen/testbench.h"

namespace macloom::flow {
namespace {

constexpr uint32_t kAtEnd = 0xFFFFFFFF;

/// Byte addresses as codes of a tensor: `read` gets a memory whose bytes hold byte k of their own
/// address, so that it tells where it takes each element from.
template <typename Read>
std::vector<uint32_t> AddressesOf(size_t memory_bytes, const Read& read) {
  std::vector<uint32_t> addresses;
  std::vector<uint8_t> memory(memory_bytes);
  for (int shift = 0; shift < 32; shift += 8) {
    for (size_t i = 0; i < memory.size(); ++i) memory[i] = static_cast<uint8_t>(i >> shift);
    const ir::TensorValue bytes = read(memory);
    addresses.resize(bytes.codes.size());
    for (size_t i = 0; i < addresses.size(); ++i)
      addresses[i] |= uint32_t{static_cast<uint8_t>(bytes.codes[i])} << shift;
  }
  return addresses;
}

/// Elements of one tensor, or of one region of it, that the testbench reads at one time.
struct Check {
  uint32_t tag = 0;  ///< kAtEnd: external memory after the run.
  int node = -1;
  ir::TensorId tensor = -1;
  std::vector<size_t> elements;
  std::vector<uint32_t> addresses;
};

std::vector<Check> ChecksOf(const arch::Job& job) {
  std::map<ir::TensorId, int> node_of;
  for (size_t n = 0; n < job.graph.nodes.size(); ++n)
    node_of[job.graph.nodes[n].output] = static_cast<int>(n);
  std::vector<Check> checks;
  for (const arch::JobStep& step : job.steps) {
    for (const arch::TensorRegion& region : step.produces) {
      const auto node = node_of.find(region.tensor);
      if (node == node_of.end()) continue;
      Check check{step.tag, node->second, region.tensor, {}, {}};
      const std::vector<uint32_t> addresses = AddressesOf(
          static_cast<size_t>(job.config.activation_bytes), [&](const std::vector<uint8_t>& bytes) {
            ir::TensorValue value;
            arch::UnpackRegion(job, region, bytes, value);
            return value;
          });
      const ir::Shape& shape = job.graph.tensor(region.tensor).shape;
      const int64_t width = shape.size() == 3 ? shape[1] : 1;
      for (size_t i = 0; i < addresses.size(); ++i) {
        const int64_t pixel = static_cast<int64_t>(i) / shape.back();
        const int64_t y = pixel / width - region.first_row, x = pixel % width - region.first_col;
        if (y < 0 || y >= region.num_rows || x < 0 || x >= region.num_cols) continue;
        check.elements.push_back(i);
        check.addresses.push_back(addresses[i]);
      }
      checks.push_back(std::move(check));
    }
  }
  Check output{kAtEnd, node_of.at(job.device_output), job.device_output, {}, {}};
  output.addresses = AddressesOf(job.memory_bytes, [&](const std::vector<uint8_t>& bytes) {
    return arch::ReadOutput(job, bytes);
  });
  for (size_t i = 0; i < output.addresses.size(); ++i) output.elements.push_back(i);
  checks.push_back(std::move(output));
  return checks;
}

/// 34 digits an element: tag 8, node 4, y 4, x 4, c 4, byte address 8, code 2.
std::string ExpectedHex(const arch::Job& job, const std::vector<Check>& checks,
                        const std::vector<ir::TensorValue>& expected) {
  std::string text;
  for (const Check& check : checks) {
    const ir::Shape& shape = job.graph.tensor(check.tensor).shape;
    const size_t channels = static_cast<size_t>(shape.back());
    const size_t width = shape.size() == 3 ? static_cast<size_t>(shape[1]) : 1;
    const ir::TensorValue& value = expected[static_cast<size_t>(check.tensor)];
    for (size_t i = 0; i < check.elements.size(); ++i) {
      const size_t element = check.elements[i], pixel = element / channels;
      text += fmt::format("{:08x}{:04x}{:04x}{:04x}{:04x}{:08x}{:02x}\n", check.tag, check.node,
                          pixel / width, pixel % width, element % channels, check.addresses[i],
                          static_cast<uint8_t>(value.codes[element]));
    }
  }
  return text;
}

std::string MemoryHex(const std::vector<uint8_t>& memory) {
  std::string text;
  for (size_t at = 0; at < memory.size(); at += 8) {
    uint64_t word = 0;
    for (size_t b = 0; b < 8 && at + b < memory.size(); ++b)
      word |= uint64_t{memory[at + b]} << (8 * b);
    text += fmt::format("{:016x}\n", word);
  }
  return text;
}

/// Cycles after which a run counts as hung, far above any real one.
uint32_t CycleLimit(const arch::Job& job) {
  int64_t limit = 1'000'000 + int64_t{job.memory_bytes} * 8;
  for (const arch::JobStep& step : job.steps) limit += step.macs;
  return static_cast<uint32_t>(std::min<int64_t>(limit, 0xFFFFFFFF));
}

}  // namespace

Result<TestbenchJob> ShippedTestbenchJob(const arch::HardwareConfig& config) {
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph, networks::LoadModel(networks::ShippedModels()[0],
                                                                      ir::Rounding::kDouble));
  TestbenchJob result;
  MACLOOM_ASSIGN_OR_RETURN(result.job, arch::Compile(graph, config));
  MACLOOM_ASSIGN_OR_RETURN(result.samples, MakeJobSamples(result.job, RandomInputs(graph, 2, 1)));
  return result;
}

Result<TestbenchJob> LoadTestbenchJob(const std::filesystem::path& directory,
                                      const arch::HardwareConfig& config) {
  TestbenchJob result;
  MACLOOM_ASSIGN_OR_RETURN(result.job, arch::LoadJob(directory));
  MACLOOM_ASSIGN_OR_RETURN(result.samples, arch::LoadJobSamples(result.job, directory));
  if (result.samples.inputs.empty() || result.samples.expected.empty()) {
    return InvalidInput(
        fmt::format("{}: the job has no samples with expected tensors; write it with compile "
                    "--random N or --inputs FILE",
                    directory.string()));
  }
  if (result.job.config != config) {
    return InvalidInput(fmt::format(
        "{}: the job is for configuration `{}`, digest {}; to generate is `{}`, digest {}",
        directory.string(), result.job.config.name, arch::Digest(result.job.config).substr(0, 16),
        config.name, arch::Digest(config).substr(0, 16)));
  }
  return result;
}

Result<TestbenchSummary> GenerateTestbench(const TestbenchJob& given,
                                           const std::filesystem::path& directory) {
  const arch::Job& job = given.job;
  const std::vector<Check> checks = ChecksOf(job);
  TestbenchSummary summary;
  summary.num_samples = given.samples.inputs.size();
  for (const Check& check : checks) summary.num_expected += std::ssize(check.elements);

  MACLOOM_ASSIGN_OR_RETURN(auto files, rtl_gen::RenderRtl(job.config));
  const int64_t memory_words = (int64_t{job.memory_bytes} + 15) / 16 * 2;
  files.merge(rtl_gen::RenderTestbench(job.config, {memory_words, summary.num_expected}));
  const uint32_t narrow =
      static_cast<uint32_t>(job.config.accumulator_bits - job.effective_accumulator_bits);
  files["job/testbench.hex"] =
      "// configuration digest, bytes of memory, first descriptor, accumulator bits to narrow,\n"
      "// words of a memory file, expected elements, samples, cycle limit\n" +
      fmt::format("{}\n{:08x}\n{:08x}\n{:08x}\n{:08x}\n{:08x}\n{:08x}\n{:08x}\n",
                  arch::Digest(job.config).substr(0, 8), job.memory_bytes, job.first_descriptor,
                  narrow, (int64_t{job.memory_bytes} + 7) / 8, summary.num_expected,
                  summary.num_samples, CycleLimit(job));
  for (size_t n = 0; n < job.graph.nodes.size(); ++n)
    files["job/layers.txt"] += fmt::format("{} {}\n", n, job.graph.nodes[n].name);
  for (size_t n = 0; n < summary.num_samples; ++n) {
    std::vector<uint8_t> memory(job.memory_bytes, 0);
    std::copy(job.image.begin(), job.image.end(), memory.begin());
    arch::WriteInput(job, given.samples.inputs[n], memory);
    files[fmt::format("job/sample{}_memory.hex", n)] = MemoryHex(memory);
    files[fmt::format("job/sample{}_expected.hex", n)] =
        ExpectedHex(job, checks, given.samples.expected[n]);
  }
  MACLOOM_ASSIGN_OR_RETURN(OutputDirectory output, OutputDirectory::Create(directory));
  for (const auto& [name, text] : files) {
    MACLOOM_RETURN_IF_ERROR(output.Write(name, std::string_view(text)));
    if (name.ends_with(".sh")) {
      std::error_code ignored;
      std::filesystem::permissions(output.path() / name,
                                   std::filesystem::perms::owner_exec |
                                       std::filesystem::perms::group_exec |
                                       std::filesystem::perms::others_exec,
                                   std::filesystem::perm_options::add, ignored);
    }
  }
  MACLOOM_RETURN_IF_ERROR(output.Commit());
  return summary;
}

}  // namespace macloom::flow
