// SPDX-License-Identifier: Apache-2.0

/// The C interface (macloom.h, libmacloom.so) for SystemVerilog test benches: single steps of the
/// golden arithmetic, and whole networks.
///
/// `int` and `longint` are int32_t and int64_t. Every function returns a status, 0 if all is well;
/// macloom_last_error() tells the rest. Functions over arrays need a fixed size in their
/// declaration, so a test bench declares them itself, e.g.
///
///   import "DPI-C" function int macloom_run_int8(input chandle network, input byte codes[490],
///       input longint num_input, output byte result[12], input longint num_output);
package macloom_dpi_pkg;

  // verilator lint_off UNUSEDPARAM
  localparam int WRAP = 0;
  localparam int SATURATE = 1;

  localparam int REQUANTIZE_SHIFT = 0;
  localparam int REQUANTIZE_DOUBLE = 1;
  localparam int REQUANTIZE_SINGLE = 2;
  // verilator lint_on UNUSEDPARAM

  import "DPI-C" function string macloom_last_error();

  import "DPI-C" function int macloom_accumulate(
    input int width_bits, input int overflow, input longint accumulator, input longint sum,
    output longint result, output int is_event);

  import "DPI-C" function int macloom_requantize(
    input int kind, input longint x, input int multiplier, input int shift, input int zero_point,
    input int clamp_min, input int clamp_max, output int code);

  import "DPI-C" function int macloom_requantize_mean(
    input longint x, input int num_positions, input int clamp_min, input int clamp_max,
    output int code);

  import "DPI-C" function int macloom_load(
    input string model, input int rounding, output chandle network);

  import "DPI-C" function void macloom_free(input chandle network);

  import "DPI-C" function int macloom_set_accumulation(
    input chandle network, input int node, input int width_bits, input int overflow,
    input int products_per_step, input int order);

endpackage
