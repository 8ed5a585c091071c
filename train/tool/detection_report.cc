#include "train/tool/detection_report.h"

#include <algorithm>

#include "train/metrics/detection.h"

namespace macloom::train {
namespace {

std::vector<metrics::Detection> Detections(const Clips& clips,
                                           const std::vector<double>& probabilities,
                                           const std::vector<bool>& is_keyword) {
  std::vector<metrics::Detection> detections;
  for (size_t n = 0; n < clips.labels.size(); ++n) {
    const std::span<const double> row(probabilities.data() + n * is_keyword.size(),
                                      is_keyword.size());
    detections.push_back(metrics::Detect(clips.labels[n], row, is_keyword));
  }
  return detections;
}

nlohmann::ordered_json ToJson(const metrics::DetectionRates& rates) {
  return {{"keyword_clips", rates.num_keyword_clips},
          {"false_rejections", rates.false_rejections},
          {"detections", rates.detections},
          {"false_detections", rates.false_detections},
          {"frr", rates.Frr()},
          {"fdr", rates.Fdr()}};
}

Result<nlohmann::ordered_json> OfNetwork(const Dataset& dataset, const Probabilities& probabilities,
                                         const std::vector<bool>& is_keyword) {
  const auto validation = Detections(dataset.validation, probabilities.validation, is_keyword);
  const auto test = Detections(dataset.test, probabilities.test, is_keyword);
  nlohmann::ordered_json json;
  for (const double max_frr : {0.05, 0.10}) {
    MACLOOM_ASSIGN_OR_RETURN(const double threshold, metrics::ThresholdAtFrr(validation, max_frr));
    json["rates"].push_back({{"max_frr", max_frr},
                             {"threshold", threshold},
                             {"validation", ToJson(metrics::RatesAt(validation, threshold))},
                             {"test", ToJson(metrics::RatesAt(test, threshold))}});
  }
  for (const metrics::Detection& clip : test) {
    json["truth"].push_back(clip.truth);
    json["keyword"].push_back(clip.keyword);
    json["score"].push_back(clip.score);
  }
  return json;
}

}  // namespace

std::vector<bool> Keywords(const std::vector<std::string>& class_labels) {
  std::vector<bool> is_keyword;
  for (const std::string& label : class_labels) is_keyword.push_back(!label.starts_with('_'));
  return is_keyword;
}

Result<nlohmann::ordered_json> DetectionReport(const Dataset& dataset, const TrainResult& result) {
  const std::vector<bool> is_keyword = Keywords(dataset.class_labels);
  const bool has_others =
      std::find(is_keyword.begin(), is_keyword.end(), false) != is_keyword.end();
  if (dataset.validation.size() == 0 || !has_others) return nlohmann::ordered_json();
  nlohmann::ordered_json json = {{"speakers", dataset.test.speakers}};
  MACLOOM_ASSIGN_OR_RETURN(json["twin"], OfNetwork(dataset, result.twin_probabilities, is_keyword));
  MACLOOM_ASSIGN_OR_RETURN(json["fixed_point"],
                           OfNetwork(dataset, result.probabilities, is_keyword));
  return json;
}

}  // namespace macloom::train
