// FDR at fixed FRR of a keyword network: threshold from the validation clips, rates on the test
// clips.
#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "train/qat/trainer.h"

namespace macloom::train {

/// Whether each class is a keyword: all but those whose names begin with an underscore.
std::vector<bool> Keywords(const std::vector<std::string>& class_labels);

/// For FRR of 5 and 10 % and the twin and the fixed-point network: threshold, both rates on the
/// validation and on the test clips; and per test clip speaker, keyword and score, so that runs can
/// be pooled (scripts/keyword_table.py). Definitions: docs/metrics.md.
/// @return null if the data have no validation clips or no class that is no keyword;
///         metrics::ThresholdAtFrr()'s errors.
Result<nlohmann::ordered_json> DetectionReport(const Dataset& dataset, const TrainResult& result);

}  // namespace macloom::train
