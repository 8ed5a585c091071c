/// A hand-written MAC lane, as somebody else's accelerator might have it; not a part of macloom.
///
///   acc[n+1] = saturate((start_i ? bias_i : acc[n]) + sum over k of a_i[k] * w_i[k], AccWidth)
///   code_o   = clamp(RDPOT(SRDHM(acc, multiplier_i), right_shift_i) + zero_point_i, -128, 127)
///
/// The arithmetic wanted is macloom's: TFLite double rounding, docs/numerics.md section 4.
module my_mac_lane #(
  parameter int NumProducts = 8,
  parameter int AccWidth = 20,
  /// A typical mistake, for the test bench to find: 0 none, 1 the accumulator wraps, 2 the final
  /// shift rounds ties toward plus infinity, 3 the clamp forgets the zero point.
  parameter int Defect = 0
) (
  input  logic                         clk_i,
  input  logic                         valid_i,
  input  logic                         start_i,
  input  logic signed [AccWidth-1:0]   bias_i,
  input  logic signed [NumProducts-1:0][7:0] a_i,
  input  logic signed [NumProducts-1:0][7:0] w_i,
  input  logic [30:0]                  multiplier_i,
  input  logic [4:0]                   right_shift_i,
  input  logic signed [7:0]            zero_point_i,
  output logic signed [AccWidth-1:0]   acc_o,
  output logic                         overflow_o,
  output logic signed [7:0]            code_o
);

  localparam logic signed [AccWidth:0] AccMax = (AccWidth + 1)'((64'sd1 << (AccWidth - 1)) - 64'sd1);
  localparam logic signed [AccWidth:0] AccMin = -AccMax - 1;

  // Accumulator: one bit wider than its register, so that overflow is seen.
  logic signed [AccWidth:0] sum, next;
  always_comb begin
    sum = '0;
    for (int k = 0; k < NumProducts; k++) begin
      sum += (AccWidth + 1)'($signed(a_i[k])) * (AccWidth + 1)'($signed(w_i[k]));
    end
    next = (start_i ? (AccWidth + 1)'(bias_i) : (AccWidth + 1)'(acc_o)) + sum;
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      overflow_o <= next > AccMax || next < AccMin;
      if (Defect != 1 && next > AccMax) acc_o <= AccMax[AccWidth-1:0];
      else if (Defect != 1 && next < AccMin) acc_o <= AccMin[AccWidth-1:0];
      else acc_o <= next[AccWidth-1:0];
    end
  end

  // Requantization: high product to nearest, then a shift to nearest with ties away from zero.
  logic signed [63:0] high, remainder, threshold, rounded, code;
  always_comb begin
    high = (64'(acc_o) * 64'($signed({1'b0, multiplier_i})) + 64'sh4000_0000) >>> 31;
    remainder = high & ((64'sd1 << right_shift_i) - 64'sd1);
    threshold = ((64'sd1 << right_shift_i) - 64'sd1) >>> 1;
    if (Defect != 2 && high < 0) threshold += 64'sd1;
    rounded = (high >>> right_shift_i) + (remainder > threshold ? 64'sd1 : 64'sd0);
    code = rounded + (Defect == 3 ? 64'sd0 : 64'(zero_point_i));
    if (code > 64'sd127) code_o = 8'sd127;
    else if (code < -64'sd128) code_o = -8'sd128;
    else code_o = code[7:0];
  end

endmodule
