// SPDX-License-Identifier: Apache-2.0

/// loom_requant_lane against docs/numerics.md in 80-bit arithmetic; `bad_o` must never rise.
///
/// The driver makes registers wires and the product free: p stands for every product that the
/// operands' ranges allow. That the operand and the multiplier reach the product is a property of
/// its own (`Mode` 3).
module requant_lane_proof #(
  /// 0 double rounding, 1 single rounding, 2 mean, 3 operands of the product.
  parameter int Mode = 0,
  /// Shift; only this one is proved.
  parameter int Shift = 0
) (
  input  logic               clk_i,
  input  logic signed [31:0] x_i,
  input  logic [1:0]         mode_i,
  input  logic [30:0]        multiplier_i,
  input  logic [15:0]        mean_half_i,
  input  logic signed [7:0]  zero_i,
  input  logic signed [7:0]  clamp_min_i,
  input  logic signed [7:0]  clamp_max_i,
  output logic               bad_o
);

  /// The 64-bit product times 2^7, twice, and a sign.
  localparam int W = 80;
  localparam logic signed [W-1:0] One = 1;
  localparam int Left = Mode == 0 && Shift > 0 ? Shift : 0;
  localparam int Right = Mode == 0 && Shift < 0 ? -Shift : 0;
  localparam int Divide = Mode == 0 ? 31 : Mode == 1 ? 31 - Shift : Shift;

  logic [1:0] mode;
  assign mode = Mode == 3 ? mode_i : 2'(Mode);

  logic [7:0] y;
  logic       low;
  logic       high;
  loom_requant_lane u_dut (
    .clk_i,
    .x_i,
    .mode_i      (mode),
    .multiplier_i({1'b0, multiplier_i}),
    .shift_i     (8'(Shift)),
    .mean_half_i,
    .zero_i,
    .clamp_min_i,
    .clamp_max_i,
    .y_o         (y),
    .low_o       (low),
    .high_o      (high)
  );

  // Inside of the lane, by name.
  (* hierconn *) wire signed [63:0] \u_dut.product_q2 ;
  (* hierconn *) wire signed [32:0] \u_dut.operand_q1 ;
  (* hierconn *) wire [30:0]        \u_dut.multiplier_q1 ;

  logic signed [W-1:0] x;
  logic signed [W-1:0] p;
  logic signed [W-1:0] first;
  logic signed [W-1:0] magnitude;
  logic signed [W-1:0] value;
  logic signed [W-1:0] code;
  logic signed [W-1:0] operand;
  logic                is_legal;
  logic                is_wrong;

  always_comb begin
    x = W'(x_i);
    p = W'(\u_dut.product_q2 );
    // floor((p * 2^Left + half) / 2^Divide): an arithmetic shift is the floor.
    first = ((p <<< Left) + (Mode == 2 ? W'(0) : One <<< (Divide - 1))) >>> Divide;
    // first / 2^Right to nearest, ties away from zero, by magnitude and sign.
    magnitude = first < 0 ? -first : first;
    magnitude = (2 * magnitude + (One <<< Right)) >>> (Right + 1);
    value = first < 0 ? -magnitude : magnitude;
    if (Mode == 2) value = x < 0 ? -first : first;
    else value = value + W'(zero_i);
    code = value < W'(clamp_min_i) ? W'(clamp_min_i) :
           value > W'(clamp_max_i) ? W'(clamp_max_i) : value;
    operand = mode != 2'd2 ? x : (x < 0 ? -x : x) + W'(mean_half_i);

    // |x| <= 2^31 (mean: + 65535), multiplier < 2^31.
    is_legal = clamp_min_i <= clamp_max_i;
    if (Mode == 2) begin
      is_legal = is_legal && p >= 0 && p <= ((One <<< 31) + W'(65535)) * ((One <<< 31) - One);
    end else begin
      is_legal = is_legal && p >= -(One <<< 62) && p <= (One <<< 62);
    end
    is_wrong = W'(signed'(y)) != code || low != (value < W'(clamp_min_i)) ||
               high != (value > W'(clamp_max_i));
    if (Mode == 3) begin
      is_legal = 1'b1;
      is_wrong = W'(\u_dut.operand_q1 ) != operand || \u_dut.multiplier_q1  != multiplier_i;
    end
    bad_o = is_legal && is_wrong;
  end

endmodule
