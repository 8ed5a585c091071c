// What a caller can get wrong: status, text, and nothing changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "base/files.h"
#include "base/rng.h"
#include "capi/macloom.h"
#include "ir/network_file.h"
#include "stimulus/random_graph.h"
#include "tests/importers/tflite_model_builder.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr uint64_t kBadInputSeed = 20261130;

void ExpectInvalid(int status, const std::string& text) {
  EXPECT_EQ(status, MACLOOM_INVALID_INPUT);
  EXPECT_THAT(macloom_last_error(), HasSubstr(text));
}

class CBadInputTest : public ::testing::Test {
 protected:
  ~CBadInputTest() override { macloom_free(network_); }

  void LoadDefault() {
    ASSERT_EQ(macloom_load("ds-cnn-untrained", MACLOOM_ROUND_DOUBLE, &network_), MACLOOM_OK);
    input_.assign(490, 3);
    output_.assign(12, 99);
  }

  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return (folder_ / name).string();
  }

  /// Loads a damaged file; it must be refused in words or be a valid network all the same.
  /// @return true if it was refused.
  static bool IsRefused(const std::string& path) {
    macloom_network* network = nullptr;
    const int status = macloom_load(path.c_str(), MACLOOM_ROUND_DOUBLE, &network);
    if (status == MACLOOM_OK) {
      EXPECT_NE(network, nullptr);
      macloom_free(network);
      return false;
    }
    EXPECT_THAT(status, AnyOf(MACLOOM_INVALID_INPUT, MACLOOM_UNSUPPORTED));
    EXPECT_STRNE(macloom_last_error(), "");
    EXPECT_EQ(network, nullptr);
    return true;
  }

  void DamageInEveryWay(const std::string& name, const std::string& bytes) {
    Rng rng(kBadInputSeed);
    const size_t stride = std::max<size_t>(1, bytes.size() / 150);
    for (size_t size = 0; size < bytes.size(); size += stride) {
      EXPECT_TRUE(IsRefused(Write(name, bytes.substr(0, size)))) << size << " bytes";
    }
    EXPECT_TRUE(IsRefused(Write(name, bytes.substr(0, bytes.size() / 3))));
    int num_refused = 0;
    for (int i = 0; i < 200; ++i) {
      std::string damaged = bytes;
      for (int64_t k = rng.UniformInt(1, 8); k > 0; --k) {
        damaged[static_cast<size_t>(rng.UniformInt(0, std::ssize(bytes) - 1))] =
            static_cast<char>(rng.UniformInt(-128, 127));
      }
      num_refused += IsRefused(Write(name, damaged));
    }
    EXPECT_GT(num_refused, 10);
  }

  testing::TemporaryFolder folder_;
  macloom_network* network_ = nullptr;
  std::vector<int8_t> input_, output_;
};

TEST_F(CBadInputTest, NullArgumentsAreNamed) {
  LoadDefault();
  macloom_network_info info;
  macloom_tensor_info tensor;
  macloom_node_info node;
  macloom_events events;
  const char* label = nullptr;
  int32_t code = 0;
  int64_t accumulator = 0;
  int8_t byte = 0;
  ExpectInvalid(macloom_load("x", 0, nullptr), "network is NULL");
  ExpectInvalid(macloom_describe(nullptr, &info), "network is NULL");
  ExpectInvalid(macloom_describe(network_, nullptr), "info is NULL");
  ExpectInvalid(macloom_describe_tensor(nullptr, 0, &tensor), "network is NULL");
  ExpectInvalid(macloom_describe_tensor(network_, 0, nullptr), "info is NULL");
  ExpectInvalid(macloom_describe_node(nullptr, 0, &node), "network is NULL");
  ExpectInvalid(macloom_describe_node(network_, 0, nullptr), "info is NULL");
  ExpectInvalid(macloom_class_label(nullptr, 0, &label), "network is NULL");
  ExpectInvalid(macloom_class_label(network_, 0, nullptr), "label is NULL");
  ExpectInvalid(macloom_set_accumulation(nullptr, 0, 32, 0, 1, 0), "network is NULL");
  ExpectInvalid(macloom_run_int8(nullptr, &byte, 1, &byte, 1), "network is NULL");
  ExpectInvalid(macloom_run_int8(network_, nullptr, 490, output_.data(), 12), "input is NULL");
  ExpectInvalid(macloom_run_int8(network_, input_.data(), 490, nullptr, 12), "output is NULL");
  ExpectInvalid(macloom_run_int32(nullptr, &code, 1, &code, 1), "network is NULL");
  ExpectInvalid(macloom_read_tensor(nullptr, 0, &code, 1), "network is NULL");
  ExpectInvalid(macloom_read_accumulators(nullptr, 0, &accumulator, 1), "network is NULL");
  ExpectInvalid(macloom_read_events(nullptr, 0, &events), "network is NULL");
  ASSERT_EQ(macloom_run_int8(network_, input_.data(), 490, output_.data(), 12), MACLOOM_OK);
  ExpectInvalid(macloom_read_tensor(network_, 0, nullptr, 490), "codes is NULL");
  ExpectInvalid(macloom_read_accumulators(network_, 0, nullptr, 8000), "accumulators is NULL");
  ExpectInvalid(macloom_read_events(network_, 0, nullptr), "events is NULL");
  macloom_free(nullptr);
}

TEST_F(CBadInputTest, FailedLoadGivesNoHandle) {
  auto* network = reinterpret_cast<macloom_network*>(this);
  ExpectInvalid(macloom_load(nullptr, 0, &network), "model is NULL");
  EXPECT_EQ(network, nullptr);
  ExpectInvalid(macloom_load("ds-cnn-untrained", 2, &network),
                "rounding is 2; accepted are 0 to 1");
  ExpectInvalid(macloom_load("no_such_network", 0, &network), "ds-cnn-untrained");
  ExpectInvalid(macloom_load(Write("x.txt", "x").c_str(), 0, &network), "accepted are .tflite");
  ExpectInvalid(macloom_load(folder_.path().c_str(), 0, &network), "accepted are .tflite");
  std::filesystem::create_directory(folder_ / "folder.tflite");
  std::filesystem::create_directory(folder_ / "folder.safetensors");
  for (const char* name : {"folder.tflite", "folder.safetensors"}) {
    EXPECT_NE(macloom_load((folder_ / name).c_str(), 0, &network), MACLOOM_OK) << name;
    EXPECT_THAT(macloom_last_error(), HasSubstr(name));
  }
  EXPECT_EQ(network, nullptr);
}

TEST_F(CBadInputTest, DamagedNetworkFilesAreRefused) {
  Rng rng(kBadInputSeed);
  const std::string path = (folder_ / "whole.safetensors").string();
  ASSERT_TRUE(ir::SaveNetwork(stimulus::RandomChain(rng), path).ok());
  const auto bytes = ReadTextFile(path);
  ASSERT_TRUE(bytes.ok());
  ASSERT_FALSE(IsRefused(path));
  DamageInEveryWay("damaged.safetensors", *bytes);
}

TEST_F(CBadInputTest, DamagedTfliteFilesAreRefused) {
  const auto model = importers::testing::Serialize(importers::testing::SmallModel());
  const std::string bytes(model.begin(), model.end());
  ASSERT_FALSE(IsRefused(Write("whole.tflite", bytes)));
  DamageInEveryWay("damaged.tflite", bytes);
}

TEST_F(CBadInputTest, IndicesOutOfRangeAreNamed) {
  LoadDefault();
  macloom_network_info info;
  ASSERT_EQ(macloom_describe(network_, &info), MACLOOM_OK);
  macloom_tensor_info tensor;
  macloom_node_info node;
  const char* label = nullptr;
  const std::string last_tensor = std::to_string(info.num_tensors - 1);
  ExpectInvalid(macloom_describe_tensor(network_, -1, &tensor),
                "tensor is -1; accepted are 0 to " + last_tensor);
  ExpectInvalid(macloom_describe_tensor(network_, info.num_tensors, &tensor), "accepted are 0 to ");
  ExpectInvalid(macloom_describe_node(network_, -1, &node), "node is -1; accepted are 0 to 12");
  ExpectInvalid(macloom_describe_node(network_, 13, &node), "node is 13; accepted are 0 to 12");
  ExpectInvalid(macloom_class_label(network_, info.num_class_labels, &label), "class label is ");
  ASSERT_EQ(macloom_run_int8(network_, input_.data(), 490, output_.data(), 12), MACLOOM_OK);
  int32_t codes[12];
  int64_t accumulators[12];
  macloom_events events;
  ExpectInvalid(macloom_read_tensor(network_, info.num_tensors, codes, 12), "tensor is ");
  ExpectInvalid(macloom_read_tensor(network_, info.output_tensor, codes, 11),
                "num_codes is 11; accepted is 12");
  ExpectInvalid(macloom_read_accumulators(network_, -1, accumulators, 12), "node is -1");
  ExpectInvalid(macloom_read_accumulators(network_, 11, accumulators, 11),
                "num_accumulators is 11; accepted is 12");
  EXPECT_EQ(macloom_read_accumulators(network_, 12, accumulators, 12), MACLOOM_UNSUPPORTED);
  EXPECT_THAT(macloom_last_error(), HasSubstr("(SOFTMAX) has no accumulators"));
  ExpectInvalid(macloom_read_events(network_, 13, &events), "node is 13");
}

TEST_F(CBadInputTest, NothingCanBeReadBeforeARun) {
  LoadDefault();
  int32_t code = 0;
  int64_t accumulator = 0;
  macloom_events events;
  ExpectInvalid(macloom_read_tensor(network_, 0, &code, 1), "has not run yet");
  ExpectInvalid(macloom_read_accumulators(network_, 0, &accumulator, 1), "has not run yet");
  ExpectInvalid(macloom_read_events(network_, 0, &events), "has not run yet");
}

TEST_F(CBadInputTest, FailedRunKeepsTheLastResult) {
  LoadDefault();
  ASSERT_EQ(macloom_run_int8(network_, input_.data(), 490, output_.data(), 12), MACLOOM_OK);
  const std::vector<int8_t> before = output_;
  ExpectInvalid(macloom_run_int8(network_, input_.data(), 489, output_.data(), 12),
                "num_input is 489; accepted is 490");
  ExpectInvalid(macloom_run_int8(network_, input_.data(), 490, output_.data(), 13),
                "num_output is 13; accepted is 12");
  std::vector<int32_t> wide(490, 128);
  std::vector<int32_t> wide_output(12, 99);
  ExpectInvalid(macloom_run_int32(network_, wide.data(), 490, wide_output.data(), 12),
                "input code 0 is 128; accepted by int8 are -128 to 127");
  EXPECT_EQ(wide_output, std::vector<int32_t>(12, 99));
  EXPECT_EQ(output_, before);
  macloom_network_info info;
  ASSERT_EQ(macloom_describe(network_, &info), MACLOOM_OK);
  ASSERT_EQ(macloom_read_tensor(network_, info.output_tensor, wide_output.data(), 12), MACLOOM_OK);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), wide_output.begin()));
}

TEST_F(CBadInputTest, RefusedAccumulationChangesNothing) {
  LoadDefault();
  ASSERT_EQ(macloom_run_int8(network_, input_.data(), 490, output_.data(), 12), MACLOOM_OK);
  const std::vector<int8_t> before = output_;
  const auto set = [&](int32_t node, int32_t width, int32_t overflow, int32_t products,
                       int32_t order) {
    return macloom_set_accumulation(network_, node, width, overflow, products, order);
  };
  ExpectInvalid(set(-2, 12, 0, 1, 0), "node is -2; accepted are -1 to 12");
  ExpectInvalid(set(13, 12, 0, 1, 0), "node is 13; accepted are -1 to 12");
  ExpectInvalid(set(0, 7, 0, 1, 0), "accumulator width is 7 bits");
  ExpectInvalid(set(12, 7, 0, 1, 0), "accumulator width is 7 bits");  // SOFTMAX has none.
  ExpectInvalid(set(0, 81, 0, 1, 0), "accumulator width is 81 bits");
  ExpectInvalid(set(0, 65, 0, 1, 0), "65");
  ExpectInvalid(set(0, 40, 0, 1, 0), "40");
  ExpectInvalid(set(0, 12, 2, 1, 0), "overflow is 2; accepted are 0 to 1");
  ExpectInvalid(set(0, 12, 0, 0, 0), "products per step is 0");
  ExpectInvalid(set(0, 12, 0, 1, 4), "order is 4; accepted are 0 to 3");
  ExpectInvalid(set(2, 12, 0, 1, MACLOOM_TAP_SERIAL), "node 2");
  ExpectInvalid(set(MACLOOM_ALL_NODES, 12, MACLOOM_SATURATE, 1, 0), "start value");
  ASSERT_EQ(macloom_run_int8(network_, input_.data(), 490, output_.data(), 12), MACLOOM_OK);
  EXPECT_EQ(output_, before);
  macloom_events events;
  ASSERT_EQ(macloom_read_events(network_, 0, &events), MACLOOM_OK);
  EXPECT_EQ(events.overflow_events, 0);
}

}  // namespace
}  // namespace macloom
