// Keyword detection with a threshold: FDR at fixed FRR. Definitions: docs/metrics.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"

namespace macloom::metrics {

/// What a network says about one clip.
struct Detection {
  int truth = -1;      ///< Class of the keyword spoken; -1: none of the keywords.
  int keyword = -1;    ///< Class of the largest softmax among the keywords (smallest among equals).
  double score = 0.0;  ///< That softmax; the clip is detected if score >= threshold.
};

/// From softmax probabilities; `is_keyword[c]` is false for unknown and silence.
/// @pre Equal sizes, and at least one keyword (MACLOOM_CHECK).
Detection Detect(int true_class, std::span<const double> probabilities,
                 const std::vector<bool>& is_keyword);

/// Counts at one threshold.
struct DetectionRates {
  int64_t num_keyword_clips = 0;  ///< Clips with a keyword in them.
  int64_t false_rejections = 0;   ///< Of these, not detected (score below the threshold).
  int64_t detections = 0;         ///< Clips detected as any keyword.
  int64_t false_detections = 0;   ///< Of these, no keyword or another one spoken.

  /// False rejection rate: false_rejections / num_keyword_clips.
  double Frr() const;
  /// False discovery rate: false_detections / detections; 0 without detections.
  double Fdr() const;
};

DetectionRates RatesAt(std::span<const Detection> clips, double threshold);

/// The largest threshold whose FRR on `clips` is at most `max_frr` (0 to below 1): the score number
/// floor(max_frr * keyword clips), from 0, of the keyword clips by rising score.
/// @return kInvalidInput if there is no keyword clip or `max_frr` is out of range.
Result<double> ThresholdAtFrr(std::span<const Detection> clips, double max_frr);

}  // namespace macloom::metrics
