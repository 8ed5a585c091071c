// SPDX-License-Identifier: Apache-2.0

/// Walks the descriptor list: fetches one descriptor ahead, queues its stream as soon as it is here,
/// and runs the descriptors strictly one after the other.
///
/// A descriptor with an unknown version or opcode, or an AXI error, ends the list with an error.
///
/// Latency  two cycles from the end of a descriptor to the start of the next, if it is here.
/// Golden   none.
/// Test     tests/rtl/loom_sequencer_test.cc
module loom_sequencer (
  /// Clock, rising edge.
  input  logic          clk_i,
  /// Reset, asynchronous, active low.
  input  logic          rst_ni,
  /// Starts the list at `first_i`; ignored while busy.
  input  logic          start_i,
  input  logic [31:0]   first_i,
  /// The list runs, up to the last acknowledged write.
  output logic          busy_o,
  /// The list has ended: with `error_o` 0 all is well.
  output logic          list_done_o,
  output logic [7:0]    error_o,
  /// From the start of the list to the end of its last descriptor.
  output logic          running_o,
  /// Descriptor fetch.
  output logic          fetch_o,
  output logic [31:0]   fetch_addr_o,
  input  logic          fetch_valid_i,
  input  logic          fetch_arrived_i,
  input  logic [1023:0] fetch_desc_i,
  output logic          fetch_take_o,
  /// Queues the stream of the descriptor just fetched.
  output logic          stream_push_o,
  /// Operation in work: stable descriptor, start pulses, end pulses.
  output logic [1023:0] desc_o,
  output logic          core_start_o,
  output logic          dma_start_o,
  input  logic          core_done_i,
  input  logic          dma_done_i,
  /// What runs, for the counters.
  output logic          core_active_o,
  output logic          load_active_o,
  output logic          store_active_o,
  /// End of a descriptor, its tag, whether it raises an interrupt or wants a record.
  output logic          step_done_o,
  output logic [31:0]   step_tag_o,
  output logic          step_irq_o,
  output logic          step_record_o,
  /// A record is under way.
  input  logic          record_busy_i,
  /// All writes are acknowledged.
  input  logic          writes_idle_i,
  /// AXI errors.
  input  logic          read_error_i,
  input  logic          write_error_i
);

  typedef enum logic [2:0] {
    Idle    = 3'd0,
    Wait    = 3'd1,
    Start   = 3'd2,
    Run     = 3'd3,
    Hold    = 3'd4,
    Flush   = 3'd5
  } state_e;

  state_e        state_q;
  logic [1023:0] desc_q;
  logic [7:0]    error_q;
  logic          fetching_q;
  logic          flush_first_q;

  logic [7:0] opcode, version;
  logic       is_end, is_load, is_store, is_core, bad, last, op_done, take;

  assign opcode = desc_q[loom_desc_pkg::OPCODE_LSB +: 8];
  assign version = desc_q[loom_desc_pkg::VERSION_LSB +: 8];
  assign is_end = opcode == loom_pkg::OpEnd;
  assign is_load = opcode == loom_pkg::OpLoad;
  assign is_store = opcode == loom_pkg::OpStore;
  assign is_core = opcode == loom_pkg::OpConv || opcode == loom_pkg::OpDepthwise ||
                   opcode == loom_pkg::OpAdd;
  assign bad = version != 8'd1 || !(is_end || is_load || is_store || is_core);
  assign last = desc_q[loom_desc_pkg::LAST_LSB];
  assign op_done = is_core ? core_done_i : is_end ? 1'b1 : dma_done_i;
  assign take = state_q == Wait && fetch_valid_i && error_q == 8'd0;

  // The next descriptor is fetched while this one starts.
  assign fetch_o = (state_q == Idle && start_i) || (state_q == Start && !last && !bad);
  assign fetch_addr_o = state_q == Idle ? first_i : desc_q[loom_desc_pkg::NEXT_ADDRESS_LSB +: 32];
  assign fetch_take_o = take || (state_q == Flush && fetch_valid_i);
  assign stream_push_o = fetch_arrived_i &&
                         fetch_desc_i[loom_desc_pkg::VERSION_LSB +: 8] == 8'd1 &&
                         fetch_desc_i[loom_desc_pkg::STREAM_GROUPS_LSB +: 16] != 16'd0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= Idle;
      error_q <= 8'd0;
      fetching_q <= 1'b0;
      flush_first_q <= 1'b0;
    end else begin
      if (fetch_o) fetching_q <= 1'b1;
      else if (fetch_arrived_i) fetching_q <= 1'b0;
      flush_first_q <= 1'b0;

      unique case (state_q)
        Idle: begin
          if (start_i) begin
            state_q <= Wait;
            error_q <= 8'd0;
          end
        end
        Wait: begin
          if (error_q != 8'd0) begin
            state_q <= Flush;
            flush_first_q <= 1'b1;
          end else if (fetch_valid_i) begin
            state_q <= Start;
          end
        end
        Start: begin
          if (bad) begin
            error_q <= 8'(loom_pkg::ERROR_DESCRIPTOR);
            state_q <= Flush;
            flush_first_q <= 1'b1;
          end else begin
            state_q <= Run;
          end
        end
        Run: begin
          if (step_done_o) begin
            state_q <= last || error_q != 8'd0 ? Flush : Wait;
            flush_first_q <= 1'b1;
          end else if (op_done) begin
            state_q <= Hold;
          end
        end
        Hold: begin
          if (step_done_o) begin
            state_q <= last || error_q != 8'd0 ? Flush : Wait;
            flush_first_q <= 1'b1;
          end
        end
        Flush: begin
          if (writes_idle_i && !record_busy_i && !fetching_q && !flush_first_q) state_q <= Idle;
        end
        default: state_q <= Idle;
      endcase

      if (read_error_i) error_q <= 8'(loom_pkg::ERROR_AXI_READ);
      else if (write_error_i) error_q <= 8'(loom_pkg::ERROR_AXI_WRITE);
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) desc_q <= fetch_desc_i;
  end

  assign busy_o = state_q != Idle;
  assign list_done_o = state_q == Flush && writes_idle_i && !record_busy_i && !fetching_q &&
                       !flush_first_q;
  assign error_o = error_q;
  assign running_o = state_q != Idle && state_q != Flush;
  assign desc_o = desc_q;
  assign core_start_o = state_q == Start && is_core && !bad;
  assign dma_start_o = state_q == Start && (is_load || is_store) && !bad;
  assign core_active_o = state_q == Run && is_core;
  assign load_active_o = state_q == Run && is_load;
  assign store_active_o = state_q == Run && is_store;
  // A descriptor ends only when the record of the one before it is out.
  assign step_done_o = !record_busy_i && ((state_q == Run && op_done) || state_q == Hold);
  assign step_tag_o = desc_q[loom_desc_pkg::TAG_LSB +: 32];
  assign step_irq_o = desc_q[loom_desc_pkg::IRQ_LSB];
  assign step_record_o = desc_q[loom_desc_pkg::RECORD_LSB];

  logic unused_desc;
  assign unused_desc = ^{desc_q, fetch_desc_i};

endmodule
