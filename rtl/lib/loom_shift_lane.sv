// SPDX-License-Identifier: Apache-2.0

/// A requantization lane without multiplier: accumulator to int8 code by a rounding shift.
///
/// The interface is that of loom_requant_lane. With s = shift_i:
///
///   RequantSingle  v = floor((x_i + 2^(-s)) / 2^(1-s)) for s <= 0, v = x_i for s = 1
///   RequantMean    v = sign(x_i) * floor((|x_i| + mean_half_i) / 2^s)
///   y_o = clamp(v + (RequantMean ? 0 : zero_i), clamp_min_i, clamp_max_i)
///
/// which are the results of loom_requant_lane for the multipliers 2^30 and 1.
///
/// Latency  2 cycles from the inputs (all sampled together) to the outputs; one value per cycle.
/// Golden   golden/reference/requantize.h
/// Test     tests/rtl/loom_shift_lane_test.cc
module loom_shift_lane (
  /// Clock, rising edge.
  input  logic               clk_i,
  /// Accumulator.
  input  logic signed [31:0] x_i,
  /// loom_pkg::RequantSingle or loom_pkg::RequantMean.
  input  logic [1:0]         mode_i,
  /// Shift: single -30 to 1; mean 0 to 31, to the right.
  input  logic signed [7:0]  shift_i,
  /// Mean: half the number of positions.
  input  logic [15:0]        mean_half_i,
  /// Zero point of the output.
  input  logic signed [7:0]  zero_i,
  /// Smallest code.
  input  logic signed [7:0]  clamp_min_i,
  /// Largest code, at least `clamp_min_i`.
  input  logic signed [7:0]  clamp_max_i,
  /// Code.
  output logic [7:0]         y_o,
  /// The value was below `clamp_min_i`.
  output logic               low_o,
  /// The value was above `clamp_max_i`.
  output logic               high_o
);

  //////////////
  // 1: shift //
  //////////////

  logic               is_mean;
  logic               negate;
  logic signed [32:0] x_wide;
  logic signed [33:0] doubled;
  logic [4:0]         right;
  logic signed [33:0] shifted;
  logic signed [33:0] rounded;
  logic signed [33:0] value_q1;
  logic signed [7:0]  clamp_min_q1;
  logic signed [7:0]  clamp_max_q1;
  logic               unused_bits;

  assign is_mean = mode_i == loom_pkg::RequantMean;
  assign negate = is_mean && x_i < 0;
  assign x_wide = 33'(x_i);
  // One bit below the point, so that a shift by 0 rounds as well as any other.
  assign doubled = is_mean ? {(negate ? -x_wide : x_wide) + 33'(mean_half_i), 1'b0} :
                             {x_wide, 1'b0};
  assign right = is_mean ? shift_i[4:0] : 5'(8'sd1 - shift_i);
  assign shifted = doubled >>> right;
  assign rounded = (shifted + (is_mean ? 34'sd0 : 34'sd1)) >>> 1;
  assign unused_bits = ^shift_i;

  always_ff @(posedge clk_i) begin
    value_q1 <= (negate ? -rounded : rounded) + (is_mean ? 34'sd0 : 34'(zero_i));
    clamp_min_q1 <= clamp_min_i;
    clamp_max_q1 <= clamp_max_i;
  end

  //////////////
  // 2: clamp //
  //////////////

  logic is_low;
  logic is_high;

  assign is_low = value_q1 < 34'(clamp_min_q1);
  assign is_high = value_q1 > 34'(clamp_max_q1);

  always_ff @(posedge clk_i) begin
    y_o <= is_low ? clamp_min_q1 : is_high ? clamp_max_q1 : value_q1[7:0];
    low_o <= is_low;
    high_o <= is_high;
  end

endmodule
