// SPDX-License-Identifier: Apache-2.0

/// Issues the steps of a convolution: one activation word and, at the start of a tile's step, one
/// weight row per cycle.
///
///   default      for group, for tile, for step (block, ky, kx), for pixel of the tile
///   pixel_outer  for tile, for group, for step, for pixel
///
/// A step is issued when its parameters are loaded, its weight row is in the ring, the im2col unit
/// has written the pixels of the tile, and, for a last step, the shadow has a free entry. The
/// control outputs `op_*` belong to the cycle after the issue, in which the memories deliver.
///
/// Latency  one cycle from issue to `op_valid_o`; one step per cycle.
/// Golden   none; the order is docs/accelerator.md, kConv.
/// Test     tests/rtl/loom_conv_feeder_test.cc
module loom_conv_feeder #(
  /// Rows of the array.
  parameter int Rows = 4,
  /// Lanes of a row, entries of the shadow.
  parameter int Lanes = 16,
  /// Pixels of a tile, a power of two, at most Lanes.
  parameter int TilePixels = 16,
  /// Rows of the weight ring, a power of two.
  parameter int RingRows = 256,
  /// 1: `op_lane_valid_o` is of use; integers do without.
  parameter int LaneMask = 1,
  /// Dependent parameter, do not override. Bits of an entry number.
  localparam int EntryBits = $clog2(Lanes)
) (
  /// Clock, rising edge.
  input  logic                        clk_i,
  /// Reset, asynchronous, active low.
  input  logic                        rst_ni,
  /// Starts the operation of `desc_i`.
  input  logic                        start_i,
  /// Descriptor, stable while the operation runs.
  input  logic [1023:0]               desc_i,
  /// Ring row of the first group.
  input  logic [15:0]                 base_row_i,
  /// Parameter rows of a group.
  input  logic [15:0]                 param_rows_i,
  /// Steps are left to issue.
  output logic                        active_o,
  /// This cycle: a step is issued, or why not.
  output logic [2:0]                  cycle_o,
  /// Set s of the parameters is loaded for the next visit.
  input  logic [1:0]                  fresh_i,
  /// The last step of a visit, which used set `used_set_o`, is issued.
  output logic                        used_o,
  output logic                        used_set_o,
  /// Rows written to the ring so far, mod 2^16.
  input  logic [15:0]                 ring_write_ptr_i,
  /// Reads row `ring_addr_o`.
  output logic                        ring_re_o,
  output logic [$clog2(RingRows)-1:0] ring_addr_o,
  /// Frees all rows below `release_row_o`.
  output logic                        release_o,
  output logic [15:0]                 release_row_o,
  /// Pixels the im2col unit has written, and whether it has written all.
  input  logic [16:0]                 im2col_pixels_i,
  input  logic                        im2col_done_i,
  /// The drain has taken one shadow entry.
  input  logic                        consumed_i,
  /// Reads activation word `act_addr_o`.
  output logic                        act_re_o,
  output logic [15:0]                 act_addr_o,
  /// Control of the step issued in the previous cycle.
  output logic                        op_valid_o,
  output logic                        op_pad_o,
  output logic                        op_first_o,
  output logic                        op_last_o,
  output logic                        op_weight_load_o,
  output logic                        op_set_o,
  output logic [EntryBits-1:0]        op_entry_o,
  output logic [Rows-1:0]             op_row_valid_o,
  /// Lanes with a channel.
  output logic [Lanes-1:0]            op_lane_valid_o,
  /// Multiply-accumulates of the step two cycles ago.
  output logic [15:0]                 macs_o
);

  if (TilePixels < 1 || TilePixels > Lanes || (TilePixels & (TilePixels - 1)) != 0)
  begin : gen_bad_tile
    $error("loom_conv_feeder: TilePixels must be a power of two from 1 to Lanes");
  end

  ////////////////
  // Descriptor //
  ////////////////

  logic [15:0] groups, weight_rows, in_origin, x_step, y_step, col_pitch, row_pitch, plane_pitch;
  logic [15:0] in_w, in_h, out_w, out_h, blocks, out_channels, group_rows;
  logic [5:0]  last_lanes;
  logic [7:0]  kernel_w, kernel_h, stride_w, stride_h, pad_left, pad_top;
  logic        pixel_outer, im2col, release_rows;

  assign groups = desc_i[loom_desc_pkg::STREAM_GROUPS_LSB +: 16];
  assign weight_rows = desc_i[loom_desc_pkg::STREAM_WEIGHT_ROWS_LSB +: 16];
  assign in_origin = desc_i[loom_desc_pkg::IN_ORIGIN_LSB +: 16];
  assign x_step = desc_i[loom_desc_pkg::IN_X_STEP_LSB +: 16];
  assign y_step = desc_i[loom_desc_pkg::IN_Y_STEP_LSB +: 16];
  assign col_pitch = desc_i[loom_desc_pkg::IN_COL_PITCH_LSB +: 16];
  assign row_pitch = desc_i[loom_desc_pkg::IN_ROW_PITCH_LSB +: 16];
  assign plane_pitch = desc_i[loom_desc_pkg::IN_PLANE_PITCH_LSB +: 16];
  assign in_w = desc_i[loom_desc_pkg::IN_W_LSB +: 16];
  assign in_h = desc_i[loom_desc_pkg::IN_H_LSB +: 16];
  assign out_w = desc_i[loom_desc_pkg::OUT_W_LSB +: 16];
  assign out_h = desc_i[loom_desc_pkg::OUT_H_LSB +: 16];
  assign kernel_w = desc_i[loom_desc_pkg::KERNEL_W_LSB +: 8];
  assign kernel_h = desc_i[loom_desc_pkg::KERNEL_H_LSB +: 8];
  assign stride_w = desc_i[loom_desc_pkg::STRIDE_W_LSB +: 8];
  assign stride_h = desc_i[loom_desc_pkg::STRIDE_H_LSB +: 8];
  assign pad_left = desc_i[loom_desc_pkg::PAD_LEFT_LSB +: 8];
  assign pad_top = desc_i[loom_desc_pkg::PAD_TOP_LSB +: 8];
  assign blocks = desc_i[loom_desc_pkg::IN_BLOCKS_LSB +: 16];
  assign last_lanes = desc_i[loom_desc_pkg::LAST_LANES_LSB +: 6];
  assign out_channels = desc_i[loom_desc_pkg::OUT_CHANNELS_LSB +: 16];
  assign pixel_outer = desc_i[loom_desc_pkg::PIXEL_OUTER_LSB];
  assign im2col = desc_i[loom_desc_pkg::IM2COL_LSB];
  assign release_rows = desc_i[loom_desc_pkg::RELEASE_ROWS_LSB];
  assign group_rows = param_rows_i + weight_rows;

  ////////////
  // State  //
  ////////////

  logic               active_q;
  logic               set_q;
  logic [15:0]        group_q, group_row_q, channels_left_q;
  // Current pixel and the first pixel of the tile: position, input position, address.
  logic [15:0]        x_q, y_q, x0_q, y0_q;
  logic signed [17:0] ix_q, iy_q, ix0_q, iy0_q;
  logic [15:0]        addr_q, line_q, addr0_q, line0_q;
  logic [EntryBits:0] t_q;
  logic [16:0]        tile_first_q;
  // Step.
  logic [7:0]         kx_q, ky_q;
  logic [15:0]        block_q, step_q;
  logic [15:0]        offset_kx_q, offset_ky_q, offset_block_q;
  logic [EntryBits:0] shadow_used_q;

  ////////////////////
  // Current issue  //
  ////////////////////

  logic               last_x, last_pixel, tile_end, last_kx, last_ky, last_block, last_step;
  logic               first_step, last_group, step_end, visit_step_end;
  logic               need_row, have_row, have_pixels, have_shadow, have_params, issue;
  logic [15:0]        row, ahead;
  logic signed [17:0] tap_x, tap_y;
  logic [15:0]        rows_valid;
  logic [5:0]         lanes_valid;

  assign last_x = x_q + 16'd1 == out_w;
  assign last_pixel = last_x && (y_q + 16'd1 == out_h);
  assign tile_end = last_pixel || t_q == (EntryBits+1)'(TilePixels - 1);
  assign last_kx = kx_q + 8'd1 == kernel_w;
  assign last_ky = ky_q + 8'd1 == kernel_h;
  assign last_block = block_q + 16'd1 == blocks;
  assign last_step = last_kx && last_ky && last_block;
  assign first_step = step_q == 16'd0;
  assign last_group = group_q + 16'd1 == groups;
  assign step_end = issue && tile_end;
  assign visit_step_end = step_end && last_step;

  assign row = group_row_q + param_rows_i + step_q;
  assign ahead = ring_write_ptr_i - row;
  assign need_row = t_q == '0;
  assign have_row = !need_row || (ahead != 16'd0 && !ahead[15]);
  assign have_params = fresh_i[set_q];
  assign have_pixels = !im2col || im2col_done_i ||
                       im2col_pixels_i >= tile_first_q + 17'(TilePixels);
  assign have_shadow = !last_step || shadow_used_q < (EntryBits+1)'(Lanes);
  assign issue = active_q && have_params && have_row && have_pixels && have_shadow;

  always_comb begin
    if (!active_q) cycle_o = loom_pkg::CycleIdle;
    else if (issue) cycle_o = loom_pkg::CycleBusy;
    else if (!have_pixels) cycle_o = loom_pkg::CycleStallActivation;
    else if (!have_params || !have_row) cycle_o = loom_pkg::CycleStallWeight;
    else cycle_o = loom_pkg::CycleStallOutput;
  end

  assign used_o = visit_step_end && (pixel_outer || last_pixel);
  assign used_set_o = set_q;
  assign active_o = active_q;
  assign ring_re_o = issue && need_row;
  assign ring_addr_o = row[$clog2(RingRows)-1:0];
  assign act_re_o = issue;
  assign act_addr_o = addr_q + offset_block_q + offset_ky_q + offset_kx_q;
  assign tap_x = ix_q + 18'(kx_q);
  assign tap_y = iy_q + 18'(ky_q);
  assign rows_valid = channels_left_q < 16'(Rows) ? channels_left_q : 16'(Rows);
  assign lanes_valid = last_block ? last_lanes : 6'(Lanes);

  // Rows are free as they are read, after a group's last tile, or at the end of the layer.
  logic layer_end;
  assign layer_end = visit_step_end && last_pixel && last_group;
  assign release_o = release_rows ? (issue && need_row) :
                     pixel_outer ? layer_end : (visit_step_end && last_pixel);
  assign release_row_o = release_rows ? row + 16'd1 : group_row_q + group_rows;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      shadow_used_q <= '0;
    end else if (start_i) begin
      active_q <= 1'b1;
      shadow_used_q <= '0;
    end else begin
      if (layer_end) active_q <= 1'b0;
      if (issue && last_step && !consumed_i) shadow_used_q <= shadow_used_q + 1'b1;
      else if (!(issue && last_step) && consumed_i) shadow_used_q <= shadow_used_q - 1'b1;
    end
  end

  // Next pixel in row-major order.
  logic [15:0]        next_x, next_y, next_addr, next_line;
  logic signed [17:0] next_ix, next_iy;

  assign next_x = last_x ? 16'd0 : x_q + 16'd1;
  assign next_y = last_x ? y_q + 16'd1 : y_q;
  assign next_ix = last_x ? 18'sd0 - 18'(pad_left) : ix_q + 18'(stride_w);
  assign next_iy = last_x ? iy_q + 18'(stride_h) : iy_q;
  assign next_line = last_x ? line_q + y_step : line_q;
  assign next_addr = last_x ? line_q + y_step : addr_q + x_step;

  // Where the walk goes when a tile's step ends: the same tile again, the next tile, or the image
  // from its start.
  logic same_tile, restart;
  assign same_tile = !last_step || (pixel_outer && !last_group);
  assign restart = !same_tile && last_pixel;

  always_ff @(posedge clk_i) begin
    if (start_i || (step_end && restart)) begin
      x_q <= '0;
      y_q <= '0;
      ix_q <= 18'sd0 - 18'(pad_left);
      iy_q <= 18'sd0 - 18'(pad_top);
      addr_q <= in_origin;
      line_q <= in_origin;
      x0_q <= '0;
      y0_q <= '0;
      ix0_q <= 18'sd0 - 18'(pad_left);
      iy0_q <= 18'sd0 - 18'(pad_top);
      addr0_q <= in_origin;
      line0_q <= in_origin;
      tile_first_q <= '0;
      t_q <= '0;
    end else if (step_end && same_tile) begin
      x_q <= x0_q;
      y_q <= y0_q;
      ix_q <= ix0_q;
      iy_q <= iy0_q;
      addr_q <= addr0_q;
      line_q <= line0_q;
      t_q <= '0;
    end else if (issue) begin
      x_q <= next_x;
      y_q <= next_y;
      ix_q <= next_ix;
      iy_q <= next_iy;
      addr_q <= next_addr;
      line_q <= next_line;
      t_q <= step_end ? '0 : t_q + 1'b1;
      if (step_end) begin
        x0_q <= next_x;
        y0_q <= next_y;
        ix0_q <= next_ix;
        iy0_q <= next_iy;
        addr0_q <= next_addr;
        line0_q <= next_line;
        tile_first_q <= tile_first_q + 17'(TilePixels);
      end
    end

    if (start_i || visit_step_end) begin
      kx_q <= '0;
      ky_q <= '0;
      block_q <= '0;
      step_q <= '0;
      offset_kx_q <= '0;
      offset_ky_q <= '0;
      offset_block_q <= '0;
    end else if (step_end) begin
      step_q <= step_q + 16'd1;
      kx_q <= last_kx ? 8'd0 : kx_q + 8'd1;
      offset_kx_q <= last_kx ? 16'd0 : offset_kx_q + col_pitch;
      if (last_kx) begin
        ky_q <= last_ky ? 8'd0 : ky_q + 8'd1;
        offset_ky_q <= last_ky ? 16'd0 : offset_ky_q + row_pitch;
        if (last_ky) begin
          block_q <= block_q + 16'd1;
          offset_block_q <= offset_block_q + plane_pitch;
        end
      end
    end

    // Group: after its last tile, or after every tile when tiles are the outer loop.
    if (start_i) begin
      group_q <= '0;
      group_row_q <= base_row_i;
      channels_left_q <= out_channels;
      set_q <= 1'b0;
    end else if (used_o) begin
      set_q <= !set_q;
      if (last_group) begin
        group_q <= '0;
        group_row_q <= base_row_i;
        channels_left_q <= out_channels;
      end else begin
        group_q <= group_q + 16'd1;
        group_row_q <= group_row_q + group_rows;
        channels_left_q <= channels_left_q - 16'(Rows);
      end
    end
  end

  ////////////////////////////////
  // Control of the issued step //
  ////////////////////////////////

  logic                 op_valid_q;
  logic                 op_pad_q, op_first_q, op_last_q, op_weight_load_q, op_set_q;
  logic [EntryBits-1:0] op_entry_q;
  logic [Rows-1:0]      op_row_valid_q;
  logic [5:0]           op_rows_q, op_lanes_q;
  logic [15:0]          macs_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      op_valid_q <= 1'b0;
      macs_q <= '0;
    end else begin
      op_valid_q <= issue;
      macs_q <= op_valid_q ? 16'(op_rows_q) * 16'(op_lanes_q) : 16'd0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue) begin
      op_pad_q <= tap_x < 0 || tap_x >= $signed({2'b00, in_w}) || tap_y < 0 ||
                  tap_y >= $signed({2'b00, in_h});
      op_first_q <= first_step;
      op_last_q <= last_step;
      op_weight_load_q <= need_row;
      op_set_q <= set_q;
      op_entry_q <= t_q[EntryBits-1:0];
      op_rows_q <= 6'(rows_valid);
      op_lanes_q <= lanes_valid;
      for (int m = 0; m < Rows; m++) op_row_valid_q[m] <= 16'(m) < rows_valid;
    end
  end

  assign op_valid_o = op_valid_q;
  assign op_pad_o = op_pad_q;
  assign op_first_o = op_first_q;
  assign op_last_o = op_last_q;
  assign op_weight_load_o = op_weight_load_q;
  assign op_set_o = op_set_q;
  assign op_entry_o = op_entry_q;
  assign op_row_valid_o = op_row_valid_q;
  assign macs_o = macs_q;

  for (genvar l = 0; l < Lanes; l++) begin : gen_lane_valid
    assign op_lane_valid_o[l] = LaneMask != 0 && 6'(l) < op_lanes_q;
  end

  logic unused_desc;
  assign unused_desc = ^{desc_i};

endmodule
