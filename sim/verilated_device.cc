#include "sim/verilated_device.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <array>
#include <map>

#include "base/interrupt.h"
#include "sim/harness/harness_abi.h"
#include "sim/job_check.h"

namespace macloom::sim {
namespace {

using RunFunction = void (*)(LoomRun*);

Error Failed(const std::string& text) {
  return {ErrorKind::kCheckFailed, "RTL simulation: " + text};
}

uint32_t ReadWord(const std::vector<uint8_t>& memory, uint64_t address) {
  uint32_t value = 0;
  for (int b = 3; b >= 0; --b) value = value << 8 | memory[address + static_cast<uint64_t>(b)];
  return value;
}

/// The fields of StepCounters in the order of the registers and of a record from kTotal on.
constexpr std::array<int64_t StepCounters::*, 14> kCounterFields = {
    &StepCounters::total_cycles,
    &StepCounters::busy_cycles,
    &StepCounters::stall_activation_cycles,
    &StepCounters::stall_weight_cycles,
    &StepCounters::stall_output_cycles,
    &StepCounters::stall_dma_read_cycles,
    &StepCounters::stall_dma_write_cycles,
    &StepCounters::idle_cycles,
    &StepCounters::macs,
    &StepCounters::read_beats,
    &StepCounters::write_beats,
    &StepCounters::overflow_events,
    &StepCounters::clamped_low,
    &StepCounters::clamped_high};

class VerilatedDevice : public Device {
 public:
  VerilatedDevice(arch::HardwareConfig config, VerilatedOptions options, void* library,
                  RunFunction run)
      : config_(std::move(config)), options_(options), library_(library), run_(run) {}
  ~VerilatedDevice() override {
    if (library_ != nullptr) ::dlclose(library_);
  }
  VerilatedDevice(const VerilatedDevice&) = delete;
  VerilatedDevice& operator=(const VerilatedDevice&) = delete;

  std::string name() const override { return "rtl"; }

  Result<DeviceRun> Run(const arch::Job& job, const ir::TensorValue& input) override {
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    if (job.config != config_) return Failed("the job was compiled for another configuration");
    MACLOOM_RETURN_IF_ERROR(CheckJob(job, input));
    std::vector<uint8_t> memory(job.memory_bytes, 0);
    std::copy(job.image.begin(), job.image.end(), memory.begin());
    arch::WriteInput(job, input, memory);
    activation_.assign(static_cast<size_t>(config_.activation_bytes), 0);
    last_write_.assign(activation_.size(), kNeverWritten);
    done_.clear();
    written_.clear();
    job_ = &job;
    result_ = {};
    result_.tensors.resize(job.graph.tensors.size());

    LoomRun run{};
    run.memory = memory.data();
    run.memory_bytes = memory.size();
    run.activation = activation_.data();
    run.last_write_cycle = last_write_.data();
    run.activation_bytes = activation_.size();
    run.lanes = static_cast<uint32_t>(config_.lanes);
    run.banks = static_cast<uint32_t>(config_.activation_banks);
    run.first_descriptor = job.first_descriptor;
    run.acc_narrow_bits =
        static_cast<uint32_t>(config_.accumulator_bits - job.effective_accumulator_bits);
    run.latency_cycles = static_cast<uint32_t>(options_.timing.latency_cycles);
    run.random_stalls = options_.timing.random_stalls;
    run.stall_probability = options_.timing.stall_probability;
    run.max_extra_latency_cycles = static_cast<uint32_t>(options_.timing.max_extra_latency_cycles);
    run.seed = options_.timing.seed;
    int64_t macs = 0;
    for (const arch::JobStep& step : job.steps) macs += step.macs;
    // Far above any real run: one multiplier at work, and every byte of memory moved on its own.
    const int64_t latency =
        options_.timing.latency_cycles + options_.timing.max_extra_latency_cycles;
    run.cycle_limit = static_cast<uint64_t>(
        macs + 1'000'000 + static_cast<int64_t>(memory.size()) * (8 + latency / 4));
    run.on_done = &VerilatedDevice::OnDone;
    run.on_poll = [](void*) { return Interrupted() ? 1 : 0; };
    run.context = this;
    const TraceOptions& trace = options_.trace;
    if (!trace.path.empty()) {
      run.trace_path = trace.path.c_str();
      run.trace_first_cycle = trace.first_cycle;
      run.trace_last_cycle = trace.last_cycle;
      trace.signals->clear();
    }
    run.on_signal = &VerilatedDevice::OnSignal;
    run_(&run);
    end_cycle_ = static_cast<int64_t>(run.cycles);
    MACLOOM_RETURN_IF_ERROR(CheckInterrupted());
    MACLOOM_RETURN_IF_ERROR(CheckRun(run, macs));
    MACLOOM_RETURN_IF_ERROR(ReadRecords(memory));
    return std::move(result_);
  }

  WriteEvent LastWrite(int64_t address, int lane, uint32_t tag) const override {
    const auto found = written_.find(tag);
    if (found == written_.end()) return {-1, tag};
    const int64_t byte = address * config_.lanes + lane;
    if (byte < 0 || byte >= config_.activation_bytes) return {-1, tag};
    return {static_cast<int64_t>(found->second[static_cast<size_t>(byte)]), tag};
  }

  int64_t EndCycle() const override { return end_cycle_; }

 private:
  static void OnSignal(void* context, const char* path, uint32_t width_bits) {
    static_cast<VerilatedDevice*>(context)->options_.trace.signals->push_back({path, width_bits});
  }

  static void OnDone(void* context, uint32_t tag, uint64_t cycle) {
    auto& device = *static_cast<VerilatedDevice*>(context);
    device.done_.push_back({tag, cycle});
    if (tag >= device.job_->steps.size()) return;
    for (const arch::TensorRegion& region : device.job_->steps[tag].produces) {
      arch::UnpackRegion(*device.job_, region, device.activation_,
                         device.result_.tensors[static_cast<size_t>(region.tensor)]);
    }
    if (!device.job_->steps[tag].produces.empty()) device.written_[tag] = device.last_write_;
  }

  Status CheckRun(const LoomRun& run, int64_t macs) {
    if (run.error[0] != 0) return Failed(run.error);
    const std::array<uint32_t, 8> expected = {
        0x4D4C4F4D,
        1,
        static_cast<uint32_t>(std::stoul(arch::Digest(config_).substr(0, 8), nullptr, 16)),
        static_cast<uint32_t>(config_.rows | config_.lanes << 8 | config_.tile_pixels << 16 |
                              config_.requant_lanes << 24),
        static_cast<uint32_t>(config_.activation_banks | config_.register_bits() << 8 |
                              config_.axi_bytes() << 16 | config_.outstanding_bursts << 24),
        static_cast<uint32_t>(config_.activation_words()),
        static_cast<uint32_t>(config_.ring_rows()),
        static_cast<uint32_t>(config_.staging_words())};
    for (size_t i = 0; i < expected.size(); ++i) {
      if (run.registers[i] != expected[i]) {
        return Failed(fmt::format("register 0x{:03X} is 0x{:08X}, expected 0x{:08X}", 4 * i,
                                  run.registers[i], expected[i]));
      }
    }
    if (run.status != 2)
      return Failed(fmt::format("status register 0x{:08X} after the run", run.status));
    uint64_t classes = 0;
    for (size_t i = 1; i <= 7; ++i) classes += run.counters[i];
    if (classes != run.counters[0]) {
      return Failed(fmt::format("counters do not close: total {} but busy + stalls + idle {}",
                                run.counters[0], classes));
    }
    if (run.counters[8] != static_cast<uint64_t>(macs)) {
      return Failed(fmt::format("{} MACs counted, the job has {}", run.counters[8], macs));
    }
    for (size_t i = 0; i < kCounterFields.size(); ++i) {
      result_.total.*kCounterFields[i] = static_cast<int64_t>(run.counters[i]);
    }
    if (done_.size() != job_->steps.size()) {
      return Failed(fmt::format("{} of {} steps completed", done_.size(), job_->steps.size()));
    }
    return {};
  }

  /// A step's counters are the difference of its record and the one before, modulo 2^32.
  Status ReadRecords(const std::vector<uint8_t>& memory) {
    std::array<uint32_t, 14> previous{};
    for (size_t i = 0; i < done_.size(); ++i) {
      const auto [tag, cycle] = done_[i];
      const uint64_t address = job_->record_address + uint64_t{arch::kRecordBytes} * tag;
      if (tag != i || ReadWord(memory, address) != tag ||
          ReadWord(memory, address + 4) != arch::kRecordMagic) {
        return Failed(fmt::format("no valid completion record for step {}", i));
      }
      StepResult step;
      step.tag = tag;
      step.done_cycle = static_cast<int64_t>(cycle);
      for (size_t k = 0; k < kCounterFields.size(); ++k) {
        const uint32_t value = ReadWord(memory, address + 8 + 4 * k);
        step.counters.*kCounterFields[k] = static_cast<int64_t>(value - previous[k]);
        previous[k] = value;
      }
      result_.steps.push_back(step);
    }
    // Beats go on after the last record (the record itself is written); all else must agree.
    for (size_t k = 0; k < kCounterFields.size(); ++k) {
      if (kCounterFields[k] == &StepCounters::write_beats) continue;
      if (previous[k] != static_cast<uint32_t>(result_.total.*kCounterFields[k])) {
        return Failed(fmt::format("the last record differs from the registers in counter {}", k));
      }
    }
    return {};
  }

  /// Becomes cycle -1 in LastWrite().
  static constexpr uint64_t kNeverWritten = ~uint64_t{0};

  arch::HardwareConfig config_;
  VerilatedOptions options_;
  void* library_;
  RunFunction run_;
  const arch::Job* job_ = nullptr;
  DeviceRun result_;
  int64_t end_cycle_ = -1;
  std::vector<uint8_t> activation_;
  std::vector<uint64_t> last_write_;
  std::vector<std::pair<uint32_t, uint64_t>> done_;
  std::map<uint32_t, std::vector<uint64_t>> written_;  ///< last_write_ when a tag completed.
};

}  // namespace

Result<std::unique_ptr<Device>> MakeVerilatedDevice(const arch::HardwareConfig& config,
                                                    const VerilatedOptions& options) {
  MACLOOM_ASSIGN_OR_RETURN(const std::filesystem::path model, BuildModel(config, options.model));
  void* library = ::dlopen(model.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{ErrorKind::kToolFailed, fmt::format("cannot load the RTL model: {}", ::dlerror())};
  }
  const auto version =
      reinterpret_cast<uint32_t (*)()>(::dlsym(library, "macloom_harness_abi_version"));
  const auto run = reinterpret_cast<RunFunction>(::dlsym(library, "macloom_harness_run"));
  if (version == nullptr || run == nullptr || version() != MACLOOM_HARNESS_ABI_VERSION) {
    ::dlclose(library);
    return Error{ErrorKind::kToolFailed,
                 fmt::format("{} is not a model of this version", model.string())};
  }
  return std::unique_ptr<Device>(std::make_unique<VerilatedDevice>(config, options, library, run));
}

std::unique_ptr<Device> MakeLinkedDevice(const arch::HardwareConfig& config,
                                         const VerilatedOptions& options, void (*run)(LoomRun*)) {
  return std::make_unique<VerilatedDevice>(config, options, nullptr, run);
}

}  // namespace macloom::sim
