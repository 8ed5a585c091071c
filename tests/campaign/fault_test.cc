// Devices with one fault each: the campaign must find it, shrink it and keep a job that fails.
#include <gtest/gtest.h>

#include <functional>

#include "arch/corner_configs.h"
#include "campaign/campaign.h"
#include "flow/replay.h"
#include "sim/descriptor_device.h"
#include "tests/support/temporary_folder.h"

namespace macloom::campaign {
namespace {

/// Changes descriptors as hardware would that decodes a field wrongly.
using Fault = std::function<void(arch::Descriptor&)>;

/// The descriptor-level machine behind a faulty decoder.
class FaultyDevice : public sim::Device {
 public:
  explicit FaultyDevice(Fault fault)
      : fault_(std::move(fault)), device_(sim::MakeDescriptorDevice()) {}
  std::string name() const override { return "faulty"; }
  Result<sim::DeviceRun> Run(const arch::Job& job, const ir::TensorValue& input) override {
    arch::Job broken = job;
    for (arch::JobStep& step : broken.steps) {
      fault_(step.descriptor);
      for (size_t w = 0; w < step.descriptor.words().size(); ++w) {
        for (size_t b = 0; b < 4; ++b) {
          broken.image[step.address + 4 * w + b] =
              static_cast<uint8_t>(step.descriptor.words()[w] >> (8 * b));
        }
      }
    }
    return device_->Run(broken, input);
  }
  sim::WriteEvent LastWrite(int64_t address, int lane, uint32_t tag) const override {
    return device_->LastWrite(address, lane, tag);
  }

 private:
  Fault fault_;
  std::unique_ptr<sim::Device> device_;
};

bool Is(const arch::Descriptor& d, arch::Opcode opcode) {
  return d.opcode() == static_cast<uint32_t>(opcode);
}

struct FaultCase {
  const char* name;
  Fault fault;
  size_t num_nodes;      ///< Of the shrunk network.
  int64_t max_elements;  ///< Of its input and of its output.
};

void PrintTo(const FaultCase& fault, std::ostream* stream) { *stream << fault.name; }

class FaultTest : public ::testing::TestWithParam<FaultCase> {};

TEST_P(FaultTest, IsFoundShrunkAndReplaysToFail) {
  const sim::DeviceFactory make =
      [&](const arch::HardwareConfig&,
          const sim::MemoryTiming&) -> Result<std::unique_ptr<sim::Device>> {
    return std::unique_ptr<sim::Device>(std::make_unique<FaultyDevice>(GetParam().fault));
  };
  CampaignOptions options;
  options.configs = arch::CornerConfigs();
  options.make_rtl = make;
  const auto result = RunCampaign(options);
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_TRUE(result->failure.has_value());
  const ShrinkResult& shrunk = result->failure->shrunk;
  std::printf("found in network %lld, shrunk in %lld executions\n%s\n",
              static_cast<long long>(result->failure->index),
              static_cast<long long>(shrunk.executions),
              ir::ToText(shrunk.test_case.graph).c_str());
  EXPECT_FALSE(shrunk.outcome.is_descriptor_wrong);
  ASSERT_TRUE(shrunk.outcome.is_tensor_wrong);
  EXPECT_LT(shrunk.executions, 1000);
  EXPECT_EQ(shrunk.test_case.graph.nodes.size(), GetParam().num_nodes);
  const ir::Graph& graph = shrunk.test_case.graph;
  EXPECT_LE(ir::NumElements(graph.tensor(graph.input).shape), GetParam().max_elements);
  EXPECT_LE(ir::NumElements(graph.tensor(graph.output).shape), GetParam().max_elements);

  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "job";
  ASSERT_TRUE(SaveCase(shrunk.test_case, shrunk.expected, path).ok());
  flow::ReplayOptions replay;
  replay.make_rtl = make;
  const auto broken = flow::Replay(path, replay);
  ASSERT_TRUE(broken.ok()) << broken.error().message;
  EXPECT_TRUE(broken->is_checked);
  EXPECT_GT(broken->mismatches(), 0);
  replay.is_rtl = false;
  const auto sound = flow::Replay(path, replay);
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(sound->mismatches(), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Decoder, FaultTest,
    ::testing::Values(FaultCase{"single_rounding_is_double",
                                [](arch::Descriptor& d) {
                                  const bool has_rounding =
                                      Is(d, arch::Opcode::kConv) || Is(d, arch::Opcode::kDepthwise);
                                  if (has_rounding && d.requant_mode() == 1) d.set_requant_mode(0);
                                },
                                1, 2},
                      FaultCase{"never_saturates",
                                [](arch::Descriptor& d) {
                                  if (Is(d, arch::Opcode::kConv)) d.set_saturate(0);
                                },
                                1, 4},
                      FaultCase{"padding_is_zero",
                                [](arch::Descriptor& d) {
                                  if (Is(d, arch::Opcode::kConv) && d.im2col() == 0)
                                    d.set_pad_code(0);
                                },
                                1, 4},
                      FaultCase{"maximum_is_sum",
                                [](arch::Descriptor& d) {
                                  if (Is(d, arch::Opcode::kDepthwise)) d.set_maximum(0);
                                },
                                1, 4},
                      FaultCase{"addition_swaps_zero_points",
                                [](arch::Descriptor& d) {
                                  if (!Is(d, arch::Opcode::kAdd)) return;
                                  const int32_t a = d.add_zero_a_signed();
                                  d.set_add_zero_a(d.add_zero_b_signed()).set_add_zero_b(a);
                                },
                                2, 2}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace macloom::campaign
