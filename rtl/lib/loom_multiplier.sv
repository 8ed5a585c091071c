// SPDX-License-Identifier: Apache-2.0

/// Multiplier with one interface and two bodies: `*`, or a carry-save tree of partial products.
///
///   product_o = a_i * b_i
///
/// The behavioural body is for simulators and for FPGA (a DSP block is inferred from `*`), the
/// structural one for standard cells. Both give the same bits.
///
/// Latency  none, combinational.
/// Golden   docs/accelerator.md, "Arithmetic units"
/// Test     tests/rtl/loom_multiplier_test.cc
module loom_multiplier #(
  /// Bits of factor a, 2 to 48.
  parameter int AWidth = 8,
  /// Bits of factor b, 2 to 48.
  parameter int BWidth = 8,
  /// Factor a is two's complement.
  parameter int ASigned = 1,
  /// Factor b is two's complement.
  parameter int BSigned = 1,
  /// loom_pkg::BODY_BEHAVIOURAL or loom_pkg::BODY_STRUCTURAL.
  parameter int Body = loom_pkg::BODY_STRUCTURAL,
  /// Structural: adder of the last two rows, as in loom_bit_heap.
  parameter int Adder = loom_pkg::ADDER_RIPPLE
) (
  /// Factor a.
  input  logic [AWidth-1:0]        a_i,
  /// Factor b.
  input  logic [BWidth-1:0]        b_i,
  /// Product; two's complement if one of the factors is.
  output logic [AWidth+BWidth-1:0] product_o
);

  loom_dot #(
    .Lanes    (1),
    .AWidth   (AWidth),
    .BWidth   (BWidth),
    .ASigned  (ASigned),
    .BSigned  (BSigned),
    .SumWidth (AWidth + BWidth),
    .UseAddend(0),
    .Body     (Body),
    .Adder    (Adder)
  ) u_dot (
    .a_i,
    .b_i,
    .addend_i('0),
    .sum_o   (product_o)
  );

endmodule
