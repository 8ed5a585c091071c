// Replaces a memory by an instance that only sees what counts: addresses of enabled ports, enabled
// data. Its content is free, so its outputs are inputs of the proof. That module must not be in this
// file: techmap would replace the instance by the module's text.
(* techmap_celltype = "$mem_v2" *)
module cut_memory_map (RD_CLK, RD_EN, RD_ARST, RD_SRST, RD_ADDR, RD_DATA, WR_CLK, WR_EN, WR_ADDR, WR_DATA);
  parameter MEMID = "";
  parameter SIZE = 0;
  parameter OFFSET = 0;
  parameter ABITS = 1;
  parameter WIDTH = 1;
  parameter INIT = 0;
  parameter RD_PORTS = 1;
  parameter RD_CLK_ENABLE = 0;
  parameter RD_CLK_POLARITY = 0;
  parameter RD_TRANSPARENCY_MASK = 0;
  parameter RD_COLLISION_X_MASK = 0;
  parameter RD_WIDE_CONTINUATION = 0;
  parameter RD_CE_OVER_SRST = 0;
  parameter RD_ARST_VALUE = 0;
  parameter RD_SRST_VALUE = 0;
  parameter RD_INIT_VALUE = 0;
  parameter WR_PORTS = 1;
  parameter WR_CLK_ENABLE = 0;
  parameter WR_CLK_POLARITY = 0;
  parameter WR_PRIORITY_MASK = 0;
  parameter WR_WIDE_CONTINUATION = 0;
  input [RD_PORTS-1:0] RD_CLK, RD_EN, RD_ARST, RD_SRST;
  input [RD_PORTS*ABITS-1:0] RD_ADDR;
  output [RD_PORTS*WIDTH-1:0] RD_DATA;
  input [WR_PORTS-1:0] WR_CLK;
  input [WR_PORTS*WIDTH-1:0] WR_EN;
  input [WR_PORTS*ABITS-1:0] WR_ADDR;
  input [WR_PORTS*WIDTH-1:0] WR_DATA;
  wire [RD_PORTS*ABITS-1:0] raddr;
  wire [WR_PORTS*ABITS-1:0] waddr;
  genvar p;
  for (p = 0; p < RD_PORTS; p = p + 1) begin : gen_read
    assign raddr[p*ABITS +: ABITS] = RD_EN[p] ? RD_ADDR[p*ABITS +: ABITS] : 0;
  end
  for (p = 0; p < WR_PORTS; p = p + 1) begin : gen_write
    assign waddr[p*ABITS +: ABITS] = |WR_EN[p*WIDTH +: WIDTH] ? WR_ADDR[p*ABITS +: ABITS] : 0;
  end
  cut_memory #(.ReadBits(RD_PORTS * WIDTH), .Others(RD_PORTS * (3 + ABITS) + WR_PORTS * (2 * WIDTH + ABITS))) cut (
    .data_o (RD_DATA),
    .given_i({RD_EN, RD_ARST, RD_SRST, raddr, WR_EN, waddr, WR_DATA & WR_EN})
  );
endmodule
