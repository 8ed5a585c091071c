// What every compiled job must keep, whatever the network and the configuration; and the refusals.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "arch/job.h"
#include "arch/layout.h"
#include "stimulus/random_graph.h"

namespace macloom::arch {
namespace {

using ir::OperatorKind;
using ::testing::HasSubstr;

/// A configuration the validator accepts, small memories included.
HardwareConfig RandomConfig(Rng& rng) {
  while (true) {
    const auto power = [&](int low, int high) {
      return 1 << static_cast<int>(rng.UniformInt(low, high));
    };
    HardwareConfig config;
    config.lanes = power(3, 5);
    config.rows = power(0, 5);
    config.tile_pixels = power(0, 5);
    config.requant_lanes = power(0, 5);
    config.activation_bytes = power(10, 16);
    config.activation_banks = power(0, 3);
    config.weight_ring_bytes = power(10, 15);
    config.staging_bytes = power(7, 13);
    config.window_words = static_cast<int>(rng.UniformInt(4, 32));
    config.axi_data_bits = power(6, 7);
    if (Validate(config).ok()) return config;
  }
}

ir::Graph RandomNetwork(Rng& rng, int index) {
  constexpr OperatorKind kKinds[] = {OperatorKind::kConv2d, OperatorKind::kDepthwiseConv2d,
                                     OperatorKind::kFullyConnected, OperatorKind::kAveragePool2d,
                                     OperatorKind::kAdd};
  if (index % 6 == 5) {
    stimulus::ChainOptions options;
    options.input = {rng.UniformInt(1, 20), rng.UniformInt(1, 20), rng.UniformInt(1, 40)};
    return stimulus::RandomChain(rng, options);
  }
  stimulus::LayerSpec spec = stimulus::RandomLayerSpec(rng, kKinds[index % 6]);
  spec.output_channels = rng.UniformInt(1, 100);
  return stimulus::RandomLayerGraph(rng, spec);
}

bool IsOpcode(const Descriptor& d, Opcode opcode) {
  return d.opcode() == static_cast<uint32_t>(opcode);
}

/// Lowest and highest byte, exclusive, of the external memory that a load or store touches.
std::pair<int64_t, int64_t> ExternalRange(const Descriptor& d) {
  const int64_t first = d.ext_address();
  return {first, first + int64_t{d.dma_planes() - 1} * d.ext_plane_pitch() +
                     int64_t{d.dma_rows() - 1} * d.ext_row_pitch() + d.row_bytes()};
}

void ExpectListIsLinked(const Job& job) {
  ASSERT_FALSE(job.steps.empty());
  for (size_t i = 0; i < job.steps.size(); ++i) {
    const JobStep& step = job.steps[i];
    const bool is_last = i + 1 == job.steps.size();
    EXPECT_EQ(step.tag, i);
    EXPECT_EQ(step.descriptor.tag(), i);
    EXPECT_EQ(step.descriptor.last(), is_last ? 1u : 0u);
    EXPECT_EQ(step.descriptor.record_address(), job.record_address + i * kRecordBytes);
    EXPECT_EQ(step.address % kDescriptorBytes, 0u);
    if (!is_last) {
      EXPECT_EQ(step.descriptor.next_address(), job.steps[i + 1].address);
    }
    for (int byte = 0; byte < kDescriptorBytes; ++byte) {
      const uint32_t word = step.descriptor.words()[static_cast<size_t>(byte / 4)];
      ASSERT_EQ(job.image[step.address + static_cast<size_t>(byte)],
                static_cast<uint8_t>(word >> (8 * (byte % 4))));
    }
  }
  EXPECT_LE(job.record_address + job.steps.size() * kRecordBytes, job.memory_bytes);
}

void ExpectStreamsFitTheRing(const Job& job) {
  const int64_t row_bytes = int64_t{job.config.rows} * job.config.lanes;
  for (const JobStep& step : job.steps) {
    const Descriptor& d = step.descriptor;
    if (d.stream_groups() == 0) continue;
    const int64_t param_rows = (d.stream_param_bytes() + row_bytes - 1) / row_bytes;
    const int64_t group_rows = param_rows + d.stream_weight_rows();
    if (d.release_rows()) {
      EXPECT_LE(d.out_w() * d.out_h(), static_cast<uint32_t>(job.config.tile_pixels));
      EXPECT_LE(param_rows, job.config.ring_rows());
    } else {
      EXPECT_LE(d.pixel_outer() ? d.stream_groups() * group_rows : group_rows,
                job.config.ring_rows());
    }
    EXPECT_EQ(d.stream_address() % 64, 0u);
    const int64_t bytes =
        d.stream_groups() * (d.stream_param_bytes() + d.stream_weight_rows() * row_bytes);
    EXPECT_LE(d.stream_address() + bytes, static_cast<int64_t>(job.image.size()));
  }
}

void ExpectWindowsReachTheirBanks(const Job& job) {
  for (const JobStep& step : job.steps) {
    const Descriptor& d = step.descriptor;
    if (!IsOpcode(d, Opcode::kDepthwise)) continue;
    EXPECT_EQ(d.in_col_pitch() % 2, 1u);
    EXPECT_LE(d.group_rows(), static_cast<uint32_t>(job.config.rows));
    EXPECT_LE((d.group_rows() - 1) * d.stride_w() + d.window_taps(),
              static_cast<uint32_t>(job.config.window_words));
    if (d.group_rows() > 1) {
      EXPECT_LE(d.stride_w(), 2u);
    }
  }
}

void ExpectTransfersStayInMemory(const Job& job) {
  for (const JobStep& step : job.steps) {
    const Descriptor& d = step.descriptor;
    if (!IsOpcode(d, Opcode::kLoad) && !IsOpcode(d, Opcode::kStore)) continue;
    const auto [first, end] = ExternalRange(d);
    EXPECT_EQ(first % job.config.axi_bytes(), 0);
    EXPECT_EQ(d.row_bytes() % static_cast<uint32_t>(job.config.axi_bytes()), 0u);
    EXPECT_GT(d.row_bytes(), 0u);
    EXPECT_LE(end, static_cast<int64_t>(job.memory_bytes));
    // A store must reach neither descriptors and streams nor the completion records.
    if (IsOpcode(d, Opcode::kStore)) {
      EXPECT_GE(first, static_cast<int64_t>(job.record_address + job.steps.size() * kRecordBytes));
    }
  }
}

/// Every pixel of every tensor made on the device is completed exactly once.
void ExpectTensorsAreCovered(const Job& job) {
  for (size_t n = 0; n < job.graph.nodes.size(); ++n) {
    const ir::Node& node = job.graph.nodes[n];
    if (node.kind == OperatorKind::kReshape || node.kind == OperatorKind::kSoftmax) continue;
    const Image image = *ImageOf(job.graph.tensor(node.output).shape);
    std::vector<int> times(static_cast<size_t>(image.height) * static_cast<size_t>(image.width));
    int64_t macs = 0;
    for (const JobStep& step : job.steps) {
      if (step.node != static_cast<int>(n)) continue;
      macs += step.useful_macs;
      for (const TensorRegion& region : step.produces) {
        if (region.tensor != node.output) continue;
        for (int y = 0; y < region.num_rows; ++y) {
          for (int x = 0; x < region.num_cols; ++x) {
            ++times[static_cast<size_t>((region.first_row + y) * image.width + region.first_col +
                                        x)];
          }
        }
      }
    }
    EXPECT_EQ(macs, ir::NumMacs(job.graph, node)) << node.name;
    for (const int count : times) ASSERT_EQ(count, 1) << node.name;
  }
}

TEST(CompileTest, JobsKeepTheirInvariantsOnRandomConfigurations) {
  constexpr uint64_t kSeed = 2;
  std::printf("seed %llu\n", static_cast<unsigned long long>(kSeed));
  Rng rng(kSeed);
  int compiled = 0, striped = 0;
  for (int i = 0; i < 1200; ++i) {
    const HardwareConfig config = RandomConfig(rng);
    const ir::Graph graph = RandomNetwork(rng, i);
    const Result<Job> job = Compile(graph, config);
    if (!job.ok()) {
      EXPECT_EQ(job.error().kind, ErrorKind::kUnsupported) << job.error().message;
      continue;
    }
    SCOPED_TRACE("network " + std::to_string(i) + "\n" + ToToml(config) + ir::ToText(graph));
    ++compiled;
    int64_t stores = 0;
    for (const JobStep& step : job->steps) stores += IsOpcode(step.descriptor, Opcode::kStore);
    striped += stores > 1;
    ExpectListIsLinked(*job);
    ExpectStreamsFitTheRing(*job);
    ExpectWindowsReachTheirBanks(*job);
    ExpectTransfersStayInMemory(*job);
    ExpectTensorsAreCovered(*job);
    if (HasFailure()) return;
  }
  EXPECT_GE(compiled, 600);
  EXPECT_GE(striped, 20);
}

TEST(CompileTest, MeanOfOnePositionIsExact) {
  // 2x2 windows with padding of 1 have a single position inside at the corners.
  Rng rng(3);
  stimulus::LayerSpec spec;
  spec.kind = OperatorKind::kAveragePool2d;
  spec.input = {6, 6, 4};
  spec.window = {2, 2, 1, 1, 1, 1, 1, 1};
  const Result<Job> job = Compile(stimulus::RandomLayerGraph(rng, spec), HardwareConfig());
  ASSERT_TRUE(job.ok()) << job.error().message;
  std::set<uint32_t> halves;
  for (const JobStep& step : job->steps) {
    const Descriptor& d = step.descriptor;
    if (!IsOpcode(d, Opcode::kDepthwise)) continue;
    halves.insert(d.mean_half());
    const int64_t n = d.mean_half() == 0 ? 1 : 2 * int64_t{d.mean_half()};
    for (int64_t x = 0; x <= 128 * n; ++x) {
      ASSERT_EQ(((x + d.mean_half()) * d.multiplier()) >> d.shift(), (x + n / 2) / n);
    }
  }
  EXPECT_EQ(halves, (std::set<uint32_t>{0, 1, 2}));
}

TEST(CompileTest, PlaneAsLargeAsTheMemoryRunsInStripes) {
  Rng rng(4);
  HardwareConfig config;
  config.activation_bytes = 65536 * config.lanes;
  stimulus::LayerSpec spec;
  spec.input = {256, 256, 4};
  const Result<Job> job = Compile(stimulus::RandomConvGraph(rng, spec), config);
  ASSERT_TRUE(job.ok()) << job.error().message;
  ExpectTensorsAreCovered(*job);
}

TEST(CompileTest, BadNetworksAreRefusedWithTheReason) {
  Rng rng(5);
  const auto message = [](const ir::Graph& graph, const HardwareConfig& config,
                          const CompileOptions& options = {}) {
    const Result<Job> job = Compile(graph, config, options);
    return job.ok() ? std::string("compiled") : job.error().message;
  };
  stimulus::LayerSpec spec;
  spec.kind = ir::OperatorKind::kConcatenation;
  spec.input = {5, 5, 3};
  spec.axis = 2;
  EXPECT_THAT(message(stimulus::RandomLayerGraph(rng, spec), {}),
              HasSubstr("input 1 starts at channel 3; supported are multiples of 16"));
  spec = {};
  spec.kind = ir::OperatorKind::kPad;
  spec.window.pad_left = 256;
  EXPECT_THAT(message(stimulus::RandomLayerGraph(rng, spec), {}), HasSubstr("at most 255"));
  spec = {};
  spec.input = {2, 400, 3};
  spec.window = {1, 300, 1, 1, 0, 0, 299, 0};
  EXPECT_THAT(message(stimulus::RandomConvGraph(rng, spec), {}), HasSubstr("at most 255"));
  spec = {};
  spec.input_format.bits = 16;
  EXPECT_THAT(message(stimulus::RandomConvGraph(rng, spec), {}), HasSubstr("at most 8 bits"));
  spec = {};
  spec.weight_format.bits = 9;
  EXPECT_THAT(message(stimulus::RandomConvGraph(rng, spec), {}), HasSubstr("weights have format"));
  spec = {};
  spec.input = {1, 5000, 4};
  HardwareConfig large;
  large.activation_bytes = 65536 * large.lanes;
  EXPECT_THAT(message(stimulus::RandomConvGraph(rng, spec), large),
              HasSubstr("a row of 5000 pixels exceeds a transfer of 65520 bytes"));
  spec = {};
  spec.kind = OperatorKind::kReshape;
  spec.input = {1, 1, 5};
  EXPECT_THAT(message(stimulus::RandomLayerGraph(rng, spec), {}),
              HasSubstr("no layer for the accelerator"));
}

TEST(CompileTest, BadOptionsAreRefusedWithTheRange) {
  Rng rng(6);
  const ir::Graph graph = stimulus::RandomConvGraph(rng, {});
  HardwareConfig config;
  config.accumulator_bits = 20;
  config.accumulator_policy = AccumulatorPolicy::kWrap;
  CompileOptions options;
  options.effective_accumulator_bits = 21;
  EXPECT_THAT(Compile(graph, config, options).error().message, HasSubstr("accepted are 8 to 20"));
  options.effective_accumulator_bits = 0;
  options.overflow = ir::Overflow::kSaturate;
  EXPECT_THAT(Compile(graph, config, options).error().message,
              HasSubstr("overflow policy saturate is not built into"));
}

}  // namespace
}  // namespace macloom::arch
