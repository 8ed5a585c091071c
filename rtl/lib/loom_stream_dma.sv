// SPDX-License-Identifier: Apache-2.0

/// Fills the weight ring ahead of use with the streams of the descriptors, in their order.
///
/// A stream is `groups` times a parameter section and a weight section, contiguous in external
/// memory; in the ring every section starts on a new row. Bursts stay inside a section and are only
/// requested when their rows are free, so a beat is always accepted. Up to four streams are queued.
///
/// Latency  2 cycles from `push_i` to a request, 1 between streams, if the rows are free; one beat per cycle.
/// Golden   none; the format is docs/accelerator.md, "Weight ring".
/// Test     tests/rtl/loom_stream_dma_test.cc
module loom_stream_dma #(
  /// Bytes of a ring row, a power of two.
  parameter int RowBytes = 64,
  /// Rows of the ring, a power of two.
  parameter int RingRows = 256,
  /// Bits of a beat.
  parameter int AxiDataWidth = 64
) (
  /// Clock, rising edge.
  input  logic                        clk_i,
  /// Reset, asynchronous, active low.
  input  logic                        rst_ni,
  /// Queues a stream. The owner never queues more than four.
  input  logic                        push_i,
  input  logic [31:0]                 push_addr_i,
  input  logic [15:0]                 push_groups_i,
  input  logic [15:0]                 push_param_bytes_i,
  input  logic [15:0]                 push_weight_rows_i,
  /// Burst request.
  output logic                        request_valid_o,
  output logic [31:0]                 request_addr_o,
  output logic [4:0]                  request_beats_o,
  input  logic                        request_ready_i,
  /// A beat.
  input  logic                        data_valid_i,
  /// Ring write: byte `wbyte_o` of row `wrow_o`.
  output logic                        we_o,
  output logic [$clog2(RingRows)-1:0] wrow_o,
  output logic [$clog2(RowBytes)-1:0] wbyte_o,
  /// Rows complete so far and rows freed so far, mod 2^16.
  output logic [15:0]                 write_ptr_o,
  input  logic [15:0]                 free_ptr_i
);

  localparam int BeatBytes = AxiDataWidth / 8;
  localparam int BeatBits = $clog2(BeatBytes);
  localparam int RowShift = $clog2(RowBytes);

  ///////////
  // Queue //
  ///////////

  logic [31:0] addr_q [0:3];
  logic [15:0] groups_q [0:3];
  logic [15:0] params_q [0:3];
  logic [15:0] weights_q [0:3];
  logic [2:0]  push_q, ask_q, take_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) push_q <= '0;
    else if (push_i) push_q <= push_q + 3'd1;
  end

  always_ff @(posedge clk_i) begin
    if (push_i) begin
      addr_q[push_q[1:0]] <= push_addr_i;
      groups_q[push_q[1:0]] <= push_groups_i;
      params_q[push_q[1:0]] <= push_param_bytes_i;
      weights_q[push_q[1:0]] <= push_weight_rows_i;
    end
  end

  //////////////
  // Requests //
  //////////////

  logic        ask_active_q;
  logic        ask_weights_q;
  logic [15:0] ask_group_q;
  logic [31:0] ask_addr_q, ask_left_q;
  logic [15:0] ask_row_q;
  logic [31:0] ask_offset_q;

  logic [15:0] ask_groups, ask_params, ask_weights;
  logic [31:0] ask_end, next_section;
  logic [15:0] rows_after, rows_used;
  logic [4:0]  beats;
  logic        fits, asked;

  assign ask_groups = groups_q[ask_q[1:0]];
  assign ask_params = params_q[ask_q[1:0]];
  assign ask_weights = weights_q[ask_q[1:0]];

  loom_burst #(.AxiDataWidth(AxiDataWidth)) u_burst (
    .addr_i (ask_addr_q),
    .left_i (ask_left_q),
    .beats_o(beats)
  );

  // Rows of the section touched up to the end of this burst.
  assign ask_end = ask_offset_q + (32'(beats) << BeatBits);
  assign rows_after = 16'((ask_end + 32'(RowBytes - 1)) >> RowShift);
  assign rows_used = ask_row_q + rows_after - free_ptr_i;
  assign fits = rows_used <= 16'(RingRows);
  assign request_valid_o = ask_active_q && fits;
  assign request_addr_o = ask_addr_q;
  assign request_beats_o = beats;
  assign asked = request_valid_o && request_ready_i;
  assign next_section = ask_weights_q ? 32'(ask_params) >> BeatBits :
                                        32'(ask_weights) << (RowShift - BeatBits);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ask_active_q <= 1'b0;
      ask_q <= '0;
      ask_row_q <= '0;
      ask_weights_q <= 1'b0;
      ask_group_q <= '0;
      ask_addr_q <= '0;
      ask_left_q <= '0;
      ask_offset_q <= '0;
    end else if (!ask_active_q) begin
      if (ask_q != push_q) begin
        ask_active_q <= 1'b1;
        ask_weights_q <= 1'b0;
        ask_group_q <= '0;
        ask_addr_q <= addr_q[ask_q[1:0]];
        ask_left_q <= 32'(ask_params) >> BeatBits;
        ask_offset_q <= '0;
      end
    end else if (asked) begin
      ask_addr_q <= ask_addr_q + (32'(beats) << BeatBits);
      ask_left_q <= ask_left_q - 32'(beats);
      ask_offset_q <= ask_end;
      if (ask_left_q == 32'(beats)) begin
        ask_left_q <= next_section;
        ask_offset_q <= '0;
        ask_row_q <= ask_row_q + rows_after;
        ask_weights_q <= !ask_weights_q;
        if (ask_weights_q) begin
          ask_group_q <= ask_group_q + 16'd1;
          if (ask_group_q + 16'd1 == ask_groups) begin
            ask_active_q <= 1'b0;
            ask_q <= ask_q + 3'd1;
          end
        end
      end
    end
  end

  //////////////
  // Arrivals //
  //////////////

  logic        in_weights_q;
  logic [15:0] in_group_q, in_row_q;
  logic [31:0] in_offset_q;
  logic [31:0] in_bytes, in_next;
  logic        row_end, section_end;
  logic [15:0] take_groups, take_params, take_weights;

  assign take_groups = groups_q[take_q[1:0]];
  assign take_params = params_q[take_q[1:0]];
  assign take_weights = weights_q[take_q[1:0]];
  assign in_bytes = in_weights_q ? 32'(take_weights) << RowShift : 32'(take_params);
  assign in_next = in_offset_q + 32'(BeatBytes);
  assign section_end = in_next == in_bytes;
  assign row_end = section_end || in_next[RowShift-1:0] == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      take_q <= '0;
      in_weights_q <= 1'b0;
      in_group_q <= '0;
      in_row_q <= '0;
      in_offset_q <= '0;
    end else if (data_valid_i) begin
      in_offset_q <= section_end ? 32'd0 : in_next;
      if (row_end) in_row_q <= in_row_q + 16'd1;
      if (section_end) begin
        in_weights_q <= !in_weights_q;
        if (in_weights_q) begin
          if (in_group_q + 16'd1 == take_groups) begin
            in_group_q <= '0;
            take_q <= take_q + 3'd1;
          end else begin
            in_group_q <= in_group_q + 16'd1;
          end
        end
      end
    end
  end

  assign we_o = data_valid_i;
  assign wrow_o = in_row_q[$clog2(RingRows)-1:0];
  assign wbyte_o = in_offset_q[RowShift-1:0];
  assign write_ptr_o = in_row_q;

endmodule
