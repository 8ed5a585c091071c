// SPDX-License-Identifier: Apache-2.0

/// One lane for the results of a maximum of minifloats: key to code, clamped by the order of codes.
///
///   key(c) = S ? ~(c without S) : c, signed: the order of values, -0 just below +0
///   y_o    = key_i < key(clamp_min_i) ? clamp_min_i : key_i > key(clamp_max_i) ? clamp_max_i
///            : the code whose key is key_i
///
/// Latency  3 cycles from the inputs to the outputs, as loom_fp_requant_lane; one value per cycle.
/// Golden   docs/numerics.md, sections 9.1 and 9.5
/// Test     tests/rtl/loom_fp_code_lane_test.cc
module loom_fp_code_lane (
  /// Clock, rising edge.
  input  logic              clk_i,
  /// Key of the largest code.
  input  logic signed [7:0] key_i,
  /// Smallest code.
  input  logic [7:0]        clamp_min_i,
  /// Largest code, not below `clamp_min_i`.
  input  logic [7:0]        clamp_max_i,
  /// Code.
  output logic [7:0]        y_o,
  /// The code was below `clamp_min_i`.
  output logic              low_o,
  /// The code was above `clamp_max_i`.
  output logic              high_o
);

  logic signed [7:0] key_min, key_max;
  logic [7:0]        y_q1, y_q2;
  logic              low_q1, low_q2, high_q1, high_q2;

  assign key_min = signed'({clamp_min_i[7], clamp_min_i[6:0] ^ {7{clamp_min_i[7]}}});
  assign key_max = signed'({clamp_max_i[7], clamp_max_i[6:0] ^ {7{clamp_max_i[7]}}});

  always_ff @(posedge clk_i) begin
    y_q1 <= {key_i[7], key_i[6:0] ^ {7{key_i[7]}}};
    if (key_i < key_min) y_q1 <= clamp_min_i;
    if (key_i > key_max) y_q1 <= clamp_max_i;
    low_q1 <= key_i < key_min;
    high_q1 <= key_i > key_max;
    y_q2 <= y_q1;
    low_q2 <= low_q1;
    high_q2 <= high_q1;
    y_o <= y_q2;
    low_o <= low_q2;
    high_o <= high_q2;
  end

endmodule
