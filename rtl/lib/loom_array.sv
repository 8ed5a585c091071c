// SPDX-License-Identifier: Apache-2.0

/// The MAC array: Rows rows of Lanes multipliers with their control pipeline. The rows take integers
/// (loom_row) or, by Format, minifloats (loom_fp_row).
///
/// A step enters with its operands in cycle o, one step per cycle, also back to back on the same
/// accumulator. Dense: row m adds the sum over the lanes of act * weight to accumulator `entry_i`.
/// Depthwise: row m, lane l adds act * weight to accumulator l, the weights being those of one
/// bank of the hold register for all rows. A step with `first_i` starts from the start value (zero
/// with `unit_weights_i`), a step with `last_i` also copies the result to the shadow: dense to
/// entry (number of captures since `clear_i`) mod Lanes, depthwise to entry = lane.
///
/// `depthwise_i`, `saturate_i` and `narrow_i` may change, and `clear_i` may be raised, only while
/// no step is in the pipeline (`pipe_busy_o` low). A capture overwrites whatever the shadow holds;
/// the caller keeps steps with `last_i` back until the drain has read the entry.
///
/// Latency  dense: accumulators and shadow change at the end of cycle o+3, `captured_o` is high and
///          the shadow readable in o+4, the events are on `events_o` in o+5. Depthwise: one cycle
///          less each (o+2, o+3, o+4). The start set is read in o+3 (dense) or o+2 (depthwise).
///          The drain read is combinational.
/// Golden   golden/reference/accumulator.h
/// Test     tests/rtl/loom_array_test.cc
module loom_array #(
  /// Rows, a power of two, 1 to 32, at most Lanes.
  parameter int Rows = 4,
  /// Multipliers of a row: 8, 16 or 32; at most 512 in all rows.
  parameter int Lanes = 16,
  /// Accumulators read by the drain in one cycle, a power of two, 1 to Lanes.
  parameter int RequantLanes = 8,
  /// loom_pkg::FORMAT_INT or the minifloat of activations and weights.
  parameter int Format = loom_pkg::FORMAT_INT,
  /// loom_pkg::ACC_FIXED or, minifloats only, ACC_FLOAT: FP16 or FP32 by AccWidth.
  parameter int AccKind = loom_pkg::ACC_FIXED,
  /// Bits of an accumulator: integers 8 to 32, minifloats 8 to 80, float 16 or 32.
  parameter int AccWidth = 32,
  /// Minifloats, fixed: low bits dropped from every product.
  parameter int AccDrop = 0,
  /// Minifloats, fixed: bits kept below the largest product of a step, or -1: products are not
  /// aligned.
  parameter int AccAlign = -1,
  /// loom_pkg::POLICY_WRAP, POLICY_SATURATE or POLICY_SELECTABLE (by `saturate_i`).
  parameter int AccPolicy = 2,
  /// Bits of an activation code, 2 to 8; a byte on the ports is the sign-extended code.
  parameter int ActBits = 8,
  /// Bits of a weight code, 2 to 8; a byte on the ports is the sign-extended code.
  parameter int WeightBits = 8,
  /// Dependent parameter, do not override. Bits of a row number.
  localparam int RowBits = Rows > 1 ? $clog2(Rows) : 1,
  /// Dependent parameter, do not override. Bits of an accumulator number.
  localparam int EntryBits = $clog2(Lanes)
) (
  /// Clock, rising edge.
  input  logic                             clk_i,
  /// Reset, asynchronous, active low.
  input  logic                             rst_ni,
  /// The next dense capture goes to shadow entry 0.
  input  logic                             clear_i,
  /// Cycle o of a step.
  input  logic                             valid_i,
  /// Depthwise step instead of dense step.
  input  logic                             depthwise_i,
  /// Starts from the start value.
  input  logic                             first_i,
  /// Copies the result to the shadow.
  input  logic                             last_i,
  /// Dense: the accumulator.
  input  logic [EntryBits-1:0]             entry_i,
  /// Activations, row m lane l at bits [(m*Lanes+l)*8 +: 8].
  input  logic [Rows*Lanes*8-1:0]          act_i,
  /// Takes `weight_row_i` into the hold register; a step of the same cycle already uses it.
  input  logic                             weight_load_i,
  /// Weights, bank m lane l at bits [(m*Lanes+l)*8 +: 8].
  input  logic [Rows*Lanes*8-1:0]          weight_row_i,
  /// Depthwise: the bank whose weights all rows use.
  input  logic [RowBits-1:0]               weight_sel_i,
  /// All weights are 1 and the start value is 0.
  input  logic                             unit_weights_i,
  /// Depthwise with `unit_weights_i`: the largest code instead of the sum.
  input  logic                             maximum_i,
  /// Events of row m count.
  input  logic [Rows-1:0]                  row_valid_i,
  /// Depthwise: events of lane l count. Minifloats, dense: product l counts.
  input  logic [Lanes-1:0]                 lane_valid_i,
  /// Start set of the step.
  input  logic                             start_set_i,
  /// Start values, set s entry e at bits [(s*Lanes+e)*AccWidth +: AccWidth]; entry = row (dense) or
  /// lane (depthwise). Read in the accumulation cycle.
  input  logic [2*Lanes*AccWidth-1:0]      starts_i,
  /// Saturate instead of wrap (POLICY_SELECTABLE only).
  input  logic                             saturate_i,
  /// Bits by which the accumulators are narrower than AccWidth, less than AccWidth.
  input  logic [5:0]                       narrow_i,
  /// The shadow has taken a result: readable in this cycle.
  output logic                             captured_o,
  /// Layout of the drain read: depthwise instead of dense.
  input  logic                             drain_depthwise_i,
  /// Dense: shadow entry. Depthwise: row, less than Rows.
  input  logic [EntryBits-1:0]             drain_entry_i,
  /// Dense: rows from chunk*RequantLanes on. Depthwise: lanes from chunk*RequantLanes on, modulo
  /// Lanes.
  input  logic [EntryBits-1:0]             drain_chunk_i,
  /// Shadow values, element r at bits [r*AccWidth +: AccWidth]; zero for rows that do not exist.
  output logic [RequantLanes*AccWidth-1:0] drain_acc_o,
  /// Number of events; each step is counted in one cycle.
  output logic [15:0]                      events_o,
  /// A step is in the pipeline: while low, every capture and every event is already out.
  output logic                             pipe_busy_o
);

  if (Rows < 1 || Rows > 32 || Rows > Lanes || (Rows & (Rows - 1)) != 0) begin : gen_bad_rows
    $error("loom_array: Rows must be a power of two from 1 to 32 and at most Lanes");
  end
  if ((Lanes != 8 && Lanes != 16 && Lanes != 32) || Rows * Lanes > 512) begin : gen_bad_lanes
    $error("loom_array: Lanes must be 8, 16 or 32 and Rows*Lanes at most 512");
  end
  if (RequantLanes < 1 || RequantLanes > Lanes || (RequantLanes & (RequantLanes - 1)) != 0)
  begin : gen_bad_requant_lanes
    $error("loom_array: RequantLanes must be a power of two from 1 to Lanes");
  end
  if (Format < 0 || Format > 4) begin : gen_bad_format
    $error("loom_array: Format must be 0 to 4");
  end
  if (AccWidth < 8 || AccWidth > (Format == loom_pkg::FORMAT_INT ? 32 : 80)) begin : gen_bad_acc_width
    $error("loom_array: AccWidth must be 8 to 32, with minifloats 8 to 80");
  end
  if (Format == loom_pkg::FORMAT_INT &&
      (AccKind != loom_pkg::ACC_FIXED || AccDrop != 0 || AccAlign != -1)) begin : gen_bad_acc_kind
    $error("loom_array: integers need AccKind 0, AccDrop 0 and AccAlign -1");
  end
  if (AccKind == loom_pkg::ACC_FLOAT && AccWidth != 16 && AccWidth != 32) begin : gen_bad_float
    $error("loom_array: a float accumulator has an AccWidth of 16 or 32");
  end
  if (Format != loom_pkg::FORMAT_INT && (ActBits != 8 || WeightBits != 8)) begin : gen_bad_code_bits
    $error("loom_array: minifloats need ActBits and WeightBits 8");
  end
  if (AccPolicy < 0 || AccPolicy > 2) begin : gen_bad_acc_policy
    $error("loom_array: AccPolicy must be 0, 1 or 2");
  end

  /////////////
  // Control //
  /////////////

  // The suffix is the cycle after o in which the register is in use.
  logic                 valid_q1, valid_q2, valid_q3, counted_q4, counted_q5;
  logic                 depthwise_q1, depthwise_q2;
  logic                 first_q1, first_q2, first_q3;
  logic                 last_q1, last_q2, last_q3;
  logic                 unit_q1, unit_q2, unit_q3;
  logic                 maximum_q1, maximum_q2;
  logic                 set_q1, set_q2, set_q3;
  logic [EntryBits-1:0] entry_q1, entry_q2, entry_q3;
  logic [Rows-1:0]      row_valid_q1, row_valid_q2, row_valid_q3;
  logic [Lanes-1:0]     lane_valid_q1, lane_valid_q2;
  logic [RowBits-1:0]   weight_sel_q1;
  logic [EntryBits-1:0] shadow_entry_q;
  logic                 captured_q;

  logic                 dense;
  logic                 depthwise;
  logic                 acc_first;
  logic                 acc_last;
  logic                 acc_unit;
  logic                 acc_set;
  logic [Rows-1:0]      acc_row_valid;

  assign depthwise = valid_q2 && depthwise_q2;
  assign dense = valid_q3;
  assign acc_first = depthwise ? first_q2 : first_q3;
  assign acc_last = depthwise ? last_q2 : last_q3;
  assign acc_unit = depthwise ? unit_q2 : unit_q3;
  assign acc_set = depthwise ? set_q2 : set_q3;
  assign acc_row_valid = depthwise ? row_valid_q2 : row_valid_q3;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q1 <= 1'b0;
      valid_q2 <= 1'b0;
      valid_q3 <= 1'b0;
      counted_q4 <= 1'b0;
      counted_q5 <= 1'b0;
      captured_q <= 1'b0;
      shadow_entry_q <= '0;
    end else begin
      valid_q1 <= valid_i;
      valid_q2 <= valid_q1;
      valid_q3 <= valid_q2 && !depthwise_q2;
      counted_q4 <= depthwise || dense;
      counted_q5 <= counted_q4;
      captured_q <= (depthwise || dense) && acc_last;
      if (clear_i) shadow_entry_q <= '0;
      else if (dense && acc_last) shadow_entry_q <= shadow_entry_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      depthwise_q1 <= depthwise_i;
      first_q1 <= first_i;
      last_q1 <= last_i;
      unit_q1 <= unit_weights_i;
      maximum_q1 <= maximum_i;
      set_q1 <= start_set_i;
      entry_q1 <= entry_i;
      row_valid_q1 <= row_valid_i;
      lane_valid_q1 <= lane_valid_i;
      weight_sel_q1 <= weight_sel_i;
    end
    depthwise_q2 <= depthwise_q1;
    first_q2 <= first_q1;
    last_q2 <= last_q1;
    unit_q2 <= unit_q1;
    maximum_q2 <= maximum_q1;
    set_q2 <= set_q1;
    entry_q2 <= entry_q1;
    row_valid_q2 <= row_valid_q1;
    lane_valid_q2 <= lane_valid_q1;
    first_q3 <= first_q2;
    last_q3 <= last_q2;
    unit_q3 <= unit_q2;
    set_q3 <= set_q2;
    entry_q3 <= entry_q2;
    row_valid_q3 <= row_valid_q2;
  end

  assign captured_o = captured_q;
  assign pipe_busy_o = valid_q1 || valid_q2 || valid_q3 || counted_q4 || counted_q5;

  //////////
  // Rows //
  //////////

  logic [Lanes*AccWidth-1:0]      starts;
  logic [Rows*Lanes*8-1:0]        weight_hold;
  logic [Lanes*8-1:0]             broadcast_weight;
  logic [Rows*(EntryBits+1)-1:0]  event_count;
  logic [Rows*AccWidth-1:0]       entry_acc;
  logic [Rows*RequantLanes*AccWidth-1:0] chunk_acc;

  assign starts = acc_unit ? '0 : acc_set ? starts_i[Lanes*AccWidth +: Lanes*AccWidth] :
                                            starts_i[0 +: Lanes*AccWidth];
  assign broadcast_weight = weight_hold[weight_sel_q1*Lanes*8 +: Lanes*8];

  if (Format == loom_pkg::FORMAT_INT) begin : gen_integer
    for (genvar m = 0; m < Rows; m++) begin : gen_row
      loom_row #(
        .Lanes       (Lanes),
        .AccWidth    (AccWidth),
        .AccPolicy   (AccPolicy),
        .RequantLanes(RequantLanes),
        .ActBits     (ActBits),
        .WeightBits  (WeightBits)
      ) u_row (
        .clk_i,
        .rst_ni,
        .operand_i         (valid_i),
        .act_i             (act_i[m*Lanes*8 +: Lanes*8]),
        .weight_load_i,
        .weight_i          (weight_row_i[m*Lanes*8 +: Lanes*8]),
        .weight_hold_o     (weight_hold[m*Lanes*8 +: Lanes*8]),
        .multiply_i        (valid_q1),
        .broadcast_i       (depthwise_q1),
        .broadcast_weight_i(broadcast_weight),
        .unit_weights_i    (unit_q1),
        .tree_i            (valid_q2 && !depthwise_q2),
        .dense_i           (dense),
        .depthwise_i       (depthwise),
        .maximum_i         (maximum_q2),
        .first_i           (acc_first),
        .last_i            (acc_last),
        .entry_i           (entry_q3),
        .shadow_entry_i    (shadow_entry_q),
        .dense_start_i     (starts[m*AccWidth +: AccWidth]),
        .lane_starts_i     (starts),
        .row_valid_i       (acc_row_valid[m]),
        .lane_valid_i      (lane_valid_q2),
        .saturate_i,
        .narrow_i,
        .event_count_o     (event_count[m*(EntryBits+1) +: EntryBits+1]),
        .drain_entry_i,
        .drain_chunk_i,
        .drain_entry_acc_o (entry_acc[m*AccWidth +: AccWidth]),
        .drain_chunk_acc_o (chunk_acc[m*RequantLanes*AccWidth +: RequantLanes*AccWidth])
      );
    end
  end else begin : gen_minifloat
    localparam int Exp = Format == loom_pkg::FORMAT_E5M2 ? 5 : Format == loom_pkg::FORMAT_E3M4 ? 3 :
                         Format == loom_pkg::FORMAT_E2M5 ? 2 : 4;
    localparam int Bias = (1 << (Exp - 1)) - 1;
    localparam int Specials = Format == loom_pkg::FORMAT_E4M3 ? loom_pkg::SPECIALS_NAN :
                              Format == loom_pkg::FORMAT_E5M2 ? loom_pkg::SPECIALS_IEEE :
                                                                loom_pkg::SPECIALS_FINITE;
    logic fp_saturate;
    assign fp_saturate = AccPolicy == loom_pkg::POLICY_SELECTABLE ? saturate_i :
                         AccPolicy == loom_pkg::POLICY_SATURATE;
    logic unused_narrow;
    assign unused_narrow = ^{narrow_i, saturate_i};

    for (genvar m = 0; m < Rows; m++) begin : gen_row
      loom_fp_row #(
        .Lanes         (Lanes),
        .Depthwise     (1),
        .ActExp        (Exp),
        .ActMan        (7 - Exp),
        .ActBias       (Bias),
        .ActSpecials   (Specials),
        .WeightExp     (Exp),
        .WeightMan     (7 - Exp),
        .WeightBias    (Bias),
        .WeightSpecials(Specials),
        .AccKind       (AccKind),
        .AccWidth      (AccWidth),
        .Drop          (AccDrop),
        .Align         (AccAlign < 0 ? 0 : 1),
        .AlignBits     (AccAlign < 0 ? 0 : AccAlign),
        .AccExp        (AccWidth == 16 ? 5 : 8),
        .AccMan        (AccWidth == 16 ? 10 : 23),
        .RequantLanes  (RequantLanes)
      ) u_row (
        .clk_i,
        .rst_ni,
        .operand_i         (valid_i),
        .act_i             (act_i[m*Lanes*8 +: Lanes*8]),
        .weight_load_i,
        .weight_i          (weight_row_i[m*Lanes*8 +: Lanes*8]),
        .weight_hold_o     (weight_hold[m*Lanes*8 +: Lanes*8]),
        .multiply_i        (valid_q1),
        .broadcast_i       (depthwise_q1),
        .broadcast_weight_i(broadcast_weight),
        .unit_weights_i    (unit_q1),
        .tree_i            (valid_q2 && !depthwise_q2),
        .product_valid_i   (depthwise_q2 ? {Lanes{1'b1}} : lane_valid_q2),
        .dense_i           (dense),
        .depthwise_i       (depthwise),
        .maximum_i         (maximum_q2),
        .first_i           (acc_first),
        .last_i            (acc_last),
        .entry_i           (entry_q3),
        .shadow_entry_i    (shadow_entry_q),
        .dense_start_i     (starts[m*AccWidth +: AccWidth]),
        .lane_starts_i     (starts),
        .row_valid_i       (acc_row_valid[m]),
        .lane_valid_i      (lane_valid_q2),
        .saturate_i        (fp_saturate),
        .event_count_o     (event_count[m*(EntryBits+1) +: EntryBits+1]),
        .drain_entry_i,
        .drain_chunk_i,
        .drain_acc_o       (entry_acc[m*AccWidth +: AccWidth]),
        .drain_chunk_acc_o (chunk_acc[m*RequantLanes*AccWidth +: RequantLanes*AccWidth])
      );
    end
  end

  ////////////
  // Events //
  ////////////

  logic [15:0] events_d;
  logic [15:0] events_q;

  always_comb begin
    events_d = '0;
    for (int m = 0; m < Rows; m++) begin
      events_d += 16'(event_count[m*(EntryBits+1) +: EntryBits+1]);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) events_q <= '0;
    else events_q <= events_d;
  end

  assign events_o = events_q;

  ///////////
  // Drain //
  ///////////

  // Element r of a dense chunk is one of the rows r, r+RequantLanes, ...; a depthwise chunk is the
  // chunk of one row.
  logic [RequantLanes*AccWidth-1:0] dense_acc;
  logic [RequantLanes*AccWidth-1:0] depthwise_acc;

  always_comb begin
    dense_acc = '0;
    for (int m = 0; m < Rows; m++) begin
      if (drain_chunk_i == EntryBits'(m / RequantLanes)) begin
        dense_acc[(m%RequantLanes)*AccWidth +: AccWidth] = entry_acc[m*AccWidth +: AccWidth];
      end
    end
  end

  if (Rows > 1) begin : gen_select_row
    logic unused_drain_entry;
    assign unused_drain_entry = ^{drain_entry_i, 1'b0};
    assign depthwise_acc = chunk_acc[drain_entry_i[RowBits-1:0]*RequantLanes*AccWidth +:
                                     RequantLanes*AccWidth];
  end else begin : gen_one_row
    assign depthwise_acc = chunk_acc;
  end

  assign drain_acc_o = drain_depthwise_i ? depthwise_acc : dense_acc;

endmodule
