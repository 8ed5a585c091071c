// SPDX-License-Identifier: Apache-2.0

/// The accelerator: descriptor lists in memory, one AXI4 master, one AXI4-Lite slave, an interrupt.
///
/// Latency  depends on the list; docs/accelerator.md, "Counters" tells where the cycles go.
/// Golden   none; sim/descriptor_device.h executes the same lists.
/// Test     tests/rtl/loom_accelerator_test.cc
module loom_accelerator #(
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
  /// Bits of an AXI beat: 64 or 128.
  parameter int AxiDataWidth = 64,
  /// Read bursts in flight.
  parameter int MaxOutstanding = 4,
  /// First 32 bits of the configuration's digest.
  parameter logic [31:0] ConfigDigest = 32'd0
) (
  /// Clock, rising edge.
  input  logic                      clk_i,
  /// Reset, asynchronous, active low.
  input  logic                      rst_ni,
  /// AXI4-Lite slave.
  input  logic [11:0]               s_axil_awaddr_i,
  input  logic                      s_axil_awvalid_i,
  output logic                      s_axil_awready_o,
  input  logic [31:0]               s_axil_wdata_i,
  input  logic [3:0]                s_axil_wstrb_i,
  input  logic                      s_axil_wvalid_i,
  output logic                      s_axil_wready_o,
  output logic [1:0]                s_axil_bresp_o,
  output logic                      s_axil_bvalid_o,
  input  logic                      s_axil_bready_i,
  input  logic [11:0]               s_axil_araddr_i,
  input  logic                      s_axil_arvalid_i,
  output logic                      s_axil_arready_o,
  output logic [31:0]               s_axil_rdata_o,
  output logic [1:0]                s_axil_rresp_o,
  output logic                      s_axil_rvalid_o,
  input  logic                      s_axil_rready_i,
  /// AXI4 master, all transactions with ID 0.
  output logic [31:0]               m_axi_awaddr_o,
  output logic [7:0]                m_axi_awlen_o,
  output logic [2:0]                m_axi_awsize_o,
  output logic [1:0]                m_axi_awburst_o,
  output logic                      m_axi_awvalid_o,
  input  logic                      m_axi_awready_i,
  output logic [AxiDataWidth-1:0]   m_axi_wdata_o,
  output logic [AxiDataWidth/8-1:0] m_axi_wstrb_o,
  output logic                      m_axi_wlast_o,
  output logic                      m_axi_wvalid_o,
  input  logic                      m_axi_wready_i,
  input  logic [1:0]                m_axi_bresp_i,
  input  logic                      m_axi_bvalid_i,
  output logic                      m_axi_bready_o,
  output logic [31:0]               m_axi_araddr_o,
  output logic [7:0]                m_axi_arlen_o,
  output logic [2:0]                m_axi_arsize_o,
  output logic [1:0]                m_axi_arburst_o,
  output logic                      m_axi_arvalid_o,
  input  logic                      m_axi_arready_i,
  input  logic [AxiDataWidth-1:0]   m_axi_rdata_i,
  input  logic [1:0]                m_axi_rresp_i,
  input  logic                      m_axi_rlast_i,
  input  logic                      m_axi_rvalid_i,
  output logic                      m_axi_rready_o,
  /// Interrupt, level.
  output logic                      irq_o,
  /// Simulation only: bits by which the accumulators are narrower. Tie to 0 for synthesis.
  input  logic [5:0]                sim_acc_narrow_i,
  /// Observation: bank writes of the activation memory (global word addresses), end of a descriptor.
  output logic [Banks-1:0]          probe_we_o,
  output logic [Banks*16-1:0]       probe_addr_o,
  output logic [Banks*Lanes-1:0]    probe_be_o,
  output logic [Banks*Lanes*8-1:0]  probe_data_o,
  output logic                      probe_done_o,
  output logic [31:0]               probe_tag_o
);

  // Limits of the whole; the modules check their own.
  if (ActWords * Lanes < 1024) begin : gen_bad_act_words
    $error("loom_accelerator: ActWords*Lanes must be at least 1024");
  end
  if (RingRows < 16 || RingRows > 16384 || RingRows * Rows * Lanes < 1024) begin : gen_bad_ring_rows
    $error("loom_accelerator: RingRows must be 16 to 16384, of at least 1024 bytes together");
  end
  if (StageWords < 16 || StageWords * Lanes > 65536) begin : gen_bad_stage_words
    $error("loom_accelerator: StageWords must be at least 16, of at most 65536 bytes together");
  end
  if (WindowWords < Banks) begin : gen_bad_window_words
    $error("loom_accelerator: WindowWords must be at least Banks");
  end

  localparam int RowBytes = Rows * Lanes;

  logic          start, clear, busy, list_done, running;
  logic [31:0]   first;
  logic [7:0]    error;
  logic [1023:0] desc, fetch_desc;
  logic          step_done, step_irq, step_record;
  logic [31:0]   step_tag;
  logic          core_start, core_done, dma_start, dma_done;
  logic          core_active, load_active, store_active;
  logic          fetch, fetch_valid, fetch_arrived, fetch_take, stream_push;
  logic [31:0]   fetch_addr;
  logic          record_busy, record_start_q;
  logic          writes_idle, read_error, write_error, read_beat, write_beat;
  logic [14*64-1:0] counters;

  ///////////////////
  // Read channel  //
  ///////////////////

  logic [2:0]              read_valid, read_ready, beat_valid, beat_ready;
  logic [3*32-1:0]         read_addr;
  logic [3*5-1:0]          read_beats;
  logic [AxiDataWidth-1:0] beat;

  loom_dma_read #(.AxiDataWidth(AxiDataWidth), .MaxOutstanding(MaxOutstanding)) u_dma_read (
    .clk_i,
    .rst_ni,
    .request_valid_i(read_valid),
    .request_addr_i (read_addr),
    .request_beats_i(read_beats),
    .request_ready_o(read_ready),
    .data_valid_o   (beat_valid),
    .data_o         (beat),
    .data_ready_i   (beat_ready),
    .beat_o         (read_beat),
    .error_o        (read_error),
    .araddr_o       (m_axi_araddr_o),
    .arlen_o        (m_axi_arlen_o),
    .arsize_o       (m_axi_arsize_o),
    .arburst_o      (m_axi_arburst_o),
    .arvalid_o      (m_axi_arvalid_o),
    .arready_i      (m_axi_arready_i),
    .rdata_i        (m_axi_rdata_i),
    .rresp_i        (m_axi_rresp_i),
    .rlast_i        (m_axi_rlast_i),
    .rvalid_i       (m_axi_rvalid_i),
    .rready_o       (m_axi_rready_o)
  );

  loom_descriptor_fetch #(.AxiDataWidth(AxiDataWidth)) u_descriptor_fetch (
    .clk_i,
    .rst_ni,
    .fetch_i        (fetch),
    .addr_i         (fetch_addr),
    .valid_o        (fetch_valid),
    .desc_o         (fetch_desc),
    .take_i         (fetch_take),
    .arrived_o      (fetch_arrived),
    .request_valid_o(read_valid[0]),
    .request_addr_o (read_addr[0 +: 32]),
    .request_beats_o(read_beats[0 +: 5]),
    .request_ready_i(read_ready[0]),
    .data_valid_i   (beat_valid[0]),
    .data_i         (beat)
  );
  assign beat_ready[0] = 1'b1;

  /////////////////
  // Weight ring //
  /////////////////

  logic                        ring_we, ring_re;
  logic [$clog2(RingRows)-1:0] ring_wrow, ring_rrow;
  logic [$clog2(RowBytes)-1:0] ring_wbyte;
  logic [RowBytes*8-1:0]       ring_rdata;
  logic [15:0]                 ring_write_ptr, ring_free_ptr;

  loom_stream_dma #(
    .RowBytes(RowBytes), .RingRows(RingRows), .AxiDataWidth(AxiDataWidth)
  ) u_stream_dma (
    .clk_i,
    .rst_ni,
    .push_i            (stream_push),
    .push_addr_i       (fetch_desc[loom_desc_pkg::STREAM_ADDRESS_LSB +: 32]),
    .push_groups_i     (fetch_desc[loom_desc_pkg::STREAM_GROUPS_LSB +: 16]),
    .push_param_bytes_i(fetch_desc[loom_desc_pkg::STREAM_PARAM_BYTES_LSB +: 16]),
    .push_weight_rows_i(fetch_desc[loom_desc_pkg::STREAM_WEIGHT_ROWS_LSB +: 16]),
    .request_valid_o   (read_valid[2]),
    .request_addr_o    (read_addr[64 +: 32]),
    .request_beats_o   (read_beats[10 +: 5]),
    .request_ready_i   (read_ready[2]),
    .data_valid_i      (beat_valid[2]),
    .we_o              (ring_we),
    .wrow_o            (ring_wrow),
    .wbyte_o           (ring_wbyte),
    .write_ptr_o       (ring_write_ptr),
    .free_ptr_i        (ring_free_ptr)
  );
  assign beat_ready[2] = 1'b1;

  loom_weight_ring #(
    .Rows(Rows), .Lanes(Lanes), .RingRows(RingRows), .AxiDataWidth(AxiDataWidth)
  ) u_weight_ring (
    .clk_i,
    .we_i   (ring_we),
    .wrow_i (ring_wrow),
    .wbyte_i(ring_wbyte),
    .wdata_i(beat),
    .re_i   (ring_re),
    .rrow_i (ring_rrow),
    .rdata_o(ring_rdata)
  );

  //////////
  // Core //
  //////////

  logic               chip_we, chip_to_staging, chip_wready, chip_re;
  logic [15:0]        chip_waddr, chip_raddr;
  logic [Lanes-1:0]   chip_be;
  logic [Lanes*8-1:0] chip_wdata, chip_rdata;
  logic [2:0]         core_cycle, cycle;
  logic [15:0]        macs, overflow_events;
  logic [7:0]         clamped_low, clamped_high;

  loom_core #(
    .Rows(Rows), .Lanes(Lanes), .TilePixels(TilePixels), .Format(Format), .AccKind(AccKind), .AccWidth(AccWidth),
    .AccDrop(AccDrop), .AccAlign(AccAlign),
    .AccPolicy(AccPolicy), .RequantLanes(RequantLanes), .ActBits(ActBits),
    .WeightBits(WeightBits), .RequantKind(RequantKind), .Banks(Banks), .ActWords(ActWords),
    .StageWords(StageWords), .RingRows(RingRows), .WindowWords(WindowWords)
  ) u_core (
    .clk_i,
    .rst_ni,
    .start_i          (core_start),
    .desc_i           (desc),
    .done_o           (core_done),
    .acc_narrow_i     (sim_acc_narrow_i),
    .ring_write_ptr_i (ring_write_ptr),
    .ring_free_ptr_o  (ring_free_ptr),
    .ring_re_o        (ring_re),
    .ring_addr_o      (ring_rrow),
    .ring_rdata_i     (ring_rdata),
    .dma_we_i         (chip_we),
    .dma_to_staging_i (chip_to_staging),
    .dma_waddr_i      (chip_waddr),
    .dma_be_i         (chip_be),
    .dma_wdata_i      (chip_wdata),
    .dma_wready_o     (chip_wready),
    .dma_re_i         (chip_re),
    .dma_raddr_i      (chip_raddr),
    .dma_rdata_o      (chip_rdata),
    .cycle_o          (core_cycle),
    .macs_o           (macs),
    .overflow_events_o(overflow_events),
    .clamped_low_o    (clamped_low),
    .clamped_high_o   (clamped_high),
    .probe_we_o,
    .probe_addr_o,
    .probe_be_o,
    .probe_data_o
  );

  /////////////////////
  // Loads and stores //
  /////////////////////

  logic [1:0]                write_valid, write_ready, write_data_valid, write_data_ready;
  logic [2*32-1:0]           write_addr;
  logic [2*5-1:0]            write_beats;
  logic [2*AxiDataWidth-1:0] write_data;

  loom_activation_dma #(.Lanes(Lanes), .AxiDataWidth(AxiDataWidth)) u_activation_dma (
    .clk_i,
    .rst_ni,
    .start_i        (dma_start),
    .desc_i         (desc),
    .done_o         (dma_done),
    .read_request_o (read_valid[1]),
    .read_addr_o    (read_addr[32 +: 32]),
    .read_beats_o   (read_beats[5 +: 5]),
    .read_ready_i   (read_ready[1]),
    .data_valid_i   (beat_valid[1]),
    .data_i         (beat),
    .data_ready_o   (beat_ready[1]),
    .write_request_o(write_valid[0]),
    .write_addr_o   (write_addr[0 +: 32]),
    .write_beats_o  (write_beats[0 +: 5]),
    .write_ready_i  (write_ready[0]),
    .beat_valid_o   (write_data_valid[0]),
    .beat_o         (write_data[0 +: AxiDataWidth]),
    .beat_ready_i   (write_data_ready[0]),
    .write_idle_i   (writes_idle),
    .we_o           (chip_we),
    .to_staging_o   (chip_to_staging),
    .waddr_o        (chip_waddr),
    .be_o           (chip_be),
    .wdata_o        (chip_wdata),
    .wready_i       (chip_wready),
    .re_o           (chip_re),
    .raddr_o        (chip_raddr),
    .rdata_i        (chip_rdata)
  );

  loom_dma_write #(.AxiDataWidth(AxiDataWidth)) u_dma_write (
    .clk_i,
    .rst_ni,
    .request_valid_i(write_valid),
    .request_addr_i (write_addr),
    .request_beats_i(write_beats),
    .request_ready_o(write_ready),
    .data_valid_i   (write_data_valid),
    .data_i         (write_data),
    .data_ready_o   (write_data_ready),
    .idle_o         (writes_idle),
    .beat_o         (write_beat),
    .error_o        (write_error),
    .awaddr_o       (m_axi_awaddr_o),
    .awlen_o        (m_axi_awlen_o),
    .awsize_o       (m_axi_awsize_o),
    .awburst_o      (m_axi_awburst_o),
    .awvalid_o      (m_axi_awvalid_o),
    .awready_i      (m_axi_awready_i),
    .wdata_o        (m_axi_wdata_o),
    .wstrb_o        (m_axi_wstrb_o),
    .wlast_o        (m_axi_wlast_o),
    .wvalid_o       (m_axi_wvalid_o),
    .wready_i       (m_axi_wready_i),
    .bresp_i        (m_axi_bresp_i),
    .bvalid_i       (m_axi_bvalid_i),
    .bready_o       (m_axi_bready_o)
  );

  //////////////////////////
  // Sequencer and record //
  //////////////////////////

  loom_sequencer u_sequencer (
    .clk_i,
    .rst_ni,
    .start_i        (start),
    .first_i        (first),
    .busy_o         (busy),
    .list_done_o    (list_done),
    .error_o        (error),
    .running_o      (running),
    .fetch_o        (fetch),
    .fetch_addr_o   (fetch_addr),
    .fetch_valid_i  (fetch_valid),
    .fetch_arrived_i(fetch_arrived),
    .fetch_desc_i   (fetch_desc),
    .fetch_take_o   (fetch_take),
    .stream_push_o  (stream_push),
    .desc_o         (desc),
    .core_start_o   (core_start),
    .dma_start_o    (dma_start),
    .core_done_i    (core_done),
    .dma_done_i     (dma_done),
    .core_active_o  (core_active),
    .load_active_o  (load_active),
    .store_active_o (store_active),
    .step_done_o    (step_done),
    .step_tag_o     (step_tag),
    .step_irq_o     (step_irq),
    .step_record_o  (step_record),
    .record_busy_i  (record_busy || record_start_q),
    .writes_idle_i  (writes_idle),
    .read_error_i   (read_error),
    .write_error_i  (write_error)
  );

  // The record is taken one cycle after the end, when the counters include it. The sequencer ends no
  // descriptor while a record is under way.
  logic [31:0]  record_addr_q, record_tag_q;
  logic [511:0] record;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) record_start_q <= 1'b0;
    else record_start_q <= step_done && step_record;
  end

  always_ff @(posedge clk_i) begin
    if (step_done) begin
      record_addr_q <= desc[loom_desc_pkg::RECORD_ADDRESS_LSB +: 32];
      record_tag_q <= step_tag;
    end
  end

  assign record[0 +: 32] = record_tag_q;
  assign record[32 +: 32] = 32'h4D4C0001;
  for (genvar i = 0; i < 14; i++) begin : gen_record
    assign record[(i+2)*32 +: 32] = counters[i*64 +: 32];
  end

  loom_record_writer #(.AxiDataWidth(AxiDataWidth)) u_record_writer (
    .clk_i,
    .rst_ni,
    .start_i        (record_start_q),
    .addr_i         (record_addr_q),
    .words_i        (record),
    .busy_o         (record_busy),
    .request_valid_o(write_valid[1]),
    .request_addr_o (write_addr[32 +: 32]),
    .request_beats_o(write_beats[5 +: 5]),
    .request_ready_i(write_ready[1]),
    .data_valid_o   (write_data_valid[1]),
    .data_o         (write_data[AxiDataWidth +: AxiDataWidth]),
    .data_ready_i   (write_data_ready[1])
  );

  ////////////////////////////
  // Counters and registers //
  ////////////////////////////

  always_comb begin
    cycle = loom_pkg::CycleIdle;
    if (core_active) cycle = core_cycle;
    else if (load_active) cycle = loom_pkg::CycleStallDmaRead;
    else if (store_active) cycle = loom_pkg::CycleStallDmaWrite;
  end

  loom_counters u_counters (
    .clk_i,
    .rst_ni,
    .clear_i          (clear),
    .running_i        (running),
    .cycle_i          (cycle),
    .macs_i           (macs),
    .read_beat_i      (read_beat),
    .write_beat_i     (write_beat),
    .overflow_events_i(overflow_events),
    .clamped_low_i    (clamped_low),
    .clamped_high_i   (clamped_high),
    .counters_o       (counters)
  );

  loom_csr #(
    .ConfigDigest(ConfigDigest), .Rows(Rows), .Lanes(Lanes), .TilePixels(TilePixels),
    .RequantLanes(RequantLanes), .Banks(Banks), .AccWidth(AccWidth),
    .AxiBytes(AxiDataWidth / 8), .MaxOutstanding(MaxOutstanding), .ActWords(ActWords),
    .RingRows(RingRows), .StageWords(StageWords)
  ) u_csr (
    .clk_i,
    .rst_ni,
    .awaddr_i   (s_axil_awaddr_i),
    .awvalid_i  (s_axil_awvalid_i),
    .awready_o  (s_axil_awready_o),
    .wdata_i    (s_axil_wdata_i),
    .wstrb_i    (s_axil_wstrb_i),
    .wvalid_i   (s_axil_wvalid_i),
    .wready_o   (s_axil_wready_o),
    .bresp_o    (s_axil_bresp_o),
    .bvalid_o   (s_axil_bvalid_o),
    .bready_i   (s_axil_bready_i),
    .araddr_i   (s_axil_araddr_i),
    .arvalid_i  (s_axil_arvalid_i),
    .arready_o  (s_axil_arready_o),
    .rdata_o    (s_axil_rdata_o),
    .rresp_o    (s_axil_rresp_o),
    .rvalid_o   (s_axil_rvalid_o),
    .rready_i   (s_axil_rready_i),
    .start_o    (start),
    .clear_o    (clear),
    .first_o    (first),
    .busy_i     (busy),
    .list_done_i(list_done),
    .error_i    (error),
    .step_irq_i (step_done && step_irq),
    .tag_i      (step_tag),
    .counters_i (counters),
    .irq_o
  );

  assign probe_done_o = step_done;
  assign probe_tag_o = step_tag;

endmodule
