// Tables of `macloom cost claim`.
#pragma once

#include <vector>

#include "cost/claim_result.h"

namespace macloom::cli {

/// All units of every level, ratios to int8/24 and in brackets to int8/32.
void PrintClaimLevels(const cost::ClaimTable& table);
/// Units below, in and above the band, by level, baseline and figure.
void PrintClaimCounts(const cost::ClaimTable& table);
void PrintClaimSensitivity(const cost::ClaimTable& table);
/// Accuracy beside cost.
void PrintClaimAccuracy(const cost::ClaimTable& table,
                        const std::vector<cost::ClaimAccuracy>& accuracies);
void PrintClaimVerdict(const cost::ClaimTable& table);

}  // namespace macloom::cli
