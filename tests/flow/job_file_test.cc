// A job folder read back runs to the same tensors; a damaged one is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "arch/job.h"
#include "base/files.h"
#include "flow/samples.h"
#include "networks/untrained_network.h"
#include "sim/descriptor_device.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using ::testing::HasSubstr;

class JobFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto job = arch::Compile(networks::MakeUntrainedKwsNetwork(), *arch::Preset("m4l16"));
    ASSERT_TRUE(job.ok());
    ASSERT_TRUE(arch::SaveJob(*job, folder_.path() / "job").ok());
  }

  std::filesystem::path File(const char* name) const { return folder_.path() / "job" / name; }

  void ExpectRefused(const std::string& message) const {
    const auto job = arch::LoadJob(folder_.path() / "job");
    ASSERT_FALSE(job.ok());
    EXPECT_THAT(job.error().message, HasSubstr(message));
  }

  testing::TemporaryFolder folder_;
};

TEST_F(JobFileTest, ReadBackJobGivesTheSameTensors) {
  const auto graph = networks::MakeUntrainedKwsNetwork();
  const auto original = arch::Compile(graph, *arch::Preset("m4l16"));
  const auto loaded = arch::LoadJob(folder_.path() / "job");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->image, original->image);
  const ir::TensorValue input = flow::RandomInputs(graph, 1, 4).inputs[0];
  const auto device = sim::MakeDescriptorDevice();
  const auto a = device->Run(*original, input);
  const auto b = device->Run(*loaded, input);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->tensors, b->tensors);
}

TEST_F(JobFileTest, BadMemoryImageIsRefused) {
  std::fstream file(File("memory.bin"), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(5000);
  file.put('\x55');
  file.close();
  ExpectRefused("differs from the manifest's digest");
}

TEST_F(JobFileTest, BadManifestIsRefused) {
  ASSERT_TRUE(
      WriteFileAtomically(File("manifest.json"), std::string_view("{\"format\": \"macloom.job\""))
          .ok());
  ExpectRefused("not JSON");
  ASSERT_TRUE(
      WriteFileAtomically(File("manifest.json"), std::string_view("{\"format\": \"other\"}")).ok());
  ExpectRefused("expected macloom.job version 1");
  std::filesystem::remove(File("manifest.json"));
  ExpectRefused("manifest.json");
}

}  // namespace
}  // namespace macloom
