// What the accumulator explorer found out about one network on one configuration: plain data.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "explore/accum_area.h"
#include "ir/accumulator_range.h"

namespace macloom::explore {

/// Where the range of a layer's input codes comes from. The first two are proofs.
enum class RangeKind {
  kBitWidth,  ///< All codes of the format.
  kClamp,     ///< What the clamps of the producing layers let through.
  kObserved,  ///< Smallest and largest code seen on the samples.
};
inline constexpr int kNumRangeKinds = 3;

/// Bounds of one output channel's accumulator for one range of input codes, the hull over its
/// padding classes (docs/accumulator.md).
struct ChannelBounds {
  ir::AccumulatorRange any_order;       ///< Every prefix of every order.
  ir::AccumulatorRange hardware_order;  ///< Every prefix in the hardware's order.
  ir::AccumulatorRange final_sum;       ///< The whole sum only.
};

/// One output channel.
struct ChannelCertificate {
  int64_t start = 0;       ///< acc0.
  int64_t l1_norm = 0;     ///< Sum of |weights|.
  int data_type_bits = 0;  ///< From K, widths and |start| alone.
  int l1_bits = 0;         ///< From l1_norm, the input's width and |start|.
  std::array<ChannelBounds, kNumRangeKinds> bounds;  ///< By RangeKind.
  /// Seen on the samples; nullopt without samples. Prefixes include the start value.
  std::optional<ir::AccumulatorRange> observed_final, observed_prefix;
  bool is_dead = false;  ///< Constant output: every weight 0, or its multiplier is 0.
  /// The start value alone needs more bits than the products of the final sum.
  bool is_outlier_bias = false;
};

/// Widths of one layer or network, bits: the maximum over channels or layers.
struct Widths {
  int data_type = 0, l1 = 0;
  std::array<int, kNumRangeKinds> any_order = {}, hardware_order = {}, final_sum = {};
  int observed_prefix = 0, observed_final = 0;  ///< 0 without samples.
  int start = 0;                                ///< Of the start values alone.
  /// Without the channels named dead or outlier.
  int hardware_order_without_outliers = 0;
};

/// A node that accumulates.
struct LayerCertificate {
  int node = -1;
  std::string name, kind, order;  ///< `order` as ir::ToString(Accumulation) without the width.
  int64_t num_products = 0;       ///< K of one output.
  int64_t num_steps = 0;          ///< Steps of one output.
  int64_t num_outputs = 0;        ///< Of one sample.
  int64_t num_padding_classes = 0;
  std::array<ir::CodeRange, kNumRangeKinds> codes;
  std::vector<ChannelCertificate> channels;
  Widths widths;
};

/// What the adversarial inputs showed, per layer and form.
struct AdversarialSummary {
  int64_t num_inputs = 0;
  int64_t held_at_width = 0;      ///< At P: no event, or the right final sum.
  int64_t failed_below = 0;       ///< At P - 1: an event, a wrong sum or a refused start value.
  int64_t num_below_minimum = 0;  ///< P - 1 is below the 8 bits golden executes.
};

/// Counts of one layer over all samples of one sweep point.
struct LayerCounts {
  int node = -1;
  int64_t steps = 0, outputs = 0;
  int64_t events = 0;              ///< Steps that left the range.
  int64_t transient_outputs = 0;   ///< Outputs with an event.
  int64_t persistent_outputs = 0;  ///< Outputs whose final sum is not the exact one.
};

/// k of n with a Wilson 95 % interval; all 0 for n = 0.
struct Proportion {
  int64_t part = 0, whole = 0;
  double value = 0, low = 0, high = 0;
};

/// Arithmetic of a sweep point. Only the first two exist in RTL.
enum class Policy { kWrap, kSaturate, kSaturateAtEnd, kTwoLevel, kSorted, kDroppedBits };
std::string ToString(Policy policy);
bool ExistsInRtl(Policy policy);

/// All samples at one width.
struct SweepPoint {
  int width_bits = 0;
  Policy policy = Policy::kWrap;
  int parameter = 0;      ///< kTwoLevel: outer width; kDroppedBits: bits dropped per step; else 0.
  int node = -1;          ///< The only narrow layer; -1: all.
  bool is_rerun = false;  ///< False: exact, because no observed prefix leaves the width.
  std::string refusal;    ///< Why the point is not defined; empty: it is.
  Proportion accuracy;    ///< With labels.
  Proportion agreement;   ///< With the exact network.
  Proportion identical;   ///< Whole output tensor equal.
  /// 10 log10(sum exact^2 / sum error^2) over outputs before SOFTMAX, less their zero point;
  /// infinite without error.
  double sqnr_db = std::numeric_limits<double>::infinity();
  std::vector<LayerCounts> layers;  ///< Layers with an event or a wrong output.
};

/// A recommendation on samples that did not choose it.
struct HeldOut {
  SweepPoint point;           ///< Whole network; agreement.whole samples.
  Proportion exact_accuracy;  ///< Of the exact network on the same samples, with labels.
};

/// One width for the network, and one per layer, by one rule.
struct Recommendation {
  std::string rule;  ///< "proved", "observed", "accuracy".
  Policy policy = Policy::kWrap;
  int width_bits = 0;  ///< 8..32; 0: the rule gives none (no samples, nothing narrow enough).
  std::vector<int> layer_bits;  ///< By AccumResult::layers.
  std::optional<HeldOut> held_out = std::nullopt;
};

struct AccumResult {
  std::string network, network_digest, configuration, configuration_digest;
  bool is_untrained = false;
  bool is_identity_agreement = false;  ///< Agreement means an identical output (autoencoders).
  int64_t num_samples = 0;             ///< Observed and swept.
  int64_t num_held_out_samples = 0;    ///< Further ones, which only judge the recommendations.
  bool has_labels = false;
  std::vector<LayerCertificate> layers;
  Widths widths;
  std::optional<AdversarialSummary> adversarial_hardware_order, adversarial_final_sum;
  Proportion exact_accuracy;
  std::vector<SweepPoint> sweep;  ///< Whole network, RTL policies.
  std::vector<SweepPoint> layer_sweep;
  std::vector<SweepPoint> policy_sweep;         ///< Whole network, golden only.
  double saturating_inferences_per_second = 0;  ///< CPU time; 0: none ran.
  std::vector<Recommendation> recommendations;
  std::optional<AreaTable> area;  ///< If asked for.
};

}  // namespace macloom::explore
