// SPDX-License-Identifier: Apache-2.0

/// The 64-bit counters: every running cycle in exactly one class, and the increments of the units.
///
/// Order of `counters_o` (64 bits each): total, busy, stall_activation, stall_weight, stall_output,
/// stall_dma_read, stall_dma_write, idle, macs, read_beats, write_beats, overflow_events,
/// clamped_low, clamped_high.
///
/// Latency  an increment is in the counters from the next cycle on.
/// Golden   none.
/// Test     tests/rtl/loom_counters_test.cc
module loom_counters (
  /// Clock, rising edge.
  input  logic             clk_i,
  /// Reset, asynchronous, active low.
  input  logic             rst_ni,
  /// Sets all to zero.
  input  logic             clear_i,
  /// The list runs: this cycle is counted in class `cycle_i` (loom_pkg::cycle_e).
  input  logic             running_i,
  input  logic [2:0]       cycle_i,
  /// Increments.
  input  logic [15:0]      macs_i,
  input  logic             read_beat_i,
  input  logic             write_beat_i,
  input  logic [15:0]      overflow_events_i,
  input  logic [7:0]       clamped_low_i,
  input  logic [7:0]       clamped_high_i,
  /// All counters.
  output logic [14*64-1:0] counters_o
);

  logic [63:0] count_q [0:13];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (int i = 0; i < 14; i++) count_q[i] <= 64'd0;
    end else if (clear_i) begin
      for (int i = 0; i < 14; i++) count_q[i] <= 64'd0;
    end else begin
      if (running_i) begin
        count_q[0] <= count_q[0] + 64'd1;
        unique case (cycle_i)
          loom_pkg::CycleBusy:            count_q[1] <= count_q[1] + 64'd1;
          loom_pkg::CycleStallActivation: count_q[2] <= count_q[2] + 64'd1;
          loom_pkg::CycleStallWeight:     count_q[3] <= count_q[3] + 64'd1;
          loom_pkg::CycleStallOutput:     count_q[4] <= count_q[4] + 64'd1;
          loom_pkg::CycleStallDmaRead:    count_q[5] <= count_q[5] + 64'd1;
          loom_pkg::CycleStallDmaWrite:   count_q[6] <= count_q[6] + 64'd1;
          default:                        count_q[7] <= count_q[7] + 64'd1;
        endcase
      end
      count_q[8] <= count_q[8] + 64'(macs_i);
      count_q[9] <= count_q[9] + 64'(read_beat_i);
      count_q[10] <= count_q[10] + 64'(write_beat_i);
      count_q[11] <= count_q[11] + 64'(overflow_events_i);
      count_q[12] <= count_q[12] + 64'(clamped_low_i);
      count_q[13] <= count_q[13] + 64'(clamped_high_i);
    end
  end

  for (genvar i = 0; i < 14; i++) begin : gen_out
    assign counters_o[i*64 +: 64] = count_q[i];
  end

endmodule
