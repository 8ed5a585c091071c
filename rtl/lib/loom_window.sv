// SPDX-License-Identifier: Apache-2.0

/// The depthwise window: two buffers of WindowWords words, filled bank by bank, consumed by shifts.
///
/// A fill writes Banks neighbouring slots of one buffer at once. Slot `fill_slot_i + j` gets the
/// word of bank (fill_bank0_i + j * fill_step_i) mod Banks, or the pad code in all lanes; slots
/// outside the mask keep their words, slots beyond WindowWords do not exist. A consumer sees, for
/// array row m, slot m (stride 1) or slot 2m (stride 2); taking a step shifts the buffer down by
/// one slot and brings a word of zeros in at the top. Beyond WindowWords it sees zeros.
///
/// One buffer can be filled while the other is consumed, never the same one in one cycle. The
/// content is undefined after power-up.
///
/// Latency  a fill is seen from the next cycle on; `act_o` is combinational.
/// Golden   none; the second model is two queues of words in the test.
/// Test     tests/rtl/loom_window_test.cc
module loom_window #(
  /// Rows of the array, 1 to 32.
  parameter int Rows = 4,
  /// Bytes of a word: 8, 16 or 32.
  parameter int Lanes = 16,
  /// Activation banks, a power of two, 1 to 8.
  parameter int Banks = 2,
  /// Words of one buffer, 4 to 32.
  parameter int WindowWords = 10,
  /// Bits of an activation code, 2 to 8; a byte on the ports is the sign-extended code.
  parameter int ActBits = 8,
  /// Dependent parameter, do not override. Bits of a bank number.
  localparam int BankBits = Banks > 1 ? $clog2(Banks) : 1
) (
  /// Clock, rising edge.
  input  logic                     clk_i,
  /// Fills buffer `fill_buffer_i`.
  input  logic                     fill_valid_i,
  /// Buffer to fill.
  input  logic                     fill_buffer_i,
  /// First slot, a multiple of Banks.
  input  logic [7:0]               fill_slot_i,
  /// Bank that holds the word of the first slot.
  input  logic [BankBits-1:0]      fill_bank0_i,
  /// Banks from one slot to the next, odd (ignored with one bank).
  input  logic [BankBits-1:0]      fill_step_i,
  /// Slot `fill_slot_i + j` is written.
  input  logic [Banks-1:0]         fill_mask_i,
  /// Slot `fill_slot_i + j` gets the pad code instead of a word.
  input  logic [Banks-1:0]         fill_pad_i,
  /// Pad code.
  input  logic [7:0]               pad_code_i,
  /// Read data of bank b at bits [b*Lanes*8 +: Lanes*8].
  input  logic [Banks*Lanes*8-1:0] bank_data_i,
  /// Consumes one step of buffer `take_buffer_i`.
  input  logic                     take_i,
  /// Buffer that `act_o` shows.
  input  logic                     take_buffer_i,
  /// Row m sees slot 2m instead of slot m.
  input  logic                     take_stride2_i,
  /// Word of row m at bits [m*Lanes*8 +: Lanes*8].
  output logic [Rows*Lanes*8-1:0]  act_o
);

  if (Rows < 1 || Rows > 32) begin : gen_bad_rows
    $error("loom_window: Rows must be 1 to 32");
  end
  if (Lanes != 8 && Lanes != 16 && Lanes != 32) begin : gen_bad_lanes
    $error("loom_window: Lanes must be 8, 16 or 32");
  end
  if (Banks < 1 || Banks > 8 || (Banks & (Banks - 1)) != 0) begin : gen_bad_banks
    $error("loom_window: Banks must be a power of two from 1 to 8");
  end
  if (WindowWords < 4 || WindowWords > 32) begin : gen_bad_window_words
    $error("loom_window: WindowWords must be 4 to 32");
  end
  if (ActBits < 2 || ActBits > 8) begin : gen_bad_act_bits
    $error("loom_window: ActBits must be 2 to 8");
  end

  localparam int WordBits = Lanes * ActBits;

  ////////////////////////////////
  // Words in the order of slots //
  ////////////////////////////////

  // The first slot is a multiple of Banks, so slot s is always number s mod Banks of its fill.
  logic [Banks*WordBits-1:0] fill_word;

  for (genvar j = 0; j < Banks; j++) begin : gen_fill
    logic [BankBits-1:0] bank;

    if (Banks > 1) begin : gen_banks
      assign bank = fill_bank0_i + BankBits'(j) * fill_step_i;
    end else begin : gen_one_bank
      logic unused_bank;
      assign unused_bank = ^{fill_bank0_i, fill_step_i};
      assign bank = '0;
    end

    logic [Lanes*8-1:0] word;

    assign word = fill_pad_i[j] ? {Lanes{pad_code_i}} : bank_data_i[bank*Lanes*8 +: Lanes*8];
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      assign fill_word[j*WordBits+l*ActBits +: ActBits] = word[l*8 +: ActBits];
    end
    if (ActBits < 8) begin : gen_narrow
      logic unused_word;
      assign unused_word = ^word;
    end
  end

  /////////////
  // Buffers //
  /////////////

  logic [WordBits-1:0] slot0_q [0:WindowWords-1];
  logic [WordBits-1:0] slot1_q [0:WindowWords-1];

  for (genvar s = 0; s < WindowWords; s++) begin : gen_slot
    logic [WordBits-1:0] above0;
    logic [WordBits-1:0] above1;
    logic                fill;

    if (s + 1 < WindowWords) begin : gen_above
      assign above0 = slot0_q[s+1];
      assign above1 = slot1_q[s+1];
    end else begin : gen_top
      assign above0 = '0;
      assign above1 = '0;
    end

    assign fill = fill_valid_i && fill_slot_i == 8'(s - s % Banks) && fill_mask_i[s%Banks];

    always_ff @(posedge clk_i) begin
      if (take_i && !take_buffer_i) slot0_q[s] <= above0;
      else if (fill && !fill_buffer_i) slot0_q[s] <= fill_word[(s%Banks)*WordBits +: WordBits];
    end

    always_ff @(posedge clk_i) begin
      if (take_i && take_buffer_i) slot1_q[s] <= above1;
      else if (fill && fill_buffer_i) slot1_q[s] <= fill_word[(s%Banks)*WordBits +: WordBits];
    end
  end

  for (genvar m = 0; m < Rows; m++) begin : gen_row
    logic [WordBits-1:0] stride1;
    logic [WordBits-1:0] stride2;

    if (m < WindowWords) begin : gen_stride1
      assign stride1 = take_buffer_i ? slot1_q[m] : slot0_q[m];
    end else begin : gen_no_stride1
      assign stride1 = '0;
    end
    if (2 * m < WindowWords) begin : gen_stride2
      assign stride2 = take_buffer_i ? slot1_q[2*m] : slot0_q[2*m];
    end else begin : gen_no_stride2
      assign stride2 = '0;
    end

    logic [WordBits-1:0] shown;

    assign shown = take_stride2_i ? stride2 : stride1;
    for (genvar l = 0; l < Lanes; l++) begin : gen_lane
      assign act_o[(m*Lanes+l)*8 +: 8] = 8'(signed'(shown[l*ActBits +: ActBits]));
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (fill_valid_i) begin
      assert (Banks == 1 || fill_step_i[0])
        else $error("loom_window: the bank step is even");
      assert (!(take_i && take_buffer_i == fill_buffer_i))
        else $error("loom_window: fill and take of one buffer");
    end
  end
`endif

endmodule
