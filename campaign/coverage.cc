#include "campaign/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "ir/shape_inference.h"

namespace macloom::campaign {
namespace {

using arch::HardwareConfig;
using Configs = std::vector<HardwareConfig>;

// Columns as bits.
constexpr unsigned kConv = 1, kDw = 2, kFc = 4, kAvg = 8, kMax = 16, kAdd = 32, kConcat = 64,
                   kPad = 128, kReshape = 256, kNetwork = 512;
constexpr unsigned kWeighted = kConv | kDw | kFc, kWindowed = kConv | kDw | kAvg | kMax;
constexpr unsigned kImages = kWindowed | kAdd | kConcat | kPad;
/// Operators that the window engine runs.
constexpr unsigned kTapped = kDw | kAvg | kMax | kPad | kConcat;

bool Always(const Configs&) { return true; }
template <typename Predicate>
bool Some(const Configs& configs, Predicate predicate) {
  return std::ranges::any_of(configs, predicate);
}
bool HasRows(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) { return config.rows > 1; });
}
bool HasSmallMemory(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) {
    return config.activation_bytes <= kMaxStripedMemoryBytes;
  });
}
bool HasSmallRing(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) {
    return config.weight_ring_bytes <= kMaxWrappedRingBytes;
  });
}
bool HasMultiplier(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) { return config.multiplier_bits() > 0; });
}
bool HasAddMultiplier(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) {
    return config.requant_kind == arch::RequantKind::k32x31;
  });
}
bool CanWrap(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) {
    return config.accumulator_policy != arch::AccumulatorPolicy::kSaturate;
  });
}
bool CanSaturate(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) {
    return config.accumulator_policy != arch::AccumulatorPolicy::kWrap;
  });
}
template <int kBits>
bool HasActivationBits(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) { return config.activation_bits >= kBits; });
}
template <int kBits>
bool HasWeightBits(const Configs& c) {
  return Some(c, [](const HardwareConfig& config) { return config.weight_bits >= kBits; });
}

struct Row {
  Property property;
  const char* name;
  unsigned columns;
  bool (*is_possible)(const Configs&) = Always;
};

const std::array<Row, kNumProperties>& Rows() {
  using P = Property;
  constexpr unsigned kAccumulating = kWeighted | kAvg;
  static const std::array<Row, kNumProperties> rows = {{
      {P::kOnePixel, "output of one pixel", kImages},
      {P::kOddSizes, "odd height and width", kImages},
      {P::kOneChannel, "one channel", kImages | kFc | kReshape},
      {P::kMoreChannelsThanLanes, "channels > lanes", kImages | kFc | kReshape},
      {P::kRemainderLanes, "remainder lanes", kImages | kFc | kReshape},
      {P::kRemainderRows, "remainder rows", kWeighted | kAvg | kMax, HasRows},
      {P::kSeveralTiles, "several tiles", kConv | kTapped},
      {P::kStriped, "striped", kImages, HasSmallMemory},
      {P::kIm2col, "im2col", kConv | kDw},
      {P::kRingWrap, "weight ring wraps", kWeighted, HasSmallRing},
      {P::kWeightsKept, "weights kept in ring", kConv},
      {P::kRowsReleased, "rows freed when read", kConv | kFc},
      {P::kOneScale, "one scale per layer", kWeighted},
      {P::kAlongY, "rows along y", kDw | kAvg, HasRows},
      {P::kWindowChunks, "window in chunks", kDw | kAvg | kMax},
      {P::kStride, "stride > 1", kWindowed},
      {P::kDilation, "dilation > 1", kConv | kDw},
      {P::kDepthMultiplier, "depth multiplier > 1", kDw},
      {P::kSameInputTwice, "one tensor twice", kAdd | kConcat},
      {P::kAxis0, "axis 0", kConcat},
      {P::kAxis1, "axis 1", kConcat},
      {P::kAxis2, "axis 2", kConcat},
      {P::kFlattens, "flattens an image", kReshape},
      {P::kKeepsLayout, "keeps the layout", kReshape},
      {P::kNoPadding, "no padding", kWindowed | kPad},
      {P::kPadBefore, "padding top or left", kWindowed | kPad},
      {P::kPadAfter, "padding bottom or right", kWindowed | kPad},
      {P::kPadUneven, "uneven padding", kWindowed | kPad},
      {P::kPadCode, "padding not 0", kConv | kDw | kPad},
      {P::kDoubleRounding, "double rounding", kWeighted | kAdd, HasMultiplier},
      {P::kSingleRounding, "single rounding", kWeighted | kAdd, HasMultiplier},
      {P::kShift, "shift", kWeighted | kAvg | kAdd},
      {P::kMean, "mean", kAvg},
      {P::kWrapHigh, "wrap: overflow high", kAccumulating, CanWrap},
      {P::kWrapLow, "wrap: overflow low", kAccumulating, CanWrap},
      {P::kSaturateHigh, "saturate: overflow high", kAccumulating, CanSaturate},
      {P::kSaturateLow, "saturate: overflow low", kAccumulating, CanSaturate},
      {P::kNarrowedWrap, "wrap: narrowed", kAccumulating, CanWrap},
      {P::kNarrowedSaturate, "saturate: narrowed", kAccumulating, CanSaturate},
      {P::kClampLow, "clamp low", kAccumulating | kMax | kAdd},
      {P::kClampHigh, "clamp high", kAccumulating | kMax | kAdd},
      {P::kStallActivation, "stall: activation", kConv | kTapped},
      {P::kStallWeight, "stall: weight", kWeighted},
      {P::kStallOutput, "stall: output", kImages | kFc},
      {P::kStallDmaRead, "stall: DMA read", kNetwork},
      {P::kStallDmaWrite, "stall: DMA write", kNetwork},
      {P::kIdle, "idle", kImages | kFc},
      {P::kIdealMemory, "ideal memory", kNetwork},
      {P::kStallingMemory, "stalling memory", kNetwork},
      {P::kChain, "three layers or more", kNetwork},
      {P::kExtremeWeights, "weights: extreme", kNetwork},
      {P::kEqualWeights, "weights: all equal", kNetwork},
      {P::kAlternatingWeights, "weights: alternating", kNetwork},
      {P::kExtremeInput, "input: extreme", kNetwork},
      {P::kEqualInput, "input: all equal", kNetwork},
      {P::kAlternatingInput, "input: alternating", kNetwork},
      {P::kActivationBits2, "2-bit activations", kNetwork, HasActivationBits<2>},
      {P::kActivationBits3, "3-bit activations", kNetwork, HasActivationBits<3>},
      {P::kActivationBits4, "4-bit activations", kNetwork, HasActivationBits<4>},
      {P::kActivationBits5, "5-bit activations", kNetwork, HasActivationBits<5>},
      {P::kActivationBits6, "6-bit activations", kNetwork, HasActivationBits<6>},
      {P::kActivationBits7, "7-bit activations", kNetwork, HasActivationBits<7>},
      {P::kActivationBits8, "8-bit activations", kNetwork, HasActivationBits<8>},
      {P::kWeightBits2, "2-bit weights", kNetwork, HasWeightBits<2>},
      {P::kWeightBits3, "3-bit weights", kNetwork, HasWeightBits<3>},
      {P::kWeightBits4, "4-bit weights", kNetwork, HasWeightBits<4>},
      {P::kWeightBits5, "5-bit weights", kNetwork, HasWeightBits<5>},
      {P::kWeightBits6, "6-bit weights", kNetwork, HasWeightBits<6>},
      {P::kWeightBits7, "7-bit weights", kNetwork, HasWeightBits<7>},
      {P::kWeightBits8, "8-bit weights", kNetwork, HasWeightBits<8>},
  }};
  return rows;
}

const Row& RowOf(Property property) {
  const Row& row = Rows()[static_cast<size_t>(property)];
  MACLOOM_CHECK(row.property == property);
  return row;
}

size_t IndexOf(const Bin& bin) {
  return static_cast<size_t>(bin.property) * kNumColumns + static_cast<size_t>(bin.column);
}

constexpr ir::OperatorKind kColumns[] = {
    ir::OperatorKind::kConv2d,         ir::OperatorKind::kDepthwiseConv2d,
    ir::OperatorKind::kFullyConnected, ir::OperatorKind::kAveragePool2d,
    ir::OperatorKind::kMaxPool2d,      ir::OperatorKind::kAdd,
    ir::OperatorKind::kConcatenation,  ir::OperatorKind::kPad,
    ir::OperatorKind::kReshape};

}  // namespace

std::string ColumnName(int column) {
  return column == kNetworkColumn ? "NETWORK" : ir::ToString(kColumns[column]);
}

int ColumnOf(ir::OperatorKind kind) {
  const auto found = std::ranges::find(kColumns, kind);
  return found == std::end(kColumns) ? -1 : static_cast<int>(found - std::begin(kColumns));
}

std::string PropertyName(Property property) { return RowOf(property).name; }

std::string ToString(const Bin& bin) {
  return fmt::format("{}: {}", ColumnName(bin.column), PropertyName(bin.property));
}

bool CanOccur(const Bin& bin, const Configs& configs) {
  const Row& row = RowOf(bin.property);
  if ((row.columns >> bin.column & 1) == 0 || !row.is_possible(configs)) return false;
  if (bin.column != ColumnOf(ir::OperatorKind::kAdd)) return true;
  // A 24-bit operand does not take the sum of an addition by multipliers.
  if (bin.property == Property::kDoubleRounding || bin.property == Property::kSingleRounding) {
    return HasAddMultiplier(configs);
  }
  return HasAddMultiplier(configs) || Some(configs, [](const HardwareConfig& config) {
           return config.requant_kind == arch::RequantKind::kShift;
         });
}

Coverage::Coverage(const Configs& configs) : hits_(kNumProperties * kNumColumns, 0) {
  for (int property = 0; property < kNumProperties; ++property) {
    for (int column = 0; column < kNumColumns; ++column) {
      const Bin bin{static_cast<Property>(property), column};
      if (CanOccur(bin, configs)) required_.insert(bin);
    }
  }
  using P = Property;
  const std::pair<ir::Overflow, std::array<P, 4>> events[] = {
      {ir::Overflow::kWrap, {P::kWrapHigh, P::kWrapLow, P::kClampHigh, P::kClampLow}},
      {ir::Overflow::kSaturate, {P::kSaturateHigh, P::kSaturateLow, P::kClampHigh, P::kClampLow}}};
  for (const Bin& shape : required_) {
    if (shape.property > P::kRingWrap) continue;
    for (const auto& [overflow, of_policy] : events) {
      // Both events of a policy that the operator and the configurations can have.
      if (!IsRequired({of_policy[0], shape.column})) continue;
      for (const P event : of_policy) {
        possible_crosses_.insert({shape.column, shape.property, overflow, event});
      }
    }
  }
}

void Coverage::Add(const std::set<Bin>& bins) {
  for (const Bin& bin : bins) ++hits_[IndexOf(bin)];
}

void Coverage::AddCrosses(const std::set<Bin>& bins, ir::Overflow overflow) {
  for (const Cross& cross : possible_crosses_) {
    if (cross.overflow == overflow && bins.count({cross.shape, cross.column}) > 0 &&
        bins.count({cross.event, cross.column}) > 0) {
      crosses_.insert(cross);
    }
  }
}

int64_t Coverage::hits(const Bin& bin) const { return hits_[IndexOf(bin)]; }

std::vector<Bin> Coverage::missing() const {
  std::vector<Bin> result;
  for (const Bin& bin : required_) {
    if (hits(bin) == 0) result.push_back(bin);
  }
  return result;
}

}  // namespace macloom::campaign
