// Which situations a campaign must meet, which of them can occur, and how often each did.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "campaign/execution.h"

namespace macloom::campaign {

/// Networks that need stripes are drawn up to this activation memory, and streams longer than the
/// weight ring up to this ring: beyond, the simulation of one network takes seconds.
inline constexpr int kMaxStripedMemoryBytes = 32768;
inline constexpr int kMaxWrappedRingBytes = 16384;

/// Columns of the coverage table: the operators that run on the device, then the whole network.
inline constexpr int kNumColumns = 10;
inline constexpr int kNetworkColumn = 9;
/// "CONV_2D", ..., "NETWORK".
std::string ColumnName(int column);
/// @return -1 for SOFTMAX, which runs on the host.
int ColumnOf(ir::OperatorKind kind);

/// Rows of the coverage table, in printing order. Definitions: docs/verification.md, "Campaign".
enum class Property {
  kOnePixel,
  kOddSizes,
  kOneChannel,
  kMoreChannelsThanLanes,
  kRemainderLanes,
  kRemainderRows,
  kSeveralTiles,
  kStriped,
  kIm2col,
  kRingWrap,
  kWeightsKept,
  kRowsReleased,
  kOneScale,
  kAlongY,
  kWindowChunks,
  kStride,
  kDilation,
  kDepthMultiplier,
  kSameInputTwice,
  kAxis0,
  kAxis1,
  kAxis2,
  kFlattens,
  kKeepsLayout,
  kNoPadding,
  kPadBefore,
  kPadAfter,
  kPadUneven,
  kPadCode,
  kDoubleRounding,
  kSingleRounding,
  kShift,
  kMean,
  kWrapHigh,
  kWrapLow,
  kSaturateHigh,
  kSaturateLow,
  kNarrowedWrap,
  kNarrowedSaturate,
  kClampLow,
  kClampHigh,
  kStallActivation,
  kStallWeight,
  kStallOutput,
  kStallDmaRead,
  kStallDmaWrite,
  kIdle,
  kIdealMemory,
  kStallingMemory,
  kChain,
  kExtremeWeights,
  kEqualWeights,
  kAlternatingWeights,
  kExtremeInput,
  kEqualInput,
  kAlternatingInput,
  kActivationBits2,
  kActivationBits3,
  kActivationBits4,
  kActivationBits5,
  kActivationBits6,
  kActivationBits7,
  kActivationBits8,
  kWeightBits2,
  kWeightBits3,
  kWeightBits4,
  kWeightBits5,
  kWeightBits6,
  kWeightBits7,
  kWeightBits8,
  kCount
};
inline constexpr int kNumProperties = static_cast<int>(Property::kCount);
std::string PropertyName(Property property);

/// One cell of the table.
struct Bin {
  Property property = Property::kOnePixel;
  int column = 0;
  auto operator<=>(const Bin&) const = default;
};
/// "CONV_2D: one pixel".
std::string ToString(const Bin& bin);

/// Whether a bin can be met at all: by what the operator is, and by what some configuration of
/// `configs` has. Bins excluded here have a reason in docs/verification.md.
bool CanOccur(const Bin& bin, const std::vector<arch::HardwareConfig>& configs);

/// Bins that a case meets before a device runs: shapes, formats, events by golden.
std::set<Bin> StaticBins(const Case& test_case, const Expected& expected);
/// Bins of the cycle classes that the RTL counted.
std::set<Bin> CounterBins(const arch::Job& job, const sim::DeviceRun& rtl);

/// Operator x shape class x policy x event, for the operators with accumulators.
struct Cross {
  int column = 0;
  Property shape = Property::kOnePixel;
  ir::Overflow overflow = ir::Overflow::kWrap;
  Property event = Property::kClampLow;
  auto operator<=>(const Cross&) const = default;
};

/// Hit counts.
class Coverage {
 public:
  explicit Coverage(const std::vector<arch::HardwareConfig>& configs);

  void Add(const std::set<Bin>& bins);
  /// The crosses of one network's static bins: both in the same network, in layers of one operator.
  void AddCrosses(const std::set<Bin>& bins, ir::Overflow overflow);
  bool IsRequired(const Bin& bin) const { return required_.count(bin) > 0; }
  int64_t hits(const Bin& bin) const;
  int64_t num_required() const { return static_cast<int64_t>(required_.size()); }
  int64_t num_hit() const { return num_required() - static_cast<int64_t>(missing().size()); }
  /// Required bins without a hit, in printing order.
  std::vector<Bin> missing() const;
  const std::set<Bin>& required() const { return required_; }
  /// Crosses are reported, not required: a run of a few hundred networks meets some of them.
  int64_t num_crosses() const { return static_cast<int64_t>(possible_crosses_.size()); }
  int64_t num_crosses_hit() const { return static_cast<int64_t>(crosses_.size()); }

 private:
  std::set<Bin> required_;
  std::set<Cross> possible_crosses_, crosses_;
  std::vector<int64_t> hits_;
};

}  // namespace macloom::campaign
