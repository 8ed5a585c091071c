// Drives a Verilated accelerator: clock, AXI4 memory with protocol checks, AXI4-Lite driver, probe.
//
// Compiled together with the model (class Vloom) into a shared library; see harness_abi.h.
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "Vloom.h"
#include "harness_abi.h"
#include "trace.h"
#include "verilated.h"

namespace {

constexpr int kQueue = 64;
constexpr uint64_t kPollCycles = 65536;
/// Cycles after which an AXI4-Lite access counts as lost.
constexpr int kRegisterLimit = 100;

/// Small deterministic generator (xorshift64*), so that a seed gives the same stalls everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ull + 0x1234567ull) {}
  uint64_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1Dull;
  }

 private:
  uint64_t state_;
};

struct Burst {
  uint64_t ready_cycle;
  uint32_t address;
  uint32_t beats;
};

/// A ring of bursts; the accelerator never has more than kQueue under way.
struct BurstQueue {
  Burst items[kQueue];
  uint32_t head = 0, count = 0;
  Burst& Front() { return items[head]; }
  void Push(const Burst& burst) { items[(head + count++) % kQueue] = burst; }
  void Pop() {
    head = (head + 1) % kQueue;
    --count;
  }
};

class Harness {
 public:
  explicit Harness(LoomRun* run)
      : run_(run),
        context_(new VerilatedContext),
        top_(new Vloom(context_.get())),
        random_(run->seed) {
    stall_threshold_ =
        run->random_stalls ? static_cast<uint64_t>(run->stall_probability * 4294967296.0) : 0;
    std::memset(run->error, 0, sizeof run->error);
  }

  void Run() {
    if (run_->trace_path != nullptr) OpenTrace();
    top_->rst_ni = 0;
    top_->sim_acc_narrow_i = static_cast<uint8_t>(run_->acc_narrow_bits);
    for (int i = 0; i < 4; ++i) Tick();
    top_->rst_ni = 1;
    for (uint32_t i = 0; i < 8; ++i) run_->registers[i] = ReadRegister(4 * i);
    WriteRegister(0x030, run_->first_descriptor);
    WriteRegister(0x02C, 7);
    WriteRegister(0x028, 3);
    start_cycle_ = cycle_;
    is_running_ = true;
    WriteRegister(0x020, 3);
    while (!top_->irq_o && run_->error[0] == 0) {
      Tick();
      if (cycle_ % kPollCycles == 0 && run_->on_poll(run_->context)) {
        Fail("interrupted in cycle %llu", static_cast<unsigned long long>(cycle_ - start_cycle_));
      }
      if (cycle_ - start_cycle_ > run_->cycle_limit) {
        is_running_ = false;
        const uint32_t tag = ReadRegister(0x034);
        Fail("no interrupt after %llu cycles; descriptor in work has tag %u",
             static_cast<unsigned long long>(run_->cycle_limit), tag);
      }
    }
    is_running_ = false;
    run_->cycles = cycle_ - start_cycle_;
    run_->status = ReadRegister(0x024);
    for (uint32_t i = 0; i < 14; ++i) {
      run_->counters[i] =
          ReadRegister(0x100 + 8 * i) | static_cast<uint64_t>(ReadRegister(0x104 + 8 * i)) << 32;
    }
    top_->final();
    if (trace_.isOpen()) {
      trace_.close();
      ForEachSignal(run_->trace_path, [this](const std::string& path, uint32_t width_bits) {
        run_->on_signal(run_->context, path.c_str(), width_bits);
      });
    }
  }

 private:
  void OpenTrace() {
#if defined(MACLOOM_TRACE_FST) || defined(MACLOOM_TRACE_VCD)
    context_->traceEverOn(true);
    context_->timeunit(-9);
    context_->timeprecision(-9);
    top_->trace(&trace_, 99);
    trace_.open(run_->trace_path);
#endif
    if (!trace_.isOpen()) Fail("cannot write the waves to %s", run_->trace_path);
  }

  /// Ten units of time are a cycle since the start: the rising edge at its end is at 10 * cycle
  /// + 5.
  void Trace(uint64_t half_cycle_units) {
    if (!is_running_ || !trace_.isOpen()) return;
    const uint64_t cycle = cycle_ - start_cycle_;
    if (cycle < run_->trace_first_cycle || cycle > run_->trace_last_cycle) return;
    trace_.dump(10 * cycle + half_cycle_units);
  }

  __attribute__((format(printf, 2, 3))) void Fail(const char* format, ...) {
    if (run_->error[0] != 0) return;
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(run_->error, sizeof run_->error, format, arguments);
    va_end(arguments);
  }

  bool Stall() { return stall_threshold_ != 0 && (random_.Next() >> 32) < stall_threshold_; }

  static constexpr uint32_t kBeatBytes = sizeof(Vloom::m_axi_rdata_i);

  /// One clock cycle: inputs and combinational outputs at the low phase, then the rising edge.
  void Tick() {
    Vloom& top = *top_;
    top.m_axi_arready_i = reads_.count < kQueue && !Stall();
    top.m_axi_awready_i = writes_.count < kQueue && !Stall();
    top.m_axi_wready_i = writes_.count > 0 && !Stall();
    // A response, once valid, stays until it is taken.
    response_held_ = responses_ > 0 && (response_held_ || !Stall());
    top.m_axi_bvalid_i = response_held_;
    top.m_axi_bresp_i = 0;
    beat_held_ =
        reads_.count > 0 && reads_.Front().ready_cycle <= cycle_ && (beat_held_ || !Stall());
    top.m_axi_rvalid_i = beat_held_;
    top.m_axi_rresp_i = 0;
    if (beat_held_) {
      std::memcpy(&top.m_axi_rdata_i, run_->memory + reads_.Front().address, kBeatBytes);
      top.m_axi_rlast_i = reads_.Front().beats == 1;
    }
    top.clk_i = 0;
    top.eval();
    if (top.rst_ni) {
      Observe();
      if (is_register_access_) ObserveRegisters();
    }
    Trace(0);
    top.clk_i = 1;
    top.eval();
    Trace(5);
    ++cycle_;
  }

  bool CheckBurst(const char* channel, uint32_t address, uint32_t length, uint32_t size,
                  uint32_t type) {
    const uint64_t bytes = (uint64_t{length} + 1) * kBeatBytes;
    if (length > 15) {
      Fail("AXI %s: %u beats at 0x%08x; at most 16", channel, length + 1, address);
    } else if (address % kBeatBytes != 0 || (1u << size) != kBeatBytes || type != 1) {
      Fail("AXI %s: address 0x%08x, size %u, burst %u: expected aligned INCR bursts of full beats",
           channel, address, size, type);
    } else if (address / 4096 != (address + bytes - 1) / 4096) {
      Fail("AXI %s: burst of %u beats at 0x%08x crosses 4 KB", channel, length + 1, address);
    } else if (address + bytes > run_->memory_bytes) {
      Fail("AXI %s: burst of %u beats at 0x%08x leaves the memory of %llu bytes", channel,
           length + 1, address, static_cast<unsigned long long>(run_->memory_bytes));
    } else {
      return true;
    }
    return false;
  }

  /// Handshakes of this cycle and the rule that valid and payload stay until ready.
  void Observe() {
    Vloom& top = *top_;
    if (ar_waiting_ && (!top.m_axi_arvalid_o || top.m_axi_araddr_o != ar_address_ ||
                        top.m_axi_arlen_o != ar_length_)) {
      Fail("AXI AR: valid, address or length changed before ready");
    }
    ar_waiting_ = top.m_axi_arvalid_o && !top.m_axi_arready_i;
    ar_address_ = top.m_axi_araddr_o;
    ar_length_ = top.m_axi_arlen_o;
    if (aw_waiting_ && (!top.m_axi_awvalid_o || top.m_axi_awaddr_o != aw_address_ ||
                        top.m_axi_awlen_o != aw_length_)) {
      Fail("AXI AW: valid, address or length changed before ready");
    }
    aw_waiting_ = top.m_axi_awvalid_o && !top.m_axi_awready_i;
    aw_address_ = top.m_axi_awaddr_o;
    aw_length_ = top.m_axi_awlen_o;
    if (w_waiting_ && (!top.m_axi_wvalid_o || top.m_axi_wstrb_o != w_strobes_ ||
                       static_cast<bool>(top.m_axi_wlast_o) != w_last_ ||
                       std::memcmp(w_data_, &top.m_axi_wdata_o, kBeatBytes) != 0)) {
      Fail("AXI W: valid, data, strobes or last changed before ready");
    }
    w_waiting_ = top.m_axi_wvalid_o && !top.m_axi_wready_i;
    if (w_waiting_) {
      w_strobes_ = static_cast<uint32_t>(top.m_axi_wstrb_o);
      w_last_ = top.m_axi_wlast_o;
      std::memcpy(w_data_, &top.m_axi_wdata_o, kBeatBytes);
    }

    if (top.m_axi_rvalid_i && top.m_axi_rready_o) {
      beat_held_ = false;
      Burst& burst = reads_.Front();
      burst.address += kBeatBytes;
      if (--burst.beats == 0) reads_.Pop();
    }
    if (top.m_axi_arvalid_o && top.m_axi_arready_i &&
        CheckBurst("AR", top.m_axi_araddr_o, top.m_axi_arlen_o, top.m_axi_arsize_o,
                   top.m_axi_arburst_o)) {
      uint64_t latency = run_->latency_cycles;
      if (run_->random_stalls && run_->max_extra_latency_cycles > 0) {
        latency += random_.Next() % (run_->max_extra_latency_cycles + 1);
      }
      reads_.Push({cycle_ + latency, top.m_axi_araddr_o, top.m_axi_arlen_o + 1u});
    }
    if (top.m_axi_bvalid_i && top.m_axi_bready_o) {
      response_held_ = false;
      --responses_;
    }
    if (top.m_axi_wvalid_o && top.m_axi_wready_i) {
      Burst& burst = writes_.Front();
      const uint8_t* data = reinterpret_cast<const uint8_t*>(&top.m_axi_wdata_o);
      for (uint32_t i = 0; i < kBeatBytes; ++i) {
        if ((static_cast<uint32_t>(top.m_axi_wstrb_o) >> i) & 1)
          run_->memory[burst.address + i] = data[i];
      }
      burst.address += kBeatBytes;
      --burst.beats;
      if ((burst.beats == 0) != static_cast<bool>(top.m_axi_wlast_o)) Fail("AXI W: wrong WLAST");
      if (burst.beats == 0) {
        writes_.Pop();
        ++responses_;
      }
    }
    if (top.m_axi_awvalid_o && top.m_axi_awready_i &&
        CheckBurst("AW", top.m_axi_awaddr_o, top.m_axi_awlen_o, top.m_axi_awsize_o,
                   top.m_axi_awburst_o)) {
      writes_.Push({0, top.m_axi_awaddr_o, top.m_axi_awlen_o + 1u});
    }
    if (top.probe_we_o != 0) MirrorWrites();
    if (top.probe_done_o && is_running_) {
      run_->on_done(run_->context, top.probe_tag_o, cycle_ - start_cycle_);
    }
  }

  void MirrorWrites() {
    Vloom& top = *top_;
    const uint8_t* address = reinterpret_cast<const uint8_t*>(&top.probe_addr_o);
    const uint8_t* enable = reinterpret_cast<const uint8_t*>(&top.probe_be_o);
    const uint8_t* data = reinterpret_cast<const uint8_t*>(&top.probe_data_o);
    const uint32_t lanes = run_->lanes;
    for (uint32_t b = 0; b < run_->banks; ++b) {
      if (((top.probe_we_o >> b) & 1) == 0) continue;
      uint16_t word = 0;
      std::memcpy(&word, address + 2 * b, 2);
      const uint64_t base = uint64_t{word} * lanes;
      if (base + lanes > run_->activation_bytes) {
        Fail("probe: word %u is outside the activation memory", word);
        return;
      }
      for (uint32_t l = 0; l < lanes; ++l) {
        const uint32_t bit = b * lanes + l;
        if (((enable[bit / 8] >> (bit % 8)) & 1) == 0) continue;
        run_->activation[base + l] = data[bit];
        run_->last_write_cycle[base + l] = cycle_ - start_cycle_;
      }
    }
  }

  /// Before each rising edge: AXI4-Lite handshakes of this cycle.
  void ObserveRegisters() {
    Vloom& top = *top_;
    if (top.s_axil_awvalid_i && top.s_axil_awready_o) taken_ |= kAddress;
    if (top.s_axil_wvalid_i && top.s_axil_wready_o) taken_ |= kData;
    if (top.s_axil_arvalid_i && top.s_axil_arready_o) taken_ |= kAddress;
    if (top.s_axil_bvalid_o && top.s_axil_bready_i) {
      taken_ |= kResponse;
      response_ = top.s_axil_bresp_o;
    }
    if (top.s_axil_rvalid_o && top.s_axil_rready_i) {
      taken_ |= kResponse;
      response_ = top.s_axil_rresp_o;
      read_data_ = top.s_axil_rdata_o;
    }
  }

  void WriteRegister(uint32_t address, uint32_t value) {
    Vloom& top = *top_;
    top.s_axil_awaddr_i = static_cast<uint16_t>(address);
    top.s_axil_wdata_i = value;
    top.s_axil_wstrb_i = 15;
    top.s_axil_bready_i = 1;
    taken_ = 0;
    is_register_access_ = true;
    for (int i = 0; i < kRegisterLimit && (taken_ & kResponse) == 0; ++i) {
      top.s_axil_awvalid_i = (taken_ & kAddress) == 0;
      top.s_axil_wvalid_i = (taken_ & kData) == 0;
      Tick();
    }
    top.s_axil_awvalid_i = 0;
    top.s_axil_wvalid_i = 0;
    CheckAnswer("write", address);
  }

  uint32_t ReadRegister(uint32_t address) {
    Vloom& top = *top_;
    top.s_axil_araddr_i = static_cast<uint16_t>(address);
    top.s_axil_rready_i = 1;
    taken_ = 0;
    is_register_access_ = true;
    for (int i = 0; i < kRegisterLimit && (taken_ & kResponse) == 0; ++i) {
      top.s_axil_arvalid_i = (taken_ & kAddress) == 0;
      Tick();
    }
    top.s_axil_arvalid_i = 0;
    top.s_axil_rready_i = 0;
    CheckAnswer("read", address);
    return read_data_;
  }

  void CheckAnswer(const char* access, uint32_t address) {
    is_register_access_ = false;
    if ((taken_ & kResponse) == 0) {
      Fail("AXI4-Lite: no answer to the %s of register 0x%03x", access, address);
    } else if (response_ != 0) {
      Fail("AXI4-Lite: response %u to the %s of register 0x%03x", response_, access, address);
    }
  }

  static constexpr uint32_t kAddress = 1, kData = 2, kResponse = 4;

  LoomRun* run_;
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Vloom> top_;
  TraceFile trace_;
  Random random_;
  uint64_t stall_threshold_ = 0;
  uint64_t cycle_ = 0, start_cycle_ = 0;
  bool is_running_ = false;
  BurstQueue reads_, writes_;
  uint32_t responses_ = 0;
  bool is_register_access_ = false;
  uint32_t taken_ = 0, response_ = 0, read_data_ = 0;
  bool response_held_ = false, beat_held_ = false;
  bool ar_waiting_ = false, aw_waiting_ = false, w_waiting_ = false;
  uint32_t ar_address_ = 0, aw_address_ = 0, ar_length_ = 0, aw_length_ = 0;
  uint32_t w_strobes_ = 0;
  bool w_last_ = false;
  uint8_t w_data_[kBeatBytes] = {};
};

}  // namespace

extern "C" uint32_t macloom_harness_abi_version(void) { return MACLOOM_HARNESS_ABI_VERSION; }

extern "C" void macloom_harness_run(LoomRun* run) {
  auto harness = std::make_unique<Harness>(run);
  harness->Run();
}
