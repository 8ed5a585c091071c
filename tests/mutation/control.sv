// A module whose mutants are known to differ or not (equivalence_test.py): a payload with its flag, and
// a memory of 24 words of which bit 3 is always written 0 (by the contract of the test).
module control (
  input  logic       clk_i,
  input  logic       take_i,
  input  logic [3:0] data_i,
  input  logic [3:0] salt_i,
  output logic       valid_o,
  output logic [3:0] data_o,
  input  logic       show_i,
  input  logic [4:0] raddr_i,
  output logic [3:0] content_o
);

  logic [3:0] mem_q [0:23];
  logic [3:0] content, payload, idle;
  logic       flag;

  assign content = mem_q[raddr_i];
  \$and #(.A_SIGNED(0), .B_SIGNED(0), .A_WIDTH(4), .B_WIDTH(4), .Y_WIDTH(4))
    u_content (.A(content), .B({4{show_i}}), .Y(content_o));
  \$xor #(.A_SIGNED(0), .B_SIGNED(0), .A_WIDTH(4), .B_WIDTH(4), .Y_WIDTH(4))
    u_payload (.A(data_i), .B(salt_i), .Y(payload));
  \$and #(.A_SIGNED(0), .B_SIGNED(0), .A_WIDTH(4), .B_WIDTH(4), .Y_WIDTH(4))
    u_idle (.A(salt_i), .B({4{!take_i}}), .Y(idle));
  \$and #(.A_SIGNED(0), .B_SIGNED(0), .A_WIDTH(1), .B_WIDTH(1), .Y_WIDTH(1))
    u_flag (.A(take_i), .B(show_i), .Y(flag));

  always_ff @(posedge clk_i) begin
    if (take_i) mem_q[raddr_i] <= data_i;
    valid_o <= flag;
    data_o <= payload ^ idle;
  end

endmodule
