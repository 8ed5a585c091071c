// SPDX-License-Identifier: Apache-2.0

/// Requantization lanes: number 3*f + a, formats f = e4m3, e5m2, e3m4, e2m5, e3m2, e2m3, e2m1,
/// accumulators a = fixed point of 48 bits with unit 2^-18, FP16, FP32.
module fp_requant_grid (
  input  logic               clk_i,
  input  logic [47:0]        fixed_i,
  input  logic [15:0]        half_i,
  input  logic [31:0]        single_i,
  input  logic signed [7:0]  shift_i,
  /// Limits of format f at bits [f*8 +: 8].
  input  logic [55:0]        clamp_min_i,
  input  logic [55:0]        clamp_max_i,
  /// {high, low, code} of number k at bits [k*16 +: 16].
  output logic [21*16-1:0]   y_o
);

  // {Exp, Man, Bias, Specials}; format 0 in the last line.
  localparam logic [7*16-1:0] Formats = {
    16'h2110, 16'h2310, 16'h3230, 16'h2510, 16'h3430, 16'h52f2, 16'h4371
  };

  for (genvar k = 0; k < 21; k++) begin : gen_lane
    localparam int At = (k / 3) * 16;
    localparam int Exp = 32'(Formats[At+12 +: 4]);
    localparam int Man = 32'(Formats[At+8 +: 4]);
    logic [7:0]  y;
    logic        low, high;
    logic [47:0] x;
    assign x = k % 3 == 0 ? fixed_i : k % 3 == 1 ? 48'(half_i) : 48'(single_i);
    loom_fp_requant_lane #(
      .AccKind (k % 3 == 0 ? 0 : 1),
      .AccWidth(48),
      .UnitLsb (-18),
      .AccExp  (k % 3 == 1 ? 5 : 8),
      .AccMan  (k % 3 == 1 ? 10 : 23),
      .Exp     (Exp),
      .Man     (Man),
      .Bias    (32'(Formats[At+4 +: 4])),
      .Specials(32'(Formats[At +: 4]))
    ) u_lane (
      .clk_i,
      .x_i        (x[(k % 3 == 0 ? 48 : k % 3 == 1 ? 16 : 32)-1:0]),
      .shift_i,
      .clamp_min_i(clamp_min_i[(k/3)*8 +: 1+Exp+Man]),
      .clamp_max_i(clamp_max_i[(k/3)*8 +: 1+Exp+Man]),
      .y_o        (y),
      .low_o      (low),
      .high_o     (high)
    );
    assign y_o[k*16 +: 16] = {6'd0, high, low, y};
  end

endmodule
