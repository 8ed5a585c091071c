#include "arch/link.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace macloom::arch {
namespace {

constexpr uint32_t kStreamAlignment = 64;
constexpr uint64_t kMaxJobBytes = uint64_t{1} << 30;
/// Parts of a layer follow each other with at most a load and a store per input between them.
constexpr size_t kStreamDistance = 8;

uint64_t AlignUp(uint64_t value) {
  return (value + kStreamAlignment - 1) / kStreamAlignment * kStreamAlignment;
}

Error TooLarge() { return Unsupported("the job needs more than 1 GiB of memory"); }

/// Earlier step of the same node with the same stream; -1 if there is none.
int PreviousStream(const std::vector<LoweredStep>& steps, size_t i) {
  for (size_t j = i; j-- > 0 && i - j <= kStreamDistance;) {
    if (steps[j].node == steps[i].node && steps[j].stream &&
        (steps[j].stream == steps[i].stream || steps[j].stream->bytes == steps[i].stream->bytes)) {
      return static_cast<int>(j);
    }
  }
  return -1;
}

void WriteDescriptor(const Descriptor& descriptor, uint32_t address, std::vector<uint8_t>& image) {
  for (int w = 0; w < kDescriptorWords; ++w) {
    for (int b = 0; b < 4; ++b) {
      image[address + static_cast<size_t>(4 * w + b)] =
          static_cast<uint8_t>(descriptor.words()[static_cast<size_t>(w)] >> (8 * b));
    }
  }
}

}  // namespace

Status Link(const LinkInput& input, Job& job) {
  const std::vector<LoweredStep>& steps = input.steps;
  if (steps.size() > kMaxSteps) {
    return Unsupported(fmt::format(
        "the job needs {} descriptors, more than {}; raise memory.activation_bytes or make the "
        "network smaller",
        steps.size(), kMaxSteps));
  }
  uint64_t address = uint64_t{kDescriptorBytes} * steps.size();
  std::vector<uint32_t> stream_addresses(steps.size(), 0);
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!steps[i].stream) continue;
    if (const int previous = PreviousStream(steps, i); previous >= 0) {
      stream_addresses[i] = stream_addresses[static_cast<size_t>(previous)];
      continue;
    }
    address = AlignUp(address);
    stream_addresses[i] = static_cast<uint32_t>(address);
    address += steps[i].stream->bytes.size();
    if (address > kMaxJobBytes) return TooLarge();
  }
  address = AlignUp(address);
  job.input_placement.base = static_cast<int64_t>(address);
  address += input.input_bytes;
  if (address > kMaxJobBytes) return TooLarge();
  job.image.assign(static_cast<size_t>(address), 0);
  job.record_address = static_cast<uint32_t>(AlignUp(address));
  address = AlignUp(job.record_address + uint64_t{kRecordBytes} * steps.size());
  job.output_placement.base = static_cast<int64_t>(address);
  address += input.output_bytes;
  std::map<ir::TensorId, int64_t> external = {{input.output, job.output_placement.base},
                                              {input.input, job.input_placement.base}};
  for (const LoweredStep& step : steps) {
    if (step.external_tensor < 0 || external.count(step.external_tensor) > 0) continue;
    address = AlignUp(address);
    external[step.external_tensor] = static_cast<int64_t>(address);
    address +=
        ExternalBytes(*ImageOf(job.graph.tensor(step.external_tensor).shape), job.config.lanes);
    if (address > kMaxJobBytes) return TooLarge();
  }
  if (address > kMaxJobBytes) return TooLarge();
  job.memory_bytes = static_cast<uint32_t>(AlignUp(address));

  const int64_t array = int64_t{job.config.rows} * job.config.lanes;
  for (size_t i = 0; i < steps.size(); ++i) {
    const LoweredStep& lowered = steps[i];
    JobStep step;
    step.descriptor = lowered.descriptor;
    Descriptor& d = step.descriptor;
    const bool is_last = i + 1 == steps.size();
    d.set_version(kDescriptorVersion)
        .set_record(1)
        .set_tag(static_cast<int64_t>(i))
        .set_record_address(job.record_address + kRecordBytes * static_cast<int64_t>(i))
        .set_last(is_last)
        .set_next_address(is_last ? 0 : kDescriptorBytes * static_cast<int64_t>(i + 1));
    if (lowered.external_tensor >= 0) {
      d.set_ext_address(external[lowered.external_tensor] + lowered.external_offset);
    }
    if (lowered.stream) {
      d.set_stream_address(stream_addresses[i]);
      std::ranges::copy(lowered.stream->bytes, job.image.begin() + stream_addresses[i]);
    }
    step.tag = static_cast<uint32_t>(i);
    step.address = static_cast<uint32_t>(kDescriptorBytes * i);
    step.node = lowered.node;
    step.macs = lowered.macs;
    step.useful_macs = lowered.useful_macs.value_or(lowered.macs);
    step.ideal_cycles = (step.useful_macs + array - 1) / array;
    step.produces = lowered.produces;
    WriteDescriptor(d, step.address, job.image);
    job.steps.push_back(std::move(step));
  }
  return {};
}

}  // namespace macloom::arch
