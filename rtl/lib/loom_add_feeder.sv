// SPDX-License-Identifier: Apache-2.0

/// Reads the operand words of a residual addition and offers them in chunks of RequantLanes codes.
///
///   for block, for y, for x: read a, read b, for chunk of RequantLanes lanes
///
/// One word pair per max(2, Lanes/RequantLanes) cycles.
///
/// Latency  three cycles from the read of a to the first chunk.
/// Golden   none; the order is docs/accelerator.md, kAdd.
/// Test     tests/rtl/loom_add_feeder_test.cc
module loom_add_feeder #(
  /// Lanes of a row.
  parameter int Lanes = 16,
  /// Requantization lanes.
  parameter int RequantLanes = 8,
  /// Dependent parameter, do not override. Bits of an entry number.
  localparam int EntryBits = $clog2(Lanes)
) (
  /// Clock, rising edge.
  input  logic                      clk_i,
  /// Reset, asynchronous, active low.
  input  logic                      rst_ni,
  /// Starts the operation of `desc_i`.
  input  logic                      start_i,
  /// Descriptor, stable while the operation runs.
  input  logic [1023:0]             desc_i,
  /// Words are left to read or to offer.
  output logic                      active_o,
  /// Words are being read.
  output logic                      reading_o,
  /// Reads activation word `act_addr_o`; its data is on `act_data_i` in the next cycle.
  output logic                      act_re_o,
  output logic [15:0]               act_addr_o,
  input  logic [Lanes*8-1:0]        act_data_i,
  /// A chunk of both operands, where the sum goes, and the lanes that count.
  output logic                      out_valid_o,
  output logic [RequantLanes*8-1:0] out_a_o,
  output logic [RequantLanes*8-1:0] out_b_o,
  output logic [15:0]               out_addr_o,
  output logic [EntryBits-1:0]      out_slot_o,
  output logic [RequantLanes-1:0]   out_lanes_o
);

  localparam int Chunks = Lanes / RequantLanes;
  localparam int Period = Chunks > 2 ? Chunks : 2;

  logic [15:0] a_origin, b_origin, in_x, in_y, in_plane, out_base, out_x, out_y, out_plane;
  logic [15:0] out_w, out_h, blocks, last_lanes;

  assign a_origin = desc_i[loom_desc_pkg::IN_ORIGIN_LSB +: 16];
  assign b_origin = desc_i[loom_desc_pkg::IN2_ORIGIN_LSB +: 16];
  assign in_x = desc_i[loom_desc_pkg::IN_COL_PITCH_LSB +: 16];
  assign in_y = desc_i[loom_desc_pkg::IN_ROW_PITCH_LSB +: 16];
  assign in_plane = desc_i[loom_desc_pkg::IN_PLANE_PITCH_LSB +: 16];
  assign out_base = desc_i[loom_desc_pkg::OUT_BASE_LSB +: 16];
  assign out_x = desc_i[loom_desc_pkg::OUT_COL_PITCH_LSB +: 16];
  assign out_y = desc_i[loom_desc_pkg::OUT_ROW_PITCH_LSB +: 16];
  assign out_plane = desc_i[loom_desc_pkg::OUT_PLANE_PITCH_LSB +: 16];
  assign out_w = desc_i[loom_desc_pkg::OUT_W_LSB +: 16];
  assign out_h = desc_i[loom_desc_pkg::OUT_H_LSB +: 16];
  assign blocks = desc_i[loom_desc_pkg::IN_BLOCKS_LSB +: 16];
  assign last_lanes = desc_i[loom_desc_pkg::LAST_LANES_LSB +: 16];

  logic               reading_q;
  logic [EntryBits:0] phase_q;
  logic [15:0]        x_q, y_q, block_q;
  // Offsets from the origins: input (shared by both operands) and output.
  logic [15:0]        in_q, in_line_q, in_plane_q, out_q, out_line_q, out_plane_q;
  logic               last_x, last_y, last_block, word_end;

  assign last_x = x_q + 16'd1 == out_w;
  assign last_y = y_q + 16'd1 == out_h;
  assign last_block = block_q + 16'd1 == blocks;
  assign word_end = phase_q == (EntryBits+1)'(Period - 1);

  assign reading_o = reading_q;
  assign act_re_o = reading_q && phase_q < (EntryBits+1)'(2);
  assign act_addr_o = (phase_q == '0 ? a_origin : b_origin) + in_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reading_q <= 1'b0;
    end else if (start_i) begin
      reading_q <= 1'b1;
    end else if (reading_q && word_end && last_x && last_y && last_block) begin
      reading_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      phase_q <= '0;
      x_q <= '0;
      y_q <= '0;
      block_q <= '0;
      in_q <= '0;
      in_line_q <= '0;
      in_plane_q <= '0;
      out_q <= '0;
      out_line_q <= '0;
      out_plane_q <= '0;
    end else if (reading_q) begin
      phase_q <= word_end ? '0 : phase_q + 1'b1;
      if (word_end) begin
        x_q <= last_x ? 16'd0 : x_q + 16'd1;
        in_q <= in_q + in_x;
        out_q <= out_q + out_x;
        if (last_x) begin
          y_q <= last_y ? 16'd0 : y_q + 16'd1;
          in_q <= in_line_q + in_y;
          in_line_q <= in_line_q + in_y;
          out_q <= out_line_q + out_y;
          out_line_q <= out_line_q + out_y;
          if (last_y) begin
            block_q <= block_q + 16'd1;
            in_q <= in_plane_q + in_plane;
            in_line_q <= in_plane_q + in_plane;
            in_plane_q <= in_plane_q + in_plane;
            out_q <= out_plane_q + out_plane;
            out_line_q <= out_plane_q + out_plane;
            out_plane_q <= out_plane_q + out_plane;
          end
        end
      end
    end
  end

  ////////////
  // Chunks //
  ////////////

  logic               a_valid_q, b_valid_q, chunk_valid_q;
  logic [Lanes*8-1:0] a_q, pair_a_q, pair_b_q;
  logic [15:0]        addr_q1, addr_q2, addr_q;
  logic [15:0]        lanes_q1, lanes_q2, lanes_q;
  logic [EntryBits:0] chunk_q;
  logic [15:0]        lanes_left;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      a_valid_q <= 1'b0;
      b_valid_q <= 1'b0;
      chunk_valid_q <= 1'b0;
      chunk_q <= '0;
    end else begin
      a_valid_q <= act_re_o && phase_q == '0;
      b_valid_q <= act_re_o && phase_q != '0;
      if (b_valid_q) begin
        chunk_valid_q <= 1'b1;
        chunk_q <= '0;
      end else if (chunk_valid_q) begin
        chunk_q <= chunk_q + 1'b1;
        if (chunk_q == (EntryBits+1)'(Chunks - 1)) chunk_valid_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (act_re_o && phase_q == '0) begin
      addr_q1 <= out_base + out_q;
      lanes_q1 <= last_block ? last_lanes : 16'(Lanes);
    end
    if (a_valid_q) begin
      a_q <= act_data_i;
      addr_q2 <= addr_q1;
      lanes_q2 <= lanes_q1;
    end
    if (b_valid_q) begin
      pair_a_q <= a_q;
      pair_b_q <= act_data_i;
      addr_q <= addr_q2;
      lanes_q <= lanes_q2;
    end
  end

  assign out_valid_o = chunk_valid_q;
  assign out_addr_o = addr_q;
  assign out_slot_o = chunk_q[EntryBits-1:0];
  assign lanes_left = lanes_q - 16'(chunk_q) * 16'(RequantLanes);
  assign active_o = reading_q || a_valid_q || b_valid_q || chunk_valid_q;

  for (genvar r = 0; r < RequantLanes; r++) begin : gen_lanes
    logic [EntryBits-1:0] lane;
    assign lane = EntryBits'(chunk_q * (EntryBits+1)'(RequantLanes)) + EntryBits'(r);
    assign out_a_o[r*8 +: 8] = pair_a_q[lane*8 +: 8];
    assign out_b_o[r*8 +: 8] = pair_b_q[lane*8 +: 8];
    assign out_lanes_o[r] = !lanes_left[15] && lanes_left > 16'(r);
  end

  logic unused_desc;
  assign unused_desc = ^{desc_i};

endmodule
