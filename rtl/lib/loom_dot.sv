// SPDX-License-Identifier: Apache-2.0

/// Dot product with an addend: one carry-save tree over all partial products, one adder.
///
///   sum_o = addend_i + sum over l of a_l * b_l  (mod 2^SumWidth)
///
/// The structural body is Baugh-Wooley: a partial product of negative weight is inverted, and the
/// constant minus the sum of those weights, taken over all products at once, is one more row.
///
/// Latency  none, combinational.
/// Golden   docs/accelerator.md, "Arithmetic units"
/// Test     tests/rtl/loom_dot_test.cc
module loom_dot #(
  /// Products, 1 to 32.
  parameter int Lanes = 2,
  /// Bits of a factor a, 2 to 48.
  parameter int AWidth = 4,
  /// Bits of a factor b, 2 to 48.
  parameter int BWidth = 4,
  /// Factors a are two's complement.
  parameter int ASigned = 1,
  /// Factors b are two's complement.
  parameter int BSigned = 1,
  /// Bits of addend and sum.
  parameter int SumWidth = 12,
  /// 0: the addend is taken as 0.
  parameter int UseAddend = 1,
  /// loom_pkg::BODY_BEHAVIOURAL or loom_pkg::BODY_STRUCTURAL.
  parameter int Body = loom_pkg::BODY_STRUCTURAL,
  /// Structural: adder of the last two rows, as in loom_bit_heap.
  parameter int Adder = loom_pkg::ADDER_RIPPLE
) (
  /// Factors a, product l at bits [l*AWidth +: AWidth].
  input  logic [Lanes*AWidth-1:0] a_i,
  /// Factors b, product l at bits [l*BWidth +: BWidth].
  input  logic [Lanes*BWidth-1:0] b_i,
  /// Addend.
  input  logic [SumWidth-1:0]     addend_i,
  /// Sum.
  output logic [SumWidth-1:0]     sum_o
);

  if (Lanes < 1 || Lanes > 32) begin : gen_bad_lanes
    $error("loom_dot: Lanes must be 1 to 32");
  end
  if (AWidth < 2 || AWidth > 48 || BWidth < 2 || BWidth > 48) begin : gen_bad_width
    $error("loom_dot: AWidth and BWidth must be 2 to 48");
  end
  if (ASigned < 0 || ASigned > 1 || BSigned < 0 || BSigned > 1) begin : gen_bad_signed
    $error("loom_dot: ASigned and BSigned must be 0 or 1");
  end
  if (Body < 0 || Body > 1) begin : gen_bad_body
    $error("loom_dot: Body must be 0 or 1");
  end

  // A column holds at most min(AWidth, BWidth) bits of a product, the addend and the constant.
  localparam int Smaller = AWidth < BWidth ? AWidth : BWidth;
  localparam int MaxHeight = Lanes * Smaller + 2;

  /// Minus the weights of the inverted partial products of all lanes.
  function automatic [SumWidth-1:0] correction(input [SumWidth-1:0] lanes);
    integer i;
    correction = '0;
    for (i = 0; i < BWidth - BSigned; i = i + 1) begin
      if (ASigned != 0) correction = correction - (lanes << (AWidth - 1 + i));
    end
    for (i = 0; i < AWidth - ASigned; i = i + 1) begin
      if (BSigned != 0) correction = correction - (lanes << (BWidth - 1 + i));
    end
  endfunction

  /// Partial products of one product in column c.
  function automatic integer count(input integer c);
    integer first;
    integer last;
    first = c > BWidth - 1 ? c - (BWidth - 1) : 0;
    last = c < AWidth - 1 ? c : AWidth - 1;
    count = last < first ? 0 : last - first + 1;
  endfunction

  localparam logic [SumWidth-1:0] Correction = correction(SumWidth'(Lanes));

  function automatic [SumWidth*10-1:0] heights(input integer lanes);
    integer c;
    logic [9:0] height;
    heights = '0;
    for (c = 0; c < SumWidth; c = c + 1) begin
      height = 10'(lanes * count(c)) + 10'(UseAddend != 0) + 10'(Correction[c]);
      heights[c*10 +: 10] = height;
    end
  endfunction

  localparam logic [SumWidth*10-1:0] Heights = heights(Lanes);

  if (Body == loom_pkg::BODY_BEHAVIOURAL) begin : gen_behavioural
    localparam int ProductWidth = AWidth + BWidth;
    logic signed [AWidth:0] a;
    logic signed [BWidth:0] b;
    logic signed [ProductWidth-1:0] product;
    always_comb begin
      a = '0;
      b = '0;
      product = '0;
      sum_o = UseAddend != 0 ? addend_i : '0;
      for (int l = 0; l < Lanes; l++) begin
        a = {ASigned != 0 && a_i[l*AWidth+AWidth-1], a_i[l*AWidth +: AWidth]};
        b = {BSigned != 0 && b_i[l*BWidth+BWidth-1], b_i[l*BWidth +: BWidth]};
        product = ProductWidth'(a) * ProductWidth'(b);
        sum_o = sum_o + (ASigned != 0 || BSigned != 0 ? SumWidth'(product) :
                                                        SumWidth'(unsigned'(product)));
      end
    end
  end else begin : gen_structural

    logic [SumWidth*MaxHeight-1:0] heap;

    for (genvar c = 0; c < SumWidth; c++) begin : gen_column
      localparam int Count = count(c);
      localparam int First = c > BWidth - 1 ? c - (BWidth - 1) : 0;
      localparam int Top = c * MaxHeight + Lanes * Count;
      localparam int Addends = UseAddend != 0 ? 1 : 0;
      for (genvar l = 0; l < Lanes; l++) begin : gen_lane
        for (genvar k = 0; k < Count; k++) begin : gen_partial
          localparam int I = First + k;
          localparam int J = c - I;
          localparam bit Inverted = (ASigned != 0 && I == AWidth - 1) !=
                                    (BSigned != 0 && J == BWidth - 1);
          assign heap[c*MaxHeight+l*Count+k] = (a_i[l*AWidth+I] & b_i[l*BWidth+J]) ^ Inverted;
        end
      end
      if (Addends != 0) begin : gen_addend
        assign heap[Top] = addend_i[c];
      end
      for (genvar k = Addends; k < MaxHeight - Lanes * Count; k++) begin : gen_rest
        assign heap[Top+k] = k == Addends && Correction[c];
      end
    end

    loom_bit_heap #(
      .Columns  (SumWidth),
      .MaxHeight(MaxHeight),
      .Heights  (Heights),
      .Adder    (Adder)
    ) u_heap (
      .bits_i(heap),
      .sum_o
    );

    if (UseAddend == 0) begin : gen_no_addend
      logic unused_addend;
      assign unused_addend = ^addend_i;
    end
  end

endmodule
