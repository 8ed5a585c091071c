// Labels of samples from files: class names, class indices, and what is neither.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "flow/samples.h"
#include "tests/support/temporary_folder.h"

namespace macloom::flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class LabelsTest : public ::testing::Test {
 protected:
  Result<std::vector<int>> Labels(const std::string& csv) {
    const std::filesystem::path path = folder_ / "labels.csv";
    EXPECT_TRUE(WriteFileAtomically(path, csv).ok());
    return LoadLabels(path, samples_, classes_);
  }
  void ExpectRefused(const std::string& csv, const std::string& message) {
    const Result<std::vector<int>> labels = Labels(csv);
    ASSERT_FALSE(labels.ok()) << csv;
    EXPECT_EQ(labels.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(labels.error().message, HasSubstr(message));
  }

  testing::TemporaryFolder folder_;
  Samples samples_{std::vector<ir::TensorValue>(2), {"b.wav", "a.wav"}};
  std::vector<std::string> classes_ = {"yes", "1", "no"};
};

TEST_F(LabelsTest, NamesAndIndicesBySampleFile) {
  EXPECT_THAT(*Labels("file,label\na.wav,no\nb.wav,yes\n"), ElementsAre(0, 2));
  EXPECT_THAT(*Labels("label,file\r\n2,b.wav\r\n0,a.wav\r\n"), ElementsAre(2, 0));
  EXPECT_THAT(*Labels("file,label,label_index\na.wav,no,0\nb.wav,no,2\n"), ElementsAre(2, 0))
      << "label_index comes first";
}

TEST_F(LabelsTest, AClassNamedByANumberIsTheName) {
  classes_ = {"9", "1", "0"};
  EXPECT_THAT(*Labels("label\n0\n9\n"), ElementsAre(2, 0));
}

TEST_F(LabelsTest, BadLabelsNameLineAndClasses) {
  ExpectRefused("label\nyes\nmaybe\n",
                ":3: `maybe` has no label index of 0 or more and no class "
                "name; the classes are yes, 1, no");
  ExpectRefused("label\nyes\n2x\n", ":3: `2x`");
  ExpectRefused("label\nyes\n-1\n", ":3: `-1`");
  ExpectRefused("file,label\na.wav,yes\n", "no label for the sample file b.wav");
  ExpectRefused("label\nyes\n", "1 labels for 2 samples");
  classes_.clear();
  ExpectRefused("label\nyes\n", "`yes` has no label index of 0 or more");
}

}  // namespace
}  // namespace macloom::flow
