// SPDX-License-Identifier: Apache-2.0

/// Issues the steps of a depthwise or pooling layer: fills the window buffers from the activation
/// banks and, decoupled by the two buffers, issues one tap per cycle.
///
///   for block, for y, for group of output pixels along x, for ky, for chunk of taps, for kx
///
/// The fill runs ahead by one chunk. A buffer is refilled from the cycle of its last take on, and a
/// chunk is issued from the cycle after its last read on, so that chunks of n taps whose words take
/// n fill cycles follow each other without a gap. The last tap of a group is held back until the
/// drain, which never stalls, has read the previous group.
///
/// Latency  one cycle from issue to `op_valid_o`, which is also the take of the window.
/// Golden   none; the order is docs/accelerator.md, kDepthwise.
/// Test     tests/rtl/loom_dw_feeder_test.cc
module loom_dw_feeder #(
  /// Rows of the array.
  parameter int Rows = 4,
  /// Lanes of a row.
  parameter int Lanes = 16,
  /// Requantization lanes.
  parameter int RequantLanes = 8,
  /// Activation banks.
  parameter int Banks = 2,
  /// Rows of the weight ring, a power of two.
  parameter int RingRows = 256,
  /// Dependent parameter, do not override. Bits of a row number.
  localparam int RowBits = Rows > 1 ? $clog2(Rows) : 1,
  /// Dependent parameter, do not override. Bits of a bank number.
  localparam int BankBits = Banks > 1 ? $clog2(Banks) : 1
) (
  /// Clock, rising edge.
  input  logic                        clk_i,
  /// Reset, asynchronous, active low.
  input  logic                        rst_ni,
  /// Starts the operation of `desc_i`.
  input  logic                        start_i,
  /// Descriptor, stable while the operation runs.
  input  logic [1023:0]               desc_i,
  /// Ring row of the first block.
  input  logic [15:0]                 base_row_i,
  /// Parameter rows of a block.
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
  /// Bank reads of this cycle; addresses are words inside the bank.
  output logic [Banks-1:0]            act_re_o,
  output logic [Banks*16-1:0]         act_addr_o,
  /// Window fill that belongs to the reads of the previous cycle.
  output logic                        fill_valid_o,
  output logic                        fill_buffer_o,
  output logic [7:0]                  fill_slot_o,
  output logic [BankBits-1:0]         fill_bank0_o,
  output logic [BankBits-1:0]         fill_step_o,
  output logic [Banks-1:0]            fill_mask_o,
  output logic [Banks-1:0]            fill_pad_o,
  /// Control of the step issued in the previous cycle.
  output logic                        op_valid_o,
  output logic                        op_buffer_o,
  output logic                        op_first_o,
  output logic                        op_last_o,
  output logic                        op_weight_load_o,
  output logic [RowBits-1:0]          op_weight_sel_o,
  output logic                        op_set_o,
  output logic [Rows-1:0]             op_row_valid_o,
  output logic [Lanes-1:0]            op_lane_valid_o,
  /// Multiply-accumulates of the step two cycles ago.
  output logic [15:0]                 macs_o
);

  if ((Banks & (Banks - 1)) != 0) begin : gen_bad_banks
    $error("loom_dw_feeder: Banks must be a power of two");
  end

  localparam int Chunks = Lanes / RequantLanes;

  ////////////////
  // Descriptor //
  ////////////////

  logic [15:0] weight_rows, in_origin, x_step, y_step, col_pitch, row_pitch, plane_pitch;
  logic [15:0] in_w, in_h, out_w, out_h, blocks, last_lanes, total_rows;
  logic [7:0]  kernel_w, kernel_h, stride_w, stride_h, pad_left, pad_top, window_taps, group_size;
  logic        unit_weights;

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
  assign last_lanes = desc_i[loom_desc_pkg::LAST_LANES_LSB +: 16];
  assign window_taps = desc_i[loom_desc_pkg::WINDOW_TAPS_LSB +: 8];
  assign group_size = desc_i[loom_desc_pkg::GROUP_ROWS_LSB +: 8];
  assign unit_weights = desc_i[loom_desc_pkg::UNIT_WEIGHTS_LSB];
  assign total_rows = param_rows_i + weight_rows;

  // From one group of output pixels to the next.
  logic [15:0] group_x_step;
  logic [17:0] group_ix_step;
  assign group_x_step = 16'(group_size) * x_step;
  assign group_ix_step = 18'(group_size) * 18'(stride_w);

  //////////
  // Fill //
  //////////

  logic               fill_active_q;
  logic               fill_buffer_q;
  logic [1:0]         busy_q, ready_q;
  logic [15:0]        f_block_q, f_y_q, f_x_q;
  logic [7:0]         f_ky_q, f_k_q;
  logic signed [17:0] f_ix_q, f_iy_q;
  logic [15:0]        f_block_addr_q, f_line_addr_q, f_group_addr_q;
  logic [15:0]        f_tap_addr_q, f_row_addr_q;
  logic [7:0]         f_slot_q;
  logic [15:0]        f_slot_addr_q;

  logic [15:0]        f_pixels_left;
  logic [7:0]         f_rows, f_taps_left, f_taps, f_words;
  logic               f_last_group, f_last_y, f_last_block, f_last_ky, f_last_chunk, f_last_words;
  logic               fill_go;
  logic               take_last;
  logic               take_buffer;

  assign f_pixels_left = out_w - f_x_q;
  assign f_last_group = f_pixels_left <= 16'(group_size);
  assign f_rows = f_last_group ? f_pixels_left[7:0] : group_size;
  assign f_taps_left = kernel_w - f_k_q;
  assign f_last_chunk = f_taps_left <= window_taps;
  assign f_taps = f_last_chunk ? f_taps_left : window_taps;
  assign f_words = f_taps + (stride_w == 8'd2 ? {f_rows[6:0] - 7'd1, 1'b0} : f_rows - 8'd1);
  assign f_last_ky = f_ky_q + 8'd1 == kernel_h;
  assign f_last_y = f_y_q + 16'd1 == out_h;
  assign f_last_block = f_block_q + 16'd1 == blocks;
  assign f_last_words = 9'(f_slot_q) + 9'(Banks) >= 9'(f_words);
  assign fill_go = fill_active_q &&
                   (!busy_q[fill_buffer_q] || (take_last && take_buffer == fill_buffer_q) ||
                    f_slot_q != 8'd0);

  // Word of slot f_slot_q: tap address + slot * col_pitch, both kept running.
  logic [15:0] f_addr;
  assign f_addr = f_group_addr_q + f_row_addr_q + f_tap_addr_q + f_slot_addr_q;

  logic [Banks*16-1:0]     lane_addr;
  logic [Banks-1:0]        lane_mask, lane_pad;
  logic signed [17:0]      f_iy;

  assign f_iy = f_iy_q + 18'(f_ky_q);

  for (genvar j = 0; j < Banks; j++) begin : gen_slot
    logic signed [17:0] ix;
    assign ix = f_ix_q + 18'(f_k_q) + 18'(f_slot_q) + 18'(j);
    assign lane_addr[j*16 +: 16] = f_addr + 16'(j) * col_pitch;
    assign lane_mask[j] = 9'(f_slot_q) + 9'(j) < 9'(f_words);
    assign lane_pad[j] = ix < 0 || ix >= $signed({2'b00, in_w}) || f_iy < 0 ||
                         f_iy >= $signed({2'b00, in_h});
  end

  if (Banks > 1) begin : gen_banks
    always_comb begin
      act_re_o = '0;
      act_addr_o = '0;
      for (int j = 0; j < Banks; j++) begin
        for (int b = 0; b < Banks; b++) begin
          if (lane_addr[j*16 +: BankBits] == BankBits'(b)) begin
            if (fill_go && lane_mask[j] && !lane_pad[j]) begin
              act_re_o[b] = 1'b1;
              act_addr_o[b*16 +: 16] = lane_addr[j*16 +: 16] >> BankBits;
            end
          end
        end
      end
    end
  end else begin : gen_one_bank
    assign act_re_o = fill_go;
    assign act_addr_o = lane_addr;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fill_active_q <= 1'b0;
      fill_buffer_q <= 1'b0;
      busy_q <= 2'b00;
      ready_q <= 2'b00;
      fill_valid_o <= 1'b0;
    end else if (start_i) begin
      fill_active_q <= 1'b1;
      fill_buffer_q <= 1'b0;
      busy_q <= 2'b00;
      ready_q <= 2'b00;
      fill_valid_o <= 1'b0;
    end else begin
      fill_valid_o <= fill_go;
      if (issue_chunk_end) ready_q[buffer_q] <= 1'b0;
      if (take_last) busy_q[take_buffer] <= 1'b0;
      if (fill_go) begin
        busy_q[fill_buffer_q] <= 1'b1;
        if (f_last_words) begin
          ready_q[fill_buffer_q] <= 1'b1;
          fill_buffer_q <= !fill_buffer_q;
          if (f_last_chunk && f_last_ky && f_last_group && f_last_y && f_last_block)
            fill_active_q <= 1'b0;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (fill_go) begin
      fill_buffer_o <= fill_buffer_q;
      fill_slot_o <= f_slot_q;
      fill_bank0_o <= f_addr[BankBits-1:0];
      fill_step_o <= col_pitch[BankBits-1:0];
      fill_mask_o <= lane_mask;
      fill_pad_o <= lane_pad;
    end
    if (start_i) begin
      f_block_q <= '0;
      f_y_q <= '0;
      f_x_q <= '0;
      f_ky_q <= '0;
      f_k_q <= '0;
      f_slot_q <= '0;
      f_slot_addr_q <= '0;
      f_ix_q <= 18'sd0 - 18'(pad_left);
      f_iy_q <= 18'sd0 - 18'(pad_top);
      f_block_addr_q <= in_origin;
      f_line_addr_q <= in_origin;
      f_group_addr_q <= in_origin;
      f_tap_addr_q <= '0;
      f_row_addr_q <= '0;
    end else if (fill_go && !f_last_words) begin
      f_slot_q <= f_slot_q + 8'(Banks);
      f_slot_addr_q <= f_slot_addr_q + 16'(Banks) * col_pitch;
    end else if (fill_go) begin
      f_slot_q <= '0;
      f_slot_addr_q <= '0;
      if (!f_last_chunk) begin
        f_k_q <= f_k_q + window_taps;
        f_tap_addr_q <= f_tap_addr_q + 16'(window_taps) * col_pitch;
      end else begin
        f_k_q <= '0;
        f_tap_addr_q <= '0;
        if (!f_last_ky) begin
          f_ky_q <= f_ky_q + 8'd1;
          f_row_addr_q <= f_row_addr_q + row_pitch;
        end else begin
          f_ky_q <= '0;
          f_row_addr_q <= '0;
          if (!f_last_group) begin
            f_x_q <= f_x_q + 16'(group_size);
            f_ix_q <= f_ix_q + $signed(group_ix_step);
            f_group_addr_q <= f_group_addr_q + group_x_step;
          end else begin
            f_x_q <= '0;
            f_ix_q <= 18'sd0 - 18'(pad_left);
            if (!f_last_y) begin
              f_y_q <= f_y_q + 16'd1;
              f_iy_q <= f_iy_q + 18'(stride_h);
              f_line_addr_q <= f_line_addr_q + y_step;
              f_group_addr_q <= f_line_addr_q + y_step;
            end else begin
              f_y_q <= '0;
              f_iy_q <= 18'sd0 - 18'(pad_top);
              f_block_q <= f_block_q + 16'd1;
              f_block_addr_q <= f_block_addr_q + plane_pitch;
              f_line_addr_q <= f_block_addr_q + plane_pitch;
              f_group_addr_q <= f_block_addr_q + plane_pitch;
            end
          end
        end
      end
    end
  end

  ///////////
  // Issue //
  ///////////

  logic        active_q;
  logic        buffer_q;
  logic        set_q;
  logic [15:0] block_q, y_q, x_q, block_row_q;
  logic [7:0]  ky_q, kx_q, chunk_left_q;
  logic [15:0] tap_q;
  logic [15:0] cooldown_q;

  logic [15:0] pixels_left, rows_valid, lanes_valid, row, ahead;
  logic        last_group, last_y, last_block, last_ky, last_kx, last_tap, first_tap;
  logic        have_window, have_params, have_row, have_shadow, need_row, issue;
  logic        issue_chunk_end, block_end;

  assign pixels_left = out_w - x_q;
  assign last_group = pixels_left <= 16'(group_size);
  assign rows_valid = last_group ? pixels_left : 16'(group_size);
  assign last_kx = kx_q + 8'd1 == kernel_w;
  assign last_ky = ky_q + 8'd1 == kernel_h;
  assign last_tap = last_kx && last_ky;
  assign first_tap = tap_q == 16'd0;
  assign last_y = y_q + 16'd1 == out_h;
  assign last_block = block_q + 16'd1 == blocks;
  assign lanes_valid = last_block ? last_lanes : 16'(Lanes);

  if (Rows > 1) begin : gen_tap_row
    assign row = block_row_q + param_rows_i + (tap_q >> RowBits);
    assign need_row = !unit_weights && tap_q[RowBits-1:0] == '0;
  end else begin : gen_tap_row1
    assign row = block_row_q + param_rows_i + tap_q;
    assign need_row = !unit_weights;
  end
  assign ahead = ring_write_ptr_i - row;

  assign have_window = ready_q[buffer_q];
  assign have_params = unit_weights || fresh_i[set_q];
  assign have_row = !need_row || (ahead != 16'd0 && !ahead[15]);
  assign have_shadow = !last_tap || cooldown_q == 16'd0;
  assign issue = active_q && have_window && have_params && have_row && have_shadow;
  assign issue_chunk_end = issue && (last_kx || chunk_left_q == 8'd1);
  assign block_end = issue && last_tap && last_group && last_y;

  assign used_o = block_end;
  assign used_set_o = set_q;
  assign active_o = active_q;
  assign ring_re_o = issue && need_row;
  assign ring_addr_o = row[$clog2(RingRows)-1:0];
  assign release_o = block_end && !unit_weights;
  assign release_row_o = block_row_q + total_rows;

  always_comb begin
    if (!active_q) cycle_o = loom_pkg::CycleIdle;
    else if (issue) cycle_o = loom_pkg::CycleBusy;
    else if (!have_params || !have_row) cycle_o = loom_pkg::CycleStallWeight;
    else if (!have_window) cycle_o = loom_pkg::CycleStallActivation;
    else cycle_o = loom_pkg::CycleStallOutput;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      buffer_q <= 1'b0;
      cooldown_q <= '0;
    end else if (start_i) begin
      active_q <= 1'b1;
      buffer_q <= 1'b0;
      cooldown_q <= '0;
    end else begin
      if (issue_chunk_end) buffer_q <= !buffer_q;
      if (block_end && last_block) active_q <= 1'b0;
      if (issue && last_tap) cooldown_q <= rows_valid * 16'(Chunks) - 16'd1;
      else if (cooldown_q != 16'd0) cooldown_q <= cooldown_q - 16'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      block_q <= '0;
      block_row_q <= base_row_i;
      set_q <= 1'b0;
      y_q <= '0;
      x_q <= '0;
      ky_q <= '0;
      kx_q <= '0;
      tap_q <= '0;
      chunk_left_q <= window_taps;
    end else if (issue) begin
      tap_q <= last_tap ? 16'd0 : tap_q + 16'd1;
      kx_q <= last_kx ? 8'd0 : kx_q + 8'd1;
      chunk_left_q <= issue_chunk_end ? window_taps : chunk_left_q - 8'd1;
      if (last_kx) ky_q <= last_ky ? 8'd0 : ky_q + 8'd1;
      if (last_tap) begin
        x_q <= last_group ? 16'd0 : x_q + 16'(group_size);
        if (last_group) begin
          y_q <= last_y ? 16'd0 : y_q + 16'd1;
          if (last_y) begin
            block_q <= block_q + 16'd1;
            block_row_q <= block_row_q + total_rows;
            set_q <= !set_q;
          end
        end
      end
    end
  end

  ////////////////////////////////
  // Control of the issued step //
  ////////////////////////////////

  logic        op_valid_q, op_chunk_end_q;
  logic [5:0]  op_rows_q, op_lanes_q;
  logic [15:0] macs_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      op_valid_q <= 1'b0;
      op_chunk_end_q <= 1'b0;
      macs_q <= '0;
    end else begin
      op_valid_q <= issue;
      op_chunk_end_q <= issue_chunk_end;
      macs_q <= op_valid_q && !unit_weights ?
                16'(op_rows_q) * 16'(op_lanes_q) : 16'd0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue) begin
      op_buffer_o <= buffer_q;
      op_first_o <= first_tap;
      op_last_o <= last_tap;
      op_weight_load_o <= need_row;
      op_weight_sel_o <= Rows > 1 ? tap_q[RowBits-1:0] : '0;
      op_set_o <= set_q;
      op_rows_q <= 6'(rows_valid);
      op_lanes_q <= 6'(lanes_valid);
      for (int m = 0; m < Rows; m++) op_row_valid_o[m] <= 16'(m) < rows_valid;
      for (int l = 0; l < Lanes; l++) op_lane_valid_o[l] <= 16'(l) < lanes_valid;
    end
  end

  assign op_valid_o = op_valid_q;
  assign macs_o = macs_q;
  assign take_last = op_valid_q && op_chunk_end_q;
  assign take_buffer = op_buffer_o;

  logic unused_desc;
  assign unused_desc = ^{desc_i};

endmodule
