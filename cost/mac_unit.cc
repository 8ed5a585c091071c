#include "cost/mac_unit.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "cost/row_unit.h"
#include "rtl/gen/embedded_rtl.h"

namespace macloom::cost {
namespace {

constexpr int kMinOperandBits = 2;
constexpr int kMaxOperandBits = 16;
constexpr int kMinAccumulatorBits = 8;
constexpr int kMaxAccumulatorBits = 48;

struct Minifloat {
  const char* name;
  int exponent_bits, mantissa_bits, bias, specials;
};

// docs/numerics.md, section 9.1; the last column is loom_pkg::SPECIALS_*.
constexpr std::array<Minifloat, 7> kMinifloats = {{{"e4m3", 4, 3, 7, 1},
                                                   {"e5m2", 5, 2, 15, 2},
                                                   {"e3m4", 3, 4, 3, 0},
                                                   {"e2m5", 2, 5, 1, 0},
                                                   {"e3m2", 3, 2, 3, 0},
                                                   {"e2m3", 2, 3, 1, 0},
                                                   {"e2m1", 2, 1, 1, 0}}};
constexpr int kMaxFixedBits = 80;

bool ParseInt(std::string_view text, int& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

Error BadFormat(const std::string& text) {
  return InvalidInput(fmt::format(
      "format `{}`: accepted are intA/P and intAxB/P with operands A, B of {} to {} bits and an "
      "accumulator P of {} to {} bits, e.g. int8/24 or int8x4/20; and e4m3, e5m2, e3m4, e2m5, "
      "e3m2, "
      "e2m3, e2m1 with /P (fixed point of at most 80 bits), /PdD (D low bits dropped), /fp16, "
      "/fp32",
      text, kMinOperandBits, kMaxOperandBits, kMinAccumulatorBits, kMaxAccumulatorBits));
}

void AddLibraryFile(RtlUnit& unit, const std::string& name) {
  unit.files[name] = rtl_gen::EmbeddedRtl().at(name);
  unit.order.push_back(name);
}

void AddMinifloatFiles(RtlUnit& unit) {
  for (const char* file : {"loom_pkg.sv", "loom_bit_heap.sv", "loom_dot.sv", "loom_multiplier.sv",
                           "loom_fp_multiplier.sv", "loom_fp_sum.sv", "loom_fp_normalize.sv",
                           "loom_fp_add.sv", "loom_fp_accumulate.sv"}) {
    AddLibraryFile(unit, file);
  }
}

RtlUnit BareMinifloatUnit(const MacSpec& spec) {
  RtlUnit unit;
  unit.top = "loom_cost_mac";
  AddMinifloatFiles(unit);
  const int width = 1 + spec.exponent_bits + spec.mantissa_bits;
  const int max_shift = 2 * ((1 << spec.exponent_bits) - (spec.specials == 2 ? 3 : 2));
  unit.files["loom_cost_mac.sv"] = fmt::format(
      R"(module loom_cost_mac (
  input  logic clk_i,
  input  logic clear_i,
  input  logic enable_i,
  input  logic [{lanes}*{width}-1:0] a_i,
  input  logic [{lanes}*{width}-1:0] b_i,
  output logic [{acc}-1:0] acc_o
);
  logic [{lanes}-1:0] sign, unused_nan, unused_inf;
  logic [{lanes}*{sig}-1:0] significand;
  logic [{lanes}*{shift}-1:0] shift;
  logic [{acc}-1:0] sum;
  logic unused_event;
  for (genvar l = 0; l < {lanes}; l++) begin : gen_lane
    loom_fp_multiplier #(.AExp({exp}), .AMan({man}), .ASpecials({specials}), .BExp({exp}),
                         .BMan({man}), .BSpecials({specials}), .Body({body})) u_multiplier (
      .a_i(a_i[l*{width} +: {width}]), .b_i(b_i[l*{width} +: {width}]), .sign_o(sign[l]),
      .significand_o(significand[l*{sig} +: {sig}]), .shift_o(shift[l*{shift} +: {shift}]),
      .nan_o(unused_nan[l]), .inf_o(unused_inf[l]));
  end
  loom_fp_accumulate #(.Lanes({lanes}), .SigWidth({sig}), .ShiftWidth({shift}),
                       .MaxShift({max_shift}), .GridLsb({grid}), .Registered(0), .Body({body}),
                       {accumulator}) u_accumulate (
    .clk_i, .load_i(1'b0), .valid_i({{{lanes}{{1'b1}}}}), .sign_i(sign),
    .significand_i(significand), .shift_i(shift), .base_i(acc_o), .saturate_i(1'b0), .acc_o(sum),
    .event_o(unused_event));
  always_ff @(posedge clk_i) begin
    if (clear_i) acc_o <= '0;
    else if (enable_i) acc_o <= sum;
  end
endmodule
)",
      fmt::arg("lanes", spec.lanes), fmt::arg("width", width),
      fmt::arg("body", spec.is_behavioural ? 0 : 1), fmt::arg("acc", spec.accumulator_bits),
      fmt::arg("exp", spec.exponent_bits), fmt::arg("man", spec.mantissa_bits),
      fmt::arg("specials", spec.specials), fmt::arg("sig", 2 * spec.mantissa_bits + 2),
      fmt::arg("shift", spec.exponent_bits + 1), fmt::arg("max_shift", max_shift),
      fmt::arg("grid", 2 - 2 * spec.bias - 2 * spec.mantissa_bits),
      fmt::arg("accumulator", AccumulatorParameters(spec)));
  unit.order.push_back("loom_cost_mac.sv");
  unit.accumulator_register = "acc_o";
  return unit;
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
  loom_dot #(.Lanes({3}), .AWidth({4}), .BWidth({5}), .SumWidth({2}), .Body({6})) u_dot (
    .a_i, .b_i, .addend_i(acc_o), .sum_o(sum));
  always_ff @(posedge clk_i) begin
    if (clear_i) acc_o <= '0;
    else if (enable_i) acc_o <= sum;
  end
endmodule
)",
      spec.lanes * spec.activation_bits, spec.lanes * spec.weight_bits, spec.accumulator_bits,
      spec.lanes, spec.activation_bits, spec.weight_bits, spec.is_behavioural ? 0 : 1);
  unit.order.push_back("loom_cost_mac.sv");
  unit.accumulator_register = "acc_o";
  return unit;
}

}  // namespace

std::string AccumulatorParameters(const MacSpec& spec) {
  if (spec.accumulator == MacAccumulator::kFixed) {
    return fmt::format(".AccKind(0), .AccWidth({}), .Drop({})", spec.accumulator_bits,
                       spec.drop_bits);
  }
  const bool is_fp16 = spec.accumulator == MacAccumulator::kFp16;
  return fmt::format(".AccKind(1), .AccExp({}), .AccMan({})", is_fp16 ? 5 : 8, is_fp16 ? 10 : 23);
}

const char* ShapeName(MacShape shape) {
  return shape == MacShape::kBare ? "bare" : shape == MacShape::kRow ? "row" : "row+dw";
}

std::string MacSpec::Name() const {
  const std::string sum = accumulator == MacAccumulator::kFp16   ? "fp16"
                          : accumulator == MacAccumulator::kFp32 ? "fp32"
                          : drop_bits > 0 ? fmt::format("a{}d{}", accumulator_bits, drop_bits)
                                          : fmt::format("a{}", accumulator_bits);
  return fmt::format("{} {} L{}{}", format, sum, lanes,
                     shape == MacShape::kBare  ? ""
                     : shape == MacShape::kRow ? " row"
                                               : " row+dw");
}

std::string MacSpec::Text() const {
  if (accumulator == MacAccumulator::kFp16) return format + "/fp16";
  if (accumulator == MacAccumulator::kFp32) return format + "/fp32";
  return fmt::format("{}/{}", format, accumulator_bits) +
         (drop_bits > 0 ? fmt::format("d{}", drop_bits) : "");
}

int MacSpec::OperandBits(int factor) const {
  if (is_minifloat) return 1 + exponent_bits + mantissa_bits;
  return factor == 0 ? activation_bits : weight_bits;
}

int MacSpec::CutBits() const {
  const int product =
      is_minifloat ? 1 + 2 * mantissa_bits + 2 + exponent_bits + 1 : activation_bits + weight_bits;
  return lanes * product;
}

namespace {

Result<MacSpec> ParseMinifloat(const std::string& text, const Minifloat& format) {
  MacSpec spec;
  spec.format = format.name;
  spec.is_minifloat = true;
  spec.exponent_bits = format.exponent_bits;
  spec.mantissa_bits = format.mantissa_bits;
  spec.bias = format.bias;
  spec.specials = format.specials;
  const std::string sum = text.substr(spec.format.size() + 1);
  if (sum == "fp16" || sum == "fp32") {
    spec.accumulator = sum == "fp16" ? MacAccumulator::kFp16 : MacAccumulator::kFp32;
    spec.accumulator_bits = sum == "fp16" ? 16 : 32;
    return spec;
  }
  const size_t drop = sum.find('d');
  if (!ParseInt(sum.substr(0, drop), spec.accumulator_bits) ||
      (drop != std::string::npos && !ParseInt(sum.substr(drop + 1), spec.drop_bits)) ||
      spec.accumulator_bits < kMinAccumulatorBits || spec.accumulator_bits > kMaxFixedBits ||
      spec.drop_bits < 0 || spec.drop_bits > kMaxAccumulatorBits) {
    return BadFormat(text);
  }
  return spec;
}

}  // namespace

Result<MacSpec> ParseMacSpec(const std::string& text) {
  MacSpec spec;
  const size_t slash = text.find('/');
  for (const Minifloat& format : kMinifloats) {
    if (slash != std::string::npos && text.substr(0, slash) == format.name) {
      return ParseMinifloat(text, format);
    }
  }
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
  if (spec.accumulator_bits < kMinAccumulatorBits || spec.accumulator_bits > kMaxAccumulatorBits) {
    return BadFormat(text);
  }
  return spec;
}

std::vector<std::string> DefaultMacFormats() {
  return {"int4/12",    "int4/16",    "int4/20",   "int4/24",    "int4/32",   "int8x4/20",
          "int8/16",    "int8/20",    "int8/24",   "int8/28",    "int8/32",   "int16x8/24",
          "int16x8/28", "int16x8/32", "e4m3/45",   "e4m3/32d13", "e4m3/fp16", "e4m3/fp32",
          "e5m2/75",    "e5m2/fp16",  "e5m2/fp32", "e3m4/31",    "e3m4/fp16", "e3m4/fp32",
          "e2m5/25",    "e2m5/fp16",  "e2m3/21",   "e2m3/fp16"};
}

Result<RtlUnit> MacRtl(const MacSpec& spec) {
  if (spec.lanes < 1 || spec.lanes > 32) {
    return InvalidInput(fmt::format("{} lanes; accepted are 1 to 32", spec.lanes));
  }
  if (!spec.is_minifloat && spec.accumulator_bits < 2) return BadFormat(spec.format);
  RtlUnit unit;
  if (spec.shape != MacShape::kBare) {
    MACLOOM_ASSIGN_OR_RETURN(unit, RowUnit(spec));
  } else {
    unit = spec.is_minifloat ? BareMinifloatUnit(spec) : BareUnit(spec);
  }
  unit.name = spec.Name();
  return unit;
}

}  // namespace macloom::cost
