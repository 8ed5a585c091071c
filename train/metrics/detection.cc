#include "train/metrics/detection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace macloom::metrics {

Detection Detect(int true_class, std::span<const double> probabilities,
                 const std::vector<bool>& is_keyword) {
  MACLOOM_CHECK(probabilities.size() == is_keyword.size());
  Detection detection;
  for (size_t c = 0; c < probabilities.size(); ++c) {
    if (!is_keyword[c]) continue;
    if (detection.keyword >= 0 && probabilities[c] <= detection.score) continue;
    detection.keyword = static_cast<int>(c);
    detection.score = probabilities[c];
  }
  MACLOOM_CHECK(detection.keyword >= 0);
  MACLOOM_CHECK(true_class >= 0 && true_class < std::ssize(is_keyword));
  if (is_keyword[static_cast<size_t>(true_class)]) detection.truth = true_class;
  return detection;
}

double DetectionRates::Frr() const {
  return num_keyword_clips == 0
             ? 0.0
             : static_cast<double>(false_rejections) / static_cast<double>(num_keyword_clips);
}

double DetectionRates::Fdr() const {
  return detections == 0 ? 0.0
                         : static_cast<double>(false_detections) / static_cast<double>(detections);
}

DetectionRates RatesAt(std::span<const Detection> clips, double threshold) {
  DetectionRates rates;
  for (const Detection& clip : clips) {
    const bool is_detected = clip.score >= threshold;
    if (clip.truth >= 0) {
      ++rates.num_keyword_clips;
      rates.false_rejections += is_detected ? 0 : 1;
    }
    rates.detections += is_detected ? 1 : 0;
    rates.false_detections += is_detected && clip.truth != clip.keyword ? 1 : 0;
  }
  return rates;
}

Result<double> ThresholdAtFrr(std::span<const Detection> clips, double max_frr) {
  if (!(max_frr >= 0.0 && max_frr < 1.0)) {
    return InvalidInput(fmt::format("false rejection rate {}; accepted are 0 to below 1", max_frr));
  }
  std::vector<double> scores;
  for (const Detection& clip : clips) {
    if (clip.truth >= 0) scores.push_back(clip.score);
  }
  if (scores.empty()) return InvalidInput("threshold: no clip with a keyword to choose it by");
  std::sort(scores.begin(), scores.end());
  // A count that is whole in exact arithmetic (0.05 * 20) must not fall to the one below.
  const double allowed = std::floor(max_frr * static_cast<double>(scores.size()) + 1e-9);
  return scores[std::min(scores.size() - 1, static_cast<size_t>(allowed))];
}

}  // namespace macloom::metrics
