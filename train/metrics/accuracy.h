// Accuracy with its interval, and the confusion matrix. Definitions: docs/metrics.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace macloom::metrics {

struct Interval {
  double low = 0.0;
  double high = 1.0;
};

/// Wilson score interval of a proportion, two-sided. With p = successes / trials, n = trials and
/// z = the (1 + confidence) / 2 quantile of the normal distribution:
///   (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
/// @pre 0 <= successes <= trials, trials >= 1, 0 < confidence < 1 (MACLOOM_CHECK).
Interval WilsonInterval(int64_t successes, int64_t trials, double confidence = 0.95);

/// z with P(X <= z) = probability for a standard normal X; absolute error below 1e-12 for
/// probabilities of 1e-9 to 1 - 1e-9.
double NormalQuantile(double probability);

/// Counts of (true class, predicted class).
class ConfusionMatrix {
 public:
  explicit ConfusionMatrix(std::vector<std::string> class_names);

  /// @pre Both are indices of classes (MACLOOM_CHECK).
  void Add(int truth, int prediction);

  int64_t count(int truth, int prediction) const;
  int64_t num_samples() const { return num_samples_; }
  int64_t num_correct() const;
  /// num_correct / num_samples; 0 without samples.
  double Accuracy() const;
  /// Share of a class's samples predicted as it; 0 if it has none.
  double Recall(int label) const;
  /// Share of the predictions of a class that are right; 0 if there are none.
  double Precision(int label) const;

  /// Comma-separated: a header of the predicted classes, then one line per true class.
  std::string ToCsv() const;
  /// "1470 of 1500 (98.00 %, 95 % interval 97.16 to 98.60 %)".
  std::string AccuracyText() const;

 private:
  std::vector<std::string> class_names_;
  std::vector<int64_t> counts_;  ///< [truth, prediction].
  int64_t num_samples_ = 0;
};

}  // namespace macloom::metrics
