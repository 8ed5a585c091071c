// The job folder: everything a device needs, and everything a person needs to check it.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "arch/job.h"
#include "arch/job_samples.h"
#include "base/digest.h"
#include "base/files.h"
#include "ir/network_file.h"

namespace macloom::arch {
namespace {

using nlohmann::ordered_json;

constexpr const char* kFormat = "macloom.job";
constexpr int kFormatVersion = 1;

ordered_json ToJson(const TensorPlacement& placement) {
  return {{"base", placement.base},
          {"col_pitch", placement.col_pitch},
          {"row_pitch", placement.row_pitch},
          {"plane_pitch", placement.plane_pitch}};
}

/// One 8-byte word per line, most significant digit first, for $readmemh.
std::string ToHex(const std::vector<uint8_t>& bytes) {
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 8) {
    for (size_t b = 8; b-- > 0;)
      text += fmt::format("{:02x}", at + b < bytes.size() ? bytes[at + b] : 0);
    text += '\n';
  }
  return text;
}

}  // namespace

Status SaveJob(const Job& job, const std::filesystem::path& directory, const JobSamples& samples) {
  MACLOOM_ASSIGN_OR_RETURN(OutputDirectory output, OutputDirectory::Create(directory));
  ordered_json manifest;
  manifest["format"] = kFormat;
  manifest["format_version"] = kFormatVersion;
  manifest["network"] = job.graph.name;
  manifest["network_digest"] = ir::Digest(job.graph);
  manifest["configuration"] = job.config.name;
  manifest["configuration_digest"] = Digest(job.config);
  manifest["memory_digest"] = Sha256Hex(std::span(job.image));
  manifest["overflow"] = job.overflow == ir::Overflow::kSaturate ? "saturate" : "wrap";
  manifest["accumulator_bits"] = job.effective_accumulator_bits;
  manifest["memory_bytes"] = job.memory_bytes;
  manifest["first_descriptor"] = job.first_descriptor;
  manifest["record_address"] = job.record_address;
  const auto tensor_name = [&](ir::TensorId id) { return job.graph.tensor(id).name; };
  manifest["input"] = {{"tensor", tensor_name(job.device_input)},
                       {"is_raw", job.input_is_raw},
                       {"placement", ToJson(job.input_placement)}};
  manifest["output"] = {{"tensor", tensor_name(job.device_output)},
                        {"placement", ToJson(job.output_placement)}};
  for (const int node : job.host_nodes) {
    manifest["host_nodes"].push_back(job.graph.nodes[static_cast<size_t>(node)].name);
  }
  for (const JobStep& step : job.steps) {
    ordered_json entry = {
        {"tag", step.tag},
        {"address", step.address},
        {"node", step.node < 0 ? "" : job.graph.nodes[static_cast<size_t>(step.node)].name},
        {"macs", step.macs},
        {"useful_macs", step.useful_macs},
        {"ideal_cycles", step.ideal_cycles}};
    for (const TensorRegion& region : step.produces) {
      entry["produces"].push_back({{"tensor", tensor_name(region.tensor)},
                                   {"first_row", region.first_row},
                                   {"num_rows", region.num_rows},
                                   {"first_col", region.first_col},
                                   {"num_cols", region.num_cols},
                                   {"placement_words", ToJson(region.placement)}});
    }
    manifest["steps"].push_back(std::move(entry));
  }
  MACLOOM_RETURN_IF_ERROR(output.Write("manifest.json", manifest.dump(2) + "\n"));
  MACLOOM_RETURN_IF_ERROR(output.Write("memory.bin", std::span<const uint8_t>(job.image)));
  MACLOOM_RETURN_IF_ERROR(output.Write("memory.hex", ToHex(job.image)));
  MACLOOM_RETURN_IF_ERROR(output.Write("hardware.toml", ToToml(job.config)));
  std::string listing;
  for (const JobStep& step : job.steps) {
    listing +=
        fmt::format("# step {} at 0x{:X}\n{}\n", step.tag, step.address, ToText(step.descriptor));
  }
  MACLOOM_RETURN_IF_ERROR(output.Write("descriptors.txt", listing));
  MACLOOM_RETURN_IF_ERROR(ir::SaveNetwork(job.graph, output.path() / "network.safetensors"));
  if (!samples.inputs.empty()) MACLOOM_RETURN_IF_ERROR(SaveJobSamples(job, samples, output));
  return output.Commit();
}

Result<Job> LoadJob(const std::filesystem::path& directory) {
  MACLOOM_ASSIGN_OR_RETURN(const std::string text,
                           ReadTextFile(directory / "manifest.json", 1 << 26));
  const ordered_json manifest = ordered_json::parse(text, nullptr, false);
  const auto bad = [&](const std::string& what) {
    return InvalidInput(fmt::format("{}: {}", (directory / "manifest.json").string(), what));
  };
  if (manifest.is_discarded() || !manifest.is_object()) return bad("not JSON");
  const auto string_of = [&](const char* key) {
    return manifest.contains(key) && manifest[key].is_string() ? manifest[key].get<std::string>()
                                                               : std::string();
  };
  if (string_of("format") != kFormat || !manifest.contains("format_version") ||
      manifest["format_version"] != kFormatVersion) {
    return bad(fmt::format("format `{}`: expected {} version {}", string_of("format"), kFormat,
                           kFormatVersion));
  }
  MACLOOM_ASSIGN_OR_RETURN(const ir::Graph graph,
                           ir::LoadNetwork(directory / "network.safetensors"));
  MACLOOM_ASSIGN_OR_RETURN(const HardwareConfig config, LoadConfig(directory / "hardware.toml"));
  MACLOOM_ASSIGN_OR_RETURN(std::vector<uint8_t> image, ReadFile(directory / "memory.bin"));
  const auto check_digest = [&](const char* key, const std::string& digest) -> Status {
    if (string_of(key) == digest) return {};
    return bad(fmt::format("{} `{}` differs from that of the file beside it (`{}`)", key,
                           string_of(key), digest));
  };
  MACLOOM_RETURN_IF_ERROR(check_digest("network_digest", ir::Digest(graph)));
  MACLOOM_RETURN_IF_ERROR(check_digest("configuration_digest", Digest(config)));
  const std::string overflow = string_of("overflow");
  if (overflow != "saturate" && overflow != "wrap") {
    return bad(fmt::format("overflow `{}`: accepted are wrap and saturate", overflow));
  }
  CompileOptions options;
  options.overflow = overflow == "saturate" ? ir::Overflow::kSaturate : ir::Overflow::kWrap;
  if (!manifest.contains("accumulator_bits") || !manifest["accumulator_bits"].is_number_integer()) {
    return bad("accumulator_bits is missing");
  }
  const int64_t bits = manifest["accumulator_bits"].get<int64_t>();
  if (bits < 8 || bits > 32)
    return bad(fmt::format("accumulator_bits {}: accepted are 8 to 32", bits));
  options.effective_accumulator_bits = static_cast<int>(bits);
  // The plan follows from network and configuration; the image is what is run, and must be of it.
  MACLOOM_ASSIGN_OR_RETURN(Job job, Compile(graph, config, options));
  if (Sha256Hex(std::span(image)) != string_of("memory_digest")) {
    return InvalidInput(fmt::format("{}: content differs from the manifest's digest",
                                    (directory / "memory.bin").string()));
  }
  if (image.size() > job.memory_bytes) {
    return InvalidInput(fmt::format("{}: {} bytes; the job's memory has {}",
                                    (directory / "memory.bin").string(), image.size(),
                                    job.memory_bytes));
  }
  const size_t descriptor_bytes = kDescriptorBytes * job.steps.size();
  if (image.size() < descriptor_bytes ||
      !std::equal(image.begin(), image.begin() + static_cast<int64_t>(descriptor_bytes),
                  job.image.begin())) {
    return InvalidInput(fmt::format(
        "{}: the descriptors differ from what this version compiles; write the job anew",
        (directory / "memory.bin").string()));
  }
  job.image = std::move(image);
  return job;
}

}  // namespace macloom::arch
