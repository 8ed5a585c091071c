#include "train/qat/scores.h"

#include <fmt/format.h>

#include <cmath>

namespace macloom::train {
namespace {

int LargestIndex(const double* values, int64_t count) {
  int64_t best = 0;
  for (int64_t i = 1; i < count; ++i) {
    if (values[i] > values[best]) best = i;
  }
  return static_cast<int>(best);
}

}  // namespace

std::vector<int> Predictions(const Tensor& logits) {
  const std::vector<double> values = ToVector(logits);
  const int64_t classes = logits.size(1);
  std::vector<int> predictions;
  for (int64_t n = 0; n < logits.size(0); ++n) {
    predictions.push_back(LargestIndex(values.data() + n * classes, classes));
  }
  return predictions;
}

std::vector<double> Softmax(const Tensor& logits) {
  return ToVector(at::softmax(logits.to(at::kDouble), 1));
}

double Accuracy(const std::vector<int>& predictions, const std::vector<int>& labels) {
  int64_t correct = 0;
  for (size_t i = 0; i < labels.size(); ++i) correct += predictions[i] == labels[i] ? 1 : 0;
  return static_cast<double>(correct) / static_cast<double>(labels.size());
}

std::vector<ir::TensorValue> CodesPerClip(const Tensor& values, int fraction_bits,
                                          const ir::Shape& shape) {
  const std::vector<double> all = ToVector(values);
  const auto elements = static_cast<size_t>(ir::NumElements(shape));
  std::vector<ir::TensorValue> clips;
  for (size_t begin = 0; begin < all.size(); begin += elements) {
    ir::TensorValue clip{shape, {}};
    for (size_t i = begin; i < begin + elements; ++i) {
      clip.codes.push_back(static_cast<int32_t>(std::ldexp(all[i], fraction_bits)));
    }
    clips.push_back(std::move(clip));
  }
  return clips;
}

Status CheckClips(const Dataset& dataset, const Clips& clips, const char* split) {
  if (clips.size() == 0) {
    return InvalidInput(fmt::format("data: no clips in the {} set", split));
  }
  const int64_t wanted = clips.copies * clips.size() * dataset.frames * dataset.coefficients;
  MACLOOM_CHECK(static_cast<int64_t>(clips.features.size()) == wanted);
  std::vector<int> counts(dataset.class_labels.size());
  for (const int label : clips.labels) ++counts.at(static_cast<size_t>(label));
  for (size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] > 0) continue;
    return InvalidInput(
        fmt::format("data: class {} has no clip in the {} set", dataset.class_labels[c], split));
  }
  return {};
}

std::string CurvesCsv(const std::vector<EpochRecord>& curves) {
  std::string text =
      "phase,epoch,loss,train_accuracy,test_accuracy,learning_rate,cosine_gradient_ratio,"
      "weight_spread\n";
  for (const EpochRecord& r : curves) {
    text += fmt::format("{},{},{:.6g},{:.6f},{:.6f},{:.6g},{:.4g},{:.4g}\n", r.phase, r.epoch,
                        r.loss, r.train_accuracy, r.test_accuracy, r.learning_rate,
                        r.cosine_gradient_ratio, r.weight_spread);
  }
  return text;
}

}  // namespace macloom::train
