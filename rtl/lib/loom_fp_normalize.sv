// SPDX-License-Identifier: Apache-2.0

/// Shifts a number left until its first bit is 1.
///
///   value_o = value_i * 2^zeros_o,  zeros_o = leading zeros of value_i, at most limit_i
///
/// All zeros: value_o is 0, and zeros_o is limit_i or the largest count that the stages give.
///
/// Latency  none, combinational.
/// Golden   docs/numerics.md, section 9
/// Test     tests/rtl/loom_fp_normalize_test.cc
module loom_fp_normalize #(
  /// Bits of the number, at least 2.
  parameter int Width = 12,
  /// Bits of the limit; 0: no limit, `limit_i` is ignored.
  parameter int LimitWidth = 5,
  /// Dependent parameter, do not override. Bits of a count of zeros.
  localparam int CountWidth = $clog2(Width),
  /// Dependent parameter, do not override. Bits of the limit on the port.
  localparam int LimitBits = LimitWidth > 0 ? LimitWidth : 1
) (
  /// Number.
  input  logic [Width-1:0]      value_i,
  /// Largest shift.
  input  logic [LimitBits-1:0]  limit_i,
  /// Shifted number.
  output logic [Width-1:0]      value_o,
  /// Shift.
  output logic [CountWidth-1:0] zeros_o
);

  if (Width < 2) begin : gen_bad_width
    $error("loom_fp_normalize: Width must be at least 2");
  end

  // One stage for each bit of the count, the largest first. What is left of the limit is compared
  // by its high bits alone.
  logic [Width-1:0]                value;
  logic [CountWidth+LimitBits-1:0] left;
  logic                            may;
  always_comb begin
    value = value_i;
    left = (CountWidth+LimitBits)'(limit_i);
    zeros_o = '0;
    may = 1'b0;
    for (int k = CountWidth - 1; k >= 0; k--) begin
      may = LimitWidth == 0 || left >> k != 0;
      if (may && (value >> (Width - (1 << k))) == 0) begin
        value = value << (1 << k);
        zeros_o[k] = 1'b1;
        left = left - ((CountWidth+LimitBits)'(1) << k);
      end
    end
    value_o = value;
  end

endmodule
