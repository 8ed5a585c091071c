#include "cost/row_unit.h"

#include <fmt/format.h>

#include <bit>

#include "rtl/gen/embedded_rtl.h"

namespace macloom::cost {
namespace {

constexpr int kMaxRowOperandBits = 8;

// loom_row has more ports than loom_fp_row; {extra} connects them and {parameters} chooses.
constexpr const char* kRowWrapper = R"(module loom_cost_mac (
  input  logic clk_i,
  input  logic operand_i, weight_load_i, multiply_i, tree_i, dense_i, first_i, last_i, row_valid_i,
{depthwise_ports}  input  logic [{lanes}*{a}-1:0] a_i,
  input  logic [{lanes}*{b}-1:0] b_i,
  input  logic [{entry}-1:0] entry_i, shadow_entry_i, drain_entry_i,
  input  logic [{acc}-1:0] dense_start_i,
  output logic [{entry}:0] event_count_o,
  output logic [{acc}-1:0] drain_o
);
  logic [{lanes}*8-1:0] act, weight, unused_hold;
{depthwise_ties}  for (genvar l = 0; l < {lanes}; l++) begin : gen_byte
    assign act[l*8 +: 8] = 8'(a_i[l*{a} +: {a}]);
    assign weight[l*8 +: 8] = 8'(b_i[l*{b} +: {b}]);
  end
  {module} #(.Lanes({lanes}), .Body(1), .Depthwise({depthwise}), {parameters}) u_row (
    .clk_i, .rst_ni(1'b1), .operand_i, .act_i(act), .weight_load_i, .weight_i(weight),
    .weight_hold_o(unused_hold), .multiply_i, .broadcast_i, .broadcast_weight_i, .unit_weights_i,
    .tree_i, .dense_i, .depthwise_i, .first_i, .last_i, .entry_i, .shadow_entry_i, .dense_start_i,
    .lane_starts_i, .row_valid_i, .lane_valid_i, .saturate_i(1'b0), .event_count_o, .drain_entry_i,
    {extra});
endmodule
)";

constexpr const char* kDepthwiseSignals[][2] = {
    {"broadcast_i", "0"},        {"unit_weights_i", "0"},  {"depthwise_i", "0"},
    {"broadcast_weight_i", "8"}, {"lane_starts_i", "acc"}, {"lane_valid_i", "1"}};

/// Ports with the depthwise mode, otherwise signals that are 0.
std::string DepthwiseSignals(const MacSpec& spec, bool as_ports) {
  std::string text;
  for (const auto& [name, bits] : kDepthwiseSignals) {
    const std::string width = bits == std::string("0") ? std::string()
                              : bits == std::string("acc")
                                  ? fmt::format("[{}*{}-1:0] ", spec.lanes, spec.accumulator_bits)
                                  : fmt::format("[{}*{}-1:0] ", spec.lanes, bits);
    text += as_ports ? fmt::format("  input  logic {}{},\n", width, name)
                     : fmt::format("  logic {}{};\n  assign {} = '0;\n", width, name, name);
  }
  return text;
}

std::string Parameters(const MacSpec& spec) {
  if (!spec.is_minifloat) {
    return fmt::format(
        ".AccWidth({}), .AccPolicy(loom_pkg::POLICY_WRAP), .RequantLanes(1), .ActBits({}), "
        ".WeightBits({})",
        spec.accumulator_bits, spec.activation_bits, spec.weight_bits);
  }
  std::string text = fmt::format(
      ".ActExp({0}), .ActMan({1}), .ActBias({2}), .ActSpecials({3}), .WeightExp({0}), "
      ".WeightMan({1}), .WeightBias({2}), .WeightSpecials({3}), .RequantLanes(1), ",
      spec.exponent_bits, spec.mantissa_bits, spec.bias, spec.specials);
  return text + AccumulatorParameters(spec);
}

}  // namespace

Result<RtlUnit> RowUnit(const MacSpec& spec) {
  if (spec.OperandBits(0) > kMaxRowOperandBits || spec.OperandBits(1) > kMaxRowOperandBits) {
    return Unsupported(
        fmt::format("{}: a row takes operands of at most {} bits; --shape bare has "
                    "wider ones",
                    spec.format, kMaxRowOperandBits));
  }
  if (!std::has_single_bit(static_cast<unsigned>(spec.lanes))) {
    return Unsupported(
        fmt::format("a row of {} lanes; accepted are 1, 2, 4, 8, 16 and 32", spec.lanes));
  }
  RtlUnit unit;
  unit.top = "loom_cost_mac";
  const bool is_depthwise = spec.shape == MacShape::kRowDepthwise;
  const std::string module = spec.is_minifloat ? "loom_fp_row" : "loom_row";
  for (const auto& [name, text] : rtl_gen::EmbeddedRtl()) {
    if (name != "loom_pkg.sv" && name != "loom_bit_heap.sv" && name != "loom_dot.sv" &&
        name != "loom_multiplier.sv" && name != module + ".sv" &&
        !(spec.is_minifloat && name.starts_with("loom_fp_") && !name.ends_with("_row.sv") &&
          !name.ends_with("_lane.sv"))) {
      continue;
    }
    unit.files[name] = text;
    unit.order.insert(name == "loom_pkg.sv" ? unit.order.begin() : unit.order.end(), name);
  }
  const std::string extra =
      spec.is_minifloat
          ? fmt::format(".product_valid_i({{{}{{1'b1}}}}), .drain_acc_o(drain_o)", spec.lanes)
          : ".maximum_i(1'b0), .narrow_i(6'd0), .drain_chunk_i('0), "
            ".drain_entry_acc_o(drain_o), .drain_chunk_acc_o()";
  unit.files["loom_cost_mac.sv"] = fmt::format(
      fmt::runtime(kRowWrapper), fmt::arg("lanes", spec.lanes), fmt::arg("a", spec.OperandBits(0)),
      fmt::arg("b", spec.OperandBits(1)), fmt::arg("acc", spec.accumulator_bits),
      fmt::arg("entry", spec.lanes > 1 ? std::bit_width(static_cast<unsigned>(spec.lanes)) - 1 : 1),
      fmt::arg("module", module), fmt::arg("depthwise", is_depthwise ? 1 : 0),
      fmt::arg("parameters", Parameters(spec)), fmt::arg("extra", extra),
      fmt::arg("depthwise_ports", is_depthwise ? DepthwiseSignals(spec, true) : ""),
      fmt::arg("depthwise_ties", is_depthwise ? "" : DepthwiseSignals(spec, false)));
  unit.order.push_back("loom_cost_mac.sv");
  unit.accumulator_register = "acc_q";
  return unit;
}

}  // namespace macloom::cost
