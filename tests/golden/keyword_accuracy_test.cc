// Accuracy of the imported keyword spotting model on real recordings.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/sample_archive.h"
#include "golden/reference/executor.h"
#include "importers/tflite/importer.h"
#include "tests/support/data_pack.h"

namespace macloom::golden {
namespace {

// "tst_000000_Stop_7.bin" -> 7.
int LabelOf(const std::string& name) {
  const size_t underscore = name.rfind('_');
  return std::stoi(name.substr(underscore + 1));
}

struct Accuracy {
  int num_correct_first = 0;  ///< A tie for the largest score counts as its smallest index.
  int num_correct_last = 0;   ///< A tie counts as its largest index.
  std::vector<std::string> ties;
  bool operator==(const Accuracy&) const = default;
};

Accuracy Measure(const ir::Graph& graph, const std::vector<Sample>& samples) {
  Accuracy accuracy;
  for (const Sample& sample : samples) {
    ir::TensorValue input{graph.tensor(graph.input).shape, {}};
    for (uint8_t byte : sample.bytes) input.codes.push_back(static_cast<int8_t>(byte));
    const auto trace = golden::Run(graph, input);
    EXPECT_TRUE(trace.ok());
    const auto& scores = trace->tensors[static_cast<size_t>(graph.output)].codes;
    const auto first = std::max_element(scores.begin(), scores.end());
    const auto last = std::max_element(scores.rbegin(), scores.rend());
    const auto first_index = first - scores.begin();
    const auto last_index = scores.rend() - last - 1;
    accuracy.num_correct_first += first_index == LabelOf(sample.name) ? 1 : 0;
    accuracy.num_correct_last += last_index == LabelOf(sample.name) ? 1 : 0;
    if (first_index != last_index) accuracy.ties.push_back(sample.name);
  }
  return accuracy;
}

// Under double rounding one clip scores its own class and "unknown" with the same code.
TEST(KeywordAccuracyTest, ReferenceModelClassifiesTheSpeechCommandsSample) {
  MACLOOM_DATA_PACK(model, "mlperf-tiny-models/kws_ref_model.tflite");
  MACLOOM_DATA_PACK(archive, "speech-commands-v2-test-sample/mfcc_int8.tar");
  const std::vector<Sample> samples = ReadSampleArchive(archive, 490).value();
  ASSERT_EQ(samples.size(), 300u);
  const auto double_rounding = importers::ImportTfliteFile(model);
  const auto single_rounding = importers::ImportTfliteFile(model, {ir::Rounding::kSingle});
  ASSERT_TRUE(double_rounding.ok() && single_rounding.ok());
  EXPECT_EQ(Measure(*double_rounding, samples), (Accuracy{276, 275, {"tst_000058_Stop_7.bin"}}));
  EXPECT_EQ(Measure(*single_rounding, samples), (Accuracy{276, 276, {}}));
}

}  // namespace
}  // namespace macloom::golden
