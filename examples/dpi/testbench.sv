/// Drives my_mac_lane with random and extreme sums and compares every step with macloom through
/// DPI: accumulator, overflow, and the code of each finished sum. Exits with an error on a mismatch.
module testbench #(
  parameter int Defect = 0
);

  localparam int NumProducts = 8;
  localparam int AccWidth = 20;
  localparam int NumSums = 20_000;
  localparam int StepsPerSum = 12;

  import macloom_dpi_pkg::*;
  import "DPI-C" function int macloom_mac_row(
    input int width_bits, input int overflow, input int products_per_step, input longint start,
    input byte activations[NumProducts], input byte weights[NumProducts],
    input longint num_products, output longint result, output longint num_events);

  bit clk = 1'b0;
  initial forever #5 clk = ~clk;

  logic valid, start, overflow;
  logic signed [AccWidth-1:0] bias, acc;
  logic signed [NumProducts-1:0][7:0] a, w;
  logic [30:0] multiplier;
  logic [4:0] right_shift;
  logic signed [7:0] zero_point, code;

  my_mac_lane #(
    .NumProducts(NumProducts), .AccWidth(AccWidth), .Defect(Defect)
  ) u_lane (
    .clk_i(clk), .valid_i(valid), .start_i(start), .bias_i(bias), .a_i(a), .w_i(w),
    .multiplier_i(multiplier), .right_shift_i(right_shift), .zero_point_i(zero_point),
    .acc_o(acc), .overflow_o(overflow), .code_o(code)
  );

  int num_mismatches = 0, num_overflows = 0, num_steps = 0;

  task automatic check_status(input int status);
    if (status != 0) $fatal(1, "macloom: %s", macloom_last_error());
  endtask

  task automatic compare(input string what, input longint is, input longint wanted);
    if (is == wanted) return;
    num_mismatches++;
    if (num_mismatches <= 5) $display("step %0d: %s is %0d, golden says %0d", num_steps, what, is, wanted);
  endtask

  task automatic run_sum(input bit is_extreme);
    byte activations[NumProducts], weights[NumProducts];
    longint wanted, num_events;
    int wanted_code;
    bias = AccWidth'($signed($urandom()) >>> $urandom_range(31, 32 - AccWidth));
    multiplier = {1'b1, 30'($urandom())};
    right_shift = 5'($urandom_range(13, 4));
    zero_point = 8'($urandom());
    wanted = 64'(bias);
    for (int step = 0; step < StepsPerSum; step++) begin
      for (int k = 0; k < NumProducts; k++) begin
        activations[k] = is_extreme ? -8'sd128 : 8'($urandom());
        weights[k] = is_extreme ? (zero_point[0] ? -8'sd128 : 8'sd127) : 8'($urandom());
        a[k] = activations[k];
        w[k] = weights[k];
      end
      valid = 1'b1;
      start = step == 0;
      check_status(macloom_mac_row(AccWidth, SATURATE, NumProducts, wanted, activations, weights,
                                   64'(NumProducts), wanted, num_events));
      @(negedge clk);
      num_steps++;
      num_overflows += int'(num_events);
      compare("accumulator", 64'(acc), wanted);
      compare("overflow", 64'(overflow), num_events);
    end
    valid = 1'b0;
    check_status(macloom_requantize(REQUANTIZE_DOUBLE, wanted, 32'(multiplier), -32'(right_shift),
                                    32'(zero_point), -128, 127, wanted_code));
    compare("code", 64'(code), 64'(wanted_code));
  endtask

  // Answers one can compute by hand: shows at once that the right library is linked.
  task automatic check_known_answers();
    longint result;
    int is_event, rounded, status;
    string text;
    check_status(macloom_accumulate(8, WRAP, 127, 1, result, is_event));
    compare("127 + 1 in 8 bits", result, -128);
    compare("its event", 64'(is_event), 1);
    check_status(macloom_requantize(REQUANTIZE_SHIFT, -3, 0, 1, 0, -128, 127, rounded));
    compare("-1.5, ties up", 64'(rounded), -1);
    check_status(macloom_requantize(REQUANTIZE_SINGLE, 3, 32'h7fff_ffff, -1, 0, -128, 127, rounded));
    compare("almost 1.5", 64'(rounded), 1);
    check_status(macloom_requantize_mean(-5, 2, -128, 127, rounded));
    compare("-2.5, ties away from zero", 64'(rounded), -3);
    status = macloom_accumulate(7, WRAP, 0, 0, result, is_event);
    text = macloom_last_error();
    if (status == 0 || text != "width_bits is 7; accepted are 8 to 64") begin
      $fatal(1, "an accumulator of 7 bits: status %0d, %s", status, text);
    end
  endtask

  initial begin
    check_known_answers();
    valid = 1'b0;
    @(negedge clk);
    for (int i = 0; i < NumSums; i++) run_sum(i % 4 == 0);
    $display("%0d steps, %0d of them overflowed, %0d sums: %0d mismatches", num_steps, num_overflows,
             NumSums, num_mismatches);
    if (num_overflows == 0) $fatal(1, "no step overflowed: the stimulus is too weak");
    if (num_mismatches != 0) $fatal(1, "my_mac_lane differs from golden");
    $finish;
  end

endmodule
