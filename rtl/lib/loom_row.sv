// SPDX-License-Identifier: Apache-2.0

/// One row of the array: Lanes multipliers, an exact adder tree, Lanes accumulators, drain shadow.
///
/// Dense: the tree sums the Lanes products and one accumulator, `entry_i`, takes the sum.
/// Depthwise: every lane adds its own product to its own accumulator. One step is
///
///   exact  = (first_i ? start : acc) + sum of the products
///   acc    = exact wrapped to, or saturated at, AccWidth - narrow_i bits
///   event  = exact does not fit AccWidth - narrow_i bits
///
/// and with `last_i` the new value also goes to the shadow. loom_array holds the control; it
/// raises each strobe in the cycle in which the step is in that stage.
///
/// Latency  operands in cycle o, products in o+1, tree in o+2, dense accumulation in o+3, depthwise
///          accumulation in o+2; accumulators, shadow and `event_count_o` change after that cycle.
/// Golden   golden/reference/accumulator.h
/// Test     tests/rtl/loom_row_test.cc
module loom_row #(
  /// Multipliers, a power of two, 1 to 32.
  parameter int Lanes = 16,
  /// Bits of an accumulator, 8 to 48.
  parameter int AccWidth = 32,
  /// loom_pkg::POLICY_WRAP, POLICY_SATURATE or POLICY_SELECTABLE (by `saturate_i`).
  parameter int AccPolicy = 2,
  /// Accumulators of one depthwise drain chunk, a power of two, 1 to Lanes.
  parameter int RequantLanes = 8,
  /// Bits of an activation code, 2 to 8; a byte on the ports is the sign-extended code.
  parameter int ActBits = 8,
  /// Bits of a weight code, 2 to 8; a byte on the ports is the sign-extended code.
  parameter int WeightBits = 8,
  /// 1: has the depthwise mode, an adder for every lane.
  parameter int Depthwise = 1,
  /// Multipliers: loom_pkg::BODY_BEHAVIOURAL or loom_pkg::BODY_STRUCTURAL.
  parameter int Body = loom_pkg::BODY_BEHAVIOURAL,
  /// Dependent parameter, do not override. Bits of an accumulator number.
  localparam int EntryBits = Lanes > 1 ? $clog2(Lanes) : 1
) (
  /// Clock, rising edge.
  input  logic                             clk_i,
  /// Reset, asynchronous, active low.
  input  logic                             rst_ni,
  /// Cycle o: takes `act_i`.
  input  logic                             operand_i,
  /// Activations, lane l at bits [l*8 +: 8].
  input  logic [Lanes*8-1:0]               act_i,
  /// Cycle o: takes `weight_i` into the hold register.
  input  logic                             weight_load_i,
  /// Weights, lane l at bits [l*8 +: 8].
  input  logic [Lanes*8-1:0]               weight_i,
  /// The hold register.
  output logic [Lanes*8-1:0]               weight_hold_o,
  /// Cycle o+1: multiplies.
  input  logic                             multiply_i,
  /// Cycle o+1: multiply with `broadcast_weight_i` instead of the own hold register.
  input  logic                             broadcast_i,
  /// Weights shared by all rows.
  input  logic [Lanes*8-1:0]               broadcast_weight_i,
  /// Cycle o+1: all weights are 1.
  input  logic                             unit_weights_i,
  /// Cycle o+2: sums the products.
  input  logic                             tree_i,
  /// Cycle o+3: accumulates the tree in accumulator `entry_i`.
  input  logic                             dense_i,
  /// Cycle o+2: accumulates product l in accumulator l. Never together with `dense_i`.
  input  logic                             depthwise_i,
  /// Accumulation cycle, depthwise: acc = max(acc, product), first_i: acc = product; no event.
  input  logic                             maximum_i,
  /// Accumulation cycle: starts from the start value.
  input  logic                             first_i,
  /// Accumulation cycle: the result also goes to the shadow.
  input  logic                             last_i,
  /// Dense accumulation: the accumulator.
  input  logic [EntryBits-1:0]             entry_i,
  /// Dense accumulation: the shadow entry.
  input  logic [EntryBits-1:0]             shadow_entry_i,
  /// Dense start value.
  input  logic signed [AccWidth-1:0]       dense_start_i,
  /// Depthwise start values, lane l at bits [l*AccWidth +: AccWidth].
  input  logic [Lanes*AccWidth-1:0]        lane_starts_i,
  /// Accumulation cycle: events of this row count.
  input  logic                             row_valid_i,
  /// Accumulation cycle: depthwise events of lane l count.
  input  logic [Lanes-1:0]                 lane_valid_i,
  /// Saturate instead of wrap (POLICY_SELECTABLE only).
  input  logic                             saturate_i,
  /// Bits by which the accumulators are narrower than AccWidth, less than AccWidth.
  input  logic [5:0]                       narrow_i,
  /// Number of events of the last cycle's accumulation.
  output logic [EntryBits:0]               event_count_o,
  /// Shadow entry shown by `drain_entry_acc_o`.
  input  logic [EntryBits-1:0]             drain_entry_i,
  /// Shadow chunk shown by `drain_chunk_acc_o`, taken modulo Lanes/RequantLanes.
  input  logic [EntryBits-1:0]             drain_chunk_i,
  /// Shadow entry `drain_entry_i`.
  output logic [AccWidth-1:0]              drain_entry_acc_o,
  /// Shadow entries `drain_chunk_i`*RequantLanes + r at bits [r*AccWidth +: AccWidth].
  output logic [RequantLanes*AccWidth-1:0] drain_chunk_acc_o
);

  if (Lanes < 1 || Lanes > 32 || (Lanes & (Lanes - 1)) != 0) begin : gen_bad_lanes
    $error("loom_row: Lanes must be a power of two from 1 to 32");
  end
  if (AccWidth < 8 || AccWidth > 48) begin : gen_bad_acc_width
    $error("loom_row: AccWidth must be 8 to 48");
  end
  if (AccPolicy < 0 || AccPolicy > 2) begin : gen_bad_acc_policy
    $error("loom_row: AccPolicy must be 0, 1 or 2");
  end
  if (RequantLanes < 1 || RequantLanes > Lanes || (RequantLanes & (RequantLanes - 1)) != 0)
  begin : gen_bad_requant_lanes
    $error("loom_row: RequantLanes must be a power of two from 1 to Lanes");
  end
  if (ActBits < 2 || ActBits > 8) begin : gen_bad_act_bits
    $error("loom_row: ActBits must be 2 to 8");
  end
  if (WeightBits < 2 || WeightBits > 8) begin : gen_bad_weight_bits
    $error("loom_row: WeightBits must be 2 to 8");
  end

  localparam int ProductWidth = ActBits + WeightBits;
  localparam int SumWidth = ProductWidth + $clog2(Lanes);
  // One bit more than both summands, so that the exact value is seen, not inferred.
  localparam int ExactWidth = (AccWidth > SumWidth ? AccWidth : SumWidth) + 1;
  localparam int ChunkBits = $clog2(RequantLanes);

  logic saturate;
  assign saturate = AccPolicy == loom_pkg::POLICY_SELECTABLE ? saturate_i :
                    AccPolicy == loom_pkg::POLICY_SATURATE;
  if (AccPolicy != loom_pkg::POLICY_SELECTABLE) begin : gen_fixed_policy
    logic unused_saturate;
    assign unused_saturate = saturate_i;
  end

  /// {does not fit, value} of an exact sum at AccWidth - narrow bits.
  function automatic [AccWidth:0] limit(input logic signed [ExactWidth-1:0] exact,
                                        input logic [5:0] narrow, input logic sat);
    logic [5:0]                   drop;
    logic signed [ExactWidth-1:0] wrapped;
    logic [AccWidth-1:0]          largest;
    logic                         event_bit;
    drop = 6'(ExactWidth - AccWidth) + narrow;
    wrapped = (exact <<< drop) >>> drop;
    largest = ({AccWidth{1'b1}} >> 1) >> narrow;
    event_bit = wrapped != exact;
    limit = {event_bit, wrapped[AccWidth-1:0]};
    if (event_bit && sat) limit = {1'b1, exact[ExactWidth-1] ? ~largest : largest};
  endfunction

  //////////////////////////////
  // Operands, products, tree //
  //////////////////////////////

  logic [Lanes*ActBits-1:0]             act_q;
  logic [Lanes*WeightBits-1:0]          weight_hold_q;
  logic [Lanes*8-1:0]                   weight;
  logic signed [ProductWidth-1:0]       product_q [0:Lanes-1];
  logic signed [SumWidth-1:0] node      [0:2*Lanes-1];
  logic signed [SumWidth-1:0] sum_q;

  always_ff @(posedge clk_i) begin
    if (operand_i) begin
      for (int l = 0; l < Lanes; l++) act_q[l*ActBits +: ActBits] <= act_i[l*8 +: ActBits];
    end
    if (weight_load_i) begin
      for (int l = 0; l < Lanes; l++) begin
        weight_hold_q[l*WeightBits +: WeightBits] <= weight_i[l*8 +: WeightBits];
      end
    end
  end

  for (genvar l = 0; l < Lanes; l++) begin : gen_hold
    assign weight_hold_o[l*8 +: 8] = 8'(signed'(weight_hold_q[l*WeightBits +: WeightBits]));
  end
  assign weight = unit_weights_i ? {Lanes{8'd1}} :
                  broadcast_i ? broadcast_weight_i : weight_hold_o;

  if (Body == loom_pkg::BODY_BEHAVIOURAL) begin : gen_behavioural
    always_ff @(posedge clk_i) begin
      if (multiply_i) begin
        for (int l = 0; l < Lanes; l++) begin
          product_q[l] <= ProductWidth'(signed'(act_q[l*ActBits +: ActBits])) *
                          ProductWidth'(signed'(weight[l*8 +: WeightBits]));
        end
      end
    end
  end else begin : gen_structural
    for (genvar l = 0; l < Lanes; l++) begin : gen_product
      logic [ProductWidth-1:0] product;
      loom_multiplier #(
        .AWidth(ActBits),
        .BWidth(WeightBits),
        .Body  (Body)
      ) u_multiplier (
        .a_i      (act_q[l*ActBits +: ActBits]),
        .b_i      (weight[l*8 +: WeightBits]),
        .product_o(product)
      );
      always_ff @(posedge clk_i) begin
        if (multiply_i) product_q[l] <= product;
      end
    end
  end

  // A heap: node 1 is the root, node Lanes + l is product l.
  always_comb begin
    node[0] = '0;
    for (int l = 0; l < Lanes; l++) node[Lanes+l] = SumWidth'(product_q[l]);
    for (int n = Lanes - 1; n >= 1; n--) node[n] = node[2*n] + node[2*n+1];
  end

  always_ff @(posedge clk_i) begin
    if (tree_i) sum_q <= node[1];
  end

  if (ActBits < 8 || WeightBits < 8) begin : gen_narrow
    logic unused_bits;
    assign unused_bits = ^{act_i, weight_i, weight};
  end

  //////////////////
  // Accumulators //
  //////////////////

  logic signed [AccWidth-1:0] acc_q    [0:Lanes-1];
  logic signed [AccWidth-1:0] shadow_q [0:Lanes-1];
  logic signed [AccWidth-1:0] dense_base;
  logic [AccWidth:0]          dense_limited;
  logic signed [AccWidth-1:0] lane_base    [0:Lanes-1];
  logic [AccWidth:0]          lane_limited [0:Lanes-1];
  logic signed [AccWidth-1:0] lane_code    [0:Lanes-1];

  assign dense_base = first_i ? dense_start_i : acc_q[entry_i];
  assign dense_limited = limit(ExactWidth'(dense_base) + ExactWidth'(sum_q), narrow_i, saturate);

  // A product with weight 1 is an activation code, which every accumulator holds.
  for (genvar l = 0; l < Lanes; l++) begin : gen_code
    assign lane_code[l] = AccWidth'(signed'(product_q[l][ActBits-1:0]));
  end

  always_comb begin
    for (int l = 0; l < Lanes; l++) begin
      lane_base[l] = first_i ? lane_starts_i[l*AccWidth +: AccWidth] : acc_q[l];
      lane_limited[l] = limit(ExactWidth'(lane_base[l]) + ExactWidth'(product_q[l]), narrow_i,
                              saturate);
      if (maximum_i) begin
        lane_limited[l] = {1'b0, first_i || lane_code[l] > acc_q[l] ? lane_code[l] : acc_q[l]};
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (dense_i) begin
      acc_q[entry_i] <= dense_limited[AccWidth-1:0];
      if (last_i) shadow_q[shadow_entry_i] <= dense_limited[AccWidth-1:0];
    end
    if (Depthwise != 0 && depthwise_i) begin
      for (int l = 0; l < Lanes; l++) begin
        acc_q[l] <= lane_limited[l][AccWidth-1:0];
        if (last_i) shadow_q[l] <= lane_limited[l][AccWidth-1:0];
      end
    end
  end

  ////////////
  // Events //
  ////////////

  logic [EntryBits:0] event_count_d;
  logic [EntryBits:0] event_count_q;

  always_comb begin
    event_count_d = '0;
    if (row_valid_i && dense_i) event_count_d = (EntryBits+1)'(dense_limited[AccWidth]);
    if (row_valid_i && Depthwise != 0 && depthwise_i) begin
      for (int l = 0; l < Lanes; l++) begin
        event_count_d += (EntryBits+1)'(lane_limited[l][AccWidth] && lane_valid_i[l]);
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) event_count_q <= '0;
    else event_count_q <= event_count_d;
  end

  assign event_count_o = event_count_q;

  ///////////
  // Drain //
  ///////////

  assign drain_entry_acc_o = shadow_q[drain_entry_i];

  always_comb begin
    for (int r = 0; r < RequantLanes; r++) begin
      drain_chunk_acc_o[r*AccWidth +: AccWidth] =
          shadow_q[((drain_chunk_i << ChunkBits) | EntryBits'(r)) & EntryBits'(Lanes-1)];
    end
  end

endmodule
