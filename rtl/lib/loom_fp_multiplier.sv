// SPDX-License-Identifier: Apache-2.0

/// Exact product of two minifloat codes, not yet aligned.
///
///   value(a_i) * value(b_i) = (sign_o ? -1 : 1) * significand_o * 2^shift_o * 2^(lsb_a + lsb_b)
///
/// with t = max(e, 1) - 1, m = f + (e > 0 ? 2^M : 0), significand = m_a * m_b and shift = t_a + t_b.
/// The three are also those of the codes' fields where a code is Inf or NaN; the flags tell.
///
/// Latency  none, combinational.
/// Golden   docs/numerics.md, section 9
/// Test     tests/rtl/loom_fp_multiplier_test.cc
module loom_fp_multiplier #(
  /// Exponent bits of a, 1 to 5.
  parameter int AExp = 4,
  /// Mantissa bits of a, 1 to 6.
  parameter int AMan = 3,
  /// loom_pkg::SPECIALS_FINITE, SPECIALS_NAN or SPECIALS_IEEE.
  parameter int ASpecials = loom_pkg::SPECIALS_NAN,
  /// Exponent bits of b, 1 to 5.
  parameter int BExp = 4,
  /// Mantissa bits of b, 1 to 6.
  parameter int BMan = 3,
  /// loom_pkg::SPECIALS_FINITE, SPECIALS_NAN or SPECIALS_IEEE.
  parameter int BSpecials = loom_pkg::SPECIALS_NAN,
  /// loom_pkg::BODY_BEHAVIOURAL or loom_pkg::BODY_STRUCTURAL.
  parameter int Body = loom_pkg::BODY_STRUCTURAL,
  /// Dependent parameter, do not override. Bits of the significand.
  localparam int SigWidth = AMan + BMan + 2,
  /// Dependent parameter, do not override. Bits of the shift.
  localparam int ShiftWidth = (AExp > BExp ? AExp : BExp) + 1
) (
  /// Code a: sign, exponent, mantissa.
  input  logic [AExp+AMan:0]    a_i,
  /// Code b: sign, exponent, mantissa.
  input  logic [BExp+BMan:0]    b_i,
  /// Sign of the product.
  output logic                  sign_o,
  /// Product of the significands.
  output logic [SigWidth-1:0]   significand_o,
  /// Sum of the exponent steps.
  output logic [ShiftWidth-1:0] shift_o,
  /// A factor is NaN, or Inf meets 0.
  output logic                  nan_o,
  /// Inf, and not NaN.
  output logic                  inf_o
);

  if (AExp < 1 || AExp > 5 || BExp < 1 || BExp > 5) begin : gen_bad_exponent
    $error("loom_fp_multiplier: AExp and BExp must be 1 to 5");
  end
  if (AMan < 1 || AMan > 6 || BMan < 1 || BMan > 6) begin : gen_bad_mantissa
    $error("loom_fp_multiplier: AMan and BMan must be 1 to 6");
  end
  if (ASpecials < 0 || ASpecials > 2 || BSpecials < 0 || BSpecials > 2) begin : gen_bad_specials
    $error("loom_fp_multiplier: ASpecials and BSpecials must be 0, 1 or 2");
  end

  logic [AExp-1:0] a_exp, a_step;
  logic [BExp-1:0] b_exp, b_step;
  logic            a_normal, b_normal;
  assign a_exp = a_i[AMan +: AExp];
  assign b_exp = b_i[BMan +: BExp];
  assign a_normal = a_exp != 0;
  assign b_normal = b_exp != 0;
  assign a_step = a_exp - AExp'(a_normal);
  assign b_step = b_exp - BExp'(b_normal);

  assign sign_o = a_i[AExp+AMan] ^ b_i[BExp+BMan];
  assign shift_o = ShiftWidth'(a_step) + ShiftWidth'(b_step);

  loom_multiplier #(
    .AWidth (AMan + 1),
    .BWidth (BMan + 1),
    .ASigned(0),
    .BSigned(0),
    .Body   (Body)
  ) u_significand (
    .a_i      ({a_normal, a_i[AMan-1:0]}),
    .b_i      ({b_normal, b_i[BMan-1:0]}),
    .product_o(significand_o)
  );

  //////////////////////////
  // Inf and NaN operands //
  //////////////////////////

  logic a_nan, a_inf, b_nan, b_inf;
  assign a_nan = ASpecials == loom_pkg::SPECIALS_NAN  ? &a_i[AExp+AMan-1:0] :
                 ASpecials == loom_pkg::SPECIALS_IEEE ? &a_exp && a_i[AMan-1:0] != 0 : 1'b0;
  assign a_inf = ASpecials == loom_pkg::SPECIALS_IEEE && &a_exp && a_i[AMan-1:0] == 0;
  assign b_nan = BSpecials == loom_pkg::SPECIALS_NAN  ? &b_i[BExp+BMan-1:0] :
                 BSpecials == loom_pkg::SPECIALS_IEEE ? &b_exp && b_i[BMan-1:0] != 0 : 1'b0;
  assign b_inf = BSpecials == loom_pkg::SPECIALS_IEEE && &b_exp && b_i[BMan-1:0] == 0;
  assign nan_o = a_nan || b_nan || ((a_inf || b_inf) && significand_o == 0);
  assign inf_o = (a_inf || b_inf) && !nan_o;

endmodule
