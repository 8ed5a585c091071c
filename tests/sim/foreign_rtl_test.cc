#include "sim/foreign_rtl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "rtl/gen/generator.h"
#include "tests/support/temporary_folder.h"

namespace macloom::sim {
namespace {

using ::macloom::testing::TemporaryFolder;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class FileListTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, std::string_view(text)).ok());
  }
  Result<ForeignRtl> Load(const std::string& list, const std::string& top = "my_top") {
    Write("files.f", list);
    return LoadForeignRtl(folder_ / "files.f", top);
  }
  std::string Error(const std::string& list, const std::string& top = "my_top") {
    const Result<ForeignRtl> rtl = Load(list, top);
    if (rtl.ok()) return "accepted";
    EXPECT_EQ(rtl.error().kind, ErrorKind::kInvalidInput);
    return rtl.error().message;
  }
  TemporaryFolder folder_;
};

TEST_F(FileListTest, ReadsFilesDefinesAndFoldersInOrder) {
  Write("a.sv", "module a; endmodule");
  Write("sub/b.sv", "module b; endmodule");
  const auto rtl =
      Load("// my files\n+define+X=1  # one\n\n+incdir+sub\n  sub/b.sv\r\na.sv // top\n");
  ASSERT_TRUE(rtl.ok()) << rtl.error().message;
  EXPECT_THAT(rtl->arguments,
              ElementsAre("+define+X=1", "+incdir+" + (folder_ / "sub").string(),
                          (folder_ / "sub/b.sv").string(), (folder_ / "a.sv").string()));
}

TEST_F(FileListTest, DigestFollowsEveryContent) {
  Write("a.sv", "module a; endmodule");
  Write("sub/b.svh", "`define B 1");
  const std::string list = "+incdir+sub\na.sv\n";
  const std::string first = Load(list)->digest;
  EXPECT_EQ(Load(list)->digest, first);
  EXPECT_NE(Load(list, "other_top")->digest, first);
  EXPECT_NE(Load("+define+Y\n" + list)->digest, first);
  Write("sub/b.svh", "`define B 2");
  const std::string second = Load(list)->digest;
  EXPECT_NE(second, first);
  Write("a.sv", "module a; wire w; endmodule");
  EXPECT_NE(Load(list)->digest, second);
}

TEST_F(FileListTest, BadEntriesAreNamedWithTheirLine) {
  EXPECT_THAT(Error("\nno.sv\n"), AllOf(HasSubstr("files.f:2: `no.sv`: no such file"),
                                        HasSubstr((folder_ / "no.sv").string())));
  EXPECT_THAT(Error("+incdir+nowhere\n"), HasSubstr("`+incdir+nowhere`: no such folder"));
  EXPECT_THAT(Error("-f more.f\n"), HasSubstr("accepted: a file, +define+NAME[=VALUE]"));
  EXPECT_THAT(Error("// nothing\n"), HasSubstr("names no file"));
  EXPECT_THAT(Error("a.sv\n", "--top"), HasSubstr("top module `--top`"));
  EXPECT_FALSE(LoadForeignRtl(folder_ / "absent.f", "t").ok());
}

/// Ports as Verilator declares them in the header of a model.
std::string HeaderOf(const arch::HardwareConfig& config, const std::string& without,
                     const std::string& wider) {
  std::string text;
  for (const rtl_gen::Port& port : rtl_gen::TopPorts(config)) {
    if (port.name == without) continue;
    const int msb = port.width_bits - (port.name == wider ? 0 : 1);
    const std::string kind = msb < 8    ? "8"
                             : msb < 16 ? "16"
                             : msb < 32 ? ""
                             : msb < 64 ? "64"
                                        : "W";
    text += std::string("    VL_") + (port.is_input ? "IN" : "OUT") + kind + "(&" + port.name +
            "," + std::to_string(msb) + ",0" + (kind == "W" ? ",9" : "") + ");\n";
  }
  return text;
}

TEST(CheckPortsTest, AcceptsTheGeneratedPortsAndMore) {
  const arch::HardwareConfig config = *arch::Preset("m4l16");
  EXPECT_TRUE(CheckPorts(HeaderOf(config, "", ""), config, "x").ok());
  EXPECT_TRUE(CheckPorts(HeaderOf(config, "", "") + "VL_OUT8(&led_o,7,0);", config, "x").ok());
}

TEST(CheckPortsTest, EveryPortThatIsMissingOrWrongIsNamedWithItsWidth) {
  const arch::HardwareConfig config = *arch::Preset("m4l16");
  for (const rtl_gen::Port& port : rtl_gen::TopPorts(config)) {
    const std::string expected = std::string(port.is_input ? "input" : "output") + " of " +
                                 std::to_string(port.width_bits) + " bits";
    const Status missing = CheckPorts(HeaderOf(config, port.name, ""), config, "mine");
    ASSERT_FALSE(missing.ok()) << port.name;
    EXPECT_EQ(missing.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(missing.error().message,
                AllOf(HasSubstr("module mine"),
                      HasSubstr("port " + port.name + " is missing: expected " + expected)));
    const Status wrong = CheckPorts(HeaderOf(config, "", port.name), config, "mine");
    ASSERT_FALSE(wrong.ok()) << port.name;
    EXPECT_THAT(wrong.error().message,
                AllOf(HasSubstr("port " + port.name + " is"), HasSubstr("expected " + expected),
                      Not(HasSubstr("is missing"))));
  }
}

}  // namespace
}  // namespace macloom::sim
