// kws_ref_model as `macloom quantize --format F --accelerator` makes it, on every accumulator.
#include "base/sample_archive.h"
#include "importers/tflite/importer.h"
#include "quantize/dequantize.h"
#include "quantize/minifloat_post_training.h"
#include "tests/e2e/minifloat_hardware.h"
#include "tests/e2e/three_ways.h"
#include "tests/support/data_pack.h"
#include "tests/support/setting.h"

namespace macloom {
namespace {

struct Case {
  const char* format;
  const char* contract;  ///< Scales leave this register room.
  size_t hardware;       ///< Index of AllMinifloatHardware().
};

/// e5m2 exact and e4m3 FP16 are among them by default; MACLOOM_MINIFLOAT_HARDWARE builds more RTL.
TEST(MinifloatKwsTest, AClipIsEqualOnEveryAccumulator) {
  MACLOOM_DATA_PACK(path, "mlperf-tiny-models/kws_ref_model.tflite");
  MACLOOM_DATA_PACK(features, "speech-commands-v2-test-sample/mfcc_int8.tar");
  const auto source = importers::ImportTfliteFile(path);
  ASSERT_TRUE(source.ok()) << source.error().message;
  const auto values = quantize::Dequantize(*source);
  ASSERT_TRUE(values.ok()) << values.error().message;
  const auto clips = ReadSampleArchive(features, 490);
  ASSERT_TRUE(clips.ok()) << clips.error().message;
  std::vector<quantize::FloatValues> samples;
  for (size_t i = 0; i < 8; ++i) {
    ir::TensorValue codes{source->tensor(source->input).shape, {}};
    for (const uint8_t byte : (*clips)[i].bytes) codes.codes.push_back(static_cast<int8_t>(byte));
    samples.push_back(quantize::Values(source->tensor(source->input), codes));
  }
  const int64_t num_built = testing::Setting("MACLOOM_MINIFLOAT_HARDWARE", 2);
  for (const Case& c : {Case{"e4m3", "exact", 0}, Case{"e5m2", "fp16", 1}, Case{"e5m2", "exact", 2},
                        Case{"e4m3", "fp16", 3}, Case{"e4m3", "fp32", 4}, Case{"e5m2", "fp32", 5},
                        Case{"e4m3", "fixed28,drop9", 6}, Case{"e5m2", "fixed32,drop30", 7}}) {
    SCOPED_TRACE(std::string(c.format) + " " + c.contract);
    const arch::HardwareConfig config = testing::AllMinifloatHardware()[c.hardware];
    quantize::MinifloatOptions options;
    options.weight_format = options.activation_format = options.output_format =
        *ir::ParseMinifloat(c.format);
    options.is_per_channel = options.are_means_shifts = true;
    options.accumulation = *ir::ParseAccumulation(c.contract);
    const auto network = quantize::QuantizeToMinifloats(*values, samples, options);
    ASSERT_TRUE(network.ok()) << network.error().message;
    const auto job = arch::Compile(network->graph, config);
    ASSERT_TRUE(job.ok()) << job.error().message;
    const ir::TensorValue input =
        quantize::Codes(network->graph.tensor(network->graph.input), samples[0]);
    testing::ExpectEqualToGolden(*job, input, *sim::MakeDescriptorDevice());
    if (static_cast<int64_t>(c.hardware) >= num_built) continue;
    testing::ExpectEqualToGolden(*job, input,
                                 testing::RtlDevice(config, sim::MemoryTiming::Ideal()));
  }
}

}  // namespace
}  // namespace macloom
