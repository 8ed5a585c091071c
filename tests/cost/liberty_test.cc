// The Liberty reader: published values of four libraries, and files that are wrong.
#include "cost/liberty.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "base/rng.h"
#include "cost/library_file.h"
#include "tests/support/data_pack.h"
#include "tests/support/temporary_folder.h"

namespace macloom {
namespace {

using cost::LibertyLibrary;
using ::testing::HasSubstr;

/// A library of one NAND whose parts can be left out.
std::string SmallLibrary(const std::string& area, const std::string& timing,
                         const std::string& power) {
  return "library (small) {\n  time_unit : \"1ns\";\n  nom_voltage : 2.0;\n"
         "  leakage_power_unit : \"1nW\";\n  capacitive_load_unit (1, pf);\n"
         "  lu_table_template (t) { variable_1 : input_net_transition;\n"
         "    variable_2 : total_output_net_capacitance; index_1 (\"0.1, 0.3\");\n"
         "    index_2 (\"0.01, 0.03\"); }\n"
         "  cell (NAND2) {\n    " +
         area + "\n" +
         "    pin (A) { direction : input; capacitance : 0.002; }\n"
         "    pin (B) { direction : input; capacitance : 0.003; }\n"
         "    pin (Y) { direction : output; function : \"!(A B)\";\n      " +
         timing + "\n      " + power + "\n    }\n  }\n}\n";
}

constexpr const char* kArea = "area : 24.5; cell_leakage_power : 7;";
constexpr const char* kTiming =
    "timing () { related_pin : \"A\"; cell_rise (t) { values (\"1, 2\", \\\n \"3, 4\"); } }";
constexpr const char* kPower =
    "internal_power () { related_pin : \"A\"; rise_power (t) { values (\"0.1, 0.1\", \"0.1, "
    "0.1\"); } }";

TEST(LibertyTest, ReadsUnitsTablesAndPins) {
  const Result<LibertyLibrary> library =
      cost::ReadLiberty(SmallLibrary(kArea, kTiming, kPower), "small.lib");
  ASSERT_TRUE(library.ok()) << library.error().message;
  const cost::LibertyCell& cell = library->cells.at("NAND2");
  EXPECT_EQ(cell.area, 24.5);
  EXPECT_EQ(cell.leakage_nw, 7.0);
  EXPECT_NEAR(cell.Find("B")->capacitance_ff, 3.0, 1e-9);
  const cost::LibertyTable& table = cell.Find("Y")->timing.at(0).rise_ns;
  EXPECT_NEAR(table.At(0.1, 10.0), 1.0, 1e-9);
  EXPECT_NEAR(table.At(0.2, 20.0), 2.5, 1e-9) << "the middle of 1, 2, 3, 4";
  EXPECT_NEAR(table.At(0.1, 30.0), 2.0, 1e-9) << "values are rows of slew";
  EXPECT_NEAR(table.At(9.0, 90.0), 4.0, 1e-9) << "clamped";
  EXPECT_NEAR(cell.Find("Y")->power.at(0).rise_fj.At(0.2, 20.0), 100.0, 1e-9)
      << "0.1 pF x V^2 = 100 fJ";
  EXPECT_TRUE(library->RequireArea().ok());
  EXPECT_TRUE(library->RequireTiming().ok());
  EXPECT_TRUE(library->RequirePower().ok());
}

TEST(LibertyTest, BadLibrariesAreRefusedWithTheReason) {
  const auto missing = [](const std::string& area, const std::string& timing,
                          const std::string& power) {
    const Result<LibertyLibrary> library =
        cost::ReadLiberty(SmallLibrary(area, timing, power), "small.lib");
    EXPECT_TRUE(library.ok());
    return *library;
  };
  EXPECT_THAT(missing("", kTiming, kPower).RequireArea().error().message,
              HasSubstr("small.lib: library small has no area (cell NAND2)"));
  EXPECT_THAT(missing(kArea, "", kPower).RequireTiming().error().message,
              HasSubstr("has no timing"));
  EXPECT_THAT(missing(kArea, kTiming, "").RequirePower().error().message,
              HasSubstr("has no power (no cell has internal_power)"));
  const auto refused = [](const std::string& text) {
    const Result<LibertyLibrary> library = cost::ReadLiberty(text, "x.lib");
    return library.ok() ? std::string("accepted") : library.error().message;
  };
  EXPECT_THAT(refused(""), HasSubstr("x.lib:1: "));
  EXPECT_THAT(refused("module a; endmodule"), HasSubstr("x.lib:1: "));
  EXPECT_THAT(refused("library (a) {\n}"), HasSubstr("library a has no cells"));
  EXPECT_THAT(refused("library (a) {\n cell (b) { area : 1;"), HasSubstr("ends inside a group"));
  EXPECT_THAT(refused("library (a) {\n cell (b) { area : x; } }"),
              HasSubstr("x.lib:2: `x` of area is not a number"));
  EXPECT_THAT(refused("library (a) { cell (b) { area : nan; } }"), HasSubstr("is not a number"));
  EXPECT_THAT(
      refused(SmallLibrary(kArea, "timing () { cell_rise (t) { values (\"1, 2, 3\"); } }", "")),
      HasSubstr("3 values in a table of 2 x 2"));
  EXPECT_THAT(refused("library (a) { x : \"open"), HasSubstr("quoted text does not end"));
  std::string deep = "library (a) {";
  for (int i = 0; i < 100000; ++i) deep += "g () {";
  EXPECT_THAT(refused(deep), HasSubstr("nested deeper than 16"));
}

TEST(LibertyTest, DamagedTextNeverCrashes) {
  const std::string good = SmallLibrary(kArea, kTiming, kPower);
  Rng rng(5);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (int k = 0; k < 3; ++k) {
      const size_t at =
          static_cast<size_t>(rng.UniformInt(0, static_cast<int64_t>(text.size()) - 1));
      if (rng.UniformInt(0, 1) == 0) {
        text[at] = static_cast<char>(rng.UniformInt(0, 255));
      } else {
        text.erase(at, static_cast<size_t>(rng.UniformInt(1, 20)));
      }
    }
    refused += cost::ReadLiberty(text, "damaged.lib").ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 5000);
}

TEST(LibertyTest, BadFiles) {
  const testing::TemporaryFolder folder;
  const std::string path = (folder.path() / "x.lib.gz").string();
  std::ofstream(path, std::ios::binary) << "\x1f\x8b\x08 not really zipped";
  EXPECT_THAT(cost::ReadLibertyText(path).error().message, HasSubstr("damaged gzip file"));
  EXPECT_THAT(cost::OpenLibrary("/nowhere/x.lib").error().message,
              HasSubstr("no such file; accepted are osu018"));
}

TEST(LibertyTest, Osu018) {
  const Result<cost::LibraryFile> file = cost::OpenLibrary(cost::kDefaultLibrary);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->library.cells.size(), 32u);
  EXPECT_EQ(file->library.cells.at("NAND2X1").area, 24.0);
  EXPECT_EQ(file->library.cells.at("DFFPOSX1").clocked_on, "CLK");
  EXPECT_TRUE(file->library.RequirePower().ok());
}

TEST(LibertyTest, PublicLibraries) {
  struct Expected {
    const char* path;
    size_t cells;
    const char* nand;
    double area;
    double voltage;
  };
  for (const Expected& expected :
       {Expected{"liberty/nangate45/nangate45_typ.lib.gz", 134, "NAND2_X1", 0.798, 1.1},
        Expected{"liberty/sky130_fd_sc_hd/sky130hd_tt.lib.gz", 428, "sky130_fd_sc_hd__nand2_1",
                 3.7536, 1.8},
        Expected{"liberty/asap7/asap7sc7p5t_RVT_TT_nldm_merged.lib.gz", 202, "NAND2x1_ASAP7_75t_R",
                 0.08748, 0.7}}) {
    MACLOOM_DATA_PACK(path, expected.path);
    const Result<std::string> text = cost::ReadLibertyText(path);
    ASSERT_TRUE(text.ok()) << text.error().message;
    const Result<LibertyLibrary> library = cost::ReadLiberty(*text, path.string());
    ASSERT_TRUE(library.ok()) << library.error().message;
    EXPECT_EQ(library->cells.size(), expected.cells);
    EXPECT_EQ(library->cells.at(expected.nand).area, expected.area);
    EXPECT_EQ(library->voltage_v, expected.voltage);
    EXPECT_TRUE(library->RequireArea().ok());
    EXPECT_TRUE(library->RequireTiming().ok());
    EXPECT_TRUE(library->RequirePower().ok());
  }
}

}  // namespace
}  // namespace macloom
