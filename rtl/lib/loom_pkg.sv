// SPDX-License-Identifier: Apache-2.0

/// Constants shared by all modules: opcodes, modes, error codes. Descriptor fields are in the
/// generated part of the package list, loom_desc_pkg.
package loom_pkg;

  localparam int DESC_BITS = 1024;

  typedef enum logic [7:0] {
    OpEnd       = 8'd0,
    OpConv      = 8'd1,
    OpDepthwise = 8'd2,
    OpAdd       = 8'd3,
    OpLoad      = 8'd4,
    OpStore     = 8'd5
  } opcode_e;

  typedef enum logic [1:0] {
    RequantDouble = 2'd0,
    RequantSingle = 2'd1,
    RequantMean   = 2'd2
  } requant_mode_e;

  /// What the array did in a cycle, for the counters.
  typedef enum logic [2:0] {
    CycleIdle            = 3'd0,
    CycleBusy            = 3'd1,
    CycleStallActivation = 3'd2,
    CycleStallWeight     = 3'd3,
    CycleStallOutput     = 3'd4,
    CycleStallDmaRead    = 3'd5,
    CycleStallDmaWrite   = 3'd6
  } cycle_e;

  /// Accumulator hardware: wrap only, saturate only, or chosen by the descriptor.
  localparam int POLICY_WRAP       = 0;
  localparam int POLICY_SATURATE   = 1;
  localparam int POLICY_SELECTABLE = 2;

  /// Requantization hardware: accumulator bits x multiplier bits; shift has no multiplier.
  localparam int REQUANT_SHIFT = 0;
  localparam int REQUANT_24X24 = 1;
  localparam int REQUANT_24X31 = 2;
  localparam int REQUANT_32X31 = 3;

  /// Body of an arithmetic unit: operators, or gates for standard cells.
  localparam int BODY_BEHAVIOURAL = 0;
  localparam int BODY_STRUCTURAL  = 1;

  /// Last adder of a carry-save tree: fewest gates, or `+` as the tool builds it.
  localparam int ADDER_RIPPLE   = 0;
  localparam int ADDER_OPERATOR = 1;

  /// Codes of a minifloat that are not finite: none, the largest is NaN, IEEE Inf and NaN.
  localparam int SPECIALS_FINITE = 0;
  localparam int SPECIALS_NAN    = 1;
  localparam int SPECIALS_IEEE   = 2;

  /// What the accelerator computes with: integers or 8-bit minifloats.
  localparam int FORMAT_INT  = 0;
  localparam int FORMAT_E4M3 = 1;
  localparam int FORMAT_E5M2 = 2;
  localparam int FORMAT_E3M4 = 3;
  localparam int FORMAT_E2M5 = 4;

  /// Accumulator of a minifloat row.
  localparam int ACC_FIXED = 0;
  localparam int ACC_FLOAT = 1;

  localparam int ERROR_NONE       = 0;
  localparam int ERROR_DESCRIPTOR = 1;
  localparam int ERROR_AXI_READ   = 2;
  localparam int ERROR_AXI_WRITE  = 3;

endpackage
