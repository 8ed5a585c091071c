// SPDX-License-Identifier: Apache-2.0

/// One lane of the one-pass ADD: both operands on the common scale of 2^20 steps, summed.
///
/// With d = qb_i - zero_b_i, p = d * multiplier_i and s = shift_i <= 0:
///
///   double rounding  scaled = RDPOT(floor((p + 2^10) / 2^11), -s)
///   single rounding  scaled = floor((p + 2^(10-s)) / 2^(11-s))
///   x_o = (qa_i - zero_a_i) * 2^19 + scaled
///
/// RDPOT(h, r) is h / 2^r rounded to nearest, ties away from zero. `scaled` equals the
/// requantization of d * 2^20 by (multiplier, shift) exactly; the sum goes through a
/// loom_requant_lane.
///
/// Latency  2 cycles from the inputs (all sampled together) to `x_o`; one value per cycle.
/// Golden   golden/reference/add.cc
/// Test     tests/rtl/loom_add_lane_test.cc
module loom_add_lane #(
  /// 0: without multiplier; `multiplier_i` counts as 2^30, the shift must be -19 to 0.
  parameter int HasMultiplier = 1
) (
  /// Clock, rising edge.
  input  logic               clk_i,
  /// Code of the operand that is only shifted (the one with the larger scale).
  input  logic [7:0]         qa_i,
  /// Code of the operand that is scaled.
  input  logic [7:0]         qb_i,
  /// Zero point of `qa_i`.
  input  logic signed [7:0]  zero_a_i,
  /// Zero point of `qb_i`.
  input  logic signed [7:0]  zero_b_i,
  /// Multiplier of the scaled operand, 0 to 2^31-1.
  input  logic [31:0]        multiplier_i,
  /// Shift of the scaled operand, -31 to 0.
  input  logic signed [7:0]  shift_i,
  /// Single rounding instead of double rounding.
  input  logic               single_i,
  /// Sum, |x_o| < 2^29.
  output logic signed [31:0] x_o
);

  logic unused_bits;
  assign unused_bits = ^{multiplier_i[31], shift_i[7:5]};

  ////////////////
  // 1: product //
  ////////////////

  logic [4:0]         right;
  logic signed [8:0]  difference_a_q1;
  logic signed [8:0]  difference_b;
  logic signed [40:0] product;
  logic signed [40:0] product_q1;
  logic [5:0]         shift_q1;
  logic [4:0]         divide_q1;

  assign right = -shift_i[4:0];
  assign difference_b = 9'(signed'(qb_i)) - 9'(zero_b_i);

  if (HasMultiplier != 0) begin : gen_multiplier
    assign product = 41'(difference_b) * signed'({10'd0, multiplier_i[30:0]});
  end else begin : gen_shift
    logic unused_multiplier;
    assign unused_multiplier = ^multiplier_i;
    assign product = {{2{difference_b[8]}}, difference_b, 30'd0};
  end

  // As in loom_requant_lane, the product is shifted by one bit less and the last bit rounds.
  always_ff @(posedge clk_i) begin
    difference_a_q1 <= 9'(signed'(qa_i)) - 9'(zero_a_i);
    product_q1 <= product;
    shift_q1 <= single_i ? 6'd10 + 6'(right) : 6'd10;
    divide_q1 <= single_i ? 5'd0 : right;
  end

  /////////////////////
  // 2: rounding, sum //
  /////////////////////

  logic signed [40:0] shifted;
  logic signed [40:0] rounded;
  logic signed [31:0] high;
  logic [31:0]        mask;
  logic [31:0]        remainder;
  logic [31:0]        threshold;
  logic signed [31:0] scaled;
  logic               unused_high;

  assign shifted = product_q1 >>> shift_q1;
  assign rounded = (shifted + 41'sd1) >>> 1;
  assign high = rounded[31:0];
  assign unused_high = ^rounded[40:32];

  assign mask = ~(32'hFFFF_FFFF << divide_q1);
  assign remainder = high & mask;
  assign threshold = (mask >> 1) + 32'(high[31]);
  assign scaled = (high >>> divide_q1) + (remainder > threshold ? 32'sd1 : 32'sd0);

  always_ff @(posedge clk_i) begin
    x_o <= {{4{difference_a_q1[8]}}, difference_a_q1, 19'd0} + scaled;
  end

endmodule
