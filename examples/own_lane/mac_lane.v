// A MAC lane as a user may have written it: one product per cycle into a saturating accumulator,
// then TFLite's double-rounding requantization.
//
//   acc[n+1] = saturate(acc[n] + activation_i * weight_i)        load_i: acc = start_i
//   output_o = clamp(RDPOT(SRDHM(acc, multiplier_i), shift_i) + ZERO_POINT)
//
// shift_i is a right shift. LANE_BUG (-DLANE_BUG) rounds ties of negative numbers the wrong way.
`timescale 1ns / 1ns
module mac_lane #(
  parameter ACC_BITS = 18,
  parameter ZERO_POINT = -9
) (
  input  wire                       clk_i,
  input  wire                       load_i,
  input  wire                       valid_i,
  input  wire signed [ACC_BITS-1:0] start_i,
  input  wire signed [7:0]          activation_i,
  input  wire signed [7:0]          weight_i,
  input  wire signed [31:0]         multiplier_i,
  input  wire        [4:0]          shift_i,
  output reg  signed [ACC_BITS-1:0] acc_o,
  output wire signed [7:0]          output_o
);
  localparam signed [ACC_BITS-1:0] ACC_MAX = {1'b0, {(ACC_BITS - 1) {1'b1}}};
  localparam signed [ACC_BITS-1:0] ACC_MIN = {1'b1, {(ACC_BITS - 1) {1'b0}}};

  wire signed [15:0]       product = activation_i * weight_i;
  wire signed [ACC_BITS:0] sum = acc_o + product;

  always @(posedge clk_i) begin
    if (load_i) acc_o <= start_i;
    else if (valid_i) begin
      if (sum > ACC_MAX) acc_o <= ACC_MAX;
      else if (sum < ACC_MIN) acc_o <= ACC_MIN;
      else acc_o <= sum[ACC_BITS-1:0];
    end
  end

  // SRDHM: (acc * multiplier + 2^30) >> 31.
  wire signed [63:0] acc_wide = acc_o;
  wire signed [63:0] multiplier_wide = multiplier_i;
  wire signed [63:0] scaled = (acc_wide * multiplier_wide + 64'sd1073741824) >>> 31;

  // RDPOT: a right shift that rounds to nearest, ties away from zero.
  wire [63:0]        mask = (64'd1 << shift_i) - 64'd1;
  wire [63:0]        remainder = scaled & mask;
`ifdef LANE_BUG
  wire [63:0]        threshold = mask >> 1;
`else
  wire [63:0]        threshold = (mask >> 1) + {63'd0, scaled[63]};
`endif
  wire signed [63:0] rounded = (scaled >>> shift_i) + (remainder > threshold ? 64'sd1 : 64'sd0);
  wire signed [63:0] code = rounded + ZERO_POINT;

  assign output_o = code > 127 ? 8'sd127 : code < -128 ? -8'sd128 : code[7:0];
endmodule
