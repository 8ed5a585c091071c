// SPDX-License-Identifier: Apache-2.0

/// Unfolds a small-channel input: gathers the window bytes of every output pixel from the staging
/// memory and writes them, Lanes per word, where the convolution reads them.
///
/// Per output pixel (row-major) and window row it reads runs of at most Lanes contiguous bytes from
/// an arbitrary byte address, replaces bytes outside the image by the pad code, and appends them to
/// the word being assembled; the last word of a pixel is filled up with zeros.
///
/// Latency  one run per cycle while the memory accepts the words; a word is written two cycles after
///          its last run was read.
/// Golden   none; the mapping is docs/accelerator.md, kConv + im2col.
/// Test     tests/rtl/loom_im2col_test.cc
module loom_im2col #(
  /// Bytes of a word.
  parameter int Lanes = 16,
  /// Words of the staging memory, a power of two.
  parameter int StageWords = 256,
  /// Dependent parameter, do not override. Bits of a byte position in a word.
  localparam int LaneBits = $clog2(Lanes),
  /// Dependent parameter, do not override. Bits of a staging bank address.
  localparam int StageBits = $clog2(StageWords / 2)
) (
  /// Clock, rising edge.
  input  logic                 clk_i,
  /// Reset, asynchronous, active low.
  input  logic                 rst_ni,
  /// Starts the gathering of `desc_i`.
  input  logic                 start_i,
  /// Descriptor, stable while the operation runs.
  input  logic [1023:0]        desc_i,
  /// Reads both staging banks (even and odd words).
  output logic                 stage_re_o,
  output logic [StageBits-1:0] stage_even_addr_o,
  output logic [StageBits-1:0] stage_odd_addr_o,
  /// Data of the next cycle, held while there is no new read.
  input  logic [Lanes*8-1:0]   stage_even_i,
  input  logic [Lanes*8-1:0]   stage_odd_i,
  /// Word write, held until ready.
  output logic                 we_o,
  output logic [15:0]          waddr_o,
  output logic [Lanes*8-1:0]   wdata_o,
  input  logic                 wready_i,
  /// Pixels written so far.
  output logic [16:0]          pixels_o,
  /// All pixels are written (high while idle).
  output logic                 done_o
);

  if ((StageWords & (StageWords - 1)) != 0 || StageWords < 4) begin : gen_bad_stage
    $error("loom_im2col: StageWords must be a power of two, at least 4");
  end

  logic [15:0] in_origin, x_step, y_step, plane_pitch, out_w, out_h;
  logic [15:0] row_bytes, valid_bytes, stage_rows, stage_x_step, run_bytes, pad_left;
  logic [7:0]  kernel_h, stride_h, pad_top, pad_code;

  assign in_origin = desc_i[loom_desc_pkg::IN_ORIGIN_LSB +: 16];
  assign x_step = desc_i[loom_desc_pkg::IN_X_STEP_LSB +: 16];
  assign y_step = desc_i[loom_desc_pkg::IN_Y_STEP_LSB +: 16];
  assign plane_pitch = desc_i[loom_desc_pkg::IN_PLANE_PITCH_LSB +: 16];
  assign out_w = desc_i[loom_desc_pkg::OUT_W_LSB +: 16];
  assign out_h = desc_i[loom_desc_pkg::OUT_H_LSB +: 16];
  assign pad_code = desc_i[loom_desc_pkg::PAD_CODE_LSB +: 8];
  assign row_bytes = desc_i[loom_desc_pkg::STAGE_ROW_BYTES_LSB +: 16];
  assign valid_bytes = desc_i[loom_desc_pkg::STAGE_VALID_BYTES_LSB +: 16];
  assign stage_rows = desc_i[loom_desc_pkg::STAGE_ROWS_LSB +: 16];
  assign stage_x_step = desc_i[loom_desc_pkg::STAGE_X_STEP_LSB +: 16];
  assign run_bytes = desc_i[loom_desc_pkg::RUN_BYTES_LSB +: 16];
  assign pad_left = desc_i[loom_desc_pkg::STAGE_PAD_LEFT_LSB +: 16];
  assign kernel_h = desc_i[loom_desc_pkg::STAGE_KERNEL_H_LSB +: 8];
  assign stride_h = desc_i[loom_desc_pkg::STAGE_STRIDE_H_LSB +: 8];
  assign pad_top = desc_i[loom_desc_pkg::STAGE_PAD_TOP_LSB +: 8];

  //////////
  // Read //
  //////////

  logic               active_q;
  logic [15:0]        x_q, y_q, run_q;
  logic [7:0]         ky_q;
  logic signed [17:0] col_q, row_q, row0_q;
  logic [23:0]        row_addr_q, row0_addr_q;
  logic [15:0]        pixel_addr_q, line_addr_q;

  logic [15:0]        run_left;
  logic               last_run, last_ky, last_x, last_y;
  logic [LaneBits:0]  count;
  logic signed [17:0] col;
  logic [23:0]        byte_addr;
  logic               advance;
  logic [15:0]        word;

  assign run_left = run_bytes - run_q;
  assign last_run = run_left <= 16'(Lanes);
  assign count = last_run ? run_left[LaneBits:0] : (LaneBits+1)'(Lanes);
  assign last_ky = ky_q + 8'd1 == kernel_h;
  assign last_x = x_q + 16'd1 == out_w;
  assign last_y = y_q + 16'd1 == out_h;
  assign col = col_q + $signed({2'b00, run_q});
  assign byte_addr = row_addr_q + {{6{col[17]}}, col};
  assign word = 16'(byte_addr >> LaneBits);
  assign stage_re_o = active_q && advance;
  assign stage_odd_addr_o = StageBits'(word >> 1);
  assign stage_even_addr_o = StageBits'((word + 16'd1) >> 1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) active_q <= 1'b0;
    else if (start_i) active_q <= 1'b1;
    else if (active_q && advance && last_run && last_ky && last_x && last_y) active_q <= 1'b0;
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      x_q <= '0;
      y_q <= '0;
      ky_q <= '0;
      run_q <= '0;
      col_q <= 18'sd0 - $signed({2'b00, pad_left});
      row_q <= 18'sd0 - 18'(pad_top);
      row0_q <= 18'sd0 - 18'(pad_top);
      row_addr_q <= 24'd0 - 24'(pad_top) * 24'(row_bytes);
      row0_addr_q <= 24'd0 - 24'(pad_top) * 24'(row_bytes);
      pixel_addr_q <= in_origin;
      line_addr_q <= in_origin;
    end else if (active_q && advance) begin
      run_q <= last_run ? 16'd0 : run_q + 16'(Lanes);
      if (last_run) begin
        ky_q <= last_ky ? 8'd0 : ky_q + 8'd1;
        row_q <= last_ky ? row0_q : row_q + 18'sd1;
        row_addr_q <= last_ky ? row0_addr_q : row_addr_q + 24'(row_bytes);
        if (last_ky) begin
          x_q <= last_x ? 16'd0 : x_q + 16'd1;
          col_q <= last_x ? 18'sd0 - $signed({2'b00, pad_left}) : col_q + $signed({2'b00, stage_x_step});
          pixel_addr_q <= last_x ? line_addr_q + y_step : pixel_addr_q + x_step;
          if (last_x) begin
            y_q <= y_q + 16'd1;
            line_addr_q <= line_addr_q + y_step;
            row_q <= row0_q + 18'(stride_h);
            row0_q <= row0_q + 18'(stride_h);
            row_addr_q <= row0_addr_q + 24'(stride_h) * 24'(row_bytes);
            row0_addr_q <= row0_addr_q + 24'(stride_h) * 24'(row_bytes);
          end
        end
      end
    end
  end

  //////////////
  // Assemble //
  //////////////

  logic                run_valid_q;
  logic signed [17:0]  run_col_q;
  logic                run_row_ok_q, run_odd_q, run_pixel_end_q;
  logic [LaneBits-1:0] run_shift_q;
  logic [LaneBits:0]   run_count_q;
  logic [15:0]         run_pixel_addr_q;

  logic [Lanes*8-1:0]   part_q;
  logic [LaneBits-1:0]  fill_q;
  logic                 flush_q;
  logic [15:0]          block_addr_q;
  logic                 we_q, last_q;
  logic [15:0]          waddr_q;
  logic [Lanes*8-1:0]   wdata_q;
  logic [16:0]          pixels_q;

  logic [2*Lanes*8-1:0] pair;
  logic [Lanes*8-1:0]   run;
  logic [2*Lanes*8-1:0] joined;
  logic [LaneBits+1:0]  filled;
  logic                 full, emit, ready;

  assign pair = run_odd_q ? {stage_even_i, stage_odd_i} : {stage_odd_i, stage_even_i};

  for (genvar b = 0; b < Lanes; b++) begin : gen_run
    logic signed [17:0] byte_col;
    logic [LaneBits:0]  source;
    assign byte_col = run_col_q + 18'(b);
    assign source = (LaneBits+1)'(b) + (LaneBits+1)'(run_shift_q);
    assign run[b*8 +: 8] =
        (LaneBits+1)'(b) >= run_count_q ? 8'd0 :
        (run_row_ok_q && byte_col >= 0 && byte_col < $signed({2'b00, valid_bytes})) ?
        pair[source*8 +: 8] : pad_code;
  end

  assign joined = {{Lanes*8{1'b0}}, part_q} | ({{Lanes*8{1'b0}}, run} << {fill_q, 3'b000});
  assign filled = (LaneBits+2)'(fill_q) + (LaneBits+2)'(run_count_q);
  assign full = filled >= (LaneBits+2)'(Lanes);
  assign ready = !we_q || wready_i;
  // A run completes a word, ends the pixel, or does neither; a rest after a full word at the end of
  // a pixel takes a cycle of its own (flush).
  assign emit = flush_q || (run_valid_q && (full || run_pixel_end_q));
  assign advance = !flush_q && (!run_valid_q || !emit || ready) &&
                   !(run_valid_q && run_pixel_end_q && filled > (LaneBits+2)'(Lanes));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_valid_q <= 1'b0;
      flush_q <= 1'b0;
      fill_q <= '0;
      we_q <= 1'b0;
      pixels_q <= '0;
    end else if (start_i) begin
      run_valid_q <= 1'b0;
      flush_q <= 1'b0;
      fill_q <= '0;
      we_q <= 1'b0;
      pixels_q <= '0;
    end else begin
      if (we_q && wready_i) begin
        we_q <= 1'b0;
        if (last_q) pixels_q <= pixels_q + 17'd1;
      end
      if (flush_q) begin
        if (ready) begin
          we_q <= 1'b1;
          flush_q <= 1'b0;
          fill_q <= '0;
        end
      end else if (run_valid_q && (!emit || ready)) begin
        run_valid_q <= 1'b0;
        if (emit) we_q <= 1'b1;
        fill_q <= filled[LaneBits-1:0];
        if (run_pixel_end_q) begin
          if (filled > (LaneBits+2)'(Lanes)) flush_q <= 1'b1;
          else fill_q <= '0;
        end
      end
      if (active_q && advance) run_valid_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      part_q <= '0;
    end else if (flush_q) begin
      if (ready) begin
        wdata_q <= part_q;
        waddr_q <= block_addr_q;
        last_q <= 1'b1;
        part_q <= '0;
      end
    end else if (run_valid_q && (!emit || ready)) begin
      part_q <= full ? joined[Lanes*8 +: Lanes*8] : joined[0 +: Lanes*8];
      if (emit) begin
        wdata_q <= joined[0 +: Lanes*8];
        waddr_q <= pixel_first_q ? run_pixel_addr_q : block_addr_q;
        last_q <= run_pixel_end_q && filled <= (LaneBits+2)'(Lanes);
        block_addr_q <= (pixel_first_q ? run_pixel_addr_q : block_addr_q) + plane_pitch;
        if (run_pixel_end_q && filled <= (LaneBits+2)'(Lanes)) part_q <= '0;
      end
    end
    if (active_q && advance) begin
      run_col_q <= col;
      run_row_ok_q <= row_q >= 0 && row_q < $signed({2'b00, stage_rows});
      run_odd_q <= word[0];
      run_shift_q <= byte_addr[LaneBits-1:0];
      run_count_q <= count;
      run_pixel_end_q <= last_run && last_ky;
      run_pixel_addr_q <= pixel_addr_q;
    end
  end

  // The next word emitted is the first of its pixel.
  logic pixel_first_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) pixel_first_q <= 1'b1;
    else if (start_i) pixel_first_q <= 1'b1;
    else if (flush_q) pixel_first_q <= ready ? 1'b1 : pixel_first_q;
    else if (run_valid_q && emit && ready) begin
      pixel_first_q <= run_pixel_end_q && filled <= (LaneBits+2)'(Lanes);
    end
  end

  assign we_o = we_q;
  assign waddr_o = waddr_q;
  assign wdata_o = wdata_q;
  assign pixels_o = pixels_q;
  assign done_o = !active_q && !run_valid_q && !flush_q && !we_q;

  logic unused_desc;
  assign unused_desc = ^{desc_i, byte_addr, word};

endmodule
