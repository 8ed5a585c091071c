// SPDX-License-Identifier: Apache-2.0

/// Exact or aligned sum of products of minifloats, as a fixed-point number.
///
///   T     = largest shift of the lanes in use;  g = Align ? max(Drop, T - AlignBits) : Drop
///   sum_o + carry_o = sum over the lanes in use of (sign ? -1 : 1) * floor(significand * 2^shift / 2^g)
///                     * 2^(g - Drop)
///
/// in units of 2^Drop grid steps; one unaligned lane leaves the last addition of its negation, the
/// carry, to the accumulator, otherwise `carry_o` is 0. Without Align and with Drop = 0 the sum is exact.
///
/// Latency  none, combinational.
/// Golden   docs/numerics.md, section 9.4
/// Test     tests/rtl/loom_fp_sum_test.cc
module loom_fp_sum #(
  /// Products, 1 to 32.
  parameter int Lanes = 4,
  /// Bits of a significand.
  parameter int SigWidth = 8,
  /// Bits of a shift.
  parameter int ShiftWidth = 5,
  /// Largest shift of finite codes.
  parameter int MaxShift = 28,
  /// Low bits dropped from every product, 0 to MaxShift + SigWidth - 1.
  parameter int Drop = 0,
  /// 1: products are aligned to the largest shift of the step, and bits below AlignBits dropped.
  parameter int Align = 0,
  /// Bits kept below the last bit of the product with the largest shift.
  parameter int AlignBits = 4,
  /// loom_pkg::BODY_BEHAVIOURAL or loom_pkg::BODY_STRUCTURAL.
  parameter int Body = loom_pkg::BODY_STRUCTURAL,
  /// Structural: adder of the last two rows, as in loom_bit_heap.
  parameter int Adder = loom_pkg::ADDER_RIPPLE,
  /// Dependent parameter, do not override. Bits of a magnitude in units of 2^Drop.
  localparam int FixedWidth = SigWidth + MaxShift - Drop,
  /// Dependent parameter, do not override. Bits of the sum.
  localparam int SumWidth = FixedWidth + $clog2(Lanes) + 1
) (
  /// Lane counts.
  input  logic [Lanes-1:0]            valid_i,
  /// Signs.
  input  logic [Lanes-1:0]            sign_i,
  /// Significands, lane l at bits [l*SigWidth +: SigWidth].
  input  logic [Lanes*SigWidth-1:0]   significand_i,
  /// Shifts, lane l at bits [l*ShiftWidth +: ShiftWidth].
  input  logic [Lanes*ShiftWidth-1:0] shift_i,
  /// Sum.
  output logic [SumWidth-1:0]         sum_o,
  /// One more.
  output logic                        carry_o
);

  if (Lanes < 1 || Lanes > 32) begin : gen_bad_lanes
    $error("loom_fp_sum: Lanes must be 1 to 32");
  end
  if (MaxShift < 0 || MaxShift >= 1 << ShiftWidth) begin : gen_bad_max_shift
    $error("loom_fp_sum: MaxShift must be below 2^ShiftWidth");
  end
  if (Drop < 0 || Drop > MaxShift + SigWidth - 1) begin : gen_bad_drop
    $error("loom_fp_sum: Drop must be 0 to MaxShift + SigWidth - 1");
  end
  if (AlignBits < 0 || AlignBits > 127) begin : gen_bad_align_bits
    $error("loom_fp_sum: AlignBits must be 0 to 127");
  end

  // Aligned magnitudes are as wide as a significand and AlignBits, others as the whole range.
  localparam int Kept = SigWidth + AlignBits;
  localparam int IsAligned = Align != 0 && Kept < FixedWidth ? 1 : 0;
  localparam int TermWidth = IsAligned != 0 ? Kept : FixedWidth;
  localparam int TotalWidth = TermWidth + $clog2(Lanes) + 1;
  localparam int GridWidth = ShiftWidth + 8;

  // A column of the tree: one bit of each lane and, in column 0, the carry of each negation.
  localparam int MaxHeight = 2 * Lanes + 1;

  /// Sign bits have negative weight: inverted, with minus their weights as a constant.
  localparam logic [TotalWidth-1:0] Correction = -(TotalWidth'(Lanes) << TermWidth);

  function automatic [TotalWidth*10-1:0] heights(input [9:0] lanes);
    integer c;
    logic [9:0] height;
    heights = '0;
    for (c = 0; c < TotalWidth; c = c + 1) begin
      height = 10'(Correction[c]);
      if (c <= TermWidth) height = height + lanes;
      if (c == 0) height = height + lanes;
      heights[c*10 +: 10] = height;
    end
  endfunction

  localparam logic [TotalWidth*10-1:0] Heights = heights(10'(Lanes));

  ///////////////
  // Alignment //
  ///////////////

  logic [ShiftWidth-1:0]      largest;
  logic [GridWidth-1:0]       grid;
  logic [Lanes*TermWidth-1:0] magnitude;
  logic [Lanes-1:0]           negative;
  logic [TotalWidth-1:0]      total;
  assign negative = sign_i & valid_i;

  if (IsAligned != 0) begin : gen_aligned
    // Right shift of {significand, AlignBits zeros} by g + AlignBits - shift, g at least Drop.
    logic [GridWidth-1:0] right;
    logic [TermWidth-1:0] wide;
    always_comb begin
      largest = '0;
      for (int l = 0; l < Lanes; l++) begin
        if (valid_i[l] && shift_i[l*ShiftWidth +: ShiftWidth] > largest) begin
          largest = shift_i[l*ShiftWidth +: ShiftWidth];
        end
      end
      grid = GridWidth'(Drop + AlignBits);
      if (GridWidth'(largest) > grid) grid = GridWidth'(largest);
      right = '0;
      wide = '0;
      magnitude = '0;
      for (int l = 0; l < Lanes; l++) begin
        right = grid - GridWidth'(shift_i[l*ShiftWidth +: ShiftWidth]);
        wide = TermWidth'(significand_i[l*SigWidth +: SigWidth]) << AlignBits;
        if (valid_i[l]) magnitude[l*TermWidth +: TermWidth] = wide >> right;
      end
    end
    assign sum_o = SumWidth'(signed'(total)) << (grid - GridWidth'(Drop + AlignBits));
  end else begin : gen_fixed
    logic [SigWidth+MaxShift-1:0] wide;
    always_comb begin
      wide = '0;
      magnitude = '0;
      for (int l = 0; l < Lanes; l++) begin
        wide = (SigWidth+MaxShift)'(significand_i[l*SigWidth +: SigWidth])
               << shift_i[l*ShiftWidth +: ShiftWidth];
        if (valid_i[l]) magnitude[l*TermWidth +: TermWidth] = wide[SigWidth+MaxShift-1:Drop];
      end
    end
    assign largest = '0;
    assign grid = '0;
    assign sum_o = total;
    logic unused_grid;
    assign unused_grid = ^{largest, grid, wide};
  end

  //////////
  // Tree //
  //////////

  assign carry_o = Lanes == 1 && IsAligned == 0 && negative[0];

  if (Lanes == 1 && IsAligned == 0) begin : gen_single
    assign total = {1'b0, magnitude} ^ {TotalWidth{negative[0]}};
  end else if (Body == loom_pkg::BODY_BEHAVIOURAL) begin : gen_behavioural
    always_comb begin
      total = '0;
      for (int l = 0; l < Lanes; l++) begin
        if (negative[l]) total = total - TotalWidth'(magnitude[l*TermWidth +: TermWidth]);
        else total = total + TotalWidth'(magnitude[l*TermWidth +: TermWidth]);
      end
    end
  end else begin : gen_structural
    logic [TotalWidth*MaxHeight-1:0] heap;
    for (genvar c = 0; c < TotalWidth; c++) begin : gen_column
      localparam int Terms = c <= TermWidth ? Lanes : 0;
      localparam int Carries = c == 0 ? Lanes : 0;
      localparam int At = c * MaxHeight;
      for (genvar l = 0; l < Terms; l++) begin : gen_term
        if (c < TermWidth) begin : gen_bit
          assign heap[At+l] = magnitude[l*TermWidth+c] ^ negative[l];
        end else begin : gen_sign
          assign heap[At+l] = !negative[l];
        end
      end
      for (genvar l = 0; l < Carries; l++) begin : gen_carry
        assign heap[At+Terms+l] = negative[l];
      end
      for (genvar i = Terms + Carries; i < MaxHeight; i++) begin : gen_rest
        assign heap[At+i] = i == Terms + Carries && Correction[c];
      end
    end
    loom_bit_heap #(
      .Columns  (TotalWidth),
      .MaxHeight(MaxHeight),
      .Heights  (Heights),
      .Adder    (Adder)
    ) u_heap (
      .bits_i(heap),
      .sum_o (total)
    );
  end

endmodule
