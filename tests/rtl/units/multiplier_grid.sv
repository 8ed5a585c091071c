// SPDX-License-Identifier: Apache-2.0

/// Structural multipliers of several widths and signs side by side: number k = 4*w + 2*b + a, widths
/// w of the table, a and b tell which factors are signed. Both last adders are used.
module multiplier_grid (
  input  logic [7:0]       a_i,
  input  logic [7:0]       b_i,
  /// Product k at bits [k*16 +: 16], zeros above.
  output logic [28*16-1:0] product_o
);

  localparam logic [7*8-1:0] Widths = {8'h88, 8'h76, 8'h84, 8'h48, 8'h44, 8'h35, 8'h22};

  for (genvar k = 0; k < 28; k++) begin : gen_multiplier
    localparam int AWidth = 32'(Widths[(k/4)*8+4 +: 4]);
    localparam int BWidth = 32'(Widths[(k/4)*8 +: 4]);
    logic [AWidth+BWidth-1:0] product;
    loom_multiplier #(
      .AWidth (AWidth),
      .BWidth (BWidth),
      .ASigned(k % 2),
      .BSigned((k / 2) % 2),
      .Adder  ((k / 4) % 2)
    ) u_multiplier (
      .a_i(a_i[AWidth-1:0]),
      .b_i(b_i[BWidth-1:0]),
      .product_o(product)
    );
    assign product_o[k*16 +: 16] = 16'(product);
  end

endmodule
