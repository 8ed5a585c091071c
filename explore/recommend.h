// From certificates and sweeps to widths one can build.
#pragma once

#include "arch/config.h"
#include "explore/accum_result.h"

namespace macloom::explore {

struct RecommendOptions {
  Policy policy = Policy::kWrap;  ///< kWrap or kSaturate.
  int margin_bits = 1;            ///< Added to what was observed.
  double max_loss_points = 1.0;  ///< Percentage points of accuracy, or of agreement without labels.
};

/// Three widths for the network, and for every layer (8..32 bits):
///   proved    wrap: the final-sum certificate; saturate: the hardware-order one; both for the
///             clamps' range. No value can be wrong.
///   observed  wrap: observed final sums, saturate: observed prefixes, plus the margin, at most
///             `proved`. Holds for the samples seen.
///   accuracy  the narrowest width from which on, up to the widest, the loss against the exact
///             network is at most max_loss_points.
std::vector<Recommendation> Recommend(const AccumResult& result, const RecommendOptions& options);

/// `config` with the recommended width and policy, named "NAME_pWIDTH". @return the validator's
/// error; kInvalidInput if the recommendation gives no width.
Result<arch::HardwareConfig> Apply(const arch::HardwareConfig& config,
                                   const Recommendation& recommendation);

}  // namespace macloom::explore
