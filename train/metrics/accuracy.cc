#include "train/metrics/accuracy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace macloom::metrics {
namespace {

double Ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

double NormalQuantile(double probability) {
  MACLOOM_CHECK(probability > 0.0 && probability < 1.0);
  if (probability > 0.5) return -NormalQuantile(1.0 - probability);
  double low = -10.0, high = 0.0;
  // Halving 10 sixty times leaves less than 1e-17.
  for (int i = 0; i < 60; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < probability ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

Interval WilsonInterval(int64_t successes, int64_t trials, double confidence) {
  MACLOOM_CHECK(trials >= 1 && successes >= 0 && successes <= trials);
  const double z = NormalQuantile(0.5 * (1.0 + confidence));
  const double n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double center = p + z * z / (2.0 * n);
  const double half = z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
  const double scale = 1.0 + z * z / n;
  return {std::max(0.0, (center - half) / scale), std::min(1.0, (center + half) / scale)};
}

ConfusionMatrix::ConfusionMatrix(std::vector<std::string> class_names)
    : class_names_(std::move(class_names)), counts_(class_names_.size() * class_names_.size()) {}

void ConfusionMatrix::Add(int truth, int prediction) {
  const int classes = static_cast<int>(class_names_.size());
  MACLOOM_CHECK(truth >= 0 && truth < classes && prediction >= 0 && prediction < classes);
  ++counts_[static_cast<size_t>(truth * classes + prediction)];
  ++num_samples_;
}

int64_t ConfusionMatrix::count(int truth, int prediction) const {
  return counts_[static_cast<size_t>(truth) * class_names_.size() +
                 static_cast<size_t>(prediction)];
}

int64_t ConfusionMatrix::num_correct() const {
  int64_t correct = 0;
  for (int c = 0; c < std::ssize(class_names_); ++c) correct += count(c, c);
  return correct;
}

double ConfusionMatrix::Accuracy() const { return Ratio(num_correct(), num_samples_); }

double ConfusionMatrix::Recall(int label) const {
  int64_t total = 0;
  for (int c = 0; c < std::ssize(class_names_); ++c) total += count(label, c);
  return Ratio(count(label, label), total);
}

double ConfusionMatrix::Precision(int label) const {
  int64_t total = 0;
  for (int c = 0; c < std::ssize(class_names_); ++c) total += count(c, label);
  return Ratio(count(label, label), total);
}

std::string ConfusionMatrix::ToCsv() const {
  std::string text = "truth";
  for (const std::string& name : class_names_) text += "," + name;
  for (int truth = 0; truth < std::ssize(class_names_); ++truth) {
    text += "\n" + class_names_[static_cast<size_t>(truth)];
    for (int c = 0; c < std::ssize(class_names_); ++c) text += fmt::format(",{}", count(truth, c));
  }
  return text + "\n";
}

std::string ConfusionMatrix::AccuracyText() const {
  if (num_samples_ == 0) return "no samples";
  const Interval interval = WilsonInterval(num_correct(), num_samples_);
  return fmt::format("{} of {} ({:.2f} %, 95 % interval {:.2f} to {:.2f} %)", num_correct(),
                     num_samples_, 100.0 * Accuracy(), 100.0 * interval.low, 100.0 * interval.high);
}

}  // namespace macloom::metrics
