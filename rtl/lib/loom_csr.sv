// SPDX-License-Identifier: Apache-2.0

/// The AXI4-Lite register block: identity and parameters, control, status, interrupts, counters.
///
/// One access at a time and direction; address and data of a write may arrive in any order. Unknown
/// addresses answer SLVERR.
///
/// Latency  two cycles from address to response.
/// Golden   none; the map is generated into registers.md.
/// Test     tests/rtl/loom_csr_test.cc
module loom_csr #(
  /// First 32 bits of the configuration's digest.
  parameter logic [31:0] ConfigDigest = 32'd0,
  /// Parameters to report.
  parameter int Rows = 4,
  parameter int Lanes = 16,
  parameter int TilePixels = 16,
  parameter int RequantLanes = 8,
  parameter int Banks = 2,
  parameter int AccWidth = 32,
  parameter int AxiBytes = 8,
  parameter int MaxOutstanding = 4,
  parameter int ActWords = 4096,
  parameter int RingRows = 256,
  parameter int StageWords = 256
) (
  /// Clock, rising edge.
  input  logic             clk_i,
  /// Reset, asynchronous, active low.
  input  logic             rst_ni,
  /// AXI4-Lite slave.
  input  logic [11:0]      awaddr_i,
  input  logic             awvalid_i,
  output logic             awready_o,
  input  logic [31:0]      wdata_i,
  input  logic [3:0]       wstrb_i,
  input  logic             wvalid_i,
  output logic             wready_o,
  output logic [1:0]       bresp_o,
  output logic             bvalid_o,
  input  logic             bready_i,
  input  logic [11:0]      araddr_i,
  input  logic             arvalid_i,
  output logic             arready_o,
  output logic [31:0]      rdata_o,
  output logic [1:0]       rresp_o,
  output logic             rvalid_o,
  input  logic             rready_i,
  /// Control.
  output logic             start_o,
  output logic             clear_o,
  output logic [31:0]      first_o,
  /// Status.
  input  logic             busy_i,
  input  logic             list_done_i,
  input  logic [7:0]       error_i,
  input  logic             step_irq_i,
  input  logic [31:0]      tag_i,
  input  logic [14*64-1:0] counters_i,
  /// Interrupt, level.
  output logic             irq_o
);

  logic        aw_q, w_q, b_q, b_error_q, r_q, r_error_q;
  logic [11:0] awaddr_q;
  logic [31:0] wdata_q, rdata_q;
  logic [3:0]  wstrb_q;
  logic [2:0]  irq_enable_q, irq_status_q;
  logic [31:0] first_q;
  logic        done_q, error_flag_q, start_q, clear_q;
  logic [7:0]  error_code_q;
  logic        write, known_write, writable;

  assign awready_o = !aw_q;
  assign wready_o = !w_q;
  assign write = aw_q && w_q && !b_q;
  assign bvalid_o = b_q;
  assign bresp_o = b_error_q ? 2'b10 : 2'b00;
  assign writable = awaddr_q == 12'h020 || awaddr_q == 12'h028 || awaddr_q == 12'h02C ||
                    awaddr_q == 12'h030;
  assign known_write = writable || awaddr_q <= 12'h034 ||
                       (awaddr_q >= 12'h100 && awaddr_q < 12'h170);

  // Bytes without strobe keep the old value.
  logic [31:0] mask;
  assign mask = {{8{wstrb_q[3]}}, {8{wstrb_q[2]}}, {8{wstrb_q[1]}}, {8{wstrb_q[0]}}};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aw_q <= 1'b0;
      w_q <= 1'b0;
      b_q <= 1'b0;
      b_error_q <= 1'b0;
      irq_enable_q <= '0;
      irq_status_q <= '0;
      first_q <= '0;
      done_q <= 1'b0;
      error_flag_q <= 1'b0;
      error_code_q <= '0;
      start_q <= 1'b0;
      clear_q <= 1'b0;
    end else begin
      start_q <= 1'b0;
      clear_q <= 1'b0;
      if (awvalid_i && awready_o) aw_q <= 1'b1;
      if (wvalid_i && wready_o) w_q <= 1'b1;
      if (b_q && bready_i) b_q <= 1'b0;
      if (write) begin
        aw_q <= 1'b0;
        w_q <= 1'b0;
        b_q <= 1'b1;
        b_error_q <= !known_write;
        if (awaddr_q == 12'h020) begin
          start_q <= wdata_q[0] && mask[0] && !busy_i;
          clear_q <= wdata_q[1] && mask[1];
          if (wdata_q[0] && mask[0] && !busy_i) begin
            done_q <= 1'b0;
            error_flag_q <= 1'b0;
            error_code_q <= '0;
          end
        end
        if (awaddr_q == 12'h028)
          irq_enable_q <= (irq_enable_q & ~mask[2:0]) | (wdata_q[2:0] & mask[2:0]);
        if (awaddr_q == 12'h02C) irq_status_q <= irq_status_q & ~(wdata_q[2:0] & mask[2:0]);
        if (awaddr_q == 12'h030) first_q <= (first_q & ~mask) | (wdata_q & mask);
      end
      if (list_done_i) begin
        done_q <= 1'b1;
        error_flag_q <= error_i != 8'd0;
        error_code_q <= error_i;
        irq_status_q[0] <= 1'b1;
        if (error_i != 8'd0) irq_status_q[1] <= 1'b1;
      end
      if (step_irq_i) irq_status_q[2] <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (awvalid_i && awready_o) awaddr_q <= awaddr_i;
    if (wvalid_i && wready_o) begin
      wdata_q <= wdata_i;
      wstrb_q <= wstrb_i;
    end
  end

  assign start_o = start_q;
  assign clear_o = clear_q;
  assign first_o = first_q;
  assign irq_o = (irq_status_q & irq_enable_q) != '0;

  //////////
  // Read //
  //////////

  logic [31:0] value;
  logic        known;
  logic [4:0]  counter;

  assign counter = araddr_i[7:3];
  assign arready_o = !r_q;
  assign rvalid_o = r_q;
  assign rdata_o = rdata_q;
  assign rresp_o = r_error_q ? 2'b10 : 2'b00;

  always_comb begin
    known = 1'b1;
    value = 32'd0;
    if (araddr_i >= 12'h100 && araddr_i < 12'h170) begin
      value = counters_i[{counter[3:0], araddr_i[2], 5'd0} +: 32];
    end else begin
      unique case (araddr_i)
        12'h000: value = 32'h4D4C4F4D;
        12'h004: value = 32'h00000001;
        12'h008: value = ConfigDigest;
        12'h00C: value = {8'(RequantLanes), 8'(TilePixels), 8'(Lanes), 8'(Rows)};
        12'h010: value = {8'(MaxOutstanding), 8'(AxiBytes), 8'(AccWidth), 8'(Banks)};
        12'h014: value = 32'(ActWords);
        12'h018: value = 32'(RingRows);
        12'h01C: value = 32'(StageWords);
        12'h020: value = 32'd0;
        12'h024: value = {16'd0, error_code_q, 5'd0, error_flag_q, done_q, busy_i};
        12'h028: value = {29'd0, irq_enable_q};
        12'h02C: value = {29'd0, irq_status_q};
        12'h030: value = first_q;
        12'h034: value = tag_i;
        default: known = 1'b0;
      endcase
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      r_q <= 1'b0;
      r_error_q <= 1'b0;
    end else if (arvalid_i && arready_o) begin
      r_q <= 1'b1;
      r_error_q <= !known;
    end else if (rready_i) begin
      r_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (arvalid_i && arready_o) rdata_q <= value;
  end

  logic unused_counter;
  assign unused_counter = counter[4];

endmodule
