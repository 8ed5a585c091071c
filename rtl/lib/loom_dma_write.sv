// SPDX-License-Identifier: Apache-2.0

/// AXI4 write channel shared by two clients; client 0 has priority. One burst at a time on the data
/// channel; responses are counted, not awaited, between bursts.
///
/// Latency  one cycle from request to the address channel; data passes through.
/// Golden   none.
/// Test     tests/rtl/loom_dma_write_test.cc
module loom_dma_write #(
  /// Bits of a beat.
  parameter int AxiDataWidth = 64
) (
  /// Clock, rising edge.
  input  logic                      clk_i,
  /// Reset, asynchronous, active low.
  input  logic                      rst_ni,
  /// Burst requests: address and beats of client c at [c*32 +: 32] and [c*5 +: 5].
  input  logic [1:0]                request_valid_i,
  input  logic [2*32-1:0]           request_addr_i,
  input  logic [2*5-1:0]            request_beats_i,
  output logic [1:0]                request_ready_o,
  /// Beats of the accepted burst.
  input  logic [1:0]                data_valid_i,
  input  logic [2*AxiDataWidth-1:0] data_i,
  output logic [1:0]                data_ready_o,
  /// No burst is under way and every response has come.
  output logic                      idle_o,
  /// A beat was transferred; a response carried an error.
  output logic                      beat_o,
  output logic                      error_o,
  /// AXI4 write channels.
  output logic [31:0]               awaddr_o,
  output logic [7:0]                awlen_o,
  output logic [2:0]                awsize_o,
  output logic [1:0]                awburst_o,
  output logic                      awvalid_o,
  input  logic                      awready_i,
  output logic [AxiDataWidth-1:0]   wdata_o,
  output logic [AxiDataWidth/8-1:0] wstrb_o,
  output logic                      wlast_o,
  output logic                      wvalid_o,
  input  logic                      wready_i,
  input  logic [1:0]                bresp_i,
  input  logic                      bvalid_i,
  output logic                      bready_o
);

  if (AxiDataWidth != 64 && AxiDataWidth != 128) begin : gen_bad_width
    $error("loom_dma_write: AxiDataWidth must be 64 or 128");
  end

  logic        awvalid_q, data_q, owner_q;
  logic [31:0] awaddr_q;
  logic [4:0]  beats_q, left_q;
  logic [7:0]  responses_q;
  logic        accept, transfer, winner;

  // A new burst starts when the data of the previous one is through and its address is taken.
  assign accept = !awvalid_q && !data_q && request_valid_i != 2'b00 && responses_q != 8'hFF;
  assign winner = !request_valid_i[0];
  assign transfer = wvalid_o && wready_i;

  always_comb begin
    request_ready_o = 2'b00;
    request_ready_o[winner] = accept;
    data_ready_o = 2'b00;
    data_ready_o[owner_q] = data_q && wready_i;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      awvalid_q <= 1'b0;
      data_q <= 1'b0;
      owner_q <= 1'b0;
      responses_q <= '0;
    end else begin
      if (accept) begin
        awvalid_q <= 1'b1;
        data_q <= 1'b1;
        owner_q <= winner;
      end else begin
        if (awready_i) awvalid_q <= 1'b0;
        if (transfer && wlast_o) data_q <= 1'b0;
      end
      responses_q <= responses_q + 8'(accept) - 8'(bvalid_i && bready_o);
    end
  end

  always_ff @(posedge clk_i) begin
    if (accept) begin
      awaddr_q <= request_addr_i[winner*32 +: 32];
      beats_q <= request_beats_i[winner*5 +: 5];
      left_q <= request_beats_i[winner*5 +: 5];
    end else if (transfer) begin
      left_q <= left_q - 5'd1;
    end
  end

  assign awaddr_o = awaddr_q;
  assign awlen_o = 8'(beats_q) - 8'd1;
  assign awsize_o = AxiDataWidth == 64 ? 3'd3 : 3'd4;
  assign awburst_o = 2'b01;
  assign awvalid_o = awvalid_q;
  assign wvalid_o = data_q && data_valid_i[owner_q];
  assign wdata_o = data_i[owner_q*AxiDataWidth +: AxiDataWidth];
  assign wstrb_o = '1;
  assign wlast_o = left_q == 5'd1;
  assign bready_o = 1'b1;
  assign idle_o = !awvalid_q && !data_q && responses_q == 8'd0;
  assign beat_o = transfer;
  assign error_o = bvalid_i && bresp_i != 2'b00;

endmodule
