// SPDX-License-Identifier: Apache-2.0

/// Multipliers of two minifloats: number k = format k with itself, in the order e4m3, e5m2, e3m4,
/// e2m5, e3m2, e2m3, e2m1; number 7 is e4m3 times e5m2.
module fp_multiplier_grid (
  input  logic [7:0]      a_i,
  input  logic [7:0]      b_i,
  /// {nan, inf, sign, shift (8 bits), significand (16 bits)} of product k at bits [k*32 +: 32].
  output logic [8*32-1:0] product_o
);

  // {Exp, Man, Specials} of a and b; number 0 in the last line.
  localparam logic [8*24-1:0] Formats = {
    {4'd4, 4'd3, 4'd1, 4'd5, 4'd2, 4'd2},
    {2{4'd2, 4'd1, 4'd0}},
    {2{4'd2, 4'd3, 4'd0}},
    {2{4'd3, 4'd2, 4'd0}},
    {2{4'd2, 4'd5, 4'd0}},
    {2{4'd3, 4'd4, 4'd0}},
    {2{4'd5, 4'd2, 4'd2}},
    {2{4'd4, 4'd3, 4'd1}}
  };

  for (genvar k = 0; k < 8; k++) begin : gen_multiplier
    localparam int AExp = 32'(Formats[k*24+20 +: 4]);
    localparam int AMan = 32'(Formats[k*24+16 +: 4]);
    localparam int BExp = 32'(Formats[k*24+8 +: 4]);
    localparam int BMan = 32'(Formats[k*24+4 +: 4]);
    logic                           nan, inf, sign;
    logic [(AExp > BExp ? AExp : BExp):0] shift;
    logic [AMan+BMan+1:0]           significand;
    loom_fp_multiplier #(
      .AExp     (AExp),
      .AMan     (AMan),
      .ASpecials(32'(Formats[k*24+12 +: 4])),
      .BExp     (BExp),
      .BMan     (BMan),
      .BSpecials(32'(Formats[k*24 +: 4]))
    ) u_multiplier (
      .a_i          (a_i[AExp+AMan:0]),
      .b_i          (b_i[BExp+BMan:0]),
      .sign_o       (sign),
      .significand_o(significand),
      .shift_o      (shift),
      .nan_o        (nan),
      .inf_o        (inf)
    );
    assign product_o[k*32 +: 32] = {5'd0, nan, inf, sign, 8'(shift), 16'(significand)};
  end

endmodule
