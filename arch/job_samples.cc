#include "arch/job_samples.h"

#include <fmt/format.h>

#include <set>

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
