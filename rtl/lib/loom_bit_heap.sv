// SPDX-License-Identifier: Apache-2.0

/// Sum of bits of any weights: a carry-save tree after Dadda and one adder.
///
///   sum_o = sum over columns c and i < height(c) of bits_i[c*MaxHeight + i] * 2^c  (mod 2^Columns)
///
/// Full and half adders reduce the columns to at most 2 bits in the stages 2, 3, 4, 6, 9, 13, ...;
/// what carries out of the last column is dropped. Written for synthesis: simulators are slow on it.
///
/// Latency  none, combinational.
/// Golden   docs/accelerator.md, "Arithmetic units"
/// Test     tests/rtl/loom_bit_heap_test.cc
module loom_bit_heap #(
  /// Bits of the sum.
  parameter int Columns = 8,
  /// Bits of a column on the port, 1 to 1023.
  parameter int MaxHeight = 6,
  /// Bits in use of column c, at most MaxHeight, in Heights[c*10 +: 10].
  parameter logic [Columns*10-1:0] Heights = {Columns{10'd6}},
  /// Adder of the last two rows: loom_pkg::ADDER_RIPPLE or loom_pkg::ADDER_OPERATOR (`+`).
  parameter int Adder = loom_pkg::ADDER_RIPPLE
) (
  /// Column c at bits [c*MaxHeight +: MaxHeight].
  input  logic [Columns*MaxHeight-1:0] bits_i,
  /// Sum.
  output logic [Columns-1:0]           sum_o
);

  if (MaxHeight < 1 || MaxHeight > 1023) begin : gen_bad_max_height
    $error("loom_bit_heap: MaxHeight must be 1 to 1023");
  end
  if (Adder < 0 || Adder > 1) begin : gen_bad_adder
    $error("loom_bit_heap: Adder must be 0 or 1");
  end

  /// Stages that bring every height up to `height` to 2.
  function automatic integer num_stages(input integer height);
    integer at;
    num_stages = 0;
    at = 2;
    while (at < height) begin
      at = at * 3 / 2;
      num_stages = num_stages + 1;
    end
  endfunction

  localparam int Stages = num_stages(MaxHeight);
  localparam int RowBits = Columns * 10;

  /// Largest height after stage s of Stages: 2 after the last, before it 3, 4, 6, 9, 13, ...
  function automatic integer goal(input integer s);
    integer i;
    goal = 2;
    for (i = 0; i < Stages - 1 - s; i = i + 1) goal = goal * 3 / 2;
  endfunction

  /// For stage s and column c, in slot s*Columns + c: {adders, height before the stage}, 10 bits
  /// each. The adders of a column are full adders and, if its excess is odd, one half adder.
  function automatic [(Stages+1)*2*RowBits-1:0] plan_stages(input [RowBits-1:0] heights);
    integer s;
    integer c;
    integer limit;
    integer carry;
    integer height;
    logic [9:0] adders;
    plan_stages = '0;
    for (c = 0; c < Columns; c = c + 1) plan_stages[c*20 +: 10] = heights[c*10 +: 10];
    for (s = 0; s < Stages; s = s + 1) begin
      limit = goal(s);
      carry = 0;
      for (c = 0; c < Columns; c = c + 1) begin
        height = {22'd0, plan_stages[(s*Columns+c)*20 +: 10]};
        height = height + carry;
        adders = height > limit ? 10'((height - limit + 1) / 2) : 10'd0;
        if (height > limit) height = limit;
        plan_stages[(s*Columns+c)*20+10 +: 10] = adders;
        plan_stages[((s+1)*Columns+c)*20 +: 10] = height[9:0];
        carry = {22'd0, adders};
      end
    end
  endfunction

  localparam logic [(Stages+1)*2*RowBits-1:0] Plan = plan_stages(Heights);

  // Order in a column of the next stage: bits left alone, sums, carries of the column below.
  for (genvar s = 0; s <= Stages; s++) begin : gen_stage
    logic [Columns*MaxHeight-1:0] heap;
    if (s == 0) begin : gen_input
      assign heap = bits_i;
    end
    if (s < Stages) begin : gen_adders
      for (genvar c = 0; c < Columns; c++) begin : gen_column
        localparam int Height = 32'(Plan[(s*Columns+c)*20 +: 10]);
        localparam int Adders = 32'(Plan[(s*Columns+c)*20+10 +: 10]);
        localparam int Carries = c == 0 ? 0 : 32'(Plan[(s*Columns+(c == 0 ? 0 : c-1))*20+10 +: 10]);
        localparam int Next = 32'(Plan[((s+1)*Columns+c)*20 +: 10]);
        // Bits removed: two by a full adder, one by a half adder.
        localparam int Halves = (Height + Carries - Next) % 2;
        localparam int Used = 3 * Adders - Halves;
        localparam int Alone = Height - Used;
        localparam int At = c * MaxHeight;
        logic [Adders:0] carry;
        assign carry[Adders] = 1'b0;
        // Nobody reads the carries of the last column.
        logic unused_carry;
        assign unused_carry = ^carry;
        for (genvar i = 0; i < Alone; i++) begin : gen_alone
          assign gen_stage[s+1].heap[At+i] = heap[At+Used+i];
        end
        for (genvar i = 0; i < Adders; i++) begin : gen_adder
          if (i < Adders - Halves) begin : gen_full
            logic x, y, z;
            assign x = heap[At+3*i];
            assign y = heap[At+3*i+1];
            assign z = heap[At+3*i+2];
            assign gen_stage[s+1].heap[At+Alone+i] = x ^ y ^ z;
            assign carry[i] = (x & y) | ((x ^ y) & z);
          end else begin : gen_half
            logic x, y;
            assign x = heap[At+3*i];
            assign y = heap[At+3*i+1];
            assign gen_stage[s+1].heap[At+Alone+i] = x ^ y;
            assign carry[i] = x & y;
          end
        end
        for (genvar i = 0; i < Carries; i++) begin : gen_carry
          assign gen_stage[s+1].heap[At+Alone+Adders+i] = gen_column[c-1].carry[i];
        end
        for (genvar i = Next; i < MaxHeight; i++) begin : gen_unused
          assign gen_stage[s+1].heap[At+i] = 1'b0;
        end
      end
    end
  end

  logic [Columns-1:0] row_a;
  logic [Columns-1:0] row_b;
  for (genvar c = 0; c < Columns; c++) begin : gen_rows
    localparam int Height = 32'(Plan[(Stages*Columns+c)*20 +: 10]);
    assign row_a[c] = Height > 0 && gen_stage[Stages].heap[c*MaxHeight];
    assign row_b[c] = Height > 1 && gen_stage[Stages].heap[c*MaxHeight+(MaxHeight > 1 ? 1 : 0)];
  end

  if (Adder == loom_pkg::ADDER_RIPPLE) begin : gen_ripple
    logic carry;
    always_comb begin
      carry = 1'b0;
      for (int c = 0; c < Columns; c++) begin
        sum_o[c] = row_a[c] ^ row_b[c] ^ carry;
        carry = (row_a[c] & row_b[c]) | ((row_a[c] ^ row_b[c]) & carry);
      end
    end
  end else begin : gen_operator
    assign sum_o = row_a + row_b;
  end

endmodule
