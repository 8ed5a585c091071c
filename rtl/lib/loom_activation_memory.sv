// SPDX-License-Identifier: Apache-2.0

/// The on-chip activation memory: a flat space of Words words of Lanes bytes in Banks banks.
///
/// Word a lies in bank a mod Banks at row a / Banks; the address bits above the size are ignored.
/// Every bank has one read port, addressed by the reader bank by bank, and one write port shared
/// by three clients: client 0 before 1 before 2, and only clients that address the same bank
/// compete. The probe shows what the bank write ports do, for the comparison with a software model.
///
/// Latency  1 cycle from `re_i` to `rdata_o`; grants and the probe are combinational. A word
///          written in one cycle can be read from the next cycle on.
/// Golden   none; the second model is a map of bytes in the test.
/// Test     tests/rtl/loom_activation_memory_test.cc
module loom_activation_memory #(
  /// Banks, a power of two, 1 to 8.
  parameter int Banks = 2,
  /// Words of all banks together, a power of two, 2*Banks to 65536.
  parameter int Words = 4096,
  /// Bytes of a word: 8, 16 or 32.
  parameter int Lanes = 16,
  /// Bits of an activation code, 2 to 8; a byte on the ports is the sign-extended code.
  parameter int ActBits = 8
) (
  /// Clock, rising edge.
  input  logic                     clk_i,
  /// Reads bank b.
  input  logic [Banks-1:0]         re_i,
  /// Row of bank b (word address / Banks) at bits [b*16 +: 16].
  input  logic [Banks*16-1:0]      raddr_i,
  /// The word last read from bank b at bits [b*Lanes*8 +: Lanes*8].
  output logic [Banks*Lanes*8-1:0] rdata_o,
  /// Client c wants to write; it holds its request until `wready_o[c]`.
  input  logic [2:0]               we_i,
  /// Word address of client c at bits [c*16 +: 16].
  input  logic [3*16-1:0]          waddr_i,
  /// Byte enables of client c at bits [c*Lanes +: Lanes].
  input  logic [3*Lanes-1:0]       be_i,
  /// Data of client c at bits [c*Lanes*8 +: Lanes*8].
  input  logic [3*Lanes*8-1:0]     wdata_i,
  /// The write of client c is done in this cycle (if `we_i[c]`). Bit 0 is always set.
  output logic [2:0]               wready_o,
  /// Bank b is written in this cycle.
  output logic [Banks-1:0]         probe_we_o,
  /// Address written in the flat space, less than Words, at bits [b*16 +: 16].
  output logic [Banks*16-1:0]      probe_addr_o,
  /// Byte enables of the write at bits [b*Lanes +: Lanes].
  output logic [Banks*Lanes-1:0]   probe_be_o,
  /// Data of the write at bits [b*Lanes*8 +: Lanes*8].
  output logic [Banks*Lanes*8-1:0] probe_data_o
);

  if (Banks < 1 || Banks > 8 || (Banks & (Banks - 1)) != 0) begin : gen_bad_banks
    $error("loom_activation_memory: Banks must be a power of two from 1 to 8");
  end
  if (Words < 2 * Banks || Words > 65536 || (Words & (Words - 1)) != 0) begin : gen_bad_words
    $error("loom_activation_memory: Words must be a power of two from 2*Banks to 65536");
  end
  if (Lanes != 8 && Lanes != 16 && Lanes != 32) begin : gen_bad_lanes
    $error("loom_activation_memory: Lanes must be 8, 16 or 32");
  end
  if (ActBits < 2 || ActBits > 8) begin : gen_bad_act_bits
    $error("loom_activation_memory: ActBits must be 2 to 8");
  end

  localparam int BankBits = $clog2(Banks);
  localparam int Depth = Words / Banks;
  localparam int AddrBits = $clog2(Depth);
  localparam logic [15:0] BankMask = 16'(Banks - 1);
  localparam logic [15:0] WordMask = 16'(Words - 1);

  ////////////
  // Grants //
  ////////////

  logic [15:0] bank0;
  logic [15:0] bank1;
  logic [15:0] bank2;

  assign bank0 = waddr_i[0*16 +: 16] & BankMask;
  assign bank1 = waddr_i[1*16 +: 16] & BankMask;
  assign bank2 = waddr_i[2*16 +: 16] & BankMask;

  assign wready_o[0] = 1'b1;
  assign wready_o[1] = !(we_i[0] && bank0 == bank1);
  assign wready_o[2] = !((we_i[0] && bank0 == bank2) || (we_i[1] && bank1 == bank2));

  ///////////
  // Banks //
  ///////////

  logic unused_address;
  assign unused_address = ^{raddr_i, 1'b0};

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    logic                select0;
    logic                select1;
    logic                select2;
    logic                we;
    logic [15:0]         waddr;
    logic [Lanes-1:0]    be;
    logic [Lanes*8-1:0]  wdata;
    logic [Lanes*ActBits-1:0] stored;
    logic [Lanes*ActBits-1:0] fetched;

    assign select0 = we_i[0] && bank0 == 16'(b);
    assign select1 = we_i[1] && bank1 == 16'(b);
    assign select2 = we_i[2] && bank2 == 16'(b);

    assign we = select0 || select1 || select2;
    assign waddr = WordMask & (select0 ? waddr_i[0*16 +: 16] :
                               select1 ? waddr_i[1*16 +: 16] : waddr_i[2*16 +: 16]);
    assign be = select0 ? be_i[0*Lanes +: Lanes] :
                select1 ? be_i[1*Lanes +: Lanes] : be_i[2*Lanes +: Lanes];
    assign wdata = select0 ? wdata_i[0*Lanes*8 +: Lanes*8] :
                   select1 ? wdata_i[1*Lanes*8 +: Lanes*8] : wdata_i[2*Lanes*8 +: Lanes*8];

    assign probe_we_o[b] = we;
    assign probe_addr_o[b*16 +: 16] = waddr;
    assign probe_be_o[b*Lanes +: Lanes] = be;

    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      assign stored[l*ActBits +: ActBits] = wdata[l*8 +: ActBits];
      assign probe_data_o[(b*Lanes+l)*8 +: 8] = 8'(signed'(stored[l*ActBits +: ActBits]));
      assign rdata_o[(b*Lanes+l)*8 +: 8] = 8'(signed'(fetched[l*ActBits +: ActBits]));
    end
    if (ActBits < 8) begin : gen_narrow
      logic unused_data;
      assign unused_data = ^wdata;
    end

    loom_sram_1r1w #(
      .Depth     (Depth),
      .WidthBytes(Lanes),
      .LaneBits  (ActBits)
    ) u_sram (
      .clk_i,
      .re_i   (re_i[b]),
      .raddr_i(raddr_i[b*16 +: AddrBits]),
      .rdata_o(fetched),
      .we_i   (we),
      .waddr_i(waddr[BankBits +: AddrBits]),
      .be_i   (be),
      .wdata_i(stored)
    );
  end

endmodule
