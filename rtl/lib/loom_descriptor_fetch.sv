// SPDX-License-Identifier: Apache-2.0

/// Reads one 128-byte descriptor as one burst.
///
/// Latency  `valid_o` follows the last beat by one cycle and stays until `take_i`.
/// Golden   none.
/// Test     tests/rtl/loom_descriptor_fetch_test.cc
module loom_descriptor_fetch #(
  /// Bits of a beat.
  parameter int AxiDataWidth = 64
) (
  /// Clock, rising edge.
  input  logic                    clk_i,
  /// Reset, asynchronous, active low.
  input  logic                    rst_ni,
  /// Fetches the descriptor at `addr_i`; only while none is held or under way.
  input  logic                    fetch_i,
  input  logic [31:0]             addr_i,
  /// The descriptor is complete.
  output logic                    valid_o,
  output logic [1023:0]           desc_o,
  /// The descriptor has been taken.
  input  logic                    take_i,
  /// First cycle of `valid_o`.
  output logic                    arrived_o,
  /// Burst request.
  output logic                    request_valid_o,
  output logic [31:0]             request_addr_o,
  output logic [4:0]              request_beats_o,
  input  logic                    request_ready_i,
  /// A beat.
  input  logic                    data_valid_i,
  input  logic [AxiDataWidth-1:0] data_i
);

  localparam int Beats = 1024 / AxiDataWidth;

  logic          asking_q, valid_q, arrived_q;
  logic [31:0]   addr_q;
  logic [4:0]    count_q;
  logic [1023:0] desc_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      asking_q <= 1'b0;
      valid_q <= 1'b0;
      arrived_q <= 1'b0;
      count_q <= '0;
    end else begin
      arrived_q <= 1'b0;
      if (fetch_i) asking_q <= 1'b1;
      else if (request_ready_i) asking_q <= 1'b0;
      if (take_i) valid_q <= 1'b0;
      if (data_valid_i) begin
        count_q <= count_q + 5'd1;
        if (count_q == 5'(Beats - 1)) begin
          count_q <= '0;
          valid_q <= 1'b1;
          arrived_q <= 1'b1;
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (fetch_i) addr_q <= addr_i;
    if (data_valid_i) desc_q <= {data_i, desc_q[1023:AxiDataWidth]};
  end

  assign valid_o = valid_q;
  assign desc_o = desc_q;
  assign arrived_o = arrived_q;
  assign request_valid_o = asking_q;
  assign request_addr_o = addr_q;
  assign request_beats_o = 5'(Beats);

endmodule
