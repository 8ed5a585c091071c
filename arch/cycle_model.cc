#include "arch/cycle_model.h"

#include <fmt/format.h>

#include "arch/cycle_dense.h"
#include "arch/cycle_drain.h"
#include "arch/cycle_memory.h"
#include "arch/cycle_stream.h"
#include "arch/cycle_window.h"

namespace macloom::arch {
namespace cycle {
namespace {

/// Clients of the read channel.
constexpr int kFetch = 0, kLoad = 1, kStream = 2;
/// Cycles from an issued step to its captured result.
constexpr int kDenseCycles = 5, kDepthwiseCycles = 4;

/// One compute operation: feeder, parameters, drain and lanes (twin: loom_core).
class Core {
 public:
  explicit Core(const HardwareConfig& config)
      : config_(config), bank_mask_(static_cast<uint32_t>(config.activation_banks - 1)) {}

  uint16_t rows_freed() const { return rows_freed_; }

  /// The start cycle; the operation runs from the next one on.
  void Start(const Descriptor& d) {
    opcode_ = static_cast<Opcode>(d.opcode());
    const uint32_t row_bytes = static_cast<uint32_t>(config_.rows * config_.lanes);
    const uint32_t param_rows = (d.stream_param_bytes() + row_bytes - 1) / row_bytes;
    has_stream_ = d.stream_groups() != 0;
    end_row_ = static_cast<uint16_t>(base_row_ +
                                     d.stream_groups() * (param_rows + d.stream_weight_rows()));
    if (opcode_ == Opcode::kAdd) {
      const int64_t chunks = config_.lanes / config_.requant_lanes;
      add_reads_left_ =
          int64_t{d.in_blocks()} * d.out_w() * d.out_h() * std::max(chunks, int64_t{2});
      // From the last word's first read: both reads, its chunks, prescaling, requantization.
      add_cycles_left_ =
          add_reads_left_ - std::max(chunks, int64_t{2}) + 2 + chunks + 3 + LaneLatency(config_);
      return;
    }
    loader_.Start(d, base_row_, param_rows);
    drain_.Start(d, config_);
    lanes_.Start(LaneLatency(config_));
    if (opcode_ == Opcode::kConv) {
      results_.Start(kDenseCycles);
      conv_.Start(d, config_, base_row_, param_rows);
      im2col_ = {};
      if (d.im2col() != 0) im2col_.Start(d, config_);
    } else {
      results_.Start(kDepthwiseCycles);
      window_.Start(d, config_, base_row_, param_rows);
    }
  }

  struct Outcome {
    Class kind = Class::kStallOutput;
    bool is_done = false, has_progress = false;
  };
  /// Cycles that all count as `kind` and change nothing outside the core, as long as no row is
  /// written; 0 if it takes a look at every cycle.
  struct Quiet {
    int64_t cycles = 0;
    Class kind = Class::kBusy;
    bool is_issue = false;
  };
  Quiet FindQuiet(uint16_t rows_written) const {
    if (opcode_ == Opcode::kAdd) {
      if (add_reads_left_ > 0) return {add_reads_left_, Class::kBusy, true};
      return {add_cycles_left_, Class::kStallOutput, false};
    }
    if (opcode_ != Opcode::kConv || !conv_.is_active() || !im2col_.is_done() ||
        !results_.is_empty() || !drain_.IsQuiet() || !loader_.IsQuiet() ||
        loader_.IsRequesting(rows_written)) {
      return {};
    }
    const ConvFeeder::Decision decision = conv_.Decide(loader_, rows_written, 0, true);
    if (!decision.is_issue) return {INT64_MAX, decision.kind, false};
    return {conv_.QuietIssues(rows_written), Class::kBusy, true};
  }
  void Skip(const Quiet& quiet, int64_t cycles) {
    if (opcode_ == Opcode::kAdd) {
      if (quiet.is_issue) add_reads_left_ -= cycles;
      add_cycles_left_ -= cycles;
      return;
    }
    if (quiet.is_issue) conv_.Skip(cycles);
    lanes_.Skip(cycles);
  }

  Outcome Clock(uint16_t rows_written) {
    Outcome outcome = opcode_ == Opcode::kAdd    ? ClockAdd()
                      : opcode_ == Opcode::kConv ? ClockConv(rows_written)
                                                 : ClockWindow(rows_written);
    if (outcome.is_done && has_stream_) base_row_ = rows_freed_ = end_row_;
    return outcome;
  }

 private:
  Outcome ClockAdd() {
    Outcome outcome{Class::kStallOutput, add_cycles_left_ == 0, true};
    if (add_reads_left_ > 0) {
      outcome.kind = Class::kBusy;
      --add_reads_left_;
    }
    --add_cycles_left_;
    return outcome;
  }

  Outcome ClockConv(uint16_t rows_written) {
    Outcome outcome;
    const ConvFeeder::Decision decision =
        conv_.Decide(loader_, rows_written, im2col_.num_pixels(), im2col_.is_done());
    const bool is_word_free =
        !lanes_.is_at_end() || ((lanes_.tag() ^ im2col_.write_address()) & bank_mask_) != 0;
    outcome.kind = decision.kind;
    outcome.is_done =
        !conv_.is_active() && !drain_.is_active() && im2col_.is_done() && lanes_.is_empty();
    outcome.has_progress = decision.is_issue || im2col_.is_writing();
    const Drain::Outcome drained = ClockDrain();
    const bool granted = !decision.is_row_read && loader_.IsRequesting(rows_written);
    const ConvFeeder::Outcome issued = conv_.Clock(decision, drained.is_consumed);
    if (!im2col_.is_done()) im2col_.Clock(is_word_free);
    results_.Clock(decision.is_result);
    loader_.Clock(granted, issued.used_set, drained.released_set);
    if (issued.is_release) rows_freed_ = issued.release_row;
    return outcome;
  }

  Outcome ClockWindow(uint16_t rows_written) {
    Outcome outcome;
    const WindowFeeder::Decision decision = window_.Decide(loader_, rows_written);
    outcome.kind = decision.kind;
    outcome.is_done = !window_.is_active() && !drain_.is_active() && lanes_.is_empty();
    outcome.has_progress = decision.is_issue;
    const Drain::Outcome drained = ClockDrain();
    const bool granted = !decision.is_row_read && loader_.IsRequesting(rows_written);
    const WindowFeeder::Outcome issued = window_.Clock(decision);
    results_.Clock(decision.is_result);
    loader_.Clock(granted, issued.used_set, drained.released_set);
    if (issued.is_release) rows_freed_ = issued.release_row;
    return outcome;
  }

  Drain::Outcome ClockDrain() {
    const bool is_captured = results_.is_at_end();
    const bool is_reading = drain_.is_reading(is_captured);
    const Drain::Outcome outcome = drain_.Clock(is_captured);
    lanes_.Clock(is_reading, outcome.address);
    return outcome;
  }

  const HardwareConfig& config_;
  uint32_t bank_mask_;
  Opcode opcode_ = Opcode::kEnd;
  bool has_stream_ = false;
  uint16_t base_row_ = 0, end_row_ = 0, rows_freed_ = 0;
  int64_t add_reads_left_ = 0, add_cycles_left_ = 0;
  ParameterLoader loader_;
  ConvFeeder conv_;
  WindowFeeder window_;
  Im2col im2col_;
  Drain drain_;
  Delay results_, lanes_;
};

/// Loads and stores (twin: loom_activation_dma).
class Transfer {
 public:
  explicit Transfer(const HardwareConfig& config)
      : beat_bytes_(static_cast<uint32_t>(config.axi_bytes())),
        beats_per_word_(static_cast<uint32_t>(config.lanes) / beat_bytes_) {}

  void Start(const Descriptor& d) {
    is_load_ = d.opcode() == static_cast<uint32_t>(Opcode::kLoad);
    row_beats_ = d.row_bytes() / beat_bytes_;
    row_pitch_ = d.ext_row_pitch();
    plane_pitch_ = d.ext_plane_pitch();
    rows_ = d.dma_rows();
    planes_ = d.dma_planes();
    address_ = line_ = plane_ = d.ext_address();
    left_ = row_beats_;
    ask_row_ = ask_plane_ = 0;
    is_asking_ = true;
    beats_left_ = int64_t{row_beats_} * rows_ * planes_;
    row_beat_ = 0;
    is_reading_ = is_held_ = false;
  }

  uint32_t ReadRequest() const { return is_asking_ && is_load_ ? Beats() : 0; }
  uint32_t WriteRequest() const { return is_asking_ && !is_load_ ? Beats() : 0; }
  bool has_store_beat() const { return is_held_; }
  bool is_done(bool is_write_idle) const {
    return !is_asking_ && beats_left_ == 0 && (is_load_ || is_write_idle);
  }

  void Clock(bool is_granted, bool is_beat) {
    const bool starts_reading = !is_load_ && beats_left_ > 0 && !is_reading_ && !is_held_;
    if (is_granted) Asked();
    if (is_reading_) is_held_ = true;
    is_reading_ = starts_reading;
    if (!is_beat) return;
    --beats_left_;
    ++row_beat_;
    const bool is_row_end = row_beat_ == row_beats_;
    if (is_row_end || row_beat_ % beats_per_word_ == 0) is_held_ = false;
    if (is_row_end) row_beat_ = 0;
  }

 private:
  uint32_t Beats() const { return BurstBeats(address_, left_, beat_bytes_); }

  void Asked() {
    const uint32_t beats = Beats();
    address_ += beats * beat_bytes_;
    left_ -= beats;
    if (left_ != 0) return;
    left_ = row_beats_;
    address_ = line_ += row_pitch_;
    if (++ask_row_ < rows_) return;
    ask_row_ = 0;
    address_ = line_ = plane_ += plane_pitch_;
    if (++ask_plane_ == planes_) is_asking_ = false;
  }

  uint32_t beat_bytes_, beats_per_word_;
  bool is_load_ = false, is_asking_ = false, is_reading_ = false, is_held_ = false;
  uint32_t row_beats_ = 0, row_pitch_ = 0, plane_pitch_ = 0, rows_ = 0, planes_ = 0;
  uint32_t address_ = 0, line_ = 0, plane_ = 0, left_ = 0, ask_row_ = 0, ask_plane_ = 0;
  int64_t beats_left_ = 0;
  uint32_t row_beat_ = 0;
};

/// The whole accelerator with its memory (twins: loom_sequencer, loom_descriptor_fetch).
class Machine {
 public:
  Machine(const Job& job, const MemoryModel& memory)
      : job_(job),
        stalls_(memory),
        reads_(job.config.outstanding_bursts),
        stream_(static_cast<uint32_t>(job.config.rows * job.config.lanes),
                static_cast<uint32_t>(job.config.ring_rows()),
                static_cast<uint32_t>(job.config.axi_bytes())),
        core_(job.config),
        transfer_(job.config),
        patience_cycles_(100'000 + 64 * (memory.latency_cycles + memory.max_extra_latency_cycles)) {
    records_.num_beats = static_cast<uint32_t>(kRecordBytes / job.config.axi_bytes());
    descriptor_beats_ = static_cast<uint32_t>(kDescriptorBytes / job.config.axi_bytes());
  }

  Result<CycleEstimate> Run() {
    CycleEstimate estimate;
    fetch_beats_ = descriptor_beats_;
    while (step_ < job_.steps.size()) {
      SkipQuiet();
      if (Clock()) {
        estimate.steps.push_back(counts_);
        estimate.total += counts_;
        counts_ = {};
        ++step_;
      }
      if (++now_ - last_progress_ > patience_cycles_) {
        return Error{ErrorKind::kCheckFailed,
                     fmt::format("cycle model: step {} of {} does nothing from cycle {} on", step_,
                                 job_.steps.size(), last_progress_)};
      }
    }
    estimate.total.write_beats += records_.num_beats;
    return estimate;
  }

 private:
  enum class State { kWait, kStart, kRun, kHold };

  const Descriptor& descriptor() const { return job_.steps[step_].descriptor; }
  Opcode opcode() const { return static_cast<Opcode>(descriptor().opcode()); }
  bool is_core() const {
    return opcode() == Opcode::kConv || opcode() == Opcode::kDepthwise || opcode() == Opcode::kAdd;
  }
  bool is_transfer() const { return opcode() == Opcode::kLoad || opcode() == Opcode::kStore; }

  int64_t* Counter(Class kind) {
    return kind == Class::kBusy              ? &counts_.busy_cycles
           : kind == Class::kStallActivation ? &counts_.stall_activation_cycles
           : kind == Class::kStallWeight     ? &counts_.stall_weight_cycles
                                             : &counts_.stall_output_cycles;
  }

  /// Takes all cycles at once up to the next one in which a decision can change.
  void SkipQuiet() {
    if (stalls_.any() || state_ != State::kRun || !is_core() || is_fetch_arriving_ ||
        records_.is_busy() || !writes_.is_idle() || !stream_.IsQuiet()) {
      return;
    }
    const Core::Quiet quiet = core_.FindQuiet(stream_.rows_written());
    if (quiet.cycles <= 1) return;
    int client = kNone;
    const bool is_requested = fetch_beats_ != 0 || stream_.Request(core_.rows_freed()) != 0;
    int64_t cycles = std::min(quiet.cycles, reads_.Quiet(now_, is_requested, &client));
    if (client == kStream) cycles = std::min(cycles, stream_.BeatsToRow() - 1);
    // Forever: let the patience run out.
    if (cycles <= 0 || cycles == INT64_MAX) return;
    core_.Skip(quiet, cycles);
    if (client != kNone) {
      reads_.Skip(cycles);
      counts_.read_beats += cycles;
      if (client == kStream) stream_.Skip(cycles);
      if (client == kFetch) fetched_beats_ += static_cast<uint32_t>(cycles);
    }
    *Counter(quiet.kind) += cycles;
    counts_.total_cycles += cycles;
    now_ += cycles;
    if (quiet.is_issue || client != kNone) last_progress_ = now_;
  }

  /// One cycle. @return true if the step ends in it.
  bool Clock() {
    const bool is_write_idle = writes_.is_idle();
    const bool is_running_transfer = state_ == State::kRun && is_transfer();
    const bool is_transfer_done = is_running_transfer && transfer_.is_done(is_write_idle);
    // Requests and channels.
    const std::array<uint32_t, 3> requests = {fetch_beats_,
                                              is_running_transfer ? transfer_.ReadRequest() : 0,
                                              stream_.Request(core_.rows_freed())};
    const ReadChannel::Outcome read = reads_.Clock(now_, requests, stalls_);
    const std::array<uint32_t, 2> write_requests = {
        is_running_transfer ? transfer_.WriteRequest() : 0,
        records_.is_asking ? records_.num_beats : 0};
    const WriteChannel::Outcome write = writes_.Clock(
        write_requests, {is_running_transfer && transfer_.has_store_beat(), records_.is_sending},
        stalls_);
    if (read.beat != kNone) ++counts_.read_beats;
    if (write.beat != kNone) ++counts_.write_beats;
    if (read.beat != kNone || write.beat != kNone) last_progress_ = now_;

    // The operation.
    bool is_operation_done =
        state_ == State::kRun && (opcode() == Opcode::kEnd || is_transfer_done);
    int64_t* counted = &counts_.idle_cycles;
    const uint16_t rows_written = stream_.rows_written();
    if (state_ == State::kRun && is_core()) {
      const Core::Outcome outcome = core_.Clock(rows_written);
      counted = Counter(outcome.kind);
      is_operation_done = outcome.is_done;
      if (outcome.has_progress) last_progress_ = now_;
    } else if (is_running_transfer) {
      counted = opcode() == Opcode::kLoad ? &counts_.stall_dma_read_cycles
                                          : &counts_.stall_dma_write_cycles;
      transfer_.Clock(read.granted == kLoad || write.granted == 0,
                      read.beat == kLoad || write.beat == 0);
    }
    ++*counted;
    ++counts_.total_cycles;
    const bool is_step_done = !records_.is_busy() && (state_ == State::kHold || is_operation_done);
    const bool is_recorded = is_step_done && descriptor().record() != 0;

    // Background.
    const Descriptor* pushed = nullptr;
    if (is_fetch_arriving_ && fetched().stream_groups() != 0) pushed = &fetched();
    stream_.Clock(pushed, read.granted == kStream ? requests[static_cast<size_t>(kStream)] : 0,
                  read.beat == kStream);
    records_.Clock(is_recorded, write.granted == 1, write.beat == 1);
    is_fetch_arriving_ = false;
    const bool was_fetched = is_fetched_;
    if (read.granted == kFetch) fetch_beats_ = 0;
    if (read.beat == kFetch && ++fetched_beats_ == descriptor_beats_) {
      fetched_beats_ = 0;
      is_fetched_ = is_fetch_arriving_ = true;
    }
    Advance(was_fetched, is_operation_done, is_step_done);
    return is_step_done;
  }

  /// The descriptor under way or waiting.
  const Descriptor& fetched() const { return job_.steps[fetching_].descriptor; }

  void Advance(bool was_fetched, bool is_operation_done, bool is_step_done) {
    switch (state_) {
      case State::kWait:
        if (!was_fetched) break;
        is_fetched_ = false;
        state_ = State::kStart;
        break;
      case State::kStart:
        if (is_core()) core_.Start(descriptor());
        if (is_transfer()) transfer_.Start(descriptor());
        if (step_ + 1 < job_.steps.size()) {
          fetching_ = step_ + 1;
          fetch_beats_ = descriptor_beats_;
        }
        state_ = State::kRun;
        break;
      case State::kRun:
        if (is_operation_done) state_ = State::kHold;
        if (is_step_done) state_ = State::kWait;
        break;
      case State::kHold:
        if (is_step_done) state_ = State::kWait;
        break;
    }
  }

  const Job& job_;
  Stalls stalls_;
  ReadChannel reads_;
  WriteChannel writes_;
  RecordWriter records_;
  StreamDma stream_;
  Core core_;
  Transfer transfer_;
  int64_t patience_cycles_;
  uint32_t descriptor_beats_ = 0;

  int64_t now_ = 0, last_progress_ = 0;
  State state_ = State::kWait;
  size_t step_ = 0, fetching_ = 0;
  uint32_t fetch_beats_ = 0, fetched_beats_ = 0;
  bool is_fetched_ = false, is_fetch_arriving_ = false;
  CycleCounts counts_;
};

}  // namespace
}  // namespace cycle

Result<CycleEstimate> EstimateCycles(const Job& job, const MemoryModel& memory) {
  const auto refuse = [](const char* what, const std::string& given, const char* range) {
    return Error{ErrorKind::kInvalidInput,
                 fmt::format("cycle model: {} is {}; it must be {}", what, given, range)};
  };
  if (memory.latency_cycles < 1 || memory.latency_cycles > 100'000)
    return refuse("memory latency", std::to_string(memory.latency_cycles), "1 to 100000 cycles");
  if (!(memory.stall_probability >= 0 && memory.stall_probability <= 0.99))
    return refuse("stall probability", fmt::format("{}", memory.stall_probability), "0 to 0.99");
  if (memory.max_extra_latency_cycles < 0 || memory.max_extra_latency_cycles > 100'000) {
    return refuse("extra memory latency", std::to_string(memory.max_extra_latency_cycles),
                  "0 to 100000 cycles");
  }
  return cycle::Machine(job, memory).Run();
}

}  // namespace macloom::arch
