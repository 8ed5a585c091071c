// SPDX-License-Identifier: Apache-2.0

/// Start, multiplier and shift of the channels in work: two sets of Lanes entries, filled ahead from
/// the parameter rows of the weight ring.
///
/// A visit is one use of a group's parameters; visit v uses set v mod 2. The loader fills the set
/// of the next visit as soon as the drain has released it (`release_i`) and the rows are in the
/// ring. A set is offered to one visit only: it stops being fresh when the visit is issued, long
/// before the drain releases it. Visits run through the groups of the stream once, or again and again (`repeat_i`).
///
/// Latency  one cycle per parameter row; `fresh_o` follows the last row by one cycle.
/// Golden   none; the format is in docs/accelerator.md, "Parameter section".
/// Test     tests/rtl/loom_param_loader_test.cc
module loom_param_loader #(
  /// Rows of the array.
  parameter int Rows = 4,
  /// Lanes of a row, entries of a set.
  parameter int Lanes = 16,
  /// loom_pkg::FORMAT_INT or a minifloat: its records hold the start value in 10 bytes and the shift
  /// in byte 12.
  parameter int Format = loom_pkg::FORMAT_INT,
  /// Bits of an accumulator, at most 32, with minifloats 80.
  parameter int AccWidth = 32,
  /// Requantization lanes.
  parameter int RequantLanes = 8,
  /// Rows of the weight ring, a power of two.
  parameter int RingRows = 256,
  /// Dependent parameter, do not override. Bits of a row of the ring.
  localparam int RowBits = Rows * Lanes * 8,
  /// Dependent parameter, do not override. Bits of an entry number.
  localparam int EntryBits = $clog2(Lanes)
) (
  /// Clock, rising edge.
  input  logic                          clk_i,
  /// Reset, asynchronous, active low.
  input  logic                          rst_ni,
  /// Starts an operation: both sets empty.
  input  logic                          start_i,
  /// Ends it: no further rows are read.
  input  logic                          stop_i,
  /// The operation has a stream.
  input  logic                          enable_i,
  /// Ring row of the first group.
  input  logic [15:0]                   base_row_i,
  /// Groups of the stream.
  input  logic [15:0]                   groups_i,
  /// Parameter rows of a group, at least 1.
  input  logic [15:0]                   param_rows_i,
  /// Rows of a group.
  input  logic [15:0]                   group_rows_i,
  /// Entries are start values only.
  input  logic                          per_layer_i,
  /// After the last group comes the first again.
  input  logic                          repeat_i,
  /// Rows written to the ring so far, mod 2^16.
  input  logic [15:0]                   ring_write_ptr_i,
  /// Wants to read a row of the ring.
  output logic                          ring_request_o,
  /// May do so in this cycle.
  input  logic                          ring_grant_i,
  /// The row.
  output logic [$clog2(RingRows)-1:0]   ring_addr_o,
  /// Its data, in the next cycle.
  input  logic [RowBits-1:0]            ring_rdata_i,
  /// Set s is filled and its visit has not been issued to the end.
  output logic [1:0]                    fresh_o,
  /// The feeder has issued the last step of the visit that uses set `used_set_i`.
  input  logic                          used_i,
  input  logic                          used_set_i,
  /// The drain has used set `release_set_i` for the last time in this visit.
  input  logic                          release_i,
  /// The set released.
  input  logic                          release_set_i,
  /// Start values, set s entry e at bits [(s*Lanes+e)*AccWidth +: AccWidth].
  output logic [2*Lanes*AccWidth-1:0]   starts_o,
  /// Set and chunk of RequantLanes entries that the lanes use.
  input  logic                          lane_set_i,
  input  logic [EntryBits-1:0]          lane_chunk_i,
  /// Multipliers and shifts of that chunk.
  output logic [RequantLanes*32-1:0]    lane_multiplier_o,
  output logic [RequantLanes*8-1:0]     lane_shift_o
);

  if ((RingRows & (RingRows - 1)) != 0 || RingRows < 2) begin : gen_bad_ring_rows
    $error("loom_param_loader: RingRows must be a power of two, at least 2");
  end
  if (Rows * Lanes < 16) begin : gen_bad_row
    $error("loom_param_loader: Rows*Lanes must be at least 16");
  end

  if (AccWidth > (Format == loom_pkg::FORMAT_INT ? 32 : 80)) begin : gen_bad_acc_width
    $error("loom_param_loader: AccWidth must be at most 32, with minifloats at most 80");
  end

  localparam int StartsWidth = AccWidth < 32 ? AccWidth : 32;
  localparam int ShiftByte = Format == loom_pkg::FORMAT_INT ? 8 : 12;
  localparam int RecordsPerRow = (Rows * Lanes / 16) < Lanes ? Rows * Lanes / 16 : Lanes;
  localparam int StartsPerRow = (Rows * Lanes / 4) < Lanes ? Rows * Lanes / 4 : Lanes;

  logic        active_q;
  logic        set_q;
  logic [1:0]  loaded_q, fresh_q;
  logic [15:0] group_q;
  logic [15:0] group_row_q;
  logic [15:0] index_q;
  logic        exhausted_q;
  logic        data_valid_q;
  logic        data_last_q;
  logic        data_set_q;
  logic [15:0] data_index_q;

  logic [15:0] row;
  logic [15:0] ahead;
  logic        last_row;
  logic        last_group;

  assign row = group_row_q + index_q;
  assign ahead = ring_write_ptr_i - row;
  assign last_row = index_q + 16'd1 == param_rows_i;
  assign last_group = group_q + 16'd1 == groups_i;
  assign ring_addr_o = row[$clog2(RingRows)-1:0];
  // A set whose last row is still on its way counts as taken.
  assign ring_request_o = active_q && !exhausted_q && !loaded_q[set_q] &&
                          !(data_valid_q && data_last_q && data_set_q == set_q) &&
                          ahead != 16'd0 && !ahead[15];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      set_q <= 1'b0;
      loaded_q <= 2'b00;
      fresh_q <= 2'b00;
      group_q <= '0;
      group_row_q <= '0;
      index_q <= '0;
      exhausted_q <= 1'b0;
      data_valid_q <= 1'b0;
      data_last_q <= 1'b0;
      data_set_q <= 1'b0;
      data_index_q <= '0;
    end else if (start_i) begin
      active_q <= enable_i;
      set_q <= 1'b0;
      loaded_q <= 2'b00;
      fresh_q <= 2'b00;
      group_q <= '0;
      group_row_q <= base_row_i;
      index_q <= '0;
      exhausted_q <= 1'b0;
      data_valid_q <= 1'b0;
    end else begin
      if (stop_i) active_q <= 1'b0;
      data_valid_q <= ring_request_o && ring_grant_i;
      data_last_q <= last_row;
      data_set_q <= set_q;
      data_index_q <= index_q;
      if (release_i) loaded_q[release_set_i] <= 1'b0;
      if (used_i) fresh_q[used_set_i] <= 1'b0;
      if (data_valid_q && data_last_q) begin
        loaded_q[data_set_q] <= 1'b1;
        fresh_q[data_set_q] <= 1'b1;
      end
      if (ring_request_o && ring_grant_i) begin
        index_q <= index_q + 16'd1;
        if (last_row) begin
          index_q <= '0;
          set_q <= !set_q;
          group_q <= last_group ? 16'd0 : group_q + 16'd1;
          group_row_q <= last_group ? base_row_i : group_row_q + group_rows_i;
          exhausted_q <= last_group && !repeat_i;
        end
      end
    end
  end

  assign fresh_o = fresh_q;

  /////////////
  // Entries //
  /////////////

  logic [AccWidth-1:0] start_q [0:2*Lanes-1];
  logic [31:0]         multiplier_q [0:2*Lanes-1];
  logic [7:0]          shift_q [0:2*Lanes-1];

  always_ff @(posedge clk_i) begin
    if (data_valid_q && !per_layer_i) begin
      for (int e = 0; e < Lanes; e++) begin
        if (data_index_q == 16'(e / RecordsPerRow)) begin
          start_q[{data_set_q, EntryBits'(e)}] <=
              ring_rdata_i[(e % RecordsPerRow) * 128 +: AccWidth];
          multiplier_q[{data_set_q, EntryBits'(e)}] <=
              ring_rdata_i[(e % RecordsPerRow) * 128 + 32 +: 32];
          shift_q[{data_set_q, EntryBits'(e)}] <=
              ring_rdata_i[(e % RecordsPerRow) * 128 + ShiftByte * 8 +: 8];
        end
      end
    end
    if (Format == loom_pkg::FORMAT_INT && data_valid_q && per_layer_i) begin
      for (int e = 0; e < Lanes; e++) begin
        if (data_index_q == 16'(e / StartsPerRow)) begin
          start_q[{data_set_q, EntryBits'(e)}] <=
              AccWidth'(ring_rdata_i[(e % StartsPerRow) * 32 +: StartsWidth]);
        end
      end
    end
  end

  for (genvar e = 0; e < 2 * Lanes; e++) begin : gen_starts
    assign starts_o[e*AccWidth +: AccWidth] = start_q[e];
  end

  for (genvar r = 0; r < RequantLanes; r++) begin : gen_lanes
    logic [EntryBits:0] entry;
    assign entry = {lane_set_i, EntryBits'(lane_chunk_i * EntryBits'(RequantLanes % Lanes)) + EntryBits'(r)};
    assign lane_multiplier_o[r*32 +: 32] = multiplier_q[entry];
    assign lane_shift_o[r*8 +: 8] = shift_q[entry];
  end

endmodule
