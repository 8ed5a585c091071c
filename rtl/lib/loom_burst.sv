// SPDX-License-Identifier: Apache-2.0

/// Length of the next burst of a linear transfer: at most 16 beats, not across a 4 KB border.
///
///   beats = min(16, left, (4096 - addr mod 4096) / beat bytes)
///
/// Latency  combinational.
/// Golden   none.
/// Test     tests/rtl/loom_burst_test.cc
module loom_burst #(
  /// Bits of a beat.
  parameter int AxiDataWidth = 64
) (
  /// Byte address, a multiple of the beat.
  input  logic [31:0] addr_i,
  /// Beats left.
  input  logic [31:0] left_i,
  /// Beats of the burst.
  output logic [4:0]  beats_o
);

  localparam int BeatBits = $clog2(AxiDataWidth / 8);

  logic [12:0] to_border;
  assign to_border = (13'd4096 - {1'b0, addr_i[11:0]}) >> BeatBits;

  always_comb begin
    beats_o = 5'd16;
    if (to_border < 13'd16) beats_o = to_border[4:0];
    if (left_i < 32'(beats_o)) beats_o = left_i[4:0];
  end

  logic unused_addr;
  assign unused_addr = ^addr_i;

endmodule
