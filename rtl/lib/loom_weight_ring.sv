// SPDX-License-Identifier: Apache-2.0

/// Memory of the weight ring: RingRows rows of Rows banks of Lanes bytes, written beat by beat.
///
/// Latency  a row read is on `rdata_o` in the next cycle; a beat written can be read from the next
///          cycle on.
/// Golden   none.
/// Test     tests/rtl/loom_weight_ring_test.cc
module loom_weight_ring #(
  /// Banks.
  parameter int Rows = 4,
  /// Bytes of a bank word.
  parameter int Lanes = 16,
  /// Rows of the ring, a power of two.
  parameter int RingRows = 256,
  /// Bits of a beat.
  parameter int AxiDataWidth = 64,
  /// Dependent parameter, do not override. Bytes of a row.
  localparam int RowBytes = Rows * Lanes
) (
  /// Clock, rising edge.
  input  logic                        clk_i,
  /// Writes one beat at byte `wbyte_i` (a multiple of the beat) of row `wrow_i`.
  input  logic                        we_i,
  input  logic [$clog2(RingRows)-1:0] wrow_i,
  input  logic [$clog2(RowBytes)-1:0] wbyte_i,
  input  logic [AxiDataWidth-1:0]     wdata_i,
  /// Reads a row.
  input  logic                        re_i,
  input  logic [$clog2(RingRows)-1:0] rrow_i,
  output logic [RowBytes*8-1:0]       rdata_o
);

  localparam int BeatBytes = AxiDataWidth / 8;

  if (BeatBytes > Lanes) begin : gen_bad_beat
    $error("loom_weight_ring: a beat must not be wider than a bank word");
  end

  for (genvar m = 0; m < Rows; m++) begin : gen_bank
    logic [Lanes-1:0] be;

    for (genvar l = 0; l < Lanes; l++) begin : gen_byte
      localparam int Beat = (m * Lanes + l) / BeatBytes;
      assign be[l] = 32'(wbyte_i) / BeatBytes == Beat;
    end

    loom_sram_1r1w #(.Depth(RingRows), .WidthBytes(Lanes)) u_bank (
      .clk_i,
      .re_i,
      .raddr_i(rrow_i),
      .rdata_o(rdata_o[m*Lanes*8 +: Lanes*8]),
      .we_i   (we_i && be != '0),
      .waddr_i(wrow_i),
      .be_i   (be),
      .wdata_i({(Lanes/BeatBytes){wdata_i}})
    );
  end

endmodule
