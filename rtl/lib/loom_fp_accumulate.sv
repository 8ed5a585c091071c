// SPDX-License-Identifier: Apache-2.0

/// Adds the products of a step to an accumulator: alignment and tree, a register, the addition.
///
///   AccFixed  acc_o = policy(base_i + sum), AccWidth bits two's complement, unit 2^Drop grid steps
///   AccFloat  acc_o = value(base_i) + the exact sum, rounded once (loom_fp_add)
///
/// Only the part after the register depends on `base_i`: it is the loop of an accumulator.
///
/// Latency  Registered: products in the cycle of `load_i`, `base_i` and the outputs in the next or a
///          later one. Otherwise combinational, and `clk_i` and `load_i` are ignored.
/// Golden   docs/numerics.md, section 9.4
/// Test     tests/rtl/loom_fp_accumulate_test.cc
module loom_fp_accumulate #(
  /// Products, 1 to 32.
  parameter int Lanes = 2,
  /// Bits of a significand.
  parameter int SigWidth = 8,
  /// Bits of a shift.
  parameter int ShiftWidth = 5,
  /// Largest shift of finite codes.
  parameter int MaxShift = 28,
  /// Fixed: low bits dropped from every product.
  parameter int Drop = 0,
  /// Fixed: 1 aligns the products to the largest.
  parameter int Align = 0,
  /// Fixed: bits kept below the largest product.
  parameter int AlignBits = 4,
  /// loom_pkg::ACC_FIXED or loom_pkg::ACC_FLOAT.
  parameter int AccKind = loom_pkg::ACC_FIXED,
  /// Fixed: bits of an accumulator, 8 to 80.
  parameter int AccWidth = 32,
  /// Float: exponent bits of an accumulator, 2 to 8.
  parameter int AccExp = 5,
  /// Float: mantissa bits of an accumulator, 1 to 23.
  parameter int AccMan = 10,
  /// Float: power of two of the products' grid.
  parameter int GridLsb = -18,
  /// 1: a register between the sum and the addition.
  parameter int Registered = 1,
  /// loom_pkg::BODY_BEHAVIOURAL or loom_pkg::BODY_STRUCTURAL.
  parameter int Body = loom_pkg::BODY_BEHAVIOURAL,
  /// Structural: last adder of the tree, as in loom_bit_heap.
  parameter int Adder = loom_pkg::ADDER_RIPPLE,
  /// Dependent parameter, do not override. Bits of an accumulator.
  localparam int AccBits = AccKind == loom_pkg::ACC_FLOAT ? 1 + AccExp + AccMan : AccWidth
) (
  /// Clock, rising edge.
  input  logic                        clk_i,
  /// Takes the sum of the products.
  input  logic                        load_i,
  /// Lane counts.
  input  logic [Lanes-1:0]            valid_i,
  /// Signs.
  input  logic [Lanes-1:0]            sign_i,
  /// Significands, lane l at bits [l*SigWidth +: SigWidth].
  input  logic [Lanes*SigWidth-1:0]   significand_i,
  /// Shifts, lane l at bits [l*ShiftWidth +: ShiftWidth].
  input  logic [Lanes*ShiftWidth-1:0] shift_i,
  /// Accumulator before the step.
  input  logic [AccBits-1:0]          base_i,
  /// Saturate instead of wrap or Inf.
  input  logic                        saturate_i,
  /// Accumulator after the step.
  output logic [AccBits-1:0]          acc_o,
  /// The step left the range.
  output logic                        event_o
);

  if (AccKind < 0 || AccKind > 1) begin : gen_bad_acc_kind
    $error("loom_fp_accumulate: AccKind must be 0 or 1");
  end
  if (Registered < 0 || Registered > 1) begin : gen_bad_registered
    $error("loom_fp_accumulate: Registered must be 0 or 1");
  end
  if (AccWidth < 8 || AccWidth > 80) begin : gen_bad_acc_width
    $error("loom_fp_accumulate: AccWidth must be 8 to 80");
  end

  localparam int SumWidth = SigWidth + MaxShift - Drop + $clog2(Lanes) + 1;

  if (AccKind == loom_pkg::ACC_FIXED) begin : gen_fixed
    // One bit more than both summands, so that the exact value is seen, not inferred.
    localparam int ExactWidth = (AccWidth > SumWidth ? AccWidth : SumWidth) + 1;
    logic [SumWidth-1:0]          sum_d, sum;
    logic                         carry_d, carry;
    logic signed [ExactWidth-1:0] exact;

    loom_fp_sum #(
      .Lanes     (Lanes),
      .SigWidth  (SigWidth),
      .ShiftWidth(ShiftWidth),
      .MaxShift  (MaxShift),
      .Drop      (Drop),
      .Align     (Align),
      .AlignBits (AlignBits),
      .Body      (Body),
      .Adder     (Adder)
    ) u_sum (
      .valid_i,
      .sign_i,
      .significand_i,
      .shift_i,
      .sum_o  (sum_d),
      .carry_o(carry_d)
    );

    if (Registered != 0) begin : gen_register
      always_ff @(posedge clk_i) begin
        if (load_i) begin
          sum <= sum_d;
          carry <= carry_d;
        end
      end
    end else begin : gen_through
      assign sum = sum_d;
      assign carry = carry_d;
      logic unused_clock;
      assign unused_clock = clk_i ^ load_i;
    end

    assign exact = ExactWidth'(signed'(base_i)) + ExactWidth'(signed'(sum)) +
                   signed'(ExactWidth'(carry));
    assign event_o = exact[ExactWidth-1:AccWidth-1] != {(ExactWidth-AccWidth+1){exact[ExactWidth-1]}};
    assign acc_o = event_o && saturate_i ? {exact[ExactWidth-1], {(AccWidth-1){!exact[ExactWidth-1]}}} :
                                           exact[AccWidth-1:0];
  end else begin : gen_float
    // A single product is normalized as it is, a sum as a fixed-point number.
    localparam int AddWidth = Lanes == 1 ? SigWidth : SumWidth - 1;
    localparam int TopWidth = $clog2(SumWidth) + 1;
    localparam int CountWidth = $clog2(AddWidth);
    logic [AddWidth-1:0]   magnitude;
    logic [AddWidth-1:0]   sig_d, sig;
    logic [CountWidth-1:0] zeros;
    logic [TopWidth-1:0]   top_d, top;
    logic                  sign_d, sign;

    if (Lanes == 1) begin : gen_product
      assign magnitude = valid_i[0] ? significand_i : '0;
      assign sign_d = sign_i[0];
      assign top_d = TopWidth'(shift_i) + TopWidth'(SigWidth - 1) - TopWidth'(zeros);
    end else begin : gen_sum
      logic [SumWidth-1:0] sum;
      logic [SumWidth-1:0] absolute;
      logic                unused_carry;
      loom_fp_sum #(
        .Lanes     (Lanes),
        .SigWidth  (SigWidth),
        .ShiftWidth(ShiftWidth),
        .MaxShift  (MaxShift),
        .Body      (Body),
        .Adder     (Adder)
      ) u_sum (
        .valid_i,
        .sign_i,
        .significand_i,
        .shift_i,
        .sum_o  (sum),
        .carry_o(unused_carry)
      );
      logic unused_top;
      assign sign_d = sum[SumWidth-1];
      assign absolute = sign_d ? -sum : sum;
      assign magnitude = absolute[SumWidth-2:0];
      assign unused_top = absolute[SumWidth-1];
      assign top_d = TopWidth'(AddWidth - 1) - TopWidth'(zeros);
    end

    loom_fp_normalize #(
      .Width     (AddWidth),
      .LimitWidth(0)
    ) u_normalize (
      .value_i(magnitude),
      .limit_i(1'b0),
      .value_o(sig_d),
      .zeros_o(zeros)
    );

    if (Registered != 0) begin : gen_register
      always_ff @(posedge clk_i) begin
        if (load_i) begin
          sign <= sign_d;
          sig <= sig_d;
          top <= top_d;
        end
      end
    end else begin : gen_through
      assign sign = sign_d;
      assign sig = sig_d;
      assign top = top_d;
      logic unused_clock;
      assign unused_clock = clk_i ^ load_i;
    end

    loom_fp_add #(
      .Exp     (AccExp),
      .Man     (AccMan),
      .SigWidth(AddWidth),
      .TopWidth(TopWidth),
      .GridLsb (GridLsb)
    ) u_add (
      .acc_i (base_i),
      .sign_i(sign),
      .sig_i (sig),
      .top_i (top),
      .saturate_i,
      .acc_o,
      .event_o
    );
  end

endmodule
