// SPDX-License-Identifier: Apache-2.0

/// The way of finished sums to memory: addition prescale, requantization lanes, placing of the
/// result bytes in an activation word, clamp counts.
///
/// Sums of the array enter at `acc_*`, operand codes of a residual addition at `add_*`, never both
/// during one operation. The bytes of a chunk go to position `slot` of the word, in units of the
/// lanes in use: min(Rows, RequantLanes) for a convolution, RequantLanes otherwise.
///
/// Minifloats are requantized by loom_fp_requant_lane, results of a maximum by loom_fp_code_lane, and
/// there is no addition: `add_valid_i` stays low.
///
/// Latency  5 cycles from `acc_valid_i` (2 by shift lanes, 3 to minifloats), 7 (4) from
///          `add_valid_i`, to `we_o`. One chunk per cycle.
/// Golden   golden/reference/requantize.h, golden/reference/add.cc
/// Test     tests/rtl/loom_writeback_test.cc
module loom_writeback #(
  /// Rows of the array.
  parameter int Rows = 4,
  /// Lanes of a row.
  parameter int Lanes = 16,
  /// Requantization lanes.
  parameter int RequantLanes = 8,
  /// loom_pkg::FORMAT_INT or the minifloat of the codes.
  parameter int Format = loom_pkg::FORMAT_INT,
  /// Minifloats: loom_pkg::ACC_FIXED or ACC_FLOAT.
  parameter int AccKind = loom_pkg::ACC_FIXED,
  /// Bits of an accumulator.
  parameter int AccWidth = 32,
  /// Minifloats, fixed: the accumulator's unit is 2^AccDrop of the products' grid.
  parameter int AccDrop = 0,
  /// loom_pkg::REQUANT_SHIFT, REQUANT_24X24, REQUANT_24X31 or REQUANT_32X31.
  parameter int RequantKind = 3,
  /// Dependent parameter, do not override. Bits of an entry number.
  localparam int EntryBits = $clog2(Lanes)
) (
  /// Clock, rising edge.
  input  logic                             clk_i,
  /// Reset, asynchronous, active low.
  input  logic                             rst_ni,
  /// Descriptor, stable while the operation runs.
  input  logic [1023:0]                    desc_i,
  /// The operation is a convolution; stable while it runs.
  input  logic                             conv_i,
  /// A chunk of sums with its channels' multipliers and shifts.
  input  logic                             acc_valid_i,
  input  logic [RequantLanes*AccWidth-1:0] acc_i,
  input  logic [RequantLanes*32-1:0]       acc_multiplier_i,
  input  logic [RequantLanes*8-1:0]        acc_shift_i,
  input  logic [15:0]                      acc_addr_i,
  input  logic [EntryBits-1:0]             acc_slot_i,
  input  logic [RequantLanes-1:0]          acc_lanes_i,
  /// A chunk of operand codes.
  input  logic                             add_valid_i,
  input  logic [RequantLanes*8-1:0]        add_a_i,
  input  logic [RequantLanes*8-1:0]        add_b_i,
  input  logic [15:0]                      add_addr_i,
  input  logic [EntryBits-1:0]             add_slot_i,
  input  logic [RequantLanes-1:0]          add_lanes_i,
  /// Word write.
  output logic                             we_o,
  output logic [15:0]                      waddr_o,
  output logic [Lanes-1:0]                 be_o,
  output logic [Lanes*8-1:0]               wdata_o,
  /// Values clamped in this write.
  output logic [7:0]                       clamped_low_o,
  output logic [7:0]                       clamped_high_o,
  /// A chunk is on its way.
  output logic                             busy_o
);

  localparam int ConvLanes = Rows < RequantLanes ? Rows : RequantLanes;
  localparam int MetaBits = 1 + 16 + EntryBits + RequantLanes;
  localparam int XWidth = RequantKind == loom_pkg::REQUANT_24X24 ||
                          RequantKind == loom_pkg::REQUANT_24X31 ? 24 : 32;
  localparam int MultWidth = RequantKind == loom_pkg::REQUANT_24X24 ? 24 : 31;
  localparam int RequantLatency = Format != loom_pkg::FORMAT_INT ? 3 :
                                  RequantKind == loom_pkg::REQUANT_SHIFT ? 2 : 5;

  if (RequantKind < 0 || RequantKind > 3) begin : gen_bad_requant_kind
    $error("loom_writeback: RequantKind must be 0 to 3");
  end
  if (Format == loom_pkg::FORMAT_INT && AccWidth > XWidth) begin : gen_bad_acc_width
    $error("loom_writeback: AccWidth must be at most 24 with a 24-bit requantization lane");
  end

  logic [1:0] mode;
  logic [7:0] zero, clamp_min, clamp_max;
  logic       per_layer;

  assign mode = desc_i[loom_desc_pkg::REQUANT_MODE_LSB +: 2];
  assign zero = desc_i[loom_desc_pkg::ZERO_OUT_LSB +: 8];
  assign clamp_min = desc_i[loom_desc_pkg::CLAMP_MIN_LSB +: 8];
  assign clamp_max = desc_i[loom_desc_pkg::CLAMP_MAX_LSB +: 8];
  assign per_layer = !conv_i && desc_i[loom_desc_pkg::OPCODE_LSB +: 8] == loom_pkg::OpAdd ||
                     desc_i[loom_desc_pkg::PER_LAYER_LSB] ||
                     desc_i[loom_desc_pkg::UNIT_WEIGHTS_LSB];

  //////////////
  // Prescale //
  //////////////

  logic [MetaBits-1:0] add_meta_q1, add_meta_q2;
  logic                add_valid;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      add_meta_q1 <= '0;
      add_meta_q2 <= '0;
    end else begin
      add_meta_q1 <= {add_valid_i, add_addr_i, add_slot_i, add_lanes_i};
      add_meta_q2 <= add_meta_q1;
    end
  end
  assign add_valid = add_meta_q2[MetaBits-1];

  ////////////////////
  // Requantization //
  ////////////////////

  // The delay of the lanes: element 0 is the youngest.
  logic [MetaBits-1:0]       meta_q [0:RequantLatency-1];
  logic [RequantLatency-1:0] flight;
  logic [RequantLanes*8-1:0] y;
  logic [RequantLanes-1:0]   low, high;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (int i = 0; i < RequantLatency; i++) meta_q[i] <= '0;
    end else begin
      meta_q[0] <= add_valid ? add_meta_q2 :
                               {acc_valid_i, acc_addr_i, acc_slot_i, acc_lanes_i};
      for (int i = 1; i < RequantLatency; i++) meta_q[i] <= meta_q[i-1];
    end
  end

  for (genvar i = 0; i < RequantLatency; i++) begin : gen_flight
    assign flight[i] = meta_q[i][MetaBits-1];
  end

  if (Format == loom_pkg::FORMAT_INT) begin : gen_integer
    for (genvar r = 0; r < RequantLanes; r++) begin : gen_lane
      logic signed [31:0] add_x, x;
      logic [31:0]        multiplier;
      logic [7:0]         shift;

      // The sum of an addition has 29 bits: 24-bit lanes cannot take it.
      if (XWidth == 32) begin : gen_add
        loom_add_lane #(.HasMultiplier(RequantKind == loom_pkg::REQUANT_SHIFT ? 0 : 1)) u_add (
          .clk_i,
          .qa_i        (add_a_i[r*8 +: 8]),
          .qb_i        (add_b_i[r*8 +: 8]),
          .zero_a_i    (desc_i[loom_desc_pkg::ADD_ZERO_A_LSB +: 8]),
          .zero_b_i    (desc_i[loom_desc_pkg::ADD_ZERO_B_LSB +: 8]),
          .multiplier_i(desc_i[loom_desc_pkg::ADD_MULTIPLIER_LSB +: 32]),
          .shift_i     (desc_i[loom_desc_pkg::ADD_SHIFT_LSB +: 8]),
          .single_i    (mode == loom_pkg::RequantSingle),
          .x_o         (add_x)
        );
      end else begin : gen_no_add
        logic unused_add;
        assign unused_add = ^{add_a_i[r*8 +: 8], add_b_i[r*8 +: 8]};
        assign add_x = '0;
      end

      assign x = add_valid ? add_x : 32'($signed(acc_i[r*AccWidth +: AccWidth]));
      assign multiplier = per_layer ? desc_i[loom_desc_pkg::MULTIPLIER_LSB +: 32] :
                                      acc_multiplier_i[r*32 +: 32];
      assign shift = per_layer ? desc_i[loom_desc_pkg::SHIFT_LSB +: 8] : acc_shift_i[r*8 +: 8];

      if (RequantKind == loom_pkg::REQUANT_SHIFT) begin : gen_shift
        logic unused_multiplier;
        assign unused_multiplier = ^multiplier;

        loom_shift_lane u_shift (
          .clk_i,
          .x_i        (x),
          .mode_i     (mode),
          .shift_i    (shift),
          .mean_half_i(desc_i[loom_desc_pkg::MEAN_HALF_LSB +: 16]),
          .zero_i     (zero),
          .clamp_min_i(clamp_min),
          .clamp_max_i(clamp_max),
          .y_o        (y[r*8 +: 8]),
          .low_o      (low[r]),
          .high_o     (high[r])
        );
      end else begin : gen_multiply
        loom_requant_lane #(.XWidth(XWidth), .MultWidth(MultWidth)) u_requant (
          .clk_i,
          .x_i         (x),
          .mode_i      (mode),
          .multiplier_i(multiplier),
          .shift_i     (shift),
          .mean_half_i (desc_i[loom_desc_pkg::MEAN_HALF_LSB +: 16]),
          .zero_i      (zero),
          .clamp_min_i (clamp_min),
          .clamp_max_i (clamp_max),
          .y_o         (y[r*8 +: 8]),
          .low_o       (low[r]),
          .high_o      (high[r])
        );
      end
    end
  end else begin : gen_minifloat
    localparam int Exp = Format == loom_pkg::FORMAT_E5M2 ? 5 : Format == loom_pkg::FORMAT_E3M4 ? 3 :
                         Format == loom_pkg::FORMAT_E2M5 ? 2 : 4;
    localparam int Man = 7 - Exp;
    localparam int Bias = (1 << (Exp - 1)) - 1;
    localparam int Specials = Format == loom_pkg::FORMAT_E4M3 ? loom_pkg::SPECIALS_NAN :
                              Format == loom_pkg::FORMAT_E5M2 ? loom_pkg::SPECIALS_IEEE :
                                                                loom_pkg::SPECIALS_FINITE;
    logic by_code;
    assign by_code = !conv_i && desc_i[loom_desc_pkg::MAXIMUM_LSB];
    logic unused_integer;
    assign unused_integer = ^{add_a_i, add_b_i, acc_multiplier_i, mode, zero};

    for (genvar r = 0; r < RequantLanes; r++) begin : gen_lane
      logic [7:0] value_y, code_y;
      logic       value_low, value_high, code_low, code_high;

      loom_fp_requant_lane #(
        .AccKind (AccKind),
        .AccWidth(AccWidth),
        .UnitLsb (2 * (1 - Bias - Man) + AccDrop),
        .AccExp  (AccWidth == 16 ? 5 : 8),
        .AccMan  (AccWidth == 16 ? 10 : 23),
        .Exp     (Exp),
        .Man     (Man),
        .Bias    (Bias),
        .Specials(Specials)
      ) u_requant (
        .clk_i,
        .x_i        (acc_i[r*AccWidth +: AccWidth]),
        .shift_i    (per_layer ? desc_i[loom_desc_pkg::SHIFT_LSB +: 8] : acc_shift_i[r*8 +: 8]),
        .clamp_min_i(clamp_min),
        .clamp_max_i(clamp_max),
        .y_o        (value_y),
        .low_o      (value_low),
        .high_o     (value_high)
      );

      loom_fp_code_lane u_code (
        .clk_i,
        .key_i      (acc_i[r*AccWidth +: 8]),
        .clamp_min_i(clamp_min),
        .clamp_max_i(clamp_max),
        .y_o        (code_y),
        .low_o      (code_low),
        .high_o     (code_high)
      );

      assign y[r*8 +: 8] = by_code ? code_y : value_y;
      assign low[r] = by_code ? code_low : value_low;
      assign high[r] = by_code ? code_high : value_high;
    end
  end

  ///////////
  // Write //
  ///////////

  logic [MetaBits-1:0]     done;
  logic [EntryBits-1:0]    slot;
  logic [RequantLanes-1:0] lanes;
  logic [7:0]              low_count, high_count;

  assign done = meta_q[RequantLatency-1];
  assign we_o = done[MetaBits-1];
  assign waddr_o = done[RequantLanes+EntryBits +: 16];
  assign slot = done[RequantLanes +: EntryBits];
  assign lanes = done[0 +: RequantLanes];

  for (genvar b = 0; b < Lanes; b++) begin : gen_byte
    assign be_o[b] = conv_i ? lanes[b % ConvLanes] && slot == EntryBits'(b / ConvLanes) :
                              lanes[b % RequantLanes] && slot == EntryBits'(b / RequantLanes);
    assign wdata_o[b*8 +: 8] = conv_i ? y[(b % ConvLanes)*8 +: 8] : y[(b % RequantLanes)*8 +: 8];
  end

  always_comb begin
    low_count = '0;
    high_count = '0;
    for (int r = 0; r < RequantLanes; r++) begin
      low_count += 8'(low[r] && lanes[r]);
      high_count += 8'(high[r] && lanes[r]);
    end
  end

  assign clamped_low_o = we_o ? low_count : 8'd0;
  assign clamped_high_o = we_o ? high_count : 8'd0;
  assign busy_o = acc_valid_i || add_valid_i || add_meta_q1[MetaBits-1] || add_valid ||
                  flight != '0;

  logic unused_desc;
  assign unused_desc = ^{desc_i};

endmodule
