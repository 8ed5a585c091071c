// SPDX-License-Identifier: Apache-2.0

/// Adds an exact number to a floating-point accumulator and rounds once.
///
///   t = value(acc_i) + (sign_i ? -1 : 1) * sig_i * 2^(top_i - (SigWidth-1)) * 2^GridLsb
///   acc_o = t rounded to the nearest number of 1 + Exp + Man bits, ties to even; a zero is +0
///
/// `sig_i` has its first bit set, or is 0: `top_i` is then the power of the first bit. |t| that
/// rounds to more than the largest finite number is an event: Inf, or with `saturate_i` the largest
/// number, with the sign of t. An Inf accumulator stays, without event. NaN does not occur.
///
/// Latency  none, combinational.
/// Golden   docs/numerics.md, section 9.4
/// Test     tests/rtl/loom_fp_add_test.cc
module loom_fp_add #(
  /// Exponent bits of the accumulator, 2 to 8; its bias is 2^(Exp-1) - 1.
  parameter int Exp = 5,
  /// Mantissa bits of the accumulator, 1 to 23.
  parameter int Man = 10,
  /// Bits of the summand, at least 2.
  parameter int SigWidth = 8,
  /// Bits of `top_i`.
  parameter int TopWidth = 6,
  /// Power of two of the summand's grid.
  parameter int GridLsb = -18
) (
  /// Accumulator: sign, exponent, mantissa.
  input  logic [Exp+Man:0]    acc_i,
  /// Sign of the summand.
  input  logic                sign_i,
  /// Summand, normalized.
  input  logic [SigWidth-1:0] sig_i,
  /// Power of its first bit, in units of the grid.
  input  logic [TopWidth-1:0] top_i,
  /// Overflow gives the largest number instead of Inf.
  input  logic                saturate_i,
  /// Sum.
  output logic [Exp+Man:0]    acc_o,
  /// The rounded sum exceeds the largest number.
  output logic                event_o
);

  if (Exp < 2 || Exp > 8) begin : gen_bad_exp
    $error("loom_fp_add: Exp must be 2 to 8");
  end
  if (Man < 1 || Man > 23) begin : gen_bad_man
    $error("loom_fp_add: Man must be 1 to 23");
  end

  // Exponents count from the smallest normal one, 1 - bias: acc is at 0 or above, the summand may
  // be below. Wide enough for both and for their difference.
  localparam int Offset = GridLsb - (2 - (1 << (Exp - 1)));
  localparam int Reach = (1 << TopWidth) + (Offset < 0 ? -Offset : Offset) + (1 << Exp);
  localparam int ExpWidth = $clog2(Reach) + 2;
  // A shift by one loses nothing, and below the bit that rounds there is one more.
  localparam int Window = SigWidth + 1 > Man + 3 ? SigWidth + 1 : Man + 3;
  // The sticky bit is the last of Full bits; the sum has one bit more.
  localparam int Full = Window + 1;
  localparam int DistWidth = $clog2(Full + 1);

  logic                       acc_sign;
  logic [Exp-1:0]             acc_exp;
  logic                       acc_normal;
  logic                       acc_inf;
  logic signed [ExpWidth-1:0] acc_top;
  logic signed [ExpWidth-1:0] add_top;
  logic signed [ExpWidth-1:0] difference;
  logic                       acc_higher;
  assign acc_sign = acc_i[Exp+Man];
  assign acc_exp = acc_i[Man +: Exp];
  assign acc_normal = acc_exp != 0;
  assign acc_inf = &acc_exp;
  assign acc_top = ExpWidth'(acc_exp) - ExpWidth'(acc_normal);
  assign add_top = ExpWidth'(top_i) + ExpWidth'(Offset);
  assign difference = acc_top - add_top;
  // A summand of 0 has any power.
  assign acc_higher = !difference[ExpWidth-1] || !sig_i[SigWidth-1];

  ///////////
  // Align //
  ///////////

  logic [Window-1:0]          acc_window;
  logic [Window-1:0]          add_window;
  logic [Window-1:0]          high;
  logic [Window-1:0]          low;
  logic [ExpWidth-1:0]        distance;
  logic [DistWidth-1:0]       shift;
  logic [Window-1:0]          shifted;
  logic                       sticky;
  logic [Full-1:0]            high_full;
  logic [Full-1:0]            low_full;
  logic signed [ExpWidth-1:0] top;
  assign acc_window = {acc_normal, acc_i[Man-1:0], {(Window-Man-1){1'b0}}};
  assign add_window = {sig_i, {(Window-SigWidth){1'b0}}};
  assign high = acc_higher ? acc_window : add_window;
  assign low = acc_higher ? add_window : acc_window;
  assign distance = acc_higher ? difference : -difference;
  assign shift = distance > ExpWidth'(Full) ? DistWidth'(Full) : distance[DistWidth-1:0];
  assign high_full = {high, 1'b0};
  assign low_full = {shifted, sticky};
  assign top = acc_higher ? acc_top : add_top;

  always_comb begin
    shifted = low;
    sticky = 1'b0;
    for (int k = DistWidth - 1; k >= 0; k--) begin
      if (shift[k]) begin
        sticky = sticky || (shifted & ~({Window{1'b1}} << (1 << k))) != 0;
        shifted = shifted >> (1 << k);
      end
    end
  end

  /////////
  // Add //
  /////////

  logic            subtract;
  logic            not_below;
  logic            flip;
  logic [Full:0]   sum;
  logic [Full:0]   magnitude;
  logic            sign;
  assign subtract = acc_sign ^ sign_i;
  assign not_below = high_full >= low_full;
  // high - low = high + ~low + 1, and low - high = ~(high + ~low).
  assign flip = subtract && !not_below;
  assign sum = {1'b0, high_full} + {1'b0, low_full ^ {Full{subtract}}} + (Full+1)'(subtract && not_below);
  assign magnitude = {sum[Full] && !subtract, sum[Full-1:0] ^ {Full{flip}}};
  assign sign = (acc_higher ? acc_sign : sign_i) ^ flip;

  ///////////
  // Round //
  ///////////

  // The first bit of the magnitude has power top + 1; nothing is shifted beyond the smallest.
  logic [ExpWidth-1:0]            limit;
  logic [Full:0]                  normal;
  logic [$clog2(Full+1)-1:0]      zeros;
  logic [ExpWidth-1:0]            exponent;
  logic                           round_up;
  logic [ExpWidth+Man-1:0]        code;
  logic                           is_overflow;
  assign limit = ExpWidth'(top) + 1'b1;

  loom_fp_normalize #(
    .Width     (Full + 1),
    .LimitWidth(ExpWidth)
  ) u_normalize (
    .value_i(magnitude),
    .limit_i(limit),
    .value_o(normal),
    .zeros_o(zeros)
  );

  assign exponent = normal[Full] ? limit - ExpWidth'(zeros) + 1'b1 : '0;
  assign round_up = normal[Full-Man-1] && (normal[Full-Man] || normal[Full-Man-2:0] != 0);
  assign code = {exponent, normal[Full-1 -: Man]} + (ExpWidth+Man)'(round_up);
  assign is_overflow = code[ExpWidth+Man-1:Man] >= ExpWidth'((1 << Exp) - 1);
  assign event_o = is_overflow && !acc_inf;

  always_comb begin
    acc_o = {sign && code[Exp+Man-1:0] != 0, code[Exp+Man-1:0]};
    if (is_overflow) acc_o = {sign, {(Exp-1){1'b1}}, !saturate_i, {Man{saturate_i}}};
    if (acc_inf) acc_o = acc_i;
  end

endmodule
