// Inputs in the forms data sets have: values, pixels, raw sound; MNIST as a whole.
#include "flow/sample_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "base/files.h"
#include "flow/run.h"
#include "networks/model.h"
#include "tests/support/data_pack.h"
#include "tests/support/temporary_folder.h"

namespace macloom::flow {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SampleFileTest : public ::testing::Test {
 protected:
  SampleFileTest() {
    info_.name = "x";
    info_.shape = {3};
    info_.format = ir::NumberFormat::Int8();
  }

  fs::path Write(const std::string& name, const std::string& bytes) const {
    EXPECT_TRUE(WriteFileAtomically(folder_.path() / name, std::string_view(bytes)).ok());
    return folder_.path() / name;
  }

  template <typename T>
  fs::path WriteFloats(const std::string& name, const char* dtype,
                       const std::vector<T>& values) const {
    NpyArray array{dtype, {static_cast<int64_t>(values.size()) / 3, 3}, {}};
    array.bytes.resize(values.size() * sizeof(T));
    std::memcpy(array.bytes.data(), values.data(), array.bytes.size());
    EXPECT_TRUE(WriteNpy(folder_.path() / name, array).ok());
    return folder_.path() / name;
  }

  void ExpectFails(const fs::path& path, const std::string& form, const std::string& message) {
    const auto samples = ReadSamples({path, form}, info_);
    ASSERT_FALSE(samples.ok());
    EXPECT_THAT(samples.error().message, HasSubstr(message));
  }

  ir::TensorInfo info_;
  testing::TemporaryFolder folder_;
};

TEST_F(SampleFileTest, ValuesBecomeCodes) {
  info_.quantization.scales = {0.5f};
  info_.quantization.zero_points = {10};
  // Ties go up: 0.25 / 0.5 = 0.5 -> 1, -0.25 -> 0.
  const auto codes =
      ReadSamples({WriteFloats<float>("f.npy", "<f4", {0.25f, -0.25f, 1e9f}), ""}, info_);
  ASSERT_TRUE(codes.ok()) << codes.error().message;
  EXPECT_THAT(codes->inputs[0].codes, ElementsAre(11, 10, 127));
  EXPECT_THAT(
      ReadSamples({WriteFloats<double>("d.npy", "<f8", {1, -100, 0}), ""}, info_)->inputs[0].codes,
      ElementsAre(12, -128, 10));
  info_.format = {ir::NumberFamily::kFixedPoint, 4, true, 2};
  EXPECT_THAT(
      ReadSamples({WriteFloats<double>("q.npy", "<f8", {1, -0.3, 9}), ""}, info_)->inputs[0].codes,
      ElementsAre(4, -1, 7));
  ExpectFails(WriteFloats<double>("n.npy", "<f8", {1, std::numeric_limits<double>::infinity(), 0}),
              "", "accepted are finite values");
  info_.format = ir::NumberFormat::E4M3();
  ExpectFails(folder_.path() / "f.npy", "", "values for the minifloat input `x`");
}

TEST_F(SampleFileTest, PixelsBecomeCodes) {
  fs::create_directory(folder_.path() / "raw");
  Write("raw/a.bin", std::string("\x00\x80\xff", 3));
  EXPECT_THAT(ReadSamples({folder_.path() / "raw", "pixels"}, info_)->inputs[0].codes,
              ElementsAre(-128, 0, 127));
  EXPECT_THAT(ReadSamples({folder_.path() / "raw", ""}, info_)->inputs[0].codes,
              ElementsAre(0, -128, -1));
  const fs::path idx =
      Write("a-ubyte", std::string("\0\0\x08\x02\0\0\0\x01\0\0\0\x03\x00\x80\xff", 15));
  EXPECT_THAT(ReadSamples({idx, "pixels"}, info_)->inputs[0].codes, ElementsAre(-128, 0, 127));
  ExpectFails(idx, "", "takes codes from -128 to 127");
  ExpectFails(WriteFloats<float>("f.npy", "<f4", {1, 2, 3}), "pixels", "pixels are unsigned bytes");
  ExpectFails(folder_.path() / "raw", "colours", "accepted after @ are pixels, pcm16");
  info_.format.bits = 4;
  ExpectFails(idx, "pixels", "pixels are 8-bit codes");
}

TEST_F(SampleFileTest, SoundSamplesBecomeCodes) {
  fs::create_directory(folder_.path() / "pcm");
  // 32767 rounds to 128, which is clamped; 128 and -128 are ties, which go up.
  Write("pcm/long.raw", std::string("\xff\x7f\x80\x00\x80\xff\x00\x80", 8));
  Write("pcm/brief.raw", std::string("\x00\x80", 2));
  const auto samples = ReadSamples({folder_.path() / "pcm", "pcm16"}, info_);
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_THAT(samples->names, ElementsAre("brief.raw", "long.raw"));
  EXPECT_THAT(samples->inputs[0].codes, ElementsAre(-128, 0, 0));
  EXPECT_THAT(samples->inputs[1].codes, ElementsAre(127, 1, 0));
  Write("pcm/odd.raw", "abc");
  ExpectFails(folder_.path() / "pcm", "pcm16", "odd.raw has 3 bytes");
  fs::create_directory(folder_.path() / "none");
  ExpectFails(folder_.path() / "none", "pcm16", "holds no .bin, .pcm or .raw file");
  info_.quantization.zero_points = {3};
  info_.quantization.scales = {1.0f};
  ExpectFails(folder_.path() / "pcm", "pcm16", "zero point 0");
}

TEST_F(SampleFileTest, TheFormIsSplitOffOnlyWhereItIsOne) {
  const fs::path plain = Write("a@b.npy", "x");
  EXPECT_EQ(SplitSampleFile(plain.string()).path, plain);
  EXPECT_EQ(SplitSampleFile(plain.string() + "@pixels").path, plain);
  EXPECT_EQ(SplitSampleFile(plain.string() + "@pixels").form, "pixels");
  EXPECT_EQ(SplitSampleFile("absent@pixels").form, "");
}

TEST_F(SampleFileTest, LabelsMayBeWholeFloats) {
  const NpyArray array = *ReadNpy(WriteFloats<double>("y.npy", "<f8", {1, 2, 3}));
  EXPECT_THAT(*WholeNumbers(array, "y.npy"), ElementsAre(1, 2, 3));
  const NpyArray broken = *ReadNpy(WriteFloats<double>("z.npy", "<f8", {1, 2.5, 3}));
  EXPECT_THAT(WholeNumbers(broken, "z.npy").error().message, HasSubstr("labels are whole numbers"));
}

/// The publisher's log of the float network says 94.52 %.
TEST(RealInputsTest, MnistTestSetOnAPublishedNetwork) {
  MACLOOM_DATA_PACK(images, "mnist-t10k/t10k-images-idx3-ubyte.gz");
  MACLOOM_DATA_PACK(pack, "max78000-qat-models");
  // 32-bit logits; 8-bit ones with enough bits shifted out.
  for (const auto& [ending, num_correct] : {std::pair("", 9455), std::pair("@8+5", 9453)}) {
    const auto graph = networks::LoadModel(pack.string() + "/mnist-chw-extrasmall-ai85.yaml@" +
                                               pack.string() + "/mnist_extrasmall@1x28x28" + ending,
                                           ir::Rounding::kDouble);
    ASSERT_TRUE(graph.ok()) << graph.error().message;
    const auto samples = LoadInputs(fs::path(images.string() + "@pixels"), *graph);
    ASSERT_TRUE(samples.ok()) << samples.error().message;
    const auto labels =
        LoadLabels(images.parent_path() / "t10k-labels-idx1-ubyte.gz", *samples, {});
    ASSERT_TRUE(labels.ok()) << labels.error().message;
    const auto run = RunBatch(*graph, *samples, *labels, false, Executor::kFast);
    ASSERT_TRUE(run.ok()) << run.error().message;
    EXPECT_EQ(run->num_correct, num_correct) << ending;
  }
}

}  // namespace
}  // namespace macloom::flow
