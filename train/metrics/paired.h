// Two networks on the same clips: McNemar's test and the clustered bootstrap. docs/metrics.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace macloom::metrics {

/// Exact (binomial) McNemar test, two-sided.
struct McNemar {
  int64_t only_first_right = 0;   ///< b
  int64_t only_second_right = 0;  ///< c
  /// min(1, 2 sum over k <= min(b, c) of C(b + c, k) / 2^(b + c)); 1 if b + c is 0.
  double p_value = 1.0;
};

/// @pre Equal sizes (MACLOOM_CHECK).
McNemar McNemarTest(const std::vector<bool>& first_right, const std::vector<bool>& second_right);
McNemar McNemarTest(int64_t only_first_right, int64_t only_second_right);

/// Whether the first and the second network were right about one clip, in one seed's pair of runs.
struct PairedOutcome {
  int cluster = 0;  ///< What is drawn as a whole: the clip (all its seeds), or its speaker.
  bool is_first_right = false;
  bool is_second_right = false;
};

struct PairedDrop {
  double drop = 0.0;         ///< Accuracy of the first less that of the second, over all outcomes.
  double upper_limit = 0.0;  ///< One-sided upper limit of the drop.
  int64_t num_clusters = 0;
};

/// Percentile bootstrap of the accuracy drop over clusters: `num_resamples` times, as many clusters
/// as there are are drawn with replacement, each with all its outcomes; the limit is the
/// ceil(confidence * num_resamples)-th smallest drop.
/// @return kInvalidInput without outcomes, or unless 0 < confidence < 1 and 1 <= num_resamples <=
///         10^7.
Result<PairedDrop> BootstrapDrop(std::span<const PairedOutcome> outcomes, int num_resamples,
                                 uint64_t seed, double confidence = 0.95);

}  // namespace macloom::metrics
