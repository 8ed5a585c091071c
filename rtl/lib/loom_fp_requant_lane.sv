// SPDX-License-Identifier: Apache-2.0

/// One requantization lane of minifloats: accumulator times 2^shift_i to a code, rounded once.
///
///   v   = value of the accumulator * 2^shift_i
///   r   = v to nearest even in the output format, exponent unlimited above
///   y_o = clamp_min_i if r is below, clamp_max_i if r is above, otherwise the code of r, +0 for 0
///
/// The limits are finite codes, not -0, compared by value. An Inf accumulator is beyond them. A NaN
/// one gives the format's canonical NaN, without `low_o` and `high_o`; a format without NaN treats it
/// as Inf.
///
/// Latency  3 cycles from the inputs (all sampled together) to the outputs; one value per cycle.
/// Golden   docs/numerics.md, section 9.5
/// Test     tests/rtl/loom_fp_requant_lane_test.cc
module loom_fp_requant_lane #(
  /// loom_pkg::ACC_FIXED or loom_pkg::ACC_FLOAT.
  parameter int AccKind = loom_pkg::ACC_FIXED,
  /// Fixed: bits of an accumulator, 8 to 80.
  parameter int AccWidth = 45,
  /// Fixed: the accumulator's unit is 2^UnitLsb, -64 to 63.
  parameter int UnitLsb = -18,
  /// Float: exponent bits of an accumulator, 2 to 8.
  parameter int AccExp = 5,
  /// Float: mantissa bits of an accumulator, 1 to 23.
  parameter int AccMan = 10,
  /// Exponent bits of the code, 1 to 5.
  parameter int Exp = 4,
  /// Mantissa bits of the code; 1 + Exp + Man is at most 8.
  parameter int Man = 3,
  /// Exponent bias of the code, -32 to 32.
  parameter int Bias = 7,
  /// loom_pkg::SPECIALS_FINITE, SPECIALS_NAN or SPECIALS_IEEE.
  parameter int Specials = loom_pkg::SPECIALS_NAN,
  /// Dependent parameter, do not override. Bits of an accumulator.
  localparam int AccBits = AccKind == loom_pkg::ACC_FLOAT ? 1 + AccExp + AccMan : AccWidth,
  /// Dependent parameter, do not override. Bits of a code.
  localparam int Bits = 1 + Exp + Man
) (
  /// Clock, rising edge.
  input  logic               clk_i,
  /// Accumulator.
  input  logic [AccBits-1:0] x_i,
  /// Power of two, -64 to 64.
  input  logic signed [7:0]  shift_i,
  /// Smallest code, finite, not -0.
  input  logic [Bits-1:0]    clamp_min_i,
  /// Largest code, finite, not -0, not below `clamp_min_i`.
  input  logic [Bits-1:0]    clamp_max_i,
  /// Code; unused high bits are 0.
  output logic [7:0]         y_o,
  /// The value was below `clamp_min_i`.
  output logic               low_o,
  /// The value was above `clamp_max_i`.
  output logic               high_o
);

  if (AccKind < 0 || AccKind > 1) begin : gen_bad_acc_kind
    $error("loom_fp_requant_lane: AccKind must be 0 or 1");
  end
  if (AccWidth < 8 || AccWidth > 80) begin : gen_bad_acc_width
    $error("loom_fp_requant_lane: AccWidth must be 8 to 80");
  end
  if (Exp < 1 || Exp > 5 || Man < 1 || Exp + Man > 7) begin : gen_bad_format
    $error("loom_fp_requant_lane: Exp must be 1 to 5, Man at least 1 and Exp + Man at most 7");
  end

  // Significand, first bit of weight 2^top; enough bits below the code's last for guard and sticky.
  localparam int Raw = AccKind == loom_pkg::ACC_FLOAT ? 1 + AccMan : AccWidth;
  localparam int Sig = Raw > Man + 3 ? Raw : Man + 3;
  localparam int CountWidth = $clog2(Sig);
  // Exponents count from the smallest normal one of the code; 12 bits hold every sum here.
  localparam int FloatTop = 2 - (1 << (AccExp - 1));
  localparam int Offset = (AccKind == loom_pkg::ACC_FLOAT ? FloatTop : UnitLsb + Raw - 1) -
                          (1 - Bias);

  //////////////////////////////////
  // 1: sign, magnitude, exponent //
  //////////////////////////////////

  logic                sign_d, sign_q1;
  logic [Raw-1:0]      magnitude_d, magnitude_q1;
  logic signed [11:0]  top_d, top_q1;
  logic                inf_d, inf_q1;
  logic                nan_d, nan_q1;
  logic [Bits-1:0]     min_q1, max_q1;

  if (AccKind == loom_pkg::ACC_FLOAT) begin : gen_float
    logic [AccExp-1:0] exponent;
    assign exponent = x_i[AccMan +: AccExp];
    assign sign_d = x_i[AccBits-1];
    assign magnitude_d = {exponent != 0, x_i[AccMan-1:0]};
    assign top_d = 12'(exponent) - 12'(exponent != 0) + 12'(shift_i) + 12'(Offset);
    assign inf_d = &exponent;
    assign nan_d = &exponent && x_i[AccMan-1:0] != 0;
  end else begin : gen_fixed
    assign sign_d = x_i[AccBits-1];
    assign magnitude_d = sign_d ? -x_i : x_i;
    assign top_d = 12'(shift_i) + 12'(Offset);
    assign inf_d = 1'b0;
    assign nan_d = 1'b0;
  end

  always_ff @(posedge clk_i) begin
    sign_q1 <= sign_d;
    magnitude_q1 <= magnitude_d;
    top_q1 <= top_d;
    inf_q1 <= inf_d;
    nan_q1 <= nan_d && Specials != loom_pkg::SPECIALS_FINITE;
    min_q1 <= clamp_min_i;
    max_q1 <= clamp_max_i;
  end

  /////////////////////////////////////
  // 2: first bit to the top, sticky //
  /////////////////////////////////////

  logic [Sig-1:0]        normal;
  logic [CountWidth-1:0] zeros;
  logic                  sign_q2;
  logic [Man+2:0]        short_q2;
  logic signed [11:0]    top_q2;
  logic                  inf_q2;
  logic                  nan_q2;
  logic [Bits-1:0]       min_q2, max_q2;

  loom_fp_normalize #(
    .Width     (Sig),
    .LimitWidth(0)
  ) u_normalize (
    .value_i({magnitude_q1, {(Sig-Raw){1'b0}}}),
    .limit_i(1'b0),
    .value_o(normal),
    .zeros_o(zeros)
  );

  always_ff @(posedge clk_i) begin
    sign_q2 <= sign_q1;
    short_q2 <= {normal[Sig-1 -: Man+2], normal[Sig-Man-3:0] != 0};
    top_q2 <= top_q1 - 12'(zeros);
    inf_q2 <= inf_q1;
    nan_q2 <= nan_q1;
    min_q2 <= min_q1;
    max_q2 <= max_q1;
  end

  //////////////////////////////////////
  // 3: subnormal shift, round, clamp //
  //////////////////////////////////////

  logic                   is_subnormal;
  logic [11:0]            below;
  logic [2*Man+5:0]       shifted;
  logic [Man+1:0]         kept;
  logic                   unused_first;
  logic [11:0]            exponent;
  logic                   round_up;
  logic [11+Man:0]        code;
  logic signed [12+Man:0] value;
  logic signed [12+Man:0] value_min;
  logic signed [12+Man:0] value_max;
  logic                   is_low;
  logic                   is_high;
  assign is_subnormal = top_q2 < 0;
  assign below = is_subnormal ? -top_q2 : '0;
  assign shifted = {short_q2, {(Man+3){1'b0}}} >> (below > 12'(Man + 3) ? 12'(Man + 3) : below);
  assign kept = {shifted[2*Man+4 -: Man+1], shifted[Man+3:0] != 0};
  assign unused_first = shifted[2*Man+5];
  assign exponent = is_subnormal || !short_q2[Man+2] ? '0 : top_q2 + 12'sd1;
  assign round_up = kept[1] && (kept[2] || kept[0]);
  assign code = {exponent, kept[Man+1:2]} + (12+Man)'(round_up);

  // The order of finite codes is that of signed integers.
  always_comb begin
    value = inf_q2 ? {2'b01, {(11+Man){1'b0}}} : {1'b0, code};
    if (sign_q2) value = -value;
    value_min = (13+Man)'(min_q2[Bits-2:0]);
    if (min_q2[Bits-1]) value_min = -value_min;
    value_max = (13+Man)'(max_q2[Bits-2:0]);
    if (max_q2[Bits-1]) value_max = -value_max;
    is_low = value < value_min && !nan_q2;
    is_high = value > value_max && !nan_q2;
  end

  always_ff @(posedge clk_i) begin
    y_o <= 8'({sign_q2 && code[Bits-2:0] != 0, code[Bits-2:0]});
    if (is_low) y_o <= 8'(min_q2);
    if (is_high) y_o <= 8'(max_q2);
    if (nan_q2) begin
      y_o <= Specials == loom_pkg::SPECIALS_NAN ? 8'((1 << (Exp + Man)) - 1) :
                                                  8'((1 << (Exp + Man)) - (1 << (Man - 1)));
    end
    low_o <= is_low;
    high_o <= is_high;
  end

endmodule
