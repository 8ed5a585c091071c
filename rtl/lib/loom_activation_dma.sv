// SPDX-License-Identifier: Apache-2.0

/// Moves runs of bytes between external memory and the activation or staging memory: the load and
/// store descriptors.
///
///   for plane, for row: row_bytes contiguous bytes; on chip, consecutive words
///
/// Loads keep asking ahead while data returns; stores read a word, then write its beats. The
/// operation ends with the last word written (load) or the last response (store).
///
/// Latency  none guaranteed; loads one beat per cycle.
/// Golden   none; docs/accelerator.md, kLoad and kStore.
/// Test     tests/rtl/loom_activation_dma_test.cc
module loom_activation_dma #(
  /// Bytes of a word.
  parameter int Lanes = 16,
  /// Bits of a beat.
  parameter int AxiDataWidth = 64
) (
  /// Clock, rising edge.
  input  logic                    clk_i,
  /// Reset, asynchronous, active low.
  input  logic                    rst_ni,
  /// Starts the load or store of `desc_i`.
  input  logic                    start_i,
  /// Descriptor, stable until `done_o`.
  input  logic [1023:0]           desc_i,
  /// The operation is complete.
  output logic                    done_o,
  /// Read bursts.
  output logic                    read_request_o,
  output logic [31:0]             read_addr_o,
  output logic [4:0]              read_beats_o,
  input  logic                    read_ready_i,
  /// A beat, taken when `data_ready_o`.
  input  logic                    data_valid_i,
  input  logic [AxiDataWidth-1:0] data_i,
  output logic                    data_ready_o,
  /// Write bursts and their beats.
  output logic                    write_request_o,
  output logic [31:0]             write_addr_o,
  output logic [4:0]              write_beats_o,
  input  logic                    write_ready_i,
  output logic                    beat_valid_o,
  output logic [AxiDataWidth-1:0] beat_o,
  input  logic                    beat_ready_i,
  input  logic                    write_idle_i,
  /// Word writes on chip, held until ready.
  output logic                    we_o,
  output logic                    to_staging_o,
  output logic [15:0]             waddr_o,
  output logic [Lanes-1:0]        be_o,
  output logic [Lanes*8-1:0]      wdata_o,
  input  logic                    wready_i,
  /// Word reads on chip, data in the next cycle.
  output logic                    re_o,
  output logic [15:0]             raddr_o,
  input  logic [Lanes*8-1:0]      rdata_i
);

  localparam int BeatBytes = AxiDataWidth / 8;
  localparam int BeatBits = $clog2(BeatBytes);
  localparam int BeatsPerWord = Lanes / BeatBytes;

  if (BeatBytes > Lanes) begin : gen_bad_beat
    $error("loom_activation_dma: a beat must not be wider than a word");
  end

  logic        is_load, is_store;
  logic [31:0] ext_address, ext_row_pitch, ext_plane_pitch;
  logic [15:0] row_bytes, rows, planes, chip_base, chip_row, chip_plane, row_beats;

  assign is_load = desc_i[loom_desc_pkg::OPCODE_LSB +: 8] == loom_pkg::OpLoad;
  assign is_store = !is_load;
  assign ext_address = desc_i[loom_desc_pkg::EXT_ADDRESS_LSB +: 32];
  assign ext_row_pitch = desc_i[loom_desc_pkg::EXT_ROW_PITCH_LSB +: 32];
  assign ext_plane_pitch = desc_i[loom_desc_pkg::EXT_PLANE_PITCH_LSB +: 32];
  assign row_bytes = desc_i[loom_desc_pkg::ROW_BYTES_LSB +: 16];
  assign rows = desc_i[loom_desc_pkg::DMA_ROWS_LSB +: 16];
  assign planes = desc_i[loom_desc_pkg::DMA_PLANES_LSB +: 16];
  assign row_beats = row_bytes >> BeatBits;
  assign chip_base = is_load ? desc_i[loom_desc_pkg::OUT_BASE_LSB +: 16] :
                               desc_i[loom_desc_pkg::IN_ORIGIN_LSB +: 16];
  assign chip_row = is_load ? desc_i[loom_desc_pkg::OUT_ROW_PITCH_LSB +: 16] :
                              desc_i[loom_desc_pkg::IN_ROW_PITCH_LSB +: 16];
  assign chip_plane = is_load ? desc_i[loom_desc_pkg::OUT_PLANE_PITCH_LSB +: 16] :
                                desc_i[loom_desc_pkg::IN_PLANE_PITCH_LSB +: 16];

  ////////////////////////
  // External addresses //
  ////////////////////////

  logic        asking_q;
  logic [31:0] addr_q, line_q, plane_q, left_q;
  logic [15:0] ask_row_q, ask_plane_q;
  logic [4:0]  beats;
  logic        asked, row_asked;

  loom_burst #(.AxiDataWidth(AxiDataWidth)) u_burst (
    .addr_i (addr_q),
    .left_i (left_q),
    .beats_o(beats)
  );

  assign read_request_o = asking_q && is_load;
  assign read_addr_o = addr_q;
  assign read_beats_o = beats;
  assign write_request_o = asking_q && is_store;
  assign write_addr_o = addr_q;
  assign write_beats_o = beats;
  assign asked = (read_request_o && read_ready_i) || (write_request_o && write_ready_i);
  assign row_asked = asked && left_q == 32'(beats);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      asking_q <= 1'b0;
    end else if (start_i) begin
      asking_q <= 1'b1;
    end else if (row_asked && ask_row_q + 16'd1 == rows && ask_plane_q + 16'd1 == planes) begin
      asking_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      addr_q <= ext_address;
      line_q <= ext_address;
      plane_q <= ext_address;
      left_q <= 32'(row_beats);
      ask_row_q <= '0;
      ask_plane_q <= '0;
    end else if (asked) begin
      addr_q <= addr_q + (32'(beats) << BeatBits);
      left_q <= left_q - 32'(beats);
      if (row_asked) begin
        left_q <= 32'(row_beats);
        ask_row_q <= ask_row_q + 16'd1;
        addr_q <= line_q + ext_row_pitch;
        line_q <= line_q + ext_row_pitch;
        if (ask_row_q + 16'd1 == rows) begin
          ask_row_q <= '0;
          ask_plane_q <= ask_plane_q + 16'd1;
          addr_q <= plane_q + ext_plane_pitch;
          line_q <= plane_q + ext_plane_pitch;
          plane_q <= plane_q + ext_plane_pitch;
        end
      end
    end
  end

  ///////////////////////
  // On-chip addresses //
  ///////////////////////

  // Position of the next beat: word, beat in the word, beat in the row, row, plane.
  logic        moving_q;
  logic [15:0] word_q, word_line_q, word_plane_q;
  logic [3:0]  part_q;
  logic [15:0] beat_q, row_q, plane_count_q;
  logic        step, last_part, last_beat, last_row, last_plane;

  assign last_part = part_q == 4'(BeatsPerWord - 1);
  assign last_beat = beat_q + 16'd1 == row_beats;
  assign last_row = row_q + 16'd1 == rows;
  assign last_plane = plane_count_q + 16'd1 == planes;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      moving_q <= 1'b0;
    end else if (start_i) begin
      moving_q <= 1'b1;
    end else if (step && last_beat && last_row && last_plane) begin
      moving_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      word_q <= chip_base;
      word_line_q <= chip_base;
      word_plane_q <= chip_base;
      part_q <= '0;
      beat_q <= '0;
      row_q <= '0;
      plane_count_q <= '0;
    end else if (step) begin
      part_q <= last_part || last_beat ? 4'd0 : part_q + 4'd1;
      if (last_part) word_q <= word_q + 16'd1;
      beat_q <= beat_q + 16'd1;
      if (last_beat) begin
        beat_q <= '0;
        row_q <= row_q + 16'd1;
        word_q <= word_line_q + chip_row;
        word_line_q <= word_line_q + chip_row;
        if (last_row) begin
          row_q <= '0;
          plane_count_q <= plane_count_q + 16'd1;
          word_q <= word_plane_q + chip_plane;
          word_line_q <= word_plane_q + chip_plane;
          word_plane_q <= word_plane_q + chip_plane;
        end
      end
    end
  end

  //////////
  // Load //
  //////////

  assign we_o = data_valid_i && is_load;
  assign to_staging_o = desc_i[loom_desc_pkg::TO_STAGING_LSB];
  assign waddr_o = word_q;
  assign wdata_o = {BeatsPerWord{data_i}};
  assign data_ready_o = wready_i;

  for (genvar l = 0; l < Lanes; l++) begin : gen_byte
    assign be_o[l] = part_q == 4'(l / BeatBytes);
  end

  ///////////
  // Store //
  ///////////

  // The word is read, waited for, and held while its beats go out.
  logic               reading_q, held_q;
  logic [Lanes*8-1:0] word_data_q;

  assign re_o = moving_q && is_store && !reading_q && !held_q;
  assign raddr_o = word_q;
  assign beat_valid_o = held_q;
  assign beat_o = word_data_q[part_q*AxiDataWidth +: AxiDataWidth];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reading_q <= 1'b0;
      held_q <= 1'b0;
    end else begin
      reading_q <= re_o;
      if (reading_q) held_q <= 1'b1;
      else if (step && (last_part || last_beat)) held_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (reading_q) word_data_q <= rdata_i;
  end

  assign step = is_load ? we_o && wready_i : held_q && beat_ready_i;

  //////////
  // Done //
  //////////

  logic running_q;

  assign done_o = running_q && !asking_q && !moving_q && (is_load || write_idle_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) running_q <= 1'b0;
    else if (start_i) running_q <= 1'b1;
    else if (done_o) running_q <= 1'b0;
  end

  logic unused_desc;
  assign unused_desc = ^{desc_i};

endmodule
