// SPDX-License-Identifier: Apache-2.0

/// loom_add_lane against TFLite's form (operands times 2^20) in 72-bit arithmetic; `bad_o` must
/// never rise. The driver makes registers wires and the product free, within its range.
module add_lane_proof #(
  /// 0 double rounding, 1 single rounding, 2 operands of the product.
  parameter int Mode = 0,
  /// Shift of the scaled operand, -31 to 0; only this one is proved.
  parameter int Shift = 0
) (
  input  logic              clk_i,
  input  logic signed [7:0] qa_i,
  input  logic signed [7:0] qb_i,
  input  logic signed [7:0] zero_a_i,
  input  logic signed [7:0] zero_b_i,
  input  logic [30:0]       multiplier_i,
  output logic              bad_o
);

  /// The 41-bit product times 2^20, twice, and a sign.
  localparam int W = 72;
  localparam logic signed [W-1:0] One = 1;
  localparam int Divide = Mode == 1 ? 31 - Shift : 31;
  localparam int Right = Mode == 1 ? 0 : -Shift;

  logic signed [31:0] sum;
  loom_add_lane u_dut (
    .clk_i,
    .qa_i,
    .qb_i,
    .zero_a_i,
    .zero_b_i,
    .multiplier_i({1'b0, multiplier_i}),
    .shift_i     (8'(Shift)),
    .single_i    (1'(Mode == 1)),
    .x_o         (sum)
  );

  (* hierconn *) wire signed [40:0] \u_dut.product_q1 ;
  (* hierconn *) wire signed [8:0]  \u_dut.difference_b ;

  logic signed [W-1:0] p;
  logic signed [W-1:0] first;
  logic signed [W-1:0] magnitude;
  logic signed [W-1:0] scaled;
  logic signed [W-1:0] wanted;
  logic                is_legal;
  logic                is_wrong;

  always_comb begin
    p = W'(\u_dut.product_q1 );
    first = ((p <<< 20) + (One <<< (Divide - 1))) >>> Divide;
    magnitude = first < 0 ? -first : first;
    magnitude = (2 * magnitude + (One <<< Right)) >>> (Right + 1);
    scaled = first < 0 ? -magnitude : magnitude;
    wanted = ((W'(qa_i) - W'(zero_a_i)) <<< 19) + scaled;
    // |difference| <= 255, multiplier < 2^31.
    is_legal = p >= W'(0) - W'(255) * ((One <<< 31) - One) && p <= W'(255) * ((One <<< 31) - One);
    is_wrong = W'(sum) != wanted;
    if (Mode == 2) begin
      is_legal = 1'b1;
      is_wrong = W'(\u_dut.difference_b ) != W'(qb_i) - W'(zero_b_i);
    end
    bad_o = is_legal && is_wrong;
  end

endmodule
