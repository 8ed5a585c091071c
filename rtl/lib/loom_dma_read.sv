// SPDX-License-Identifier: Apache-2.0

/// AXI4 read channel shared by three clients; client 0 has the highest priority.
///
/// A client offers one INCR burst of 1 to 16 beats that does not cross 4 KB. Bursts are answered in
/// order; a small queue remembers whose they are. Up to MaxOutstanding bursts are in flight.
///
/// Latency  one cycle from request to the address channel; data passes through.
/// Golden   none.
/// Test     tests/rtl/loom_dma_read_test.cc
module loom_dma_read #(
  /// Bits of a beat.
  parameter int AxiDataWidth = 64,
  /// Bursts in flight, 1 to 16.
  parameter int MaxOutstanding = 4
) (
  /// Clock, rising edge.
  input  logic                    clk_i,
  /// Reset, asynchronous, active low.
  input  logic                    rst_ni,
  /// Burst requests: address and beats of client c at [c*32 +: 32] and [c*5 +: 5].
  input  logic [2:0]              request_valid_i,
  input  logic [3*32-1:0]         request_addr_i,
  input  logic [3*5-1:0]          request_beats_i,
  output logic [2:0]              request_ready_o,
  /// A beat for client c, taken when `data_ready_i[c]`.
  output logic [2:0]              data_valid_o,
  output logic [AxiDataWidth-1:0] data_o,
  input  logic [2:0]              data_ready_i,
  /// A beat was transferred; it carried an error response.
  output logic                    beat_o,
  output logic                    error_o,
  /// AXI4 read channels.
  output logic [31:0]             araddr_o,
  output logic [7:0]              arlen_o,
  output logic [2:0]              arsize_o,
  output logic [1:0]              arburst_o,
  output logic                    arvalid_o,
  input  logic                    arready_i,
  input  logic [AxiDataWidth-1:0] rdata_i,
  input  logic [1:0]              rresp_i,
  input  logic                    rlast_i,
  input  logic                    rvalid_i,
  output logic                    rready_o
);

  if (AxiDataWidth != 64 && AxiDataWidth != 128) begin : gen_bad_width
    $error("loom_dma_read: AxiDataWidth must be 64 or 128");
  end
  if (MaxOutstanding < 1 || MaxOutstanding > 16) begin : gen_bad_outstanding
    $error("loom_dma_read: MaxOutstanding must be 1 to 16");
  end

  logic        arvalid_q;
  logic [31:0] araddr_q;
  logic [4:0]  arbeats_q;
  logic [1:0]  owner_q [0:15];
  logic [3:0]  head_q, tail_q;
  logic [4:0]  used_q;

  logic        room, push, pop;
  logic [1:0]  winner;
  logic [1:0]  owner;

  assign room = (!arvalid_q || arready_i) && used_q < 5'(MaxOutstanding);
  assign winner = request_valid_i[0] ? 2'd0 : request_valid_i[1] ? 2'd1 : 2'd2;
  assign push = room && request_valid_i != 3'b000;
  assign pop = rvalid_i && rready_o && rlast_i;

  always_comb begin
    request_ready_o = 3'b000;
    request_ready_o[winner] = push;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      arvalid_q <= 1'b0;
      head_q <= '0;
      tail_q <= '0;
      used_q <= '0;
    end else begin
      if (push) arvalid_q <= 1'b1;
      else if (arready_i) arvalid_q <= 1'b0;
      if (push) head_q <= head_q + 4'd1;
      if (pop) tail_q <= tail_q + 4'd1;
      used_q <= used_q + 5'(push) - 5'(pop);
    end
  end

  always_ff @(posedge clk_i) begin
    if (push) begin
      araddr_q <= request_addr_i[winner*32 +: 32];
      arbeats_q <= request_beats_i[winner*5 +: 5];
      owner_q[head_q] <= winner;
    end
  end

  assign araddr_o = araddr_q;
  assign arlen_o = 8'(arbeats_q) - 8'd1;
  assign arsize_o = AxiDataWidth == 64 ? 3'd3 : 3'd4;
  assign arburst_o = 2'b01;
  assign arvalid_o = arvalid_q;

  assign owner = owner_q[tail_q];
  assign rready_o = used_q != 5'd0 && data_ready_i[owner];
  assign data_o = rdata_i;
  assign beat_o = rvalid_i && rready_o;
  assign error_o = beat_o && rresp_i != 2'b00;

  always_comb begin
    data_valid_o = 3'b000;
    data_valid_o[owner] = rvalid_i && used_q != 5'd0;
  end

endmodule
