// SPDX-License-Identifier: Apache-2.0

/// The multiplier of the widest requantization lane: signed 33 x unsigned 31 bits.
module multiplier_wide (
  input  logic [32:0] a_i,
  input  logic [30:0] b_i,
  output logic [63:0] product_o
);

  loom_multiplier #(
    .AWidth (33),
    .BWidth (31),
    .BSigned(0)
  ) u_multiplier (
    .a_i,
    .b_i,
    .product_o
  );

endmodule
