// SPDX-License-Identifier: Apache-2.0

/// Writes the 64-byte completion record of a descriptor in the background.
///
/// Latency  takes the words in the cycle of `start_i`; busy until the last beat is out.
/// Golden   none; the words are arch/descriptor.h, RecordWord.
/// Test     tests/rtl/loom_record_writer_test.cc
module loom_record_writer #(
  /// Bits of a beat.
  parameter int AxiDataWidth = 64
) (
  /// Clock, rising edge.
  input  logic                    clk_i,
  /// Reset, asynchronous, active low.
  input  logic                    rst_ni,
  /// Takes a record for `addr_i`; only while not busy.
  input  logic                    start_i,
  input  logic [31:0]             addr_i,
  input  logic [511:0]            words_i,
  /// A record is under way.
  output logic                    busy_o,
  /// Write burst and its beats.
  output logic                    request_valid_o,
  output logic [31:0]             request_addr_o,
  output logic [4:0]              request_beats_o,
  input  logic                    request_ready_i,
  output logic                    data_valid_o,
  output logic [AxiDataWidth-1:0] data_o,
  input  logic                    data_ready_i
);

  localparam int Beats = 512 / AxiDataWidth;

  logic         asking_q, sending_q;
  logic [31:0]  addr_q;
  logic [511:0] words_q;
  logic [3:0]   count_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      asking_q <= 1'b0;
      sending_q <= 1'b0;
      count_q <= '0;
    end else begin
      if (start_i) begin
        asking_q <= 1'b1;
      end else if (asking_q && request_ready_i) begin
        asking_q <= 1'b0;
        sending_q <= 1'b1;
        count_q <= '0;
      end else if (sending_q && data_ready_i) begin
        count_q <= count_q + 4'd1;
        if (count_q == 4'(Beats - 1)) sending_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      addr_q <= addr_i;
      words_q <= words_i;
    end else if (sending_q && data_ready_i) begin
      words_q <= words_q >> AxiDataWidth;
    end
  end

  assign busy_o = asking_q || sending_q;
  assign request_valid_o = asking_q;
  assign request_addr_o = addr_q;
  assign request_beats_o = 5'(Beats);
  assign data_valid_o = sending_q;
  assign data_o = words_q[AxiDataWidth-1:0];

endmodule
