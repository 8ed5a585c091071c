#include "cost/operand_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/digest.h"
#include "base/rng.h"

namespace macloom::cost {
namespace {

constexpr int kCyclesPerSum = 256;
constexpr double kSigmaOfLargest = 0.25;

/// Codes of a minifloat by increasing value, with their values.
std::vector<std::pair<double, int>> FiniteCodes(const MacSpec& spec) {
  std::vector<std::pair<double, int>> codes;
  const int man = spec.mantissa_bits;
  const int width = 1 + spec.exponent_bits + man;
  const int top = (1 << spec.exponent_bits) - 1;
  for (int code = 0; code < (1 << width); ++code) {
    const int exponent = (code >> man) & top;
    const int fraction = code & ((1 << man) - 1);
    if (exponent == top &&
        (spec.specials == 2 || (spec.specials == 1 && fraction == (1 << man) - 1))) {
      continue;
    }
    const double significand = exponent == 0 ? fraction : fraction + (1 << man);
    const double value = std::ldexp(significand, std::max(exponent, 1) - spec.bias - man);
    codes.emplace_back(code >> (width - 1) != 0 ? -value : value, code);
  }
  std::sort(codes.begin(), codes.end());
  return codes;
}

/// A normal value in the format, as code bits.
class OperandSource {
 public:
  OperandSource(const MacSpec& spec, int bits) : bits_(bits) {
    if (spec.is_minifloat) codes_ = FiniteCodes(spec);
  }

  uint64_t Next(Rng& rng) const {
    const double normal = rng.Normal() * kSigmaOfLargest;
    if (codes_.empty()) {
      const double largest = std::ldexp(1.0, bits_ - 1) - 1.0;
      const double value = std::clamp(std::nearbyint(normal * largest), -largest - 1.0, largest);
      return static_cast<uint64_t>(static_cast<int64_t>(value)) & ((uint64_t{1} << bits_) - 1);
    }
    const double value = normal * codes_.back().first;
    auto above = std::lower_bound(codes_.begin(), codes_.end(), std::pair<double, int>(value, 0));
    if (above == codes_.end()) --above;
    if (above != codes_.begin() && value - std::prev(above)->first < above->first - value) --above;
    return static_cast<uint64_t>(above->second);
  }

 private:
  int bits_;
  std::vector<std::pair<double, int>> codes_;
};

template <typename T>
std::string_view Bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

}  // namespace

std::string OperandTrace::Digest() const {
  std::string text = fmt::format("{}\n{} {}\n", source, cycles, lanes);
  text += Bytes(a);
  text += Bytes(b);
  text += Bytes(starts);
  return Sha256Hex(text);
}

OperandTrace GaussianOperands(const MacSpec& spec, int cycles, uint64_t seed) {
  const OperandSource a(spec, spec.OperandBits(0));
  const OperandSource b(spec, spec.OperandBits(1));
  const int accumulators = spec.shape == MacShape::kBare ? 1 : spec.lanes;
  Rng rng(seed);
  OperandTrace trace;
  trace.cycles = cycles;
  trace.lanes = spec.lanes;
  for (int cycle = 0; cycle < cycles; ++cycle) {
    for (int i = 0; i < spec.lanes * kOperandStreams; ++i) {
      trace.a.push_back(static_cast<uint16_t>(a.Next(rng)));
    }
    for (int i = 0; i < spec.lanes * kOperandStreams; ++i) {
      trace.b.push_back(static_cast<uint16_t>(b.Next(rng)));
    }
    trace.starts.push_back(cycle % kCyclesPerSum < accumulators ? ~uint64_t{0} : 0);
  }
  return trace;
}

}  // namespace macloom::cost
