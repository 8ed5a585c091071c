// Feeds the lane with the vectors of a FULLY_CONNECTED layer and dumps what it computes.
//
// +VECTORS=FOLDER (of the layer, with .hex files), +DUMPS=FOLDER (must exist).
`timescale 1ns / 1ns
module mac_lane_tb #(
  parameter SAMPLES = 200,
  parameter INPUTS = 64,
  parameter OUTPUTS = 12,
  parameter ACC_BITS = 18,
  parameter ZERO_POINT = -9
);
  reg [7:0]          activations[0:SAMPLES*INPUTS-1];
  reg [7:0]          weights[0:OUTPUTS*INPUTS-1];
  reg [31:0]         starts[0:OUTPUTS-1];
  reg [31:0]         multipliers[0:OUTPUTS-1];
  reg [7:0]          shifts[0:OUTPUTS-1];
  reg [ACC_BITS-1:0] accumulators[0:SAMPLES*OUTPUTS-1];
  reg [7:0]          outputs[0:SAMPLES*OUTPUTS-1];
  reg [8*512-1:0]    vectors, dumps, path;

  reg                        clk = 1'b0, load = 1'b0, valid = 1'b0;
  reg  signed [ACC_BITS-1:0] start = 0;
  reg  signed [7:0]          activation = 0, weight = 0;
  reg  signed [31:0]         multiplier = 0;
  reg  [4:0]                 shift = 0;
  wire signed [ACC_BITS-1:0] acc;
  wire signed [7:0]          code;
  integer                    n, o, i;

  mac_lane #(.ACC_BITS(ACC_BITS), .ZERO_POINT(ZERO_POINT)) dut (
    .clk_i(clk), .load_i(load), .valid_i(valid), .start_i(start), .activation_i(activation),
    .weight_i(weight), .multiplier_i(multiplier), .shift_i(shift), .acc_o(acc), .output_o(code));

  task tick; begin #1 clk = 1'b1; #1 clk = 1'b0; end endtask

  initial begin
    if (!$value$plusargs("VECTORS=%s", vectors) || !$value$plusargs("DUMPS=%s", dumps)) begin
      $display("usage: +VECTORS=FOLDER +DUMPS=FOLDER");
      $finish;
    end
    $sformat(path, "%0s/input.hex", vectors);      $readmemh(path, activations);
    $sformat(path, "%0s/weights.hex", vectors);    $readmemh(path, weights);
    $sformat(path, "%0s/start.hex", vectors);      $readmemh(path, starts);
    $sformat(path, "%0s/multiplier.hex", vectors); $readmemh(path, multipliers);
    $sformat(path, "%0s/shift.hex", vectors);      $readmemh(path, shifts);
    for (n = 0; n < SAMPLES; n = n + 1) begin
      for (o = 0; o < OUTPUTS; o = o + 1) begin
        start = starts[o][ACC_BITS-1:0];
        multiplier = multipliers[o];
        shift = -shifts[o];
        load = 1'b1;
        tick;
        load = 1'b0;
        valid = 1'b1;
        for (i = 0; i < INPUTS; i = i + 1) begin
          activation = activations[n*INPUTS+i];
          weight = weights[o*INPUTS+i];
          tick;
        end
        valid = 1'b0;
        accumulators[n*OUTPUTS+o] = acc;
        outputs[n*OUTPUTS+o] = code;
      end
    end
    $sformat(path, "%0s/accumulator.hex", dumps); $writememh(path, accumulators);
    $sformat(path, "%0s/output.hex", dumps);      $writememh(path, outputs);
    $finish;
  end
endmodule
