// SPDX-License-Identifier: Apache-2.0

/// Single steps of the golden arithmetic for SystemVerilog test benches; link libmacloom.so.
///
/// What the functions compute: macloom.h. Each returns a status, 0 if all is well; otherwise
/// macloom_last_error() says what is wrong. `byte`, `int` and `longint` are int8_t, int32_t and
/// int64_t or size_t, `chandle` is a handle. A C array is an unpacked array of fixed size here, so
/// functions over arrays are declared by the test bench, which knows the size, e.g.
///
///   import "DPI-C" function int macloom_run_int8(input chandle network, input byte codes[490],
///     input longint num_codes, output byte result[12], input longint num_result);
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

endpackage
