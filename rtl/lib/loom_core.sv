// SPDX-License-Identifier: Apache-2.0

/// The compute core: runs one convolution, depthwise, pooling or addition descriptor at a time out of
/// its activation memory, with parameters and weights from the weight ring.
///
/// It consumes the streams in descriptor order: the first row of a descriptor's stream is the row
/// after the last one of the stream before it.
///
/// Latency  an operation ends (`done_o`) when its last byte is in the activation memory and all its
///          increments have been on the counter outputs.
/// Golden   none; docs/accelerator.md, and sim/descriptor_device.h executes the same descriptors.
/// Test     tests/rtl/loom_accelerator_test.cc
module loom_core #(
  /// Rows of the array.
  parameter int Rows = 4,
  /// Lanes of a row, bytes of an activation word.
  parameter int Lanes = 16,
  /// Pixels of a dense tile.
  parameter int TilePixels = 16,
  /// loom_pkg::FORMAT_INT, FORMAT_E4M3, FORMAT_E5M2, FORMAT_E3M4 or FORMAT_E2M5.
  parameter int Format = loom_pkg::FORMAT_INT,
  /// loom_pkg::ACC_FIXED or, minifloats only, ACC_FLOAT: FP16 or FP32 by AccWidth.
  parameter int AccKind = loom_pkg::ACC_FIXED,
  /// Bits of an accumulator.
  parameter int AccWidth = 32,
  /// Minifloats, fixed: low bits dropped from every product.
  parameter int AccDrop = 0,
  /// Minifloats, fixed: bits kept below the largest product of a step, or -1: not aligned.
  parameter int AccAlign = -1,
  /// loom_pkg::POLICY_WRAP, POLICY_SATURATE or POLICY_SELECTABLE.
  parameter int AccPolicy = 2,
  /// Requantization lanes.
  parameter int RequantLanes = 8,
  /// Bits of an activation code, 2 to 8.
  parameter int ActBits = 8,
  /// Bits of a weight code, 2 to 8.
  parameter int WeightBits = 8,
  /// loom_pkg::REQUANT_SHIFT, REQUANT_24X24, REQUANT_24X31 or REQUANT_32X31.
  parameter int RequantKind = 3,
  /// Activation banks.
  parameter int Banks = 2,
  /// Words of the activation memory.
  parameter int ActWords = 4096,
  /// Words of the staging memory.
  parameter int StageWords = 256,
  /// Rows of the weight ring.
  parameter int RingRows = 256,
  /// Words of a window buffer.
  parameter int WindowWords = 10,
  /// Dependent parameter, do not override. Bits of a row of the ring.
  localparam int RowBits = Rows * Lanes * 8
) (
  /// Clock, rising edge.
  input  logic                        clk_i,
  /// Reset, asynchronous, active low.
  input  logic                        rst_ni,
  /// Starts the operation of `desc_i`.
  input  logic                        start_i,
  /// Descriptor, stable from `start_i` to `done_o`.
  input  logic [1023:0]               desc_i,
  /// The operation is complete.
  output logic                        done_o,
  /// Simulation only: bits by which the accumulators are narrower. Tie to 0 for synthesis.
  input  logic [5:0]                  acc_narrow_i,
  /// Rows written to the ring so far, mod 2^16.
  input  logic [15:0]                 ring_write_ptr_i,
  /// Rows freed so far, mod 2^16.
  output logic [15:0]                 ring_free_ptr_o,
  /// Ring read; data in the next cycle.
  output logic                        ring_re_o,
  output logic [$clog2(RingRows)-1:0] ring_addr_o,
  input  logic [RowBits-1:0]          ring_rdata_i,
  /// Write of a load to activation or staging memory, held until ready.
  input  logic                        dma_we_i,
  input  logic                        dma_to_staging_i,
  input  logic [15:0]                 dma_waddr_i,
  input  logic [Lanes-1:0]            dma_be_i,
  input  logic [Lanes*8-1:0]          dma_wdata_i,
  output logic                        dma_wready_o,
  /// Read of a store, only while no operation runs; data in the next cycle.
  input  logic                        dma_re_i,
  input  logic [15:0]                 dma_raddr_i,
  output logic [Lanes*8-1:0]          dma_rdata_o,
  /// loom_pkg::cycle_e of this cycle.
  output logic [2:0]                  cycle_o,
  /// Counter increments of this cycle.
  output logic [15:0]                 macs_o,
  output logic [15:0]                 overflow_events_o,
  output logic [7:0]                  clamped_low_o,
  output logic [7:0]                  clamped_high_o,
  /// The bank writes of this cycle, with word addresses of the whole memory.
  output logic [Banks-1:0]            probe_we_o,
  output logic [Banks*16-1:0]         probe_addr_o,
  output logic [Banks*Lanes-1:0]      probe_be_o,
  output logic [Banks*Lanes*8-1:0]    probe_data_o
);

  if (ActWords > 65536 || (ActWords & (ActWords - 1)) != 0) begin : gen_bad_act_words
    $error("loom_core: ActWords must be a power of two, at most 65536");
  end

  localparam int EntryBits = $clog2(Lanes);
  localparam int ArrayRowBits = Rows > 1 ? $clog2(Rows) : 1;
  localparam int BankBits = Banks > 1 ? $clog2(Banks) : 1;
  localparam int StageBits = $clog2(StageWords / 2);
  localparam int RowByteBits = $clog2(Rows * Lanes);
  localparam int WordBits = Lanes * 8;

  ///////////////
  // Operation //
  ///////////////

  logic [7:0]  opcode;
  logic        is_conv, is_dw, is_add, unit_weights, has_stream;
  logic [15:0] groups, weight_rows, param_bytes, param_rows, group_rows;
  logic        running_q, running_q2;
  logic [15:0] base_row_q, free_ptr_q;

  assign opcode = desc_i[loom_desc_pkg::OPCODE_LSB +: 8];
  assign is_conv = opcode == loom_pkg::OpConv;
  assign is_dw = opcode == loom_pkg::OpDepthwise;
  assign is_add = opcode == loom_pkg::OpAdd;
  assign unit_weights = is_dw && desc_i[loom_desc_pkg::UNIT_WEIGHTS_LSB];
  assign groups = desc_i[loom_desc_pkg::STREAM_GROUPS_LSB +: 16];
  assign weight_rows = desc_i[loom_desc_pkg::STREAM_WEIGHT_ROWS_LSB +: 16];
  assign param_bytes = desc_i[loom_desc_pkg::STREAM_PARAM_BYTES_LSB +: 16];
  assign param_rows = 16'((17'(param_bytes) + 17'(Rows * Lanes - 1)) >> RowByteBits);
  assign group_rows = param_rows + weight_rows;
  assign has_stream = groups != 16'd0;

  logic        conv_active, dw_active, drain_active, add_active, add_reading, im2col_done;
  logic        array_busy, writeback_busy;
  logic        finished;
  logic        conv_release, dw_release;
  logic [15:0] conv_release_row, dw_release_row;

  // The units start in the cycle after start_i; `running_q2` keeps the idle units from ending it.
  assign finished = running_q2 && !conv_active && !dw_active && !drain_active && !add_active &&
                    im2col_done && !array_busy && !writeback_busy;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q <= 1'b0;
      running_q2 <= 1'b0;
      base_row_q <= '0;
      free_ptr_q <= '0;
    end else begin
      if (start_i) running_q <= 1'b1;
      else if (finished) running_q <= 1'b0;
      running_q2 <= running_q && !finished;
      if (finished && has_stream) begin
        base_row_q <= base_row_q + 16'(groups * group_rows);
        free_ptr_q <= base_row_q + 16'(groups * group_rows);
      end else if (conv_release) begin
        free_ptr_q <= conv_release_row;
      end else if (dw_release) begin
        free_ptr_q <= dw_release_row;
      end
    end
  end

  assign done_o = finished;
  assign ring_free_ptr_o = free_ptr_q;

  ////////////////
  // Parameters //
  ////////////////

  logic [1:0]                      fresh;
  logic                            conv_used, conv_used_set, dw_used, dw_used_set;
  logic                            loader_request, feeder_ring_re;
  logic [$clog2(RingRows)-1:0]     loader_addr, feeder_ring_addr;
  logic [2*Lanes*AccWidth-1:0]     starts;
  logic [RequantLanes*32-1:0]      lane_multiplier;
  logic [RequantLanes*8-1:0]       lane_shift;
  logic                            drain_release, drain_set;
  logic [EntryBits-1:0]            drain_entry, drain_chunk;
  logic                            conv_ring_re, dw_ring_re;
  logic [$clog2(RingRows)-1:0]     conv_ring_addr, dw_ring_addr;

  loom_param_loader #(
    .Rows(Rows), .Lanes(Lanes), .Format(Format), .AccWidth(AccWidth), .RequantLanes(RequantLanes),
    .RingRows(RingRows)
  ) u_param_loader (
    .clk_i,
    .rst_ni,
    .start_i,
    .stop_i           (finished),
    .enable_i         (has_stream),
    .base_row_i       (base_row_q),
    .groups_i         (groups),
    .param_rows_i     (param_rows),
    .group_rows_i     (group_rows),
    .per_layer_i      (desc_i[loom_desc_pkg::PER_LAYER_LSB]),
    .repeat_i         (desc_i[loom_desc_pkg::PIXEL_OUTER_LSB]),
    .ring_write_ptr_i,
    .ring_request_o   (loader_request),
    .ring_grant_i     (!feeder_ring_re),
    .ring_addr_o      (loader_addr),
    .ring_rdata_i,
    .fresh_o          (fresh),
    .used_i           (conv_used || dw_used),
    .used_set_i       (conv_used ? conv_used_set : dw_used_set),
    .release_i        (drain_release),
    .release_set_i    (drain_set),
    .starts_o         (starts),
    .lane_set_i       (drain_set),
    .lane_chunk_i     (drain_chunk),
    .lane_multiplier_o(lane_multiplier),
    .lane_shift_o     (lane_shift)
  );

  assign feeder_ring_re = conv_ring_re || dw_ring_re;
  assign feeder_ring_addr = conv_ring_re ? conv_ring_addr : dw_ring_addr;
  assign ring_re_o = feeder_ring_re || loader_request;
  assign ring_addr_o = feeder_ring_re ? feeder_ring_addr : loader_addr;

  /////////////
  // Feeders //
  /////////////

  logic [2:0]              conv_cycle, dw_cycle;
  logic                    conv_act_re, add_act_re, consumed;
  logic [15:0]             conv_act_addr, add_act_addr, conv_macs, dw_macs;
  logic                    conv_valid, conv_pad, conv_first, conv_last, conv_load, conv_set;
  logic [EntryBits-1:0]    conv_entry;
  logic [Rows-1:0]         conv_rows, dw_rows;
  logic [Lanes-1:0]        conv_lanes, dw_lanes, op_lanes;
  logic [16:0]             im2col_pixels;
  logic [Banks-1:0]        dw_act_re;
  logic [Banks*16-1:0]     dw_act_addr;
  logic                    fill_valid, fill_buffer;
  logic [7:0]              fill_slot;
  logic [BankBits-1:0]     fill_bank0, fill_step;
  logic [Banks-1:0]        fill_mask, fill_pad;
  logic                    dw_valid, dw_buffer, dw_first, dw_last, dw_load, dw_set;
  logic [ArrayRowBits-1:0] dw_weight_sel;

  loom_conv_feeder #(
    .Rows(Rows), .Lanes(Lanes), .TilePixels(TilePixels), .RingRows(RingRows),
    .LaneMask(Format == loom_pkg::FORMAT_INT ? 0 : 1)
  ) u_conv_feeder (
    .clk_i,
    .rst_ni,
    .start_i         (start_i && is_conv),
    .desc_i,
    .base_row_i      (base_row_q),
    .param_rows_i    (param_rows),
    .active_o        (conv_active),
    .cycle_o         (conv_cycle),
    .fresh_i         (fresh),
    .used_o          (conv_used),
    .used_set_o      (conv_used_set),
    .ring_write_ptr_i,
    .ring_re_o       (conv_ring_re),
    .ring_addr_o     (conv_ring_addr),
    .release_o       (conv_release),
    .release_row_o   (conv_release_row),
    .im2col_pixels_i (im2col_pixels),
    .im2col_done_i   (im2col_done),
    .consumed_i      (consumed),
    .act_re_o        (conv_act_re),
    .act_addr_o      (conv_act_addr),
    .op_valid_o      (conv_valid),
    .op_pad_o        (conv_pad),
    .op_first_o      (conv_first),
    .op_last_o       (conv_last),
    .op_weight_load_o(conv_load),
    .op_set_o        (conv_set),
    .op_entry_o      (conv_entry),
    .op_row_valid_o  (conv_rows),
    .op_lane_valid_o (conv_lanes),
    .macs_o          (conv_macs)
  );

  loom_dw_feeder #(
    .Rows(Rows), .Lanes(Lanes), .RequantLanes(RequantLanes), .Banks(Banks), .RingRows(RingRows)
  ) u_dw_feeder (
    .clk_i,
    .rst_ni,
    .start_i         (start_i && is_dw),
    .desc_i,
    .base_row_i      (base_row_q),
    .param_rows_i    (param_rows),
    .active_o        (dw_active),
    .cycle_o         (dw_cycle),
    .fresh_i         (fresh),
    .used_o          (dw_used),
    .used_set_o      (dw_used_set),
    .ring_write_ptr_i,
    .ring_re_o       (dw_ring_re),
    .ring_addr_o     (dw_ring_addr),
    .release_o       (dw_release),
    .release_row_o   (dw_release_row),
    .act_re_o        (dw_act_re),
    .act_addr_o      (dw_act_addr),
    .fill_valid_o    (fill_valid),
    .fill_buffer_o   (fill_buffer),
    .fill_slot_o     (fill_slot),
    .fill_bank0_o    (fill_bank0),
    .fill_step_o     (fill_step),
    .fill_mask_o     (fill_mask),
    .fill_pad_o      (fill_pad),
    .op_valid_o      (dw_valid),
    .op_buffer_o     (dw_buffer),
    .op_first_o      (dw_first),
    .op_last_o       (dw_last),
    .op_weight_load_o(dw_load),
    .op_weight_sel_o (dw_weight_sel),
    .op_set_o        (dw_set),
    .op_row_valid_o  (dw_rows),
    .op_lane_valid_o (dw_lanes),
    .macs_o          (dw_macs)
  );

  /////////////////////
  // Staging, im2col //
  /////////////////////

  logic                 stage_re;
  logic [StageBits-1:0] stage_even_addr, stage_odd_addr;
  logic [WordBits-1:0]  stage_even, stage_odd;
  logic                 im2col_we, im2col_wready;
  logic [15:0]          im2col_waddr;
  logic [WordBits-1:0]  im2col_wdata;

  loom_sram_1r1w #(.Depth(StageWords / 2), .WidthBytes(Lanes)) u_stage_even (
    .clk_i,
    .re_i   (stage_re),
    .raddr_i(stage_even_addr),
    .rdata_o(stage_even),
    .we_i   (dma_we_i && dma_to_staging_i && !dma_waddr_i[0]),
    .waddr_i(StageBits'(dma_waddr_i >> 1)),
    .be_i   (dma_be_i),
    .wdata_i(dma_wdata_i)
  );

  loom_sram_1r1w #(.Depth(StageWords / 2), .WidthBytes(Lanes)) u_stage_odd (
    .clk_i,
    .re_i   (stage_re),
    .raddr_i(stage_odd_addr),
    .rdata_o(stage_odd),
    .we_i   (dma_we_i && dma_to_staging_i && dma_waddr_i[0]),
    .waddr_i(StageBits'(dma_waddr_i >> 1)),
    .be_i   (dma_be_i),
    .wdata_i(dma_wdata_i)
  );

  loom_im2col #(.Lanes(Lanes), .StageWords(StageWords)) u_im2col (
    .clk_i,
    .rst_ni,
    .start_i          (start_i && is_conv && desc_i[loom_desc_pkg::IM2COL_LSB]),
    .desc_i,
    .stage_re_o       (stage_re),
    .stage_even_addr_o(stage_even_addr),
    .stage_odd_addr_o (stage_odd_addr),
    .stage_even_i     (stage_even),
    .stage_odd_i      (stage_odd),
    .we_o             (im2col_we),
    .waddr_o          (im2col_waddr),
    .wdata_o          (im2col_wdata),
    .wready_i         (im2col_wready),
    .pixels_o         (im2col_pixels),
    .done_o           (im2col_done)
  );

  ///////////////////////
  // Activation memory //
  ///////////////////////

  logic [Banks-1:0]          act_re;
  logic [Banks*16-1:0]       act_raddr;
  logic [Banks*WordBits-1:0] act_rdata;
  logic                      word_re;
  logic [15:0]               word_addr;
  logic [BankBits-1:0]       word_bank, word_bank_q;
  logic [WordBits-1:0]       word_data;
  logic                      we;
  logic [15:0]               waddr;
  logic [Lanes-1:0]          be;
  logic [WordBits-1:0]       wdata;
  logic [2:0]                wready;

  // One-word readers: convolution, addition, store.
  assign word_re = conv_act_re || add_act_re || dma_re_i;
  assign word_addr = conv_act_re ? conv_act_addr : add_act_re ? add_act_addr : dma_raddr_i;

  if (Banks > 1) begin : gen_banks
    assign word_bank = word_addr[BankBits-1:0];
    for (genvar b = 0; b < Banks; b++) begin : gen_bank
      assign act_re[b] = dw_act_re[b] || (word_re && word_bank == BankBits'(b));
      assign act_raddr[b*16 +: 16] = dw_act_re[b] ? dw_act_addr[b*16 +: 16] :
                                                    word_addr >> BankBits;
    end
  end else begin : gen_one_bank
    assign word_bank = '0;
    assign act_re = dw_act_re[0] || word_re;
    assign act_raddr = dw_act_re[0] ? dw_act_addr : word_addr;
  end

  always_ff @(posedge clk_i) begin
    if (word_re) word_bank_q <= word_bank;
  end
  assign word_data = act_rdata[word_bank_q*WordBits +: WordBits];
  assign dma_rdata_o = word_data;

  loom_activation_memory #(
    .Banks(Banks), .Words(ActWords), .Lanes(Lanes), .ActBits(ActBits)
  ) u_activation_memory (
    .clk_i,
    .re_i    (act_re),
    .raddr_i (act_raddr),
    .rdata_o (act_rdata),
    .we_i    ({dma_we_i && !dma_to_staging_i, im2col_we, we}),
    .waddr_i ({dma_waddr_i, im2col_waddr, waddr}),
    .be_i    ({dma_be_i, {Lanes{1'b1}}, be}),
    .wdata_i ({dma_wdata_i, im2col_wdata, wdata}),
    .wready_o(wready),
    .probe_we_o,
    .probe_addr_o,
    .probe_be_o,
    .probe_data_o
  );

  assign im2col_wready = wready[1];
  assign dma_wready_o = dma_to_staging_i || wready[2];

  ///////////
  // Array //
  ///////////

  logic [Rows*WordBits-1:0]         window_act, array_act;
  logic                             captured;
  logic [RequantLanes*AccWidth-1:0] drain_acc;

  loom_window #(
    .Rows(Rows), .Lanes(Lanes), .Banks(Banks), .WindowWords(WindowWords), .ActBits(ActBits)
  ) u_window (
    .clk_i,
    .fill_valid_i  (fill_valid),
    .fill_buffer_i (fill_buffer),
    .fill_slot_i   (fill_slot),
    .fill_bank0_i  (fill_bank0),
    .fill_step_i   (fill_step),
    .fill_mask_i   (fill_mask),
    .fill_pad_i    (fill_pad),
    .pad_code_i    (desc_i[loom_desc_pkg::PAD_CODE_LSB +: 8]),
    .bank_data_i   (act_rdata),
    .take_i        (dw_valid),
    .take_buffer_i (dw_buffer),
    .take_stride2_i(desc_i[loom_desc_pkg::STRIDE_W_LSB +: 8] == 8'd2),
    .act_o         (window_act)
  );

  assign array_act = dw_valid ? window_act :
      {Rows{conv_pad ? {Lanes{desc_i[loom_desc_pkg::PAD_CODE_LSB +: 8]}} : word_data}};

  // A dense step of integers does not look at its lanes.
  assign op_lanes = dw_valid || Format == loom_pkg::FORMAT_INT ? dw_lanes : conv_lanes;

  loom_array #(
    .Rows(Rows), .Lanes(Lanes), .RequantLanes(RequantLanes), .Format(Format), .AccKind(AccKind),
    .AccWidth(AccWidth), .AccDrop(AccDrop), .AccAlign(AccAlign), .AccPolicy(AccPolicy), .ActBits(ActBits), .WeightBits(WeightBits)
  ) u_array (
    .clk_i,
    .rst_ni,
    .clear_i          (start_i),
    .valid_i          (conv_valid || dw_valid),
    .depthwise_i      (dw_valid),
    .first_i          (dw_valid ? dw_first : conv_first),
    .last_i           (dw_valid ? dw_last : conv_last),
    .entry_i          (conv_entry),
    .act_i            (array_act),
    .weight_load_i    ((conv_valid && conv_load) || (dw_valid && dw_load)),
    .weight_row_i     (ring_rdata_i),
    .weight_sel_i     (dw_weight_sel),
    .unit_weights_i   (unit_weights),
    .maximum_i        (desc_i[loom_desc_pkg::MAXIMUM_LSB]),
    .row_valid_i      (dw_valid ? dw_rows : conv_rows),
    .lane_valid_i     (op_lanes),
    .start_set_i      (dw_valid ? dw_set : conv_set),
    .starts_i         (starts),
    .saturate_i       (desc_i[loom_desc_pkg::SATURATE_LSB]),
    .narrow_i         (acc_narrow_i),
    .captured_o       (captured),
    .drain_depthwise_i(is_dw),
    .drain_entry_i    (drain_entry),
    .drain_chunk_i    (drain_chunk),
    .drain_acc_o      (drain_acc),
    .events_o         (overflow_events_o),
    .pipe_busy_o      (array_busy)
  );

  //////////////////////
  // Drain, writeback //
  //////////////////////

  logic                      drain_valid;
  logic [15:0]               drain_addr, add_addr;
  logic [EntryBits-1:0]      drain_slot, add_slot;
  logic [RequantLanes-1:0]   drain_lanes, add_lanes;
  logic                      add_valid;
  logic [RequantLanes*8-1:0] add_a, add_b;

  loom_drain #(
    .Rows(Rows), .Lanes(Lanes), .TilePixels(TilePixels), .RequantLanes(RequantLanes)
  ) u_drain (
    .clk_i,
    .rst_ni,
    .start_i    (start_i && (is_conv || is_dw)),
    .desc_i,
    .depthwise_i(is_dw),
    .captured_i (captured),
    .active_o   (drain_active),
    .consumed_o (consumed),
    .release_o  (drain_release),
    .entry_o    (drain_entry),
    .chunk_o    (drain_chunk),
    .out_valid_o(drain_valid),
    .out_set_o  (drain_set),
    .out_addr_o (drain_addr),
    .out_slot_o (drain_slot),
    .out_lanes_o(drain_lanes)
  );

  loom_add_feeder #(.Lanes(Lanes), .RequantLanes(RequantLanes)) u_add_feeder (
    .clk_i,
    .rst_ni,
    .start_i    (start_i && is_add),
    .desc_i,
    .active_o   (add_active),
    .reading_o  (add_reading),
    .act_re_o   (add_act_re),
    .act_addr_o (add_act_addr),
    .act_data_i (word_data),
    .out_valid_o(add_valid),
    .out_a_o    (add_a),
    .out_b_o    (add_b),
    .out_addr_o (add_addr),
    .out_slot_o (add_slot),
    .out_lanes_o(add_lanes)
  );

  loom_writeback #(
    .Rows(Rows), .Lanes(Lanes), .RequantLanes(RequantLanes), .Format(Format), .AccKind(AccKind),
    .AccWidth(AccWidth), .AccDrop(AccDrop), .RequantKind(RequantKind)
  ) u_writeback (
    .clk_i,
    .rst_ni,
    .desc_i,
    .conv_i          (is_conv),
    .acc_valid_i     (drain_valid),
    .acc_i           (drain_acc),
    .acc_multiplier_i(lane_multiplier),
    .acc_shift_i     (lane_shift),
    .acc_addr_i      (drain_addr),
    .acc_slot_i      (drain_slot),
    .acc_lanes_i     (drain_lanes),
    .add_valid_i     (add_valid),
    .add_a_i         (add_a),
    .add_b_i         (add_b),
    .add_addr_i      (add_addr),
    .add_slot_i      (add_slot),
    .add_lanes_i     (add_lanes),
    .we_o            (we),
    .waddr_o         (waddr),
    .be_o            (be),
    .wdata_o         (wdata),
    .clamped_low_o,
    .clamped_high_o,
    .busy_o          (writeback_busy)
  );

  //////////////
  // Counters //
  //////////////

  assign macs_o = conv_macs + dw_macs;

  always_comb begin
    cycle_o = loom_pkg::CycleStallOutput;
    if (conv_active) cycle_o = conv_cycle;
    else if (dw_active) cycle_o = dw_cycle;
    else if (add_reading) cycle_o = loom_pkg::CycleBusy;
    else if (!running_q) cycle_o = loom_pkg::CycleIdle;
  end

  logic unused_wready;
  assign unused_wready = ^{wready[0], conv_lanes};

endmodule
