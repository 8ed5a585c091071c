// Everything a user can get wrong: exit status, and a message that says what, where and what is
// accepted. No RTL is simulated here.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/npy.h"
#include "tests/cli/tool.h"
#include "tests/support/data_pack.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::RunTool;
using testing::ToolRun;

class BadInputTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return (folder_.path() / name).string(); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
    return Path(name);
  }

  static void ExpectFails(const std::string& arguments, int status, const std::string& message,
                          const std::string& prefix = "") {
    const ToolRun run = RunTool(arguments, prefix);
    EXPECT_EQ(run.status, status) << arguments << "\n" << run.text;
    EXPECT_THAT(run.text, HasSubstr(message)) << arguments;
  }

  testing::TemporaryFolder folder_;
};

TEST_F(BadInputTest, CommandLine) {
  ExpectFails("", 2, "subcommand is required");
  ExpectFails("frobnicate", 2, "subcommand is required");
  ExpectFails("verify --frobnicate", 2, "--frobnicate");
  ExpectFails("verify --random 0", 2, "--random");
  ExpectFails("verify --overflow maybe", 2, "--overflow");
  ExpectFails("import ds-cnn-untrained", 2, "--output is required");
  ExpectFails("estimate --latency 0", 2, "memory latency is 0; it must be 1 to 100000 cycles");
  ExpectFails("estimate --extra-latency -1", 2, "extra memory latency is -1");
  ExpectFails("estimate --stall-probability 1", 2, "stall probability is 1; it must be 0 to 0.99");
  ExpectFails("estimate --sweep array.rows", 2, "accepted is KEY=VALUE,VALUE,...");
  ExpectFails("estimate --sweep array.rowz=1", 2, "array.rowz");
  ExpectFails("estimate nothing-here", 2,
              "shipped network (digits-w8a8, digits-w4a8, digits-w4a4, ds-cnn-untrained)");
  EXPECT_EQ(RunTool("estimate -h").status, 0);
  EXPECT_EQ(RunTool("verify -h").status, 0);
}

TEST_F(BadInputTest, Cost) {
  ExpectFails("cost mac --formats fp64/24", 2, "accepted are intA/P");
  ExpectFails("cost mac --formats int8/24 --lanes 0", 2, "0 lanes; accepted are 1 to 32");
  ExpectFails("cost mac --formats int16x8/24 --shape row", 2, "operands of at most 8 bits");
  ExpectFails("cost mac --formats int8/24 --shape row --lanes 3", 2, "a row of 3 lanes");
  ExpectFails("cost mac --formats int8/24 --library nothing.lib", 2, "accepted are osu018");
  ExpectFails("cost mac --formats int8/24 --library " + Write("bad.lib", "module m; endmodule"), 2,
              "bad.lib:1");
  ExpectFails("cost mac --formats int8/24", 3, "qflow-tech-osu018",
              "MACLOOM_OSU018=" + Path("absent.lib"));
  ExpectFails("cost mac --formats int8/24", 3, "Debian package yosys",
              "PATH=" + folder_.path().string() + " MACLOOM_CACHE_DIR=" + Path("cache"));
  ExpectFails("cost --sweep array.rowz=1", 2, "array.rowz");
  ExpectFails("cost --vary array.rows=4 --sweep array.rows=4", 2, "--sweep");
  ExpectFails("cost mac --fpga ice50", 2, "ice50");
  ExpectFails("cost mac --fpga xc7 --formats int8/24 --shape row", 2, "only --shape bare");
  ExpectFails("cost claim --formats fp64/24", 2, "accepted are intA/P");
  ExpectFails("cost claim --lanes 3", 2, "--lanes");
  ExpectFails("cost claim --levels chip", 2, "--levels");
  ExpectFails("cost claim --labels y.csv", 2, "--calibrate");
  ExpectFails("cost claim --energy 10 --memory-node " + Path("n45.lib"), 2, "one of --library");
  // The networks of all widths fit their accelerators: only the tool is missing.
  ExpectFails("cost claim --levels system --system-libraries 0 --formats int4/20,int8x4/24", 3,
              "Debian package yosys",
              "PATH=" + folder_.path().string() + " MACLOOM_CACHE_DIR=" + Path("cache"));
  ExpectFails("accum --area-widths 20", 2, "--area");
}

TEST_F(BadInputTest, TrainRecipes) {
  ExpectFails("train", 2, "RECIPE is required");
  ExpectFails("train nothing.toml -o " + Path("t"), 2, "nothing.toml");
  ExpectFails("train " + Write("a.toml", "colour = 1\n") + " -o " + Path("t"), 2,
              "unknown key colour");
  ExpectFails("train " + Write("b.toml", "[qat]\nweight_bits = 9\n") + " -o " + Path("t"), 2,
              "qat.weight_bits = 9: accepted: integers from 2 to 8");
  ExpectFails("train " +
                  Write("c.toml",
                        "[qat]\nsquashed_weights = true\nweight_bound = \"a2q\"\n"
                        "accumulator_bits = 16\n") +
                  " -o " + Path("t"),
              2, "choose one");
  EXPECT_FALSE(std::filesystem::exists(Path("t")));
}

TEST_F(BadInputTest, VectorsAndCompare) {
  const std::string vectors = "vectors ds-cnn-untrained --random 1 -o " + Path("v");
  ExpectFails(vectors + " --layer nope", 2, "layer `nope`: the network ds-cnn-untrained has conv");
  ExpectFails(vectors + " --format text", 2, "--format");
  ExpectFails(vectors + " --accumulator-bits 7", 2, "--accumulator-bits");
  ExpectFails(vectors + " --overflow wrap", 2, "--overflow requires --accumulator-bits");
  ExpectFails(vectors + " --accumulator-bits 14 --overflow saturate", 2, "start value");
  EXPECT_FALSE(fs::exists(Path("v")));
  ExpectFails("compare " + Path("v") + " " + Path("w"), 2, "index.json");
}

TEST_F(BadInputTest, Campaign) {
  ExpectFails("campaign --networks 0", 2, "0 networks: a campaign runs at least 1");
  ExpectFails("campaign --time-limit -1", 2, "time limit -1 s: accepted are 0 (none) and more");
  ExpectFails("campaign --networks many", 2, "--networks");
  ExpectFails("campaign --configs " + Path("absent.toml"), 2, "absent.toml");
  const std::string config = Write("hw.toml", "name = \"hw\"\n");
  ExpectFails("campaign --presets --configs " + config, 2, "--configs excludes --presets");
  std::string many = config;
  for (int i = 1; i < 13; ++i) many += "," + config;
  ExpectFails("campaign --configs " + many, 2, "13 configurations: a campaign takes 1 to 12");
  Write("other", "not ours");
  ExpectFails("campaign --keep " + folder_.path().string(), 74, "exists");
  ExpectFails("campaign --keep " + Path("absent/job"), 74, "absent");
}

TEST_F(BadInputTest, ModelFiles) {
  ExpectFails("inspect nothing-here", 2,
              "shipped network (digits-w8a8, digits-w4a8, digits-w4a4, ds-cnn-untrained)");
  ExpectFails("inspect " + Write("model.bin", "x"), 2, "accepted are .tflite and .onnx files");
  ExpectFails("inspect " + Write("text.tflite", "this is not a flatbuffer at all"), 2,
              "text.tflite");
  ExpectFails("inspect " + Write("empty.tflite", ""), 2, "empty.tflite");
  ExpectFails("inspect " + Write("zero.tflite", std::string(4096, '\0')), 2, "zero.tflite");
  ExpectFails("inspect " + Write("noise.safetensors", "0123456789abcdef"), 2, "noise.safetensors");
}

TEST_F(BadInputTest, TruncatedAndCorruptRealModel) {
  MACLOOM_DATA_PACK(model, "mlperf-tiny-models/kws_ref_model.tflite");
  std::ifstream in(model, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  ExpectFails("inspect " + Write("half.tflite", bytes.substr(0, bytes.size() / 2)), 2,
              "half.tflite");
  std::string corrupt = bytes;
  for (size_t i = 8; i < corrupt.size(); i += 97) corrupt[i] = static_cast<char>(corrupt[i] ^ 0x5A);
  ExpectFails("inspect " + Write("corrupt.tflite", corrupt), 2, "corrupt.tflite");
  MACLOOM_DATA_PACK(floats, "mlperf-tiny-models/kws_ref_model_float32.tflite");
  ExpectFails("verify " + floats.string(), 2, "FLOAT32");
}

TEST_F(BadInputTest, Inputs) {
  const std::string run = "run ds-cnn-untrained --inputs ";
  ExpectFails(run + Path("absent.npy"), 2, "no such file");
  ExpectFails("run ds-cnn-untrained", 2, "--inputs FILE or --random N");
  ASSERT_TRUE(WriteNpy(Path("shape.npy"), FromInt8({1, 10, 49}, std::vector<int8_t>(490))).ok());
  ExpectFails(run + Path("shape.npy"), 2, "expected N x 49x10x1");
  ASSERT_TRUE(
      WriteNpy(Path("range.npy"), FromInt32({1, 49, 10, 1}, std::vector<int32_t>(490, 300))).ok());
  ExpectFails(run + Path("range.npy"), 2, "codes from -128 to 127");
  NpyArray floats;
  floats.dtype = "<f4";
  floats.shape = {1, 49, 10, 1};
  floats.bytes.assign(490 * 4, 0xff);
  ASSERT_TRUE(WriteNpy(Path("nan.npy"), floats).ok());
  ExpectFails(run + Path("nan.npy"), 2, "accepted are finite values");
  ExpectFails(run + Path("nan.npy") + "@x", 2, "has no members");
  ExpectFails(run + Write("text.npy", "not numpy"), 2, "text.npy");
  ExpectFails(run + Write("x.tar", "not an archive"), 2, "x.tar");
  fs::create_directory(Path("raw"));
  Write("raw/a.bin", std::string(489, 'a'));
  ExpectFails(run + Path("raw"), 2, "489");
}

TEST_F(BadInputTest, Labels) {
  ASSERT_TRUE(WriteNpy(Path("x.npy"), FromInt8({2, 49, 10}, std::vector<int8_t>(980))).ok());
  const std::string run = "run ds-cnn-untrained --inputs " + Path("x.npy") + " --labels ";
  ASSERT_TRUE(WriteNpy(Path("y.npy"), FromInt8({3}, std::vector<int8_t>{1, 2, 3})).ok());
  ExpectFails(run + Path("y.npy"), 2, "3 labels for 2 samples");
  ExpectFails(run + Write("y.csv", "file,word\na,b\n"), 2, "no column");
  ExpectFails(run + Write("z.csv", "label\nyes\nmaybe\n"), 2,
              "label index of 0 or more and no class name; the classes are down, go");
}

TEST_F(BadInputTest, Configurations) {
  ExpectFails("verify --preset m9", 2, "presets are m4l16, m8l16");
  ExpectFails("preset show m9", 2, "presets are m4l16, m8l16");
  ExpectFails("generate -o " + Path("o") + " --set acc.width_bits=7", 2, "8 to 80");
  ExpectFails("generate -o " + Path("o") + " --set acc.width_bits=33", 2, "8 to 32");
  ExpectFails("generate -o " + Path("o") + " --set array.rows=3", 2, "powers of two");
  ExpectFails("generate -o " + Path("o") + " --set array.rows=32", 2, "exceeds array.lanes");
  ExpectFails("generate -o " + Path("o") + " --set acc.colour=1", 2, "unknown key");
  ExpectFails("generate -o " + Path("o") + " --set acc.policy=sometimes", 2,
              "wrap, saturate, selectable");
  ExpectFails("generate -o " + Path("o") + " --set nonsense", 2, "KEY=VALUE");
  ExpectFails("generate -o " + Path("o") + " --config " + Path("absent.toml"), 2, "absent.toml");
  ExpectFails("generate -o " + Path("o") + " --config " + Write("a.toml", "[array\nrows"), 2,
              "not TOML");
  ExpectFails(
      "generate -o " + Path("o") + " --config " + Write("b.toml", "[array]\nrows = \"four\"\n"), 2,
      "integer");
  ExpectFails("generate -o " + Path("o") + " --set name=Bad-Name", 2, "[a-z][a-z0-9_]*");
  ExpectFails("verify --no-rtl --set memory.activation_bytes=4096", 2, "memory.activation_bytes");
  ExpectFails("verify --no-rtl --set acc.policy=wrap --overflow saturate", 2, "acc.policy");
  EXPECT_FALSE(fs::exists(Path("o")));
}

TEST_F(BadInputTest, MissingToolNamesItsPackage) {
  fs::create_directory(Path("empty"));
  ExpectFails("verify", 3, "Debian package verilator",
              "PATH=" + Path("empty") + " MACLOOM_CACHE_DIR=" + Path("cache"));
  const ToolRun doctor = RunTool("doctor", "PATH=" + Path("empty"));
  EXPECT_EQ(doctor.status, 3);
  EXPECT_THAT(doctor.text, HasSubstr("apt install verilator"));
}

/// Names left in a cache folder, lock files aside.
std::vector<std::string> Entries(const fs::path& cache) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(cache)) {
    if (entry.path().extension() != ".lock") names.push_back(entry.path().filename().string());
  }
  return names;
}

TEST_F(BadInputTest, FailingToolLeavesNoCacheEntry) {
  fs::create_directory(Path("bin"));
  Write("bin/verilator",
        "#!/bin/sh\n[ \"$1\" = --version ] && { echo Fake 1; exit 0; }\necho it went wrong "
        ">&2\nexit 1\n");
  fs::permissions(Path("bin/verilator"), fs::perms::owner_all);
  ExpectFails("verify", 3, "it went wrong",
              "PATH=" + Path("bin") + ":$PATH MACLOOM_CACHE_DIR=" + Path("cache"));
  EXPECT_EQ(Entries(Path("cache")), std::vector<std::string>{});
}

TEST_F(BadInputTest, InterruptedBuildLeavesNoCacheEntry) {
  fs::create_directory(Path("bin"));
  Write("bin/verilator",
        "#!/bin/sh\n[ \"$1\" = --version ] && { echo Fake 1; exit 0; }\nsleep 60\n");
  fs::permissions(Path("bin/verilator"), fs::perms::owner_all);
  const ToolRun run =
      RunTool("verify", "PATH=" + Path("bin") + ":$PATH MACLOOM_CACHE_DIR=" + Path("cache") +
                            " timeout --preserve-status -s INT 2");
  EXPECT_EQ(run.status, 130) << run.text;
  EXPECT_EQ(Entries(Path("cache")), std::vector<std::string>{});
}

TEST_F(BadInputTest, UnwritableOutputs) {
  const std::string below_file = Write("file", "x") + "/out";
  ExpectFails("import ds-cnn-untrained -o " + below_file + ".safetensors", 74, "file/out");
  ExpectFails("generate -o " + below_file, 74, "file/out");
  ExpectFails("run ds-cnn-untrained --random 1 --outputs " + below_file + ".npy", 74, "file/out");
  ExpectFails("verify --no-rtl --random 1 --json " + below_file + ".json", 74, "file/out");
  // No room on the disk: nothing half-written stays.
  ExpectFails("import ds-cnn-untrained -o " + Path("big.safetensors"), 74, "big.safetensors",
              "ulimit -f 4; trap '' XFSZ;");
  EXPECT_FALSE(fs::exists(Path("big.safetensors")));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1);
}

TEST_F(BadInputTest, ForeignFoldersAreNotReplaced) {
  fs::create_directory(Path("mine"));
  Write("mine/precious.txt", "x");
  ExpectFails("generate -o " + Path("mine"), 74, "mine");
  EXPECT_TRUE(fs::exists(Path("mine/precious.txt")));
}

}  // namespace
}  // namespace macloom
