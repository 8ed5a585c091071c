// SPDX-License-Identifier: Apache-2.0

/// loom_array of e4m3 with exact sums: 2 rows of 8 lanes, accumulators of 45 bits, 4 drained at a time.
module array_minifloat (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         clear_i,
  input  logic         valid_i,
  input  logic         depthwise_i,
  input  logic         first_i,
  input  logic         last_i,
  input  logic [2:0]   entry_i,
  input  logic [127:0] act_i,
  input  logic [127:0] weight_row_i,
  input  logic         weight_sel_i,
  input  logic         unit_weights_i,
  input  logic         maximum_i,
  input  logic [1:0]   row_valid_i,
  input  logic [7:0]   lane_valid_i,
  input  logic         start_set_i,
  input  logic [719:0] starts_i,
  input  logic         saturate_i,
  output logic         captured_o,
  input  logic         drain_depthwise_i,
  input  logic [2:0]   drain_entry_i,
  input  logic [2:0]   drain_chunk_i,
  /// Element r at bits [r*64 +: 64], sign-extended.
  output logic [255:0] drain_acc_o,
  output logic [15:0]  events_o
);

  logic [179:0] acc;
  logic         unused_busy;
  loom_array #(
    .Rows(2), .Lanes(8), .RequantLanes(4), .Format(loom_pkg::FORMAT_E4M3), .AccWidth(45)
  ) u_array (
    .clk_i, .rst_ni, .clear_i, .valid_i, .depthwise_i, .first_i, .last_i, .entry_i, .act_i,
    .weight_load_i(valid_i), .weight_row_i, .weight_sel_i, .unit_weights_i, .maximum_i, .row_valid_i,
    .lane_valid_i, .start_set_i, .starts_i, .saturate_i, .narrow_i(6'd0), .captured_o,
    .drain_depthwise_i, .drain_entry_i, .drain_chunk_i, .drain_acc_o(acc), .events_o,
    .pipe_busy_o(unused_busy)
  );
  for (genvar r = 0; r < 4; r++) begin : gen_acc
    assign drain_acc_o[r*64 +: 64] = 64'(signed'(acc[r*45 +: 45]));
  end

endmodule
