// SPDX-License-Identifier: Apache-2.0

/// One loom_row, dense steps only; number k of row_shapes.
module row_shape #(
  parameter int Lanes = 4,
  parameter int AccWidth = 24,
  parameter int Depthwise = 1,
  parameter int Body = 0
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic [3:0]   stage_i,
  input  logic         first_i,
  input  logic         saturate_i,
  input  logic [127:0] act_i,
  input  logic [127:0] weight_i,
  input  logic [47:0]  start_i,
  output logic [63:0]  acc_o,
  output logic         event_o
);

  localparam int EntryBits = Lanes > 1 ? $clog2(Lanes) : 1;
  logic [Lanes*8-1:0]    unused_hold;
  logic [AccWidth-1:0]   acc, unused_chunk;
  logic [EntryBits:0]    count;
  loom_row #(
    .Lanes       (Lanes),
    .AccWidth    (AccWidth),
    .RequantLanes(1),
    .Depthwise   (Depthwise),
    .Body        (Body)
  ) u_row (
    .clk_i, .rst_ni, .operand_i(stage_i[0]), .act_i(act_i[Lanes*8-1:0]), .weight_load_i(stage_i[0]),
    .weight_i(weight_i[Lanes*8-1:0]), .weight_hold_o(unused_hold), .multiply_i(stage_i[1]),
    .broadcast_i(1'b0), .broadcast_weight_i('0), .unit_weights_i(1'b0), .tree_i(stage_i[2]),
    .dense_i(stage_i[3]), .depthwise_i(1'b0), .maximum_i(1'b0), .first_i, .last_i(1'b1),
    .entry_i('0), .shadow_entry_i('0), .dense_start_i(start_i[AccWidth-1:0]), .lane_starts_i('0),
    .row_valid_i(1'b1), .lane_valid_i('0), .saturate_i, .narrow_i(6'd0), .event_count_o(count),
    .drain_entry_i('0), .drain_chunk_i('0), .drain_entry_acc_o(acc), .drain_chunk_acc_o(unused_chunk)
  );
  assign acc_o = 64'(signed'(acc));
  assign event_o = count != 0;

endmodule

/// Rows of other sizes: (lanes, accumulator bits) = (1, 48), (1, 16), (4, 24), (16, 40) with
/// behavioural, then with structural multipliers; the first of each without depthwise mode.
module row_shapes (
  input  logic           clk_i,
  input  logic           rst_ni,
  input  logic [3:0]     stage_i,
  input  logic           first_i,
  input  logic           saturate_i,
  input  logic [127:0]   act_i,
  input  logic [127:0]   weight_i,
  input  logic [47:0]    start_i,
  /// Accumulator of row k at bits [k*64 +: 64], sign-extended.
  output logic [8*64-1:0] acc_o,
  output logic [7:0]      event_o
);

  localparam logic [4*16-1:0] Shapes = {8'd16, 8'd40, 8'd4, 8'd24, 8'd1, 8'd16, 8'd1, 8'd48};

  for (genvar k = 0; k < 8; k++) begin : gen_row
    row_shape #(
      .Lanes    (32'(Shapes[(k%4)*16+8 +: 8])),
      .AccWidth (32'(Shapes[(k%4)*16 +: 8])),
      .Depthwise(k % 4 == 0 ? 0 : 1),
      .Body     (k / 4)
    ) u_shape (
      .clk_i, .rst_ni, .stage_i, .first_i, .saturate_i, .act_i, .weight_i, .start_i,
      .acc_o(acc_o[k*64 +: 64]), .event_o(event_o[k])
    );
  end

endmodule
