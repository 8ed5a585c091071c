// The descriptor layout in its three places: C++, SystemVerilog, documentation.
#include "arch/descriptor.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>

#include "base/files.h"

namespace macloom::arch {
namespace {

std::string Text(const std::string& path) {
  const Result<std::string> text = ReadTextFile(std::string(MACLOOM_SOURCE_DIR) + "/" + path);
  return text.ok() ? *text : "";
}

TEST(DescriptorTest, SystemVerilogPackageIsTheSame) {
  const std::string package = Text("rtl/lib/loom_desc_pkg.sv");
  const std::regex line("localparam int ([A-Z0-9_]+)_(LSB|BITS) = ([0-9]+);");
  std::map<std::string, int> values;
  for (auto it = std::sregex_iterator(package.begin(), package.end(), line);
       it != std::sregex_iterator(); ++it) {
    values[(*it)[1].str() + "_" + (*it)[2].str()] = std::stoi((*it)[3]);
  }
  EXPECT_EQ(values.size(), 2 * DescriptorFields().size());
  for (const DescriptorField& field : DescriptorFields()) {
    std::string name = field.name;
    for (char& c : name) c = static_cast<char>(std::toupper(c));
    EXPECT_EQ(values[name + "_LSB"], 32 * field.word + field.lsb) << name;
    EXPECT_EQ(values[name + "_BITS"], field.bits) << name;
  }
}

TEST(DescriptorTest, DocumentationIsTheSame) {
  const std::string formats = Text("docs/formats.md");
  for (const DescriptorField& field : DescriptorFields()) {
    const std::string row = fmt::format("| {} | {} | {}:{} |", field.name, field.word,
                                        field.lsb + field.bits - 1, field.lsb);
    EXPECT_NE(formats.find(row), std::string::npos) << row;
  }
}

TEST(DescriptorTest, FieldsOfOneOperationDoNotOverlap) {
  // Words 24 to 28 are shared by im2col and by load and store.
  std::map<std::pair<int, int>, std::string> owner;
  for (const DescriptorField& field : DescriptorFields()) {
    EXPECT_LE(field.lsb + field.bits, 32) << field.name;
    EXPECT_LT(field.word, kDescriptorWords) << field.name;
    if (field.word >= 24) continue;
    for (int bit = field.lsb; bit < field.lsb + field.bits; ++bit) {
      EXPECT_TRUE(owner.insert({{field.word, bit}, field.name}).second)
          << field.name << " and " << owner[{field.word, bit}];
    }
  }
}

TEST(DescriptorTest, FieldsKeepTheirValues) {
  Descriptor d;
  d.set_in_w(65535)
      .set_in_h(1)
      .set_shift(-31)
      .set_zero_out(-128)
      .set_multiplier(0x7FFFFFFF)
      .set_last(1)
      .set_irq(0);
  EXPECT_EQ(d.in_w(), 65535u);
  EXPECT_EQ(d.in_h(), 1u);
  EXPECT_EQ(d.shift_signed(), -31);
  EXPECT_EQ(d.zero_out_signed(), -128);
  EXPECT_EQ(d.multiplier(), 0x7FFFFFFFu);
  EXPECT_EQ(d.last(), 1u);
  EXPECT_EQ(d.irq(), 0u);
  d.set_in_w(2);
  EXPECT_EQ(d.in_w(), 2u);
  EXPECT_EQ(d.in_h(), 1u);
}

}  // namespace
}  // namespace macloom::arch
