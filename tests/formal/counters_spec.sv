// SPDX-License-Identifier: Apache-2.0

/// One clock cycle of loom_counters from any state: counter `Watched` grows by its increment.
///
///   wanted = rst_ni low: 0, after clear_i: 0, else value before + increment, modulo 2^64
///   bad_o  = the counter is not `wanted` one cycle later
module counters_proof #(
  /// The counter, 0 to 13.
  parameter int Watched = 0
) (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        clear_i,
  input  logic        running_i,
  input  logic [2:0]  cycle_i,
  input  logic [15:0] macs_i,
  input  logic        read_beat_i,
  input  logic        write_beat_i,
  input  logic [15:0] overflow_events_i,
  input  logic [7:0]  clamped_low_i,
  input  logic [7:0]  clamped_high_i,
  output logic        bad_o
);

  logic [895:0] counters;

  loom_counters u_dut (
    .clk_i,
    .rst_ni,
    .clear_i,
    .running_i,
    .cycle_i,
    .macs_i,
    .read_beat_i,
    .write_beat_i,
    .overflow_events_i,
    .clamped_low_i,
    .clamped_high_i,
    .counters_o(counters)
  );

  logic [63:0] increment;
  logic [63:0] wanted_q;

  // Counter 0 has every cycle, 1 to 6 the cycles of their class, 7 those of no class.
  always_comb begin
    if (Watched == 0) increment = {63'd0, running_i};
    else if (Watched < 7) increment = {63'd0, running_i && 32'(cycle_i) == Watched};
    else if (Watched == 7) increment = {63'd0, running_i && (cycle_i == 3'd0 || cycle_i == 3'd7)};
    else if (Watched == 8) increment = {48'd0, macs_i};
    else if (Watched == 9) increment = {63'd0, read_beat_i};
    else if (Watched == 10) increment = {63'd0, write_beat_i};
    else if (Watched == 11) increment = {48'd0, overflow_events_i};
    else if (Watched == 12) increment = {56'd0, clamped_low_i};
    else increment = {56'd0, clamped_high_i};
  end

  always_ff @(posedge clk_i) begin
    wanted_q <= clear_i || !rst_ni ? 64'd0 : counters[Watched*64 +: 64] + increment;
  end

  assign bad_o = counters[Watched*64 +: 64] != (rst_ni ? wanted_q : 64'd0);

endmodule
