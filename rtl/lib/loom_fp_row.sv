// SPDX-License-Identifier: Apache-2.0

/// One row of a minifloat array: Lanes multipliers, an exact or aligned tree, Lanes accumulators and
/// the drain shadow, with the stages and strobes of loom_row.
///
/// Dense: accumulator `entry_i` takes the sum of the Lanes products. Depthwise: lane l adds its
/// product to accumulator l. One step is
///
///   AccFixed  t = (first_i ? start : acc) + sum, products cut by Drop and Align; AccWidth bits, wrap
///             or saturate; an event is a t that does not fit
///   AccFloat  the exact t rounded once to 1 + AccExp + AccMan bits; an event is an overflow, to Inf
///             or, saturating, to the largest number
///
/// A depthwise step with `maximum_i` keeps the larger code instead.
///
/// Codes are finite; Inf arises in a float accumulator only, and stays.
///
/// Latency  operands in cycle o, products in o+1, tree in o+2, dense accumulation in o+3, depthwise
///          accumulation in o+2; accumulators, shadow and `event_count_o` change after that cycle.
/// Golden   docs/numerics.md, section 9
/// Test     tests/rtl/loom_fp_row_test.cc
module loom_fp_row #(
  /// Multipliers, a power of two, 1 to 32.
  parameter int Lanes = 4,
  /// 1: has the depthwise mode, an adder for every lane.
  parameter int Depthwise = 1,
  /// Exponent bits of an activation, 1 to 5.
  parameter int ActExp = 4,
  /// Mantissa bits of an activation; 1 + ActExp + ActMan is at most 8.
  parameter int ActMan = 3,
  /// Exponent bias of an activation.
  parameter int ActBias = 7,
  /// loom_pkg::SPECIALS_FINITE, SPECIALS_NAN or SPECIALS_IEEE.
  parameter int ActSpecials = loom_pkg::SPECIALS_NAN,
  /// Exponent bits of a weight, 1 to 5.
  parameter int WeightExp = 4,
  /// Mantissa bits of a weight; 1 + WeightExp + WeightMan is at most 8.
  parameter int WeightMan = 3,
  /// Exponent bias of a weight, 1 to 2^WeightExp - 2.
  parameter int WeightBias = 7,
  /// loom_pkg::SPECIALS_FINITE, SPECIALS_NAN or SPECIALS_IEEE.
  parameter int WeightSpecials = loom_pkg::SPECIALS_NAN,
  /// loom_pkg::ACC_FIXED or loom_pkg::ACC_FLOAT.
  parameter int AccKind = loom_pkg::ACC_FIXED,
  /// Fixed: bits of an accumulator, 8 to 80.
  parameter int AccWidth = 45,
  /// Fixed: low bits dropped from every product.
  parameter int Drop = 0,
  /// Fixed: 1 aligns the products of a step to the largest.
  parameter int Align = 0,
  /// Fixed: bits kept below the largest product.
  parameter int AlignBits = 4,
  /// Float: exponent bits of an accumulator, 2 to 8.
  parameter int AccExp = 5,
  /// Float: mantissa bits of an accumulator, 1 to 23.
  parameter int AccMan = 10,
  /// loom_pkg::BODY_BEHAVIOURAL or loom_pkg::BODY_STRUCTURAL.
  parameter int Body = loom_pkg::BODY_BEHAVIOURAL,
  /// Structural: last adder of the trees, as in loom_bit_heap.
  parameter int Adder = loom_pkg::ADDER_RIPPLE,
  /// Accumulators of one depthwise drain chunk, a power of two, 1 to Lanes.
  parameter int RequantLanes = 2,
  /// Dependent parameter, do not override. Bits of an accumulator.
  localparam int AccBits = AccKind == loom_pkg::ACC_FLOAT ? 1 + AccExp + AccMan : AccWidth,
  /// Dependent parameter, do not override. Bits of an accumulator number.
  localparam int EntryBits = Lanes > 1 ? $clog2(Lanes) : 1
) (
  /// Clock, rising edge.
  input  logic                      clk_i,
  /// Reset, asynchronous, active low.
  input  logic                      rst_ni,
  /// Cycle o: takes `act_i`.
  input  logic                      operand_i,
  /// Activations, lane l at bits [l*8 +: 8].
  input  logic [Lanes*8-1:0]        act_i,
  /// Cycle o: takes `weight_i` into the hold register.
  input  logic                      weight_load_i,
  /// Weights, lane l at bits [l*8 +: 8].
  input  logic [Lanes*8-1:0]        weight_i,
  /// The hold register; unused high bits are 0.
  output logic [Lanes*8-1:0]        weight_hold_o,
  /// Cycle o+1: multiplies.
  input  logic                      multiply_i,
  /// Cycle o+1: multiply with `broadcast_weight_i` instead of the own hold register.
  input  logic                      broadcast_i,
  /// Weights shared by all rows.
  input  logic [Lanes*8-1:0]        broadcast_weight_i,
  /// Cycle o+1: all weights are 1.
  input  logic                      unit_weights_i,
  /// Cycle o+2: sums the products.
  input  logic                      tree_i,
  /// Cycle o+2: lanes whose product counts.
  input  logic [Lanes-1:0]          product_valid_i,
  /// Cycle o+3: accumulates the tree in accumulator `entry_i`.
  input  logic                      dense_i,
  /// Cycle o+2: accumulates product l in accumulator l. Never together with `dense_i`.
  input  logic                      depthwise_i,
  /// Accumulation cycle, depthwise: acc = max(acc, key of the activation), first_i: acc = key; no
  /// event. The key, S ? ~code without S : code, is signed and ordered like the codes.
  input  logic                      maximum_i,
  /// Accumulation cycle: starts from the start value.
  input  logic                      first_i,
  /// Accumulation cycle: the result also goes to the shadow.
  input  logic                      last_i,
  /// Dense accumulation: the accumulator.
  input  logic [EntryBits-1:0]      entry_i,
  /// Dense accumulation: the shadow entry.
  input  logic [EntryBits-1:0]      shadow_entry_i,
  /// Dense start value.
  input  logic [AccBits-1:0]        dense_start_i,
  /// Depthwise start values, lane l at bits [l*AccBits +: AccBits].
  input  logic [Lanes*AccBits-1:0]  lane_starts_i,
  /// Accumulation cycle: events of this row count.
  input  logic                      row_valid_i,
  /// Accumulation cycle: depthwise events of lane l count.
  input  logic [Lanes-1:0]          lane_valid_i,
  /// Saturate instead of wrap or Inf.
  input  logic                      saturate_i,
  /// Number of events of the last cycle's accumulation.
  output logic [EntryBits:0]        event_count_o,
  /// Shadow entry shown by `drain_acc_o`.
  input  logic [EntryBits-1:0]      drain_entry_i,
  /// Shadow chunk shown by `drain_chunk_acc_o`, taken modulo Lanes/RequantLanes.
  input  logic [EntryBits-1:0]      drain_chunk_i,
  /// Shadow entry `drain_entry_i`.
  output logic [AccBits-1:0]        drain_acc_o,
  /// Shadow entries `drain_chunk_i`*RequantLanes + r at bits [r*AccBits +: AccBits].
  output logic [RequantLanes*AccBits-1:0] drain_chunk_acc_o
);

  if (Lanes < 1 || Lanes > 32 || (Lanes & (Lanes - 1)) != 0) begin : gen_bad_lanes
    $error("loom_fp_row: Lanes must be a power of two from 1 to 32");
  end
  if (ActExp + ActMan > 7 || WeightExp + WeightMan > 7) begin : gen_bad_format
    $error("loom_fp_row: a code has at most 8 bits");
  end
  if (WeightBias < 1 || WeightBias > (1 << WeightExp) - 2) begin : gen_bad_bias
    $error("loom_fp_row: WeightBias must be 1 to 2^WeightExp - 2");
  end
  if (AccKind < 0 || AccKind > 1) begin : gen_bad_acc_kind
    $error("loom_fp_row: AccKind must be 0 or 1");
  end
  if (AccWidth < 8 || AccWidth > 80) begin : gen_bad_acc_width
    $error("loom_fp_row: AccWidth must be 8 to 80");
  end
  if (AccKind == loom_pkg::ACC_FLOAT && (Drop != 0 || Align != 0)) begin : gen_bad_cut
    $error("loom_fp_row: a float accumulator takes exact sums, Drop and Align must be 0");
  end

  if (RequantLanes < 1 || RequantLanes > Lanes || (RequantLanes & (RequantLanes - 1)) != 0)
  begin : gen_bad_requant_lanes
    $error("loom_fp_row: RequantLanes must be a power of two from 1 to Lanes");
  end

  localparam int ChunkBits = $clog2(RequantLanes);
  localparam int ActBits = 1 + ActExp + ActMan;
  localparam int WeightBits = 1 + WeightExp + WeightMan;
  localparam int SigWidth = ActMan + WeightMan + 2;
  localparam int ShiftWidth = (ActExp > WeightExp ? ActExp : WeightExp) + 1;
  // Largest exponent steps of finite codes.
  localparam int ActShift = (1 << ActExp) - (ActSpecials == loom_pkg::SPECIALS_IEEE ? 3 : 2);
  localparam int WeightShift = (1 << WeightExp) - (WeightSpecials == loom_pkg::SPECIALS_IEEE ? 3 : 2);
  localparam int MaxShift = ActShift + WeightShift;
  localparam int GridLsb = 2 - ActBias - ActMan - WeightBias - WeightMan;
  localparam logic [WeightBits-1:0] One = WeightBits'(WeightBias << WeightMan);

  ////////////////////////
  // Operands, products //
  ////////////////////////

  logic [Lanes*ActBits-1:0]    act_q;
  logic [Lanes*WeightBits-1:0] weight_hold_q;
  logic [Lanes*ActBits-1:0]    key_d, key_q;
  logic [Lanes-1:0]            sign_d, sign_q;
  logic [Lanes*SigWidth-1:0]   significand_d, significand_q;
  logic [Lanes*ShiftWidth-1:0] shift_d, shift_q;

  always_ff @(posedge clk_i) begin
    if (operand_i) begin
      for (int l = 0; l < Lanes; l++) act_q[l*ActBits +: ActBits] <= act_i[l*8 +: ActBits];
    end
    if (weight_load_i) begin
      for (int l = 0; l < Lanes; l++) begin
        weight_hold_q[l*WeightBits +: WeightBits] <= weight_i[l*8 +: WeightBits];
      end
    end
    if (multiply_i) begin
      sign_q <= sign_d;
      significand_q <= significand_d;
      shift_q <= shift_d;
      key_q <= key_d;
    end
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_product
    logic [WeightBits-1:0] weight;
    logic                  unused_nan, unused_inf;
    logic                  negative;
    assign negative = act_q[l*ActBits+ActBits-1];
    assign key_d[l*ActBits +: ActBits] = {negative, act_q[l*ActBits +: ActBits-1] ^
                                                    {(ActBits-1){negative}}};
    assign weight_hold_o[l*8 +: 8] = 8'(weight_hold_q[l*WeightBits +: WeightBits]);
    assign weight = unit_weights_i ? One :
                    broadcast_i ? broadcast_weight_i[l*8 +: WeightBits] :
                                  weight_hold_q[l*WeightBits +: WeightBits];
    loom_fp_multiplier #(
      .AExp     (ActExp),
      .AMan     (ActMan),
      .ASpecials(ActSpecials),
      .BExp     (WeightExp),
      .BMan     (WeightMan),
      .BSpecials(WeightSpecials),
      .Body     (Body)
    ) u_multiplier (
      .a_i          (act_q[l*ActBits +: ActBits]),
      .b_i          (weight),
      .sign_o       (sign_d[l]),
      .significand_o(significand_d[l*SigWidth +: SigWidth]),
      .shift_o      (shift_d[l*ShiftWidth +: ShiftWidth]),
      .nan_o        (unused_nan),
      .inf_o        (unused_inf)
    );
  end

  if (ActBits < 8 || WeightBits < 8) begin : gen_narrow
    logic unused_bits;
    assign unused_bits = ^{act_i, weight_i, broadcast_weight_i};
  end

  ////////////////////////
  // Tree, accumulators //
  ////////////////////////

  logic [AccBits-1:0] acc_q    [0:Lanes-1];
  logic [AccBits-1:0] shadow_q [0:Lanes-1];
  logic [AccBits-1:0] dense_base;
  logic [AccBits-1:0] dense_acc;
  logic               dense_event;
  logic [AccBits-1:0] lane_acc   [0:Lanes-1];
  logic [Lanes-1:0]   lane_event;
  logic [AccBits-1:0] lane_next  [0:Lanes-1];
  logic [AccBits-1:0] lane_key   [0:Lanes-1];

  for (genvar l = 0; l < Lanes; l++) begin : gen_key
    assign lane_key[l] = AccBits'(signed'(key_q[l*ActBits +: ActBits]));
  end

  assign dense_base = first_i ? dense_start_i : acc_q[entry_i];

  loom_fp_accumulate #(
    .Lanes     (Lanes),
    .SigWidth  (SigWidth),
    .ShiftWidth(ShiftWidth),
    .MaxShift  (MaxShift),
    .Drop      (Drop),
    .Align     (Align),
    .AlignBits (AlignBits),
    .AccKind   (AccKind),
    .AccWidth  (AccWidth),
    .AccExp    (AccExp),
    .AccMan    (AccMan),
    .GridLsb   (GridLsb),
    .Registered(1),
    .Body      (Body),
    .Adder     (Adder)
  ) u_dense (
    .clk_i,
    .load_i       (tree_i),
    .valid_i      (product_valid_i),
    .sign_i       (sign_q),
    .significand_i(significand_q),
    .shift_i      (shift_q),
    .base_i       (dense_base),
    .saturate_i,
    .acc_o        (dense_acc),
    .event_o      (dense_event)
  );

  if (Depthwise != 0) begin : gen_depthwise
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      loom_fp_accumulate #(
        .Lanes     (1),
        .SigWidth  (SigWidth),
        .ShiftWidth(ShiftWidth),
        .MaxShift  (MaxShift),
        .Drop      (Drop),
        .Align     (Align),
        .AlignBits (AlignBits),
        .AccKind   (AccKind),
        .AccWidth  (AccWidth),
        .AccExp    (AccExp),
        .AccMan    (AccMan),
        .GridLsb   (GridLsb),
        .Registered(0),
        .Body      (Body),
        .Adder     (Adder)
      ) u_accumulate (
        .clk_i,
        .load_i       (1'b0),
        .valid_i      (product_valid_i[l]),
        .sign_i       (sign_q[l]),
        .significand_i(significand_q[l*SigWidth +: SigWidth]),
        .shift_i      (shift_q[l*ShiftWidth +: ShiftWidth]),
        .base_i       (first_i ? lane_starts_i[l*AccBits +: AccBits] : acc_q[l]),
        .saturate_i,
        .acc_o        (lane_acc[l]),
        .event_o      (lane_event[l])
      );
    end
  end else begin : gen_dense_only
    logic unused_depthwise;
    assign unused_depthwise = ^{depthwise_i, lane_starts_i, lane_valid_i, lane_event};
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      assign lane_acc[l] = '0;
    end
    assign lane_event = '0;
  end

  always_comb begin
    for (int l = 0; l < Lanes; l++) begin
      lane_next[l] = lane_acc[l];
      if (maximum_i) begin
        lane_next[l] = first_i || signed'(lane_key[l]) > signed'(acc_q[l]) ? lane_key[l] : acc_q[l];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (dense_i) begin
      acc_q[entry_i] <= dense_acc;
      if (last_i) shadow_q[shadow_entry_i] <= dense_acc;
    end
    if (Depthwise != 0 && depthwise_i) begin
      for (int l = 0; l < Lanes; l++) begin
        acc_q[l] <= lane_next[l];
        if (last_i) shadow_q[l] <= lane_next[l];
      end
    end
  end

  ///////////////////
  // Events, drain //
  ///////////////////

  logic [EntryBits:0] event_count_d;
  logic [EntryBits:0] event_count_q;

  always_comb begin
    event_count_d = '0;
    if (row_valid_i && dense_i) event_count_d = (EntryBits+1)'(dense_event);
    if (row_valid_i && Depthwise != 0 && depthwise_i) begin
      for (int l = 0; l < Lanes; l++) begin
        event_count_d += (EntryBits+1)'(lane_event[l] && !maximum_i && lane_valid_i[l]);
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) event_count_q <= '0;
    else event_count_q <= event_count_d;
  end

  assign event_count_o = event_count_q;
  assign drain_acc_o = shadow_q[drain_entry_i];

  always_comb begin
    for (int r = 0; r < RequantLanes; r++) begin
      drain_chunk_acc_o[r*AccBits +: AccBits] =
          shadow_q[((drain_chunk_i << ChunkBits) | EntryBits'(r)) & EntryBits'(Lanes-1)];
    end
  end

endmodule
