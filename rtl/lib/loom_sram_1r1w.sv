// SPDX-License-Identifier: Apache-2.0

/// A memory with one read port, one write port and lane enables; a lane is a byte unless LaneBits
/// says otherwise.
///
/// The only module that holds a memory. The body is for simulation; synthesis replaces the module
/// by a macro or treats it as a black box, so a user of this module may rely only on what is said
/// here. The content and `rdata_o` are undefined after power-up.
///
/// Latency  1 cycle from `re_i` to `rdata_o`; one read and one write per cycle. A read and a write
///          of the same word in one cycle read the old content.
/// Golden   none; the second model is an array of bytes in the test.
/// Test     tests/rtl/loom_sram_1r1w_test.cc
module loom_sram_1r1w #(
  /// Words, at least 2.
  parameter int Depth = 1024,
  /// Lanes of a word, 1 to 64.
  parameter int WidthBytes = 16,
  /// Bits of a lane, 1 to 8.
  parameter int LaneBits = 8,
  /// Dependent parameter, do not override. Bits of an address.
  localparam int AddrBits = $clog2(Depth)
) (
  /// Clock, rising edge.
  input  logic                           clk_i,
  /// Reads word `raddr_i`.
  input  logic                           re_i,
  /// Read address, less than Depth.
  input  logic [AddrBits-1:0]            raddr_i,
  /// The word read last; holds while `re_i` is low.
  output logic [WidthBytes*LaneBits-1:0] rdata_o,
  /// Writes the enabled lanes of word `waddr_i`.
  input  logic                           we_i,
  /// Write address, less than Depth.
  input  logic [AddrBits-1:0]            waddr_i,
  /// Lane enables of the write.
  input  logic [WidthBytes-1:0]          be_i,
  /// Data to write.
  input  logic [WidthBytes*LaneBits-1:0] wdata_i
);

  if (Depth < 2) begin : gen_bad_depth
    $error("loom_sram_1r1w: Depth must be at least 2");
  end
  if (WidthBytes < 1 || WidthBytes > 64) begin : gen_bad_width
    $error("loom_sram_1r1w: WidthBytes must be 1 to 64");
  end
  if (LaneBits < 1 || LaneBits > 8) begin : gen_bad_lane_bits
    $error("loom_sram_1r1w: LaneBits must be 1 to 8");
  end

  logic [WidthBytes*LaneBits-1:0] mem_q [0:Depth-1];

  always_ff @(posedge clk_i) begin
    if (re_i) rdata_o <= mem_q[raddr_i];
  end

  always_ff @(posedge clk_i) begin
    if (we_i) begin
      for (int b = 0; b < WidthBytes; b++) begin
        if (be_i[b]) mem_q[waddr_i][b*LaneBits +: LaneBits] <= wdata_i[b*LaneBits +: LaneBits];
      end
    end
  end

endmodule
