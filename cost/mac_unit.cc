#include "cost/mac_unit.h"

#include <fmt/format.h>

#include <charconv>

#include "rtl/gen/embedded_rtl.h"

namespace macloom::cost {
namespace {

constexpr int kMinOperandBits = 2;
constexpr int kMaxOperandBits = 16;
constexpr int kMinAccumulatorBits = 8;
constexpr int kMaxAccumulatorBits = 48;

bool ParseInt(std::string_view text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Error BadFormat(const std::string& text) {
  return InvalidInput(fmt::format(
      "format `{}`: accepted are intA/P and intAxB/P with operands A, B of {} to {} bits and an "
      "accumulator P of {} to {} bits, e.g. int8/24 or int8x4/20",
      text, kMinOperandBits, kMaxOperandBits, kMinAccumulatorBits, kMaxAccumulatorBits));
}

void AddLibraryFile(RtlUnit& unit, const std::string& name) {
  unit.files[name] = rtl_gen::EmbeddedRtl().at(name);
  unit.order.push_back(name);
}

RtlUnit BareUnit(const MacSpec& spec) {
  RtlUnit unit;
  unit.top = "loom_cost_mac";
  for (const char* file : {"loom_pkg.sv", "loom_bit_heap.sv", "loom_dot.sv"}) {
    AddLibraryFile(unit, file);
  }
  unit.files["loom_cost_mac.sv"] = fmt::format(
      R"(module loom_cost_mac (
  input  logic clk_i,
  input  logic clear_i,
  input  logic enable_i,
  input  logic [{0}-1:0] a_i,
  input  logic [{1}-1:0] b_i,
  output logic [{2}-1:0] acc_o
);
  logic [{2}-1:0] sum;
  loom_dot #(.Lanes({3}), .AWidth({4}), .BWidth({5}), .SumWidth({2}), .Body(1)) u_dot (
    .a_i, .b_i, .addend_i(acc_o), .sum_o(sum));
  always_ff @(posedge clk_i) begin
    if (clear_i) acc_o <= '0;
    else if (enable_i) acc_o <= sum;
  end
endmodule
)",
      spec.lanes * spec.activation_bits, spec.lanes * spec.weight_bits, spec.accumulator_bits,
      spec.lanes, spec.activation_bits, spec.weight_bits);
  unit.order.push_back("loom_cost_mac.sv");
  unit.accumulator_register = "acc_o";
  return unit;
}

}  // namespace

std::string MacSpec::Name() const {
  return fmt::format("{} a{} L{}{}", format, accumulator_bits, lanes,
                     shape == MacShape::kBare  ? ""
                     : shape == MacShape::kRow ? " row"
                                               : " row+dw");
}

int MacSpec::CutBits() const { return lanes * (activation_bits + weight_bits); }

Result<MacSpec> ParseMacSpec(const std::string& text) {
  MacSpec spec;
  const size_t slash = text.find('/');
  if (!text.starts_with("int") || slash == std::string::npos) return BadFormat(text);
  spec.format = text.substr(0, slash);
  const std::string bits = spec.format.substr(3);
  const size_t times = bits.find('x');
  if (!ParseInt(bits.substr(0, times), spec.activation_bits)) return BadFormat(text);
  spec.weight_bits = spec.activation_bits;
  if (times != std::string::npos && !ParseInt(bits.substr(times + 1), spec.weight_bits)) {
    return BadFormat(text);
  }
  if (!ParseInt(text.substr(slash + 1), spec.accumulator_bits)) return BadFormat(text);
  for (const int operand : {spec.activation_bits, spec.weight_bits}) {
    if (operand < kMinOperandBits || operand > kMaxOperandBits) return BadFormat(text);
  }
  if (spec.accumulator_bits < kMinAccumulatorBits ||
      spec.accumulator_bits > kMaxAccumulatorBits) {
    return BadFormat(text);
  }
  return spec;
}

std::vector<std::string> DefaultMacFormats() {
  return {"int4/12",  "int4/16",  "int4/20",    "int4/24",    "int4/32",   "int8x4/20",
          "int8/16",  "int8/20",  "int8/24",    "int8/28",    "int8/32",   "int16x8/24",
          "int16x8/28", "int16x8/32"};
}

Result<RtlUnit> MacRtl(const MacSpec& spec) {
  RtlUnit unit = BareUnit(spec);
  unit.name = spec.Name();
  return unit;
}

}  // namespace macloom::cost
