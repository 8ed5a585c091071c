#include "sim/descriptor_device.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/interrupt.h"
#include "sim/descriptor_engine.h"
#include "sim/job_check.h"

namespace macloom::sim {
namespace {

constexpr size_t kMaxDescriptors = 100'000;

class DescriptorDevice : public Device {
 public:
  std::string name() const override { return "descriptor"; }

  Result<DeviceRun> Run(const arch::Job& job, const ir::TensorValue& input) override {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_RETURN_IF_ERROR(CheckJob(job, input));
    MachineState machine(job.config, job.effective_accumulator_bits);
    machine.memory.assign(job.memory_bytes, 0);
    std::copy(job.image.begin(), job.image.end(), machine.memory.begin());
    arch::WriteInput(job, input, machine.memory);
    DeviceRun run;
    run.tensors.resize(job.graph.tensors.size());
    uint64_t address = job.first_descriptor;
    for (size_t count = 0;; ++count) {
      if (count == kMaxDescriptors) return Failed("descriptor list does not end");
      if (address % arch::kDescriptorBytes != 0 ||
          address + arch::kDescriptorBytes > machine.memory.size()) {
        return Failed(fmt::format("descriptor address 0x{:X} outside the memory", address));
      }
      arch::Descriptor descriptor;
      for (size_t w = 0; w < arch::kDescriptorWords; ++w) {
        descriptor.words()[w] = machine.ReadWord(address + 4 * w);
      }
      const StepCounters before = machine.counters;
      MACLOOM_RETURN_IF_ERROR(Execute(machine, descriptor));
      StepResult step;
      step.tag = descriptor.tag();
      step.counters.macs = machine.counters.macs - before.macs;
      step.counters.overflow_events = machine.counters.overflow_events - before.overflow_events;
      step.counters.clamped_low = machine.counters.clamped_low - before.clamped_low;
      step.counters.clamped_high = machine.counters.clamped_high - before.clamped_high;
      run.steps.push_back(step);
      if (step.tag < job.steps.size()) {
        for (const arch::TensorRegion& region : job.steps[step.tag].produces) {
          arch::UnpackRegion(job, region, machine.activation,
                             run.tensors[static_cast<size_t>(region.tensor)]);
        }
      }
      if (descriptor.record()) MACLOOM_RETURN_IF_ERROR(WriteRecord(machine, descriptor));
      if (descriptor.last()) break;
      address = descriptor.next_address();
    }
    run.total = machine.counters;
    return run;
  }

  WriteEvent LastWrite(int64_t, int, uint32_t tag) const override { return {-1, tag}; }

 private:
  static Error Failed(const std::string& text) {
    return {ErrorKind::kCheckFailed, "descriptor device: " + text};
  }

  static Status WriteRecord(MachineState& machine, const arch::Descriptor& d) {
    const uint64_t address = d.record_address();
    if (address + arch::kRecordBytes > machine.memory.size()) {
      return Failed(
          fmt::format("tag {}: record_address 0x{:X} outside the memory", d.tag(), address));
    }
    const auto put = [&](arch::RecordWord word, int64_t value) {
      for (size_t b = 0; b < 4; ++b) {
        machine.memory[address + 4 * static_cast<size_t>(word) + b] =
            static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * b));
      }
    };
    for (int w = 0; w < arch::kRecordWords; ++w) put(static_cast<arch::RecordWord>(w), 0);
    put(arch::RecordWord::kTag, d.tag());
    put(arch::RecordWord::kMagic, arch::kRecordMagic);
    put(arch::RecordWord::kMacs, machine.counters.macs);
    put(arch::RecordWord::kOverflowEvents, machine.counters.overflow_events);
    put(arch::RecordWord::kClampedLow, machine.counters.clamped_low);
    put(arch::RecordWord::kClampedHigh, machine.counters.clamped_high);
    return {};
  }
};

}  // namespace

std::unique_ptr<Device> MakeDescriptorDevice() { return std::make_unique<DescriptorDevice>(); }

}  // namespace macloom::sim
