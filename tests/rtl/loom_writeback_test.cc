// loom_writeback (4 rows, 16 lanes, 8 requantization lanes, 32-bit accumulators, full multipliers):
// every chunk comes out after its latency, at its place, with the codes of the formulas.
#include <array>
#include <cstring>
#include <map>

#include "Vloom_writeback_mux.h"
#include "tests/rtl/mutant_test.h"
#include "tests/rtl/requantization_model.h"

namespace macloom {
namespace {

constexpr int kRows = 4, kLanes = 16, kRequantLanes = 8;
constexpr int64_t kSumLatency = 5, kAddLatency = 7;
enum : int { kConv = 1, kDepthwise = 2, kAdd = 3 };  // Opcodes, rtl/lib/loom_pkg.sv.

/// The descriptor fields the unit reads.
struct Operation {
  int opcode = kConv;
  bool per_layer = false, unit_weights = false;
  /// Multiplier and shift of the layer, its rounding, zero point, clamps.
  testing::RequantInput layer;
  int zero_a = 0, zero_b = 0, add_shift = 0;
  int64_t add_multiplier = 0;
  bool is_fine = false;

  std::array<uint8_t, 128> Descriptor(Rng& rng) const {
    std::array<uint8_t, 128> bytes;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng.Next());
    const auto put = [&](size_t bit, int64_t value, size_t size) {
      std::memcpy(&bytes[bit / 8], &value, size);
    };
    put(0, opcode, 1);
    put(208, (bytes[26] & ~3) | per_layer | unit_weights << 1, 1);
    put(504, layer.zero, 1);
    put(576, (bytes[72] & ~3) | layer.mode, 1);
    put(584, layer.low, 1);
    put(592, layer.high, 1);
    put(608, layer.multiplier, 4);
    put(640, layer.shift, 1);
    put(656, layer.mean_half, 2);
    put(688, zero_a, 1);
    put(696, zero_b, 1);
    put(704, add_multiplier, 4);
    put(736, add_shift, 1);
    return bytes;
  }
};

/// A chunk on its way.
struct Write {
  uint16_t address;
  int slot, lanes;
  std::array<testing::RequantOutput, kRequantLanes> codes;
};

int64_t RandomMultiplier(Rng& rng) { return rng.UniformInt(int64_t{1} << 30, 0x7fffffff); }

/// A small multiplier and a large sum whose product is a code, so that every bit of both counts.
void DrawSmallScale(Rng& rng, int64_t& sum, int32_t& multiplier, int8_t& shift) {
  const int bits = static_cast<int>(rng.UniformInt(7, 20));
  multiplier = static_cast<int32_t>(rng.UniformInt(1, (int64_t{1} << bits) - 1));
  shift = static_cast<int8_t>(7 - bits);
  sum = rng.UniformInt(0, 0x3fffffff) + (int64_t{1} << 30);
  if (rng.Bernoulli(0.5)) sum = -sum;
}

/// A product half way between two codes: single and double rounding part below 0.
void DrawTie(Rng& rng, int64_t& sum, int32_t& multiplier, int8_t& shift) {
  multiplier = 1 << 30;
  shift = static_cast<int8_t>(rng.UniformInt(-12, -1));
  sum = (2 * rng.UniformInt(-100, 100) + 1) * (int64_t{1} << -shift);
}

Operation Draw(Rng& rng) {
  Operation op;
  op.opcode = static_cast<int>(rng.UniformInt(kConv, kAdd));
  op.per_layer = rng.Bernoulli(0.3);
  op.unit_weights = op.opcode == kDepthwise && rng.Bernoulli(0.3);
  testing::RequantInput& layer = op.layer;
  layer.mode = op.unit_weights ? testing::kMean : static_cast<int>(rng.UniformInt(0, 1));
  layer.zero = op.unit_weights ? 0 : static_cast<int>(rng.UniformInt(-128, 127));
  layer.low = static_cast<int>(rng.UniformInt(-128, 0));
  layer.high = static_cast<int>(rng.UniformInt(1, 127));
  layer.multiplier = RandomMultiplier(rng);
  layer.shift = static_cast<int>(op.unit_weights ? rng.UniformInt(31, 37) : rng.UniformInt(-20, 0));
  layer.mean_half = static_cast<int>(rng.UniformInt(0, 40));
  if (op.opcode == kAdd) layer.shift = static_cast<int>(rng.UniformInt(-20, -17));
  op.zero_a = static_cast<int>(rng.UniformInt(-128, 127));
  op.zero_b = static_cast<int>(rng.UniformInt(-128, 127));
  op.add_multiplier = RandomMultiplier(rng);
  op.add_shift = -static_cast<int>(rng.UniformInt(0, 5));
  // Operand a at its zero point, b in quarters and halves: its rounding shows in the code.
  if (op.opcode == kAdd && rng.Bernoulli(0.4)) {
    op.is_fine = true;
    op.add_multiplier = int64_t{1} << 30;
    op.add_shift = -static_cast<int>(rng.UniformInt(18, 22));
    layer.shift = -static_cast<int>(rng.UniformInt(0, 2));
  }
  return op;
}

class Bench {
 public:
  Bench(Vloom_writeback_mux& dut, Rng& rng) : dut_(dut), rng_(rng) { Reset(); }

  int64_t mismatches() const { return mismatches_; }

  void Run(const Operation& op) {
    const std::array<uint8_t, 128> descriptor = op.Descriptor(rng_);
    std::memcpy(&dut_.desc_i, descriptor.data(), sizeof descriptor);
    dut_.conv_i = op.opcode == kConv;
    const double rate = rng_.Bernoulli(0.3) ? 1.0 : rng_.UniformDouble();
    for (int64_t left = rng_.UniformInt(1, 60); left > 0 || !writes_.empty(); --left) {
      Drive(op, left > 0 && rng_.Bernoulli(rate));
      dut_.clk_i = 0;
      dut_.eval();
      Check(op);
      dut_.clk_i = 1;
      dut_.eval();
      ++now_;
      if (mismatches_ > 0) return;
      if (rng_.Bernoulli(0.002)) Reset();
    }
  }

 private:
  void Expect(bool ok) { mismatches_ += !ok; }

  /// Everything that is not valid is random.
  void Drive(const Operation& op, bool valid) {
    const bool add = op.opcode == kAdd;
    dut_.acc_valid_i = valid && !add;
    dut_.add_valid_i = valid && add;
    std::array<int32_t, kRequantLanes> sums, multipliers;
    std::array<int8_t, kRequantLanes> shifts, a, b;
    Write write{};
    write.address = static_cast<uint16_t>(rng_.Next());
    const bool conv = op.opcode == kConv;
    write.slot = static_cast<int>(rng_.UniformInt(0, kLanes / (conv ? kRows : kRequantLanes) - 1));
    write.lanes = static_cast<int>(rng_.UniformInt(0, conv ? 15 : 255));
    for (size_t r = 0; r < kRequantLanes; ++r) {
      testing::RequantInput in = op.layer;
      multipliers[r] = static_cast<int32_t>(RandomMultiplier(rng_));
      shifts[r] = static_cast<int8_t>(rng_.UniformInt(-20, 0));
      a[r] = op.is_fine ? static_cast<int8_t>(op.zero_a) : static_cast<int8_t>(rng_.Next());
      b[r] = static_cast<int8_t>(rng_.Next());
      // Near the range of the codes, mostly; a mean is taken of sums of codes.
      const int scale = op.per_layer || op.unit_weights || add ? in.shift : shifts[r];
      const int bits = op.unit_weights || rng_.Bernoulli(0.9) ? 8 - std::min(scale, 0) : 31;
      const int64_t limit = (int64_t{1} << std::min(op.unit_weights ? 13 : bits, 31)) - 1;
      int64_t sum = rng_.UniformInt(-limit, limit);
      if (!op.per_layer && !op.unit_weights && !add) {
        if (rng_.Bernoulli(0.3)) DrawSmallScale(rng_, sum, multipliers[r], shifts[r]);
        if (rng_.Bernoulli(0.1)) DrawTie(rng_, sum, multipliers[r], shifts[r]);
        in.multiplier = multipliers[r];
        in.shift = shifts[r];
      }
      sums[r] = static_cast<int32_t>(sum);
      in.x = add ? testing::AdditionSum(a[r] - op.zero_a, b[r] - op.zero_b, op.add_multiplier,
                                        op.add_shift, op.layer.mode)
                 : sums[r];
      write.codes[r] = testing::Requantized(in);
    }
    std::memcpy(&dut_.acc_i, sums.data(), sizeof sums);
    std::memcpy(&dut_.acc_multiplier_i, multipliers.data(), sizeof multipliers);
    std::memcpy(&dut_.acc_shift_i, shifts.data(), sizeof shifts);
    std::memcpy(&dut_.add_a_i, a.data(), sizeof a);
    std::memcpy(&dut_.add_b_i, b.data(), sizeof b);
    (add ? dut_.add_addr_i : dut_.acc_addr_i) = write.address;
    (add ? dut_.acc_addr_i : dut_.add_addr_i) = static_cast<uint16_t>(rng_.Next());
    (add ? dut_.add_slot_i : dut_.acc_slot_i) = static_cast<uint8_t>(write.slot);
    (add ? dut_.add_lanes_i : dut_.acc_lanes_i) = static_cast<uint8_t>(write.lanes);
    if (valid) writes_[now_ + (add ? kAddLatency : kSumLatency)] = write;
  }

  void Check(const Operation& op) {
    Expect(dut_.busy_o == !writes_.empty());
    const auto due = writes_.find(now_);
    Expect(dut_.we_o == (due != writes_.end()));
    if (due == writes_.end()) {
      Expect(dut_.clamped_low_o == 0 && dut_.clamped_high_o == 0);
      return;
    }
    const Write& write = due->second;
    const int per_slot = op.opcode == kConv ? kRows : kRequantLanes;
    std::array<int8_t, kLanes> data;
    std::memcpy(data.data(), &dut_.wdata_o, sizeof data);
    int enables = 0, low = 0, high = 0;
    for (int r = 0; r < per_slot; ++r) {
      if (!(write.lanes >> r & 1)) continue;
      const int byte = write.slot * per_slot + r;
      const testing::RequantOutput& want = write.codes[static_cast<size_t>(r)];
      enables |= 1 << byte;
      low += want.is_low;
      high += want.is_high;
      Expect(data[static_cast<size_t>(byte)] == want.y);
    }
    Expect(dut_.waddr_o == write.address && dut_.be_o == enables);
    Expect(dut_.clamped_low_o == low && dut_.clamped_high_o == high);
    writes_.erase(due);
  }

  void Reset() {
    dut_.acc_valid_i = dut_.add_valid_i = 0;
    dut_.rst_ni = 1;
    dut_.eval();
    dut_.rst_ni = 0;
    dut_.eval();
    Expect(!dut_.we_o && !dut_.busy_o && dut_.clamped_low_o == 0 && dut_.clamped_high_o == 0);
    dut_.rst_ni = 1;
    dut_.eval();
    writes_.clear();
  }

  Vloom_writeback_mux& dut_;
  Rng& rng_;
  std::map<int64_t, Write> writes_;  ///< By the cycle in which they are due.
  int64_t now_ = 0, mismatches_ = 0;
};

TEST(WritebackTest, IsExactAndItsMutantsAreCaught) {
  testing::ExpectMutantsCaught<Vloom_writeback_mux>(8, [](Vloom_writeback_mux& dut, Rng& rng) {
    Bench bench(dut, rng);
    for (int run = 0; run < 300 && bench.mismatches() == 0; ++run) bench.Run(Draw(rng));
    return bench.mismatches();
  });
}

}  // namespace
}  // namespace macloom
