// SPDX-License-Identifier: Apache-2.0

/// loom_shift_lane against docs/numerics.md in 48-bit arithmetic; `bad_o` must never rise.
module shift_lane_proof #(
  /// 1 single rounding, 2 mean.
  parameter int Mode = 1,
  /// Shift; only this one is proved.
  parameter int Shift = 0
) (
  input  logic               clk_i,
  input  logic signed [31:0] x_i,
  input  logic [15:0]        mean_half_i,
  input  logic signed [7:0]  zero_i,
  input  logic signed [7:0]  clamp_min_i,
  input  logic signed [7:0]  clamp_max_i,
  output logic               bad_o
);

  /// The 32-bit accumulator with half a unit of 2^31, and a sign.
  localparam int W = 48;
  localparam logic signed [W-1:0] One = 1;
  localparam int Right = Mode == 1 ? 1 - Shift : Shift;

  logic [7:0] y;
  logic       low;
  logic       high;
  loom_shift_lane u_dut (
    .clk_i,
    .x_i,
    .mode_i (2'(Mode)),
    .shift_i(8'(Shift)),
    .mean_half_i,
    .zero_i,
    .clamp_min_i,
    .clamp_max_i,
    .y_o    (y),
    .low_o  (low),
    .high_o (high)
  );

  logic signed [W-1:0] x;
  logic signed [W-1:0] mean;
  logic signed [W-1:0] value;
  logic signed [W-1:0] code;

  always_comb begin
    x = W'(x_i);
    mean = ((x < 0 ? -x : x) + W'(mean_half_i)) >>> Right;
    value = (x + (Right == 0 ? W'(0) : (One <<< Right) >>> 1)) >>> Right;
    value = Mode == 2 ? (x < 0 ? -mean : mean) : value + W'(zero_i);
    code = value < W'(clamp_min_i) ? W'(clamp_min_i) :
           value > W'(clamp_max_i) ? W'(clamp_max_i) : value;
    bad_o = clamp_min_i <= clamp_max_i &&
            (W'(signed'(y)) != code || low != (value < W'(clamp_min_i)) ||
             high != (value > W'(clamp_max_i)));
  end

endmodule
