// SPDX-License-Identifier: Apache-2.0

/// Reads finished accumulators from the shadow in the order in which they are captured and names the
/// channels and the word each belongs to.
///
///   conv         for group, for pixel (or, pixel_outer: for tile, for group, for pixel of the tile),
///                for chunk of RequantLanes rows
///   depthwise    for block, for y, for group of pixels, for row, for chunk of RequantLanes lanes
///
/// It never stalls once a capture is there: one chunk per cycle.
///
/// Latency  `out_*` belongs to the same cycle as the shadow read.
/// Golden   none; the order is docs/accelerator.md.
/// Test     tests/rtl/loom_drain_test.cc
module loom_drain #(
  /// Rows of the array.
  parameter int Rows = 4,
  /// Lanes of a row, entries of the shadow.
  parameter int Lanes = 16,
  /// Pixels of a tile.
  parameter int TilePixels = 16,
  /// Requantization lanes.
  parameter int RequantLanes = 8,
  /// Dependent parameter, do not override. Bits of an entry number.
  localparam int EntryBits = $clog2(Lanes)
) (
  /// Clock, rising edge.
  input  logic                    clk_i,
  /// Reset, asynchronous, active low.
  input  logic                    rst_ni,
  /// Starts a convolution (`depthwise_i` low) or a depthwise operation.
  input  logic                    start_i,
  /// Descriptor, stable while the operation runs.
  input  logic [1023:0]           desc_i,
  /// The operation is depthwise; stable while it runs.
  input  logic                    depthwise_i,
  /// A result is in the shadow from this cycle on.
  input  logic                    captured_i,
  /// Results are left to come or to read.
  output logic                    active_o,
  /// A dense shadow entry has been read.
  output logic                    consumed_o,
  /// The parameters of set `out_set_o` are used for the last time in this visit.
  output logic                    release_o,
  /// Shadow read.
  output logic [EntryBits-1:0]    entry_o,
  output logic [EntryBits-1:0]    chunk_o,
  /// A chunk is read in this cycle.
  output logic                    out_valid_o,
  /// Its parameter set.
  output logic                    out_set_o,
  /// Word it goes to, position in units of the lanes in use, lanes that count.
  output logic [15:0]             out_addr_o,
  output logic [EntryBits-1:0]    out_slot_o,
  output logic [RequantLanes-1:0] out_lanes_o
);

  localparam int DenseChunks = Rows > RequantLanes ? Rows / RequantLanes : 1;
  localparam int LaneChunks = Lanes / RequantLanes;

  logic [15:0] groups, out_base, x_pitch, y_pitch, plane_pitch, out_w, out_h, blocks, last_lanes;
  logic [15:0] out_channels;
  logic [7:0]  group_size;
  logic        pixel_outer;

  assign groups = desc_i[loom_desc_pkg::STREAM_GROUPS_LSB +: 16];
  assign out_base = desc_i[loom_desc_pkg::OUT_BASE_LSB +: 16];
  assign x_pitch = desc_i[loom_desc_pkg::OUT_COL_PITCH_LSB +: 16];
  assign y_pitch = desc_i[loom_desc_pkg::OUT_ROW_PITCH_LSB +: 16];
  assign plane_pitch = desc_i[loom_desc_pkg::OUT_PLANE_PITCH_LSB +: 16];
  assign out_w = desc_i[loom_desc_pkg::OUT_W_LSB +: 16];
  assign out_h = desc_i[loom_desc_pkg::OUT_H_LSB +: 16];
  assign blocks = desc_i[loom_desc_pkg::IN_BLOCKS_LSB +: 16];
  assign last_lanes = desc_i[loom_desc_pkg::LAST_LANES_LSB +: 16];
  assign out_channels = desc_i[loom_desc_pkg::OUT_CHANNELS_LSB +: 16];
  assign group_size = desc_i[loom_desc_pkg::GROUP_ROWS_LSB +: 8];
  assign pixel_outer = desc_i[loom_desc_pkg::PIXEL_OUTER_LSB];

  logic               active_q, set_q;
  logic [15:0]        pending_q;
  logic [15:0]        group_q, x_q, y_q, x0_q, y0_q;
  logic [15:0]        addr_q, line_q, addr0_q, line0_q, plane_q;
  logic [EntryBits:0] t_q;
  logic [EntryBits-1:0] entry_q, chunk_q;
  logic [7:0]         row_q;
  // Channel position of the group in its word, in groups of Rows; channels from the group on.
  logic [15:0]        slot_q, channels_left_q;

  logic read, chunk_end, last_x, last_y, last_pixel, last_group, last_block, tile_end, row_end;
  logic visit_end, end_all;
  logic [15:0] lanes_left;

  assign read = active_q && (pending_q != 16'd0 || captured_i);
  assign last_x = x_q + 16'd1 == out_w;
  assign last_y = y_q + 16'd1 == out_h;
  assign last_pixel = last_x && last_y;
  assign last_group = group_q + 16'd1 == groups;
  assign last_block = group_q + 16'd1 == blocks;
  assign chunk_end = depthwise_i ? chunk_q == EntryBits'(LaneChunks - 1) :
                                   chunk_q == EntryBits'(DenseChunks - 1);
  assign tile_end = last_pixel || t_q == (EntryBits+1)'(TilePixels - 1);
  assign row_end = last_x || row_q + 8'd1 == group_size;
  assign visit_end = read && chunk_end &&
                     (depthwise_i ? last_pixel : (pixel_outer ? tile_end : last_pixel));
  assign end_all = visit_end && last_pixel && (depthwise_i ? last_block : last_group);

  assign active_o = active_q;
  assign consumed_o = read && chunk_end && !depthwise_i;
  assign release_o = visit_end;
  assign entry_o = depthwise_i ? EntryBits'(row_q) : entry_q;
  assign chunk_o = chunk_q;
  assign out_valid_o = read;
  assign out_set_o = set_q;
  assign out_addr_o = addr_q + plane_q;

  // Channels (conv) or lanes (depthwise) left from the first lane of this chunk on.
  assign lanes_left = depthwise_i ?
      (last_block ? last_lanes : 16'(Lanes)) - 16'(chunk_q) * 16'(RequantLanes) :
      channels_left_q - 16'(chunk_q) * 16'(RequantLanes);
  assign out_slot_o = depthwise_i ? chunk_q :
      EntryBits'(slot_q * 16'(DenseChunks)) + chunk_q;

  for (genvar r = 0; r < RequantLanes; r++) begin : gen_lanes
    assign out_lanes_o[r] = !lanes_left[15] && lanes_left > 16'(r) &&
                            (depthwise_i || r < Rows);
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      pending_q <= '0;
    end else if (start_i) begin
      active_q <= 1'b1;
      pending_q <= '0;
    end else begin
      if (end_all) active_q <= 1'b0;
      // Dense: pixels captured and not read; depthwise: groups.
      pending_q <= pending_q + 16'(captured_i) -
                   16'(read && chunk_end && (!depthwise_i || row_end));
    end
  end

  logic same_tile;
  assign same_tile = pixel_outer && !last_group && !depthwise_i;

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      set_q <= 1'b0;
      group_q <= '0;
      x_q <= '0;
      y_q <= '0;
      x0_q <= '0;
      y0_q <= '0;
      addr_q <= out_base;
      line_q <= out_base;
      addr0_q <= out_base;
      line0_q <= out_base;
      plane_q <= '0;
      t_q <= '0;
      entry_q <= '0;
      chunk_q <= '0;
      row_q <= '0;
      slot_q <= '0;
      channels_left_q <= out_channels;
    end else if (read) begin
      chunk_q <= chunk_end ? '0 : chunk_q + 1'b1;
      if (chunk_end) begin
        entry_q <= entry_q + 1'b1;
        row_q <= row_end ? 8'd0 : row_q + 8'd1;
        t_q <= tile_end ? '0 : t_q + 1'b1;
        if (!depthwise_i && tile_end && same_tile) begin
          x_q <= x0_q;
          y_q <= y0_q;
          addr_q <= addr0_q;
          line_q <= line0_q;
        end else if (last_pixel) begin
          x_q <= '0;
          y_q <= '0;
          addr_q <= out_base;
          line_q <= out_base;
          x0_q <= '0;
          y0_q <= '0;
          addr0_q <= out_base;
          line0_q <= out_base;
        end else begin
          x_q <= last_x ? 16'd0 : x_q + 16'd1;
          y_q <= last_x ? y_q + 16'd1 : y_q;
          addr_q <= last_x ? line_q + y_pitch : addr_q + x_pitch;
          line_q <= last_x ? line_q + y_pitch : line_q;
          if (tile_end) begin
            x0_q <= last_x ? 16'd0 : x_q + 16'd1;
            y0_q <= last_x ? y_q + 16'd1 : y_q;
            addr0_q <= last_x ? line_q + y_pitch : addr_q + x_pitch;
            line0_q <= last_x ? line_q + y_pitch : line_q;
          end
        end
        if (visit_end) begin
          set_q <= !set_q;
          if (depthwise_i) begin
            group_q <= group_q + 16'd1;
            plane_q <= plane_q + plane_pitch;
          end else if (last_group) begin
            group_q <= '0;
            plane_q <= '0;
            slot_q <= '0;
            channels_left_q <= out_channels;
          end else begin
            group_q <= group_q + 16'd1;
            channels_left_q <= channels_left_q - 16'(Rows);
            if (slot_q == 16'(Lanes / Rows - 1)) begin
              slot_q <= '0;
              plane_q <= plane_q + plane_pitch;
            end else begin
              slot_q <= slot_q + 16'd1;
            end
          end
        end
      end
    end
  end

  logic unused_desc;
  assign unused_desc = ^{desc_i};

endmodule
