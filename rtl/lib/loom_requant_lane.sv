// SPDX-License-Identifier: Apache-2.0

/// One requantization lane: accumulator to int8 code, exact for every accumulator of XWidth bits.
///
/// With m = multiplier_i, w = MultWidth, s = shift_i and p = x_i * m:
///
///   RequantDouble  v = RDPOT(floor((p * 2^max(s,0) + 2^(w-1)) / 2^w), max(-s,0))
///   RequantSingle  v = floor((p + 2^(w-1-s)) / 2^(w-s))
///   RequantMean    v = sign(x_i) * floor((|x_i| + mean_half_i) * m / 2^s)
///   y_o = clamp(v + (RequantMean ? 0 : zero_i), clamp_min_i, clamp_max_i)
///
/// RDPOT(h, r) is h / 2^r rounded to nearest, ties away from zero. No step loses a bit that the
/// clamp could see: intermediate values beyond int32 are replaced by the nearest int32.
///
/// Latency  5 cycles from the inputs (all sampled together) to the outputs; one value per cycle.
/// Golden   golden/reference/requantize.h
/// Test     tests/rtl/loom_requant_lane_test.cc
module loom_requant_lane #(
  /// Bits of the accumulator, 16 to 32.
  parameter int XWidth = 32,
  /// Bits of the multiplier, 16 to 31.
  parameter int MultWidth = 31
) (
  /// Clock, rising edge.
  input  logic               clk_i,
  /// Accumulator; the low XWidth bits count.
  input  logic signed [31:0] x_i,
  /// loom_pkg::requant_mode_e.
  input  logic [1:0]         mode_i,
  /// Multiplier; the low MultWidth bits count.
  input  logic [31:0]        multiplier_i,
  /// Shift: double and single -31 (right) to 7 (left); mean 0 to 62, to the right.
  input  logic signed [7:0]  shift_i,
  /// Mean: half the number of positions, rounded down.
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

  if (XWidth < 16 || XWidth > 32) begin : gen_bad_x_width
    $error("loom_requant_lane: XWidth must be 16 to 32");
  end
  if (MultWidth < 16 || MultWidth > 31) begin : gen_bad_mult_width
    $error("loom_requant_lane: MultWidth must be 16 to 31");
  end

  localparam int ProductWidth = XWidth + 1 + MultWidth;
  localparam logic signed [7:0] LastBit = 8'(MultWidth - 1);

  logic unused_bits;
  assign unused_bits = ^{multiplier_i, x_i};

  ////////////////////////////////////
  // 1: operands, shift amounts     //
  ////////////////////////////////////

  logic               is_mean;
  logic signed [XWidth:0] x_wide;
  logic [XWidth:0]    x_magnitude;

  assign is_mean = mode_i == loom_pkg::RequantMean;
  assign x_wide = (XWidth+1)'(signed'(x_i[XWidth-1:0]));
  assign x_magnitude = (x_wide < 0 ? -x_wide : x_wide) + (XWidth+1)'(mean_half_i);

  logic signed [XWidth:0] operand_q1;
  logic [MultWidth-1:0]   multiplier_q1;
  logic [5:0]         shift_q1;
  logic [4:0]         divide_q1;
  logic               round_q1;
  logic               negate_q1;
  logic signed [7:0]  zero_q1;
  logic signed [7:0]  clamp_min_q1;
  logic signed [7:0]  clamp_max_q1;

  // The product is shifted by one bit less than wanted, the last bit then rounds: adding half and
  // shifting by t is the same as shifting by t-1, adding one and shifting by one.
  always_ff @(posedge clk_i) begin
    operand_q1 <= is_mean ? signed'(x_magnitude) : x_wide;
    multiplier_q1 <= multiplier_i[MultWidth-1:0];
    divide_q1 <= 5'd0;
    case (mode_i)
      loom_pkg::RequantMean:   shift_q1 <= shift_i[5:0];
      loom_pkg::RequantSingle: shift_q1 <= 6'(LastBit - shift_i);
      default: begin
        shift_q1 <= shift_i < 0 ? 6'(LastBit) : 6'(LastBit - shift_i);
        if (shift_i < 0) divide_q1 <= 5'(-shift_i);
      end
    endcase
    round_q1 <= !is_mean;
    negate_q1 <= is_mean && x_wide < 0;
    zero_q1 <= is_mean ? 8'sd0 : zero_i;
    clamp_min_q1 <= clamp_min_i;
    clamp_max_q1 <= clamp_max_i;
  end

  ////////////////
  // 2: product //
  ////////////////

  logic signed [ProductWidth-1:0] product_q2;
  logic [5:0]         shift_q2;
  logic [4:0]         divide_q2;
  logic               round_q2;
  logic               negate_q2;
  logic signed [7:0]  zero_q2;
  logic signed [7:0]  clamp_min_q2;
  logic signed [7:0]  clamp_max_q2;

  always_ff @(posedge clk_i) begin
    product_q2 <= ProductWidth'(operand_q1) *
                  ProductWidth'(signed'({1'b0, multiplier_q1}));
    shift_q2 <= shift_q1;
    divide_q2 <= divide_q1;
    round_q2 <= round_q1;
    negate_q2 <= negate_q1;
    zero_q2 <= zero_q1;
    clamp_min_q2 <= clamp_min_q1;
    clamp_max_q2 <= clamp_max_q1;
  end

  /////////////////////////
  // 3: shift, to 32 bit //
  /////////////////////////

  logic signed [ProductWidth-1:0] shifted;
  logic signed [ProductWidth-1:0] rounded;
  logic signed [31:0] high_q3;
  logic [4:0]         divide_q3;
  logic               negate_q3;
  logic signed [7:0]  zero_q3;
  logic signed [7:0]  clamp_min_q3;
  logic signed [7:0]  clamp_max_q3;

  assign shifted = product_q2 >>> shift_q2;
  assign rounded = round_q2 ? (shifted + ProductWidth'(1)) >>> 1 : shifted;

  always_ff @(posedge clk_i) begin
    high_q3 <= rounded[31:0];
    if (rounded[ProductWidth-1:31] != {(ProductWidth-31){rounded[ProductWidth-1]}}) begin
      high_q3 <= {rounded[ProductWidth-1], {31{!rounded[ProductWidth-1]}}};
    end
    divide_q3 <= divide_q2;
    negate_q3 <= negate_q2;
    zero_q3 <= zero_q2;
    clamp_min_q3 <= clamp_min_q2;
    clamp_max_q3 <= clamp_max_q2;
  end

  //////////////////////////////////////////////
  // 4: second rounding, sign, and zero point //
  //////////////////////////////////////////////

  logic [31:0]        mask;
  logic [31:0]        remainder;
  logic [31:0]        threshold;
  logic signed [31:0] quotient;
  logic signed [32:0] divided;
  logic signed [32:0] value_q4;
  logic signed [7:0]  clamp_min_q4;
  logic signed [7:0]  clamp_max_q4;

  assign mask = ~(32'hFFFF_FFFF << divide_q3);
  assign remainder = high_q3 & mask;
  assign threshold = (mask >> 1) + 32'(high_q3[31]);
  assign quotient = high_q3 >>> divide_q3;
  assign divided = 33'(quotient) + (remainder > threshold ? 33'sd1 : 33'sd0);

  always_ff @(posedge clk_i) begin
    value_q4 <= (negate_q3 ? -divided : divided) + 33'(zero_q3);
    clamp_min_q4 <= clamp_min_q3;
    clamp_max_q4 <= clamp_max_q3;
  end

  //////////////
  // 5: clamp //
  //////////////

  logic is_low;
  logic is_high;

  assign is_low = value_q4 < 33'(clamp_min_q4);
  assign is_high = value_q4 > 33'(clamp_max_q4);

  always_ff @(posedge clk_i) begin
    y_o <= is_low ? clamp_min_q4 : is_high ? clamp_max_q4 : value_q4[7:0];
    low_o <= is_low;
    high_o <= is_high;
  end

endmodule
