// Networks of the MAX78000 tools against a second model in the publisher's own order (C, H, W).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "base/npy.h"
#include "golden/reference/executor.h"
#include "importers/max78000/importer.h"
#include "tests/support/data_pack.h"

namespace macloom::importers {
namespace {

namespace fs = std::filesystem;

/// A map in the publisher's order; a one-dimensional one has height 1.
struct Map {
  int64_t c = 0, h = 0, w = 0;
  std::vector<int64_t> codes;
  int64_t At(int64_t channel, int64_t y, int64_t x) const {
    if (y < 0 || y >= h || x < 0 || x >= w) return 0;
    return codes[static_cast<size_t>((channel * h + y) * w + x)];
  }
};

struct Step {
  const char* name;
  double output_shift;
  int pad = 0;
  int pool = 1;  ///< Kernel and stride in front; negative: average.
  bool is_flat = false;
};

std::vector<int64_t> Load(const fs::path& path) {
  const auto array = ReadNpy(path);
  if (!array.ok()) return {};
  const auto values = ToInt64(*array);
  return values.ok() ? *values : std::vector<int64_t>();
}

Map Pool(const Map& in, int pool, bool is_flat) {
  const int size = std::abs(pool);
  const int size_h = is_flat ? 1 : size;
  Map out{in.c, (in.h - size_h) / size_h + 1, (in.w - size) / size + 1, {}};
  for (int64_t c = 0; c < in.c; ++c) {
    for (int64_t y = 0; y < out.h; ++y) {
      for (int64_t x = 0; x < out.w; ++x) {
        int64_t largest = -128;
        double sum = 0;
        for (int64_t i = 0; i < size_h; ++i) {
          for (int64_t j = 0; j < size; ++j) {
            const int64_t code = in.At(c, y * size_h + i, x * size + j);
            largest = std::max(largest, code);
            sum += static_cast<double>(code);
          }
        }
        out.codes.push_back(pool > 0 ? largest
                                     : static_cast<int64_t>(std::floor(sum / (size_h * size))));
      }
    }
  }
  return out;
}

/// floor(0.5 + acc / (128 / 2^shift)), 0 to 127, as the publisher's simulator writes it.
int64_t Activate(int64_t acc, double shift) {
  const double scaled = std::floor(0.5 + static_cast<double>(acc) / (128 / std::exp2(shift)));
  return static_cast<int64_t>(std::clamp(scaled, 0.0, 127.0));
}

Map Convolve(const Map& in, const std::vector<int64_t>& weights, int64_t taps_w, const Step& step) {
  const int64_t taps_h = step.is_flat ? 1 : taps_w;
  const int64_t pad_h = step.is_flat ? 0 : step.pad;
  const auto num_outputs = static_cast<int64_t>(weights.size()) / (in.c * taps_h * taps_w);
  Map out{num_outputs, in.h + 2 * pad_h - taps_h + 1, in.w + 2 * step.pad - taps_w + 1, {}};
  for (int64_t oc = 0; oc < num_outputs; ++oc) {
    for (int64_t y = 0; y < out.h; ++y) {
      for (int64_t x = 0; x < out.w; ++x) {
        int64_t acc = 0;
        for (int64_t ic = 0; ic < in.c; ++ic) {
          for (int64_t i = 0; i < taps_h; ++i) {
            for (int64_t j = 0; j < taps_w; ++j) {
              acc += in.At(ic, y + i - pad_h, x + j - step.pad) *
                     weights[static_cast<size_t>(((oc * in.c + ic) * taps_h + i) * taps_w + j)];
            }
          }
        }
        out.codes.push_back(Activate(acc, step.output_shift));
      }
    }
  }
  return out;
}

/// Accumulators of the last layer for `map` by the steps above, then the matrix `classifier`.
std::vector<int32_t> SecondModel(const fs::path& folder, Map map, const std::vector<Step>& steps,
                                 const char* classifier) {
  for (const Step& step : steps) {
    const fs::path file = folder / (std::string(step.name) + ".weight.npy");
    const auto shape = ReadNpy(file);
    if (!shape.ok()) return {};
    if (step.pool != 1) map = Pool(map, step.pool, step.is_flat);
    map = Convolve(map, Load(file), shape->shape.back(), step);
  }
  const std::vector<int64_t> weights = Load(folder / (std::string(classifier) + ".weight.npy"));
  const std::vector<int64_t> biases = Load(folder / (std::string(classifier) + ".bias.npy"));
  std::vector<int32_t> sums;
  for (size_t at = 0; at < weights.size(); at += map.codes.size()) {
    int64_t acc = 0;
    for (size_t i = 0; i < map.codes.size(); ++i) acc += weights[at + i] * map.codes[i];
    if (!biases.empty()) {
      acc += 128 * static_cast<int64_t>(std::floor(static_cast<double>(biases[sums.size()]) / 128));
    }
    sums.push_back(static_cast<int32_t>(acc));
  }
  return sums;
}

std::vector<int32_t> ChannelsLast(const Map& map) {
  std::vector<int32_t> codes;
  for (int64_t y = 0; y < map.h; ++y) {
    for (int64_t x = 0; x < map.w; ++x) {
      for (int64_t c = 0; c < map.c; ++c) codes.push_back(static_cast<int32_t>(map.At(c, y, x)));
    }
  }
  return codes;
}

void CheckNetwork(const fs::path& pack, const char* table, const char* folder, ir::Shape shape,
                  const Map& sample, const std::vector<Step>& steps, const char* classifier) {
  const auto graph = ImportMax78000(pack / table, pack / folder, {std::move(shape), false});
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  ASSERT_FALSE(sample.codes.empty());
  // Seven variants of the sample: the sample itself and rotations of it.
  for (int64_t variant = 0; variant < 7; ++variant) {
    Map input = sample;
    std::rotate(input.codes.begin(), input.codes.begin() + variant * 37, input.codes.end());
    const auto trace =
        golden::Run(*graph, {graph->tensor(graph->input).shape, ChannelsLast(input)});
    ASSERT_TRUE(trace.ok()) << trace.error().message;
    const std::vector<int32_t> expected = SecondModel(pack / folder, input, steps, classifier);
    ASSERT_FALSE(expected.empty());
    EXPECT_EQ(trace->tensors[static_cast<size_t>(graph->output)].codes, expected) << variant;
  }
}

TEST(Max78000, MnistEqualsTheSecondModel) {
  MACLOOM_DATA_PACK(pack, "max78000-qat-models");
  const Map sample{1, 28, 28, Load(pack / "sample_mnist.npy")};
  CheckNetwork(pack, "mnist-chw-extrasmall-ai85.yaml", "mnist_extrasmall", {1, 28, 28}, sample,
               {{"conv1", 1, 1}, {"conv2", 0, 2, 2}, {"conv3", 1, 1, 4}}, "fc");
}

TEST(Max78000, KeywordsVersion3EqualsTheSecondModel) {
  MACLOOM_DATA_PACK(pack, "max78000-qat-models");
  const Map sample{128, 1, 128, Load(pack / "sample_kws_20.npy")};
  CheckNetwork(pack, "kws20-v3-hwc.yaml", "kws20_v3_noise", {128, 128}, sample,
               {{"module.voice_conv1", 0, 0, 1, true},
                {"module.voice_conv2", 2, 0, 1, true},
                {"module.voice_conv3", 2, 1, 2, true},
                {"module.voice_conv4", 1, 0, 1, true},
                {"module.kws_conv1", 1, 1, 2, true},
                {"module.kws_conv2", 1, 0, 1, true},
                {"module.kws_conv3", 2, 1, -2, true},
                {"module.kws_conv4", 2, 1, 2, true}},
               "module.fc");
}

TEST(Max78000, KeywordsVersion1EqualsTheSecondModel) {
  MACLOOM_DATA_PACK(pack, "max78000-qat-models");
  // Its first four layers have one tap, so the later image of 16x8 serves from the beginning.
  const Map sample{128, 16, 8, Load(pack / "sample_kws_20.npy")};
  CheckNetwork(pack, "kws20-hwc.yaml", "kws20", {128, 128}, sample,
               {{"voice_conv1", -2},
                {"voice_conv2", -1},
                {"voice_conv3", -1},
                {"voice_conv4", -2},
                {"kws_conv1", 0, 1},
                {"kws_conv2", 0, 1},
                {"kws_conv3", 0, 1},
                {"kws_conv4", -1, 1},
                {"kws_conv5", -1, 1}},
               "fc");
}

/// A table written for one test.
struct Table {
  explicit Table(const std::string& content) {
    path = fs::path(::testing::TempDir()) / "layer_table.yaml";
    std::ofstream(path) << content;
  }
  ~Table() { fs::remove(path); }
  fs::path path;
};

void ExpectBadTable(const std::string& content, const std::string& part) {
  const Table table(content);
  MACLOOM_DATA_PACK(pack, "max78000-qat-models");
  const auto graph = ImportMax78000(table.path, pack / "mnist_extrasmall", {{1, 28, 28}, false});
  ASSERT_FALSE(graph.ok()) << part;
  EXPECT_NE(graph.error().message.find(part), std::string::npos) << graph.error().message;
}

TEST(Max78000Bad, TablesAreRefusedWithTheReason) {
  ExpectBadTable("layers: 3", "`layers` is no list");
  ExpectBadTable("layers: [", "not YAML");
  ExpectBadTable("layers:\n - 7\n", "is no list of keys and values");
  ExpectBadTable("layers:\n - operation: ConvTranspose2d\n", "operation is `convtranspose2d`");
  ExpectBadTable("layers:\n - eltwise: add\n", "key `eltwise`");
  ExpectBadTable("layers:\n - activate: Abs\n", "activate is `abs`");
  ExpectBadTable("layers:\n - pad: 9\n", "pad is `9`; accepted are 0 to 2");
  ExpectBadTable("layers:\n - output_width: 16\n", "output_width is `16`");
  ExpectBadTable("layers:\n - max_pool: 2\n   avg_pool: 2\n", "two poolings");
  ExpectBadTable("layers:\n - op: conv2d\n", "the table has 1 layers, the folder weights for 4");
  ExpectBadTable(
      "layers:\n - op: conv2d\n   avg_pool: 2\n - op: conv2d\n - op: conv2d\n - op: mlp\n",
      "averages codes that may be negative");
  ExpectBadTable(
      "layers:\n - op: conv2d\n   kernel_size: 1x1\n - op: conv2d\n - op: conv2d\n - op: mlp\n",
      "weights of 3x3 taps, the table says 1");
  ExpectBadTable("layers:\n - op: conv1d\n - op: conv2d\n - op: conv2d\n - op: mlp\n",
                 "weights of shape 8x1x3x3");
}

TEST(Max78000Bad, ModelTextsAreRefused) {
  for (const char* text : {"a.yaml@b", "a.yaml@b@1x1@9", "a.yaml@b@c@8@d", "a.yaml@b@1x1@8+",
                           "a.yaml@b@1x1@8+17", "a.yaml@b@1x1@8+2x", "a.yaml@b@1x1@8-1"}) {
    const auto graph = ImportMax78000(text);
    ASSERT_FALSE(graph.ok()) << text;
    EXPECT_NE(graph.error().message.find("accepted is TABLE.yaml@FOLDER@SHAPE"), std::string::npos)
        << graph.error().message;
  }
}

}  // namespace
}  // namespace macloom::importers
