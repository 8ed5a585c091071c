// SPDX-License-Identifier: Apache-2.0

/// One multiply-accumulate unit: Lanes products, one accumulator.
module fp_mac #(
  parameter int Lanes = 1,
  parameter int Exp = 4,
  parameter int Man = 3,
  parameter int Bias = 7,
  parameter int Specials = 1,
  parameter int AccKind = 0,
  parameter int AccWidth = 45,
  parameter int Drop = 0,
  parameter int Align = 0,
  parameter int AlignBits = 4,
  parameter int AccExp = 5,
  parameter int AccMan = 10,
  parameter int Body = 0,
  localparam int AccBits = AccKind == 1 ? 1 + AccExp + AccMan : AccWidth
) (
  input  logic               clk_i,
  input  logic               first_i,
  input  logic               saturate_i,
  input  logic [15:0]        valid_i,
  input  logic [127:0]       act_i,
  input  logic [127:0]       weight_i,
  input  logic [AccBits-1:0] start_i,
  output logic [AccBits-1:0] acc_o,
  output logic               event_o
);

  localparam int SigWidth = 2 * Man + 2;
  localparam int MaxShift = 2 * ((1 << Exp) - (Specials == 2 ? 3 : 2));

  logic [Lanes-1:0]            sign;
  logic [Lanes*SigWidth-1:0]   significand;
  logic [Lanes*(Exp+1)-1:0]    shift;
  logic [AccBits-1:0]          acc_d;
  logic                        event_d;
  for (genvar l = 0; l < Lanes; l++) begin : gen_product
    logic unused_nan, unused_inf;
    loom_fp_multiplier #(
      .AExp(Exp), .AMan(Man), .ASpecials(Specials), .BExp(Exp), .BMan(Man), .BSpecials(Specials), .Body(Body)
    ) u_multiplier (
      .a_i(act_i[l*8 +: 1+Exp+Man]), .b_i(weight_i[l*8 +: 1+Exp+Man]), .sign_o(sign[l]),
      .significand_o(significand[l*SigWidth +: SigWidth]), .shift_o(shift[l*(Exp+1) +: Exp+1]),
      .nan_o(unused_nan), .inf_o(unused_inf)
    );
  end
  loom_fp_accumulate #(
    .Lanes(Lanes), .SigWidth(SigWidth), .ShiftWidth(Exp + 1), .MaxShift(MaxShift), .Drop(Drop),
    .Align(Align), .AlignBits(AlignBits), .AccKind(AccKind), .AccWidth(AccWidth), .AccExp(AccExp),
    .AccMan(AccMan), .GridLsb(2 * (1 - Bias - Man)), .Registered(0), .Body(Body)
  ) u_accumulate (
    .clk_i, .load_i(1'b0), .valid_i(valid_i[Lanes-1:0]), .sign_i(sign), .significand_i(significand),
    .shift_i(shift), .base_i(first_i ? start_i : acc_o), .saturate_i, .acc_o(acc_d), .event_o(event_d)
  );
  always_ff @(posedge clk_i) begin
    acc_o <= acc_d;
    event_o <= event_d;
  end

endmodule

/// Unit k = 4*format + kind, formats e4m3, e5m2, e3m4, e2m5, e3m2, e2m3, e2m1; kinds exact, cut
/// (aligned in every second format), FP16, FP32. Lanes 1, 4 and 16 in turn.
module fp_accumulate_grid (
  input  logic             clk_i,
  input  logic             first_i,
  input  logic             saturate_i,
  input  logic [15:0]      valid_i,
  input  logic [127:0]     act_i,
  input  logic [127:0]     weight_i,
  /// Start value of unit k at bits [k*96 +: 96].
  input  logic [28*96-1:0] start_i,
  /// Accumulator of unit k at bits [k*96 +: 96], zeros above.
  output logic [28*96-1:0] acc_o,
  output logic [27:0]      event_o
);

  // {Exp, Man, Bias, Specials, exact width, dropped bits} of format 0 in the last line.
  localparam logic [7*40-1:0] Formats = {
    {4'd2, 4'd1, 4'd1,  4'd0, 12'd14, 12'd2},
    {4'd2, 4'd3, 4'd1,  4'd0, 12'd21, 12'd4},
    {4'd3, 4'd2, 4'd3,  4'd0, 12'd28, 12'd6},
    {4'd2, 4'd5, 4'd1,  4'd0, 12'd25, 12'd7},
    {4'd3, 4'd4, 4'd3,  4'd0, 12'd31, 12'd9},
    {4'd5, 4'd2, 4'd15, 4'd2, 12'd75, 12'd40},
    {4'd4, 4'd3, 4'd7,  4'd1, 12'd45, 12'd13}
  };

  for (genvar k = 0; k < 28; k++) begin : gen_unit
    localparam int At = (k / 4) * 40;
    localparam int Kind = k % 4;
    localparam int Exact = 32'(Formats[At+12 +: 12]);
    localparam int Dropped = 32'(Formats[At +: 12]);
    localparam int AccWidth = Kind == 1 ? (Exact > 40 ? 32 : Exact - Dropped + 2) : Exact;
    localparam int AccBits = Kind == 2 ? 16 : Kind == 3 ? 32 : AccWidth;
    logic [AccBits-1:0] acc;
    fp_mac #(
      .Lanes   ((k + k / 4) % 3 == 0 ? 1 : (k + k / 4) % 3 == 1 ? 4 : 16),
      .Exp     (32'(Formats[At+36 +: 4])),
      .Man     (32'(Formats[At+32 +: 4])),
      .Bias    (32'(Formats[At+28 +: 4])),
      .Specials(32'(Formats[At+24 +: 4])),
      .AccKind (Kind >= 2 ? 1 : 0),
      .AccWidth(AccWidth),
      .Drop    (Kind == 1 ? Dropped : 0),
      .Align   (Kind == 1 && (k / 4) % 2 == 0 ? 1 : 0),
      .AlignBits(3),
      .AccExp  (Kind == 3 ? 8 : 5),
      .AccMan  (Kind == 3 ? 23 : 10),
      .Body    ((k + k / 4) % 3 == 0 ? 1 : 0)
    ) u_mac (
      .clk_i,
      .first_i,
      .saturate_i,
      .valid_i,
      .act_i,
      .weight_i,
      .start_i(start_i[k*96 +: AccBits]),
      .acc_o  (acc),
      .event_o(event_o[k])
    );
    assign acc_o[k*96 +: 96] = 96'(acc);
  end

endmodule
