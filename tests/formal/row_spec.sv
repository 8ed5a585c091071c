// SPDX-License-Identifier: Apache-2.0

/// The accumulation step of loom_row (16 lanes, 32 bits) against its definition, `bad_o` must never
/// rise from the second cycle on: from any state of all registers, the step gives the accumulators,
/// the shadow and the event count of docs/numerics.md.
module row_proof #(
  /// 0 dense, 1 depthwise, 2 depthwise maximum.
  parameter int Depthwise = 0,
  /// The accumulator that is compared; the lanes are copies of one text, so that a few are proved.
  parameter int Watched = 0
) (
  input  logic               clk_i,
  input  logic               valid_i,
  input  logic               first_i,
  input  logic               last_i,
  input  logic [3:0]         entry_i,
  input  logic [3:0]         shadow_entry_i,
  input  logic signed [31:0] dense_start_i,
  input  logic [511:0]       lane_starts_i,
  input  logic               row_valid_i,
  input  logic [15:0]        lane_valid_i,
  input  logic               saturate_i,
  input  logic [5:0]         narrow_i,
  output logic               bad_o
);

  logic [4:0]   event_count;
  logic [3:0]   shadow_entry_q;
  logic [127:0] unused_hold;
  logic [31:0]  shadow;
  logic [255:0] unused_chunk;
  loom_row u_dut (
    .clk_i,
    .rst_ni            (1'b1),
    .operand_i         (1'b0),
    .act_i             (128'd0),
    .weight_load_i     (1'b0),
    .weight_i          (128'd0),
    .weight_hold_o     (unused_hold),
    .multiply_i        (1'b0),
    .broadcast_i       (1'b0),
    .broadcast_weight_i(128'd0),
    .unit_weights_i    (1'b0),
    .maximum_i         (Depthwise == 2),
    .tree_i            (1'b0),
    .dense_i           (valid_i && Depthwise == 0),
    .depthwise_i       (valid_i && Depthwise != 0),
    .first_i,
    .last_i,
    .entry_i,
    .shadow_entry_i,
    .dense_start_i,
    .lane_starts_i,
    .row_valid_i,
    .lane_valid_i,
    .saturate_i,
    .narrow_i,
    .event_count_o     (event_count),
    .drain_entry_i     (Depthwise == 0 ? shadow_entry_q : 4'(Watched)),
    .drain_chunk_i     (4'd0),
    .drain_entry_acc_o (shadow),
    .drain_chunk_acc_o (unused_chunk)
  );

  (* hierconn *) wire signed [19:0] \u_dut.sum_q ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[0] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[1] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[2] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[3] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[4] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[5] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[6] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[7] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[8] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[9] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[10] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[11] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[12] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[13] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[14] ;
  (* hierconn *) wire [31:0] \u_dut.acc_q[15] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[0] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[1] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[2] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[3] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[4] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[5] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[6] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[7] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[8] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[9] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[10] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[11] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[12] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[13] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[14] ;
  (* hierconn *) wire [15:0] \u_dut.product_q[15] ;
  // All accumulators and products by number.
  logic [511:0] accumulators;
  logic [255:0] products;
  assign accumulators = {\u_dut.acc_q[15] , \u_dut.acc_q[14] , \u_dut.acc_q[13] , \u_dut.acc_q[12] ,
      \u_dut.acc_q[11] , \u_dut.acc_q[10] , \u_dut.acc_q[9] , \u_dut.acc_q[8] ,
      \u_dut.acc_q[7] , \u_dut.acc_q[6] , \u_dut.acc_q[5] , \u_dut.acc_q[4] ,
      \u_dut.acc_q[3] , \u_dut.acc_q[2] , \u_dut.acc_q[1] , \u_dut.acc_q[0] };
  assign products = {\u_dut.product_q[15] , \u_dut.product_q[14] , \u_dut.product_q[13] , \u_dut.product_q[12] ,
      \u_dut.product_q[11] , \u_dut.product_q[10] , \u_dut.product_q[9] , \u_dut.product_q[8] ,
      \u_dut.product_q[7] , \u_dut.product_q[6] , \u_dut.product_q[5] , \u_dut.product_q[4] ,
      \u_dut.product_q[3] , \u_dut.product_q[2] , \u_dut.product_q[1] , \u_dut.product_q[0] };

  // The step that is judged one cycle later.
  logic               valid_q;
  logic               last_q;
  logic               saturate_q;
  logic               was_legal_q;
  logic [3:0]         entry_q;
  logic [5:0]         narrow_q;
  logic signed [39:0] exact_q;
  logic signed [39:0] before_q;

  logic signed [31:0] base;
  logic signed [31:0] acc_now;
  logic signed [31:0] code;

  always_comb begin
    acc_now = accumulators[Watched*32 +: 32];
    code = 32'(signed'(products[Watched*16 +: 8]));
    if (Depthwise != 0) base = first_i ? lane_starts_i[Watched*32 +: 32] : acc_now;
    else base = first_i ? dense_start_i : acc_now;
  end

  always_ff @(posedge clk_i) begin
    valid_q <= valid_i;
    last_q <= last_i;
    saturate_q <= saturate_i;
    entry_q <= entry_i;
    shadow_entry_q <= shadow_entry_i;
    narrow_q <= narrow_i;
    before_q <= 40'(acc_now);
    if (Depthwise == 2) exact_q <= first_i || code >= acc_now ? 40'(code) : 40'(acc_now);
    else if (Depthwise != 0) exact_q <= 40'(base) + 40'(signed'(products[Watched*16 +: 16]));
    else exact_q <= 40'(base) + 40'(\u_dut.sum_q );
    was_legal_q <= narrow_i < 6'd32;
  end

  // At most one event in a dense step; in a depthwise step the watched lane alone counts.
  logic only_watched_q;
  logic counts_q;
  always_ff @(posedge clk_i) begin
    only_watched_q <= lane_valid_i == 16'd1 << Watched;
    counts_q <= row_valid_i;
  end

  logic signed [39:0] smallest;
  logic signed [39:0] largest;
  logic signed [39:0] wrapped;
  logic signed [39:0] wanted;
  logic signed [39:0] got;
  logic               is_event;
  logic               is_wrong;

  always_comb begin
    // The range of 32 - narrow bits, and the value modulo its size.
    largest = (40'sd1 <<< (6'd31 - narrow_q)) - 40'sd1;
    smallest = -largest - 40'sd1;
    is_event = Depthwise != 2 && (exact_q < smallest || exact_q > largest);
    wrapped = exact_q & (largest - smallest);
    if (wrapped > largest) wrapped = wrapped - (largest - smallest) - 40'sd1;
    wanted = !is_event ? exact_q : !saturate_q ? wrapped : exact_q < 0 ? smallest : largest;
    got = 40'(signed'(accumulators[Watched*32 +: 32]));
    if (!valid_q || (Depthwise == 0 && 4'(Watched) != entry_q)) begin
      is_wrong = got != before_q;
    end else begin
      is_wrong = got != wanted || (last_q && 40'(signed'(shadow)) != wanted);
      if (Depthwise == 0 || only_watched_q) begin
        is_wrong = is_wrong || event_count != 5'(counts_q && is_event);
      end
    end
    if (!valid_q) is_wrong = is_wrong || event_count != 5'd0;
    bad_o = was_legal_q && is_wrong;
  end

endmodule
