// The peer of the `sim` benchmark: a hand-written output-stationary array of R x C int8 multiply-accumulate cells, with the timing of
// Tandem's grid (hw/grid.ts): operands skewed by row and column, results through one register per column, deskewed.
`default_nettype none

module mac_cell (
    input  wire               clk,
    input  wire               valid_in,
    input  wire               first_in,
    input  wire               last_in,
    input  wire signed [7:0]  a_in,
    input  wire signed [7:0]  w_in,
    output reg                valid_out,
    output reg                first_out,
    output reg                last_out,
    output reg  signed [7:0]  a_out,
    output reg  signed [7:0]  w_out,
    output wire               emit,
    output wire signed [31:0] sum
);
  reg signed [31:0] acc;
  assign sum  = (first_in ? 32'sd0 : acc) + a_in * w_in;
  assign emit = valid_in & last_in;
  initial begin
    valid_out = 0; first_out = 0; last_out = 0; a_out = 0; w_out = 0; acc = 0;
  end
  always @(posedge clk) begin
    valid_out <= valid_in;
    if (valid_in) begin
      acc <= sum;
      first_out <= first_in;
      last_out <= last_in;
      a_out <= a_in;
      w_out <= w_in;
    end
  end
endmodule

// A register line of N words; N may be 0.
module delay #(parameter N = 1, parameter W = 8) (
    input wire clk,
    input wire [W-1:0] d,
    output wire [W-1:0] q
);
  generate
    if (N == 0) begin : none
      assign q = d;
    end else begin : line
      reg [W-1:0] r [0:N-1];
      integer i;
      initial for (i = 0; i < N; i = i + 1) r[i] = 0;
      always @(posedge clk) begin
        r[0] <= d;
        for (i = 1; i < N; i = i + 1) r[i] <= r[i-1];
      end
      assign q = r[N-1];
    end
  endgenerate
endmodule

module mac_array #(parameter R = 16, parameter C = 16) (
    input  wire              clk,
    input  wire              valid,
    input  wire              first,
    input  wire              last,
    input  wire [8*R-1:0]    west,
    input  wire [8*C-1:0]    north,
    output wire              out_valid,
    output wire [32*C-1:0]   out
);
  // Links: index (row, column) is what enters the cell; the flags travel with the row's operand.
  wire [10:0] east  [0:R-1][0:C];
  wire [7:0]  south [0:R][0:C-1];
  wire        emit  [0:R-1][0:C-1];
  wire [31:0] sum   [0:R-1][0:C-1];

  genvar r, c;
  generate
    for (r = 0; r < R; r = r + 1) begin : west_skew
      delay #(.N(r), .W(11)) d (.clk(clk), .d({valid, first, last, west[8*r +: 8]}), .q(east[r][0]));
    end
    for (c = 0; c < C; c = c + 1) begin : north_skew
      delay #(.N(c), .W(8)) d (.clk(clk), .d(north[8*c +: 8]), .q(south[0][c]));
    end
    for (r = 0; r < R; r = r + 1) begin : row
      for (c = 0; c < C; c = c + 1) begin : col
        mac_cell cell_ (
            .clk(clk),
            .valid_in(east[r][c][10]), .first_in(east[r][c][9]), .last_in(east[r][c][8]), .a_in(east[r][c][7:0]),
            .w_in(south[r][c]),
            .valid_out(east[r][c+1][10]), .first_out(east[r][c+1][9]), .last_out(east[r][c+1][8]),
            .a_out(east[r][c+1][7:0]), .w_out(south[r+1][c]),
            .emit(emit[r][c]), .sum(sum[r][c]));
      end
    end
    for (c = 0; c < C; c = c + 1) begin : outlet
      // Or of what the rows emit: at most one does, and the others hold zero, so that an event-driven simulator has little to do.
      wire [32:0] any [0:R];
      reg         result_valid;
      reg  [31:0] result;
      initial begin result_valid = 0; result = 0; end
      assign any[0] = 33'd0;
      for (r = 0; r < R; r = r + 1) begin : gather
        assign any[r+1] = any[r] | (emit[r][c] ? {1'b1, sum[r][c]} : 33'd0);
      end
      always @(posedge clk) begin
        result_valid <= any[R][32];
        result <= any[R][31:0];
      end
      delay #(.N(C-1-c), .W(32)) d (.clk(clk), .d(result), .q(out[32*c +: 32]));
      if (c == C-1) begin : flag
        assign out_valid = result_valid;
      end
    end
  endgenerate
endmodule

// Feeds the array with pseudo-random tiles of DEPTH waves, one after the other, and sums up what leaves it.
module bench #(parameter R = 16, parameter C = 16, parameter DEPTH = 64) (
    input  wire        clk,
    output reg  [31:0] checksum,
    output reg  [31:0] rows
);
  reg [31:0] state;
  reg [31:0] k;
  wire [8*R-1:0] west;
  wire [8*C-1:0] north;
  wire out_valid;
  wire [32*C-1:0] out;

  genvar i;
  generate
    for (i = 0; i < R; i = i + 1) begin : w
      wire [31:0] x = (state ^ (32'h9E3779B9 * i)) * 32'h85EBCA6B;
      assign west[8*i +: 8] = x[31:24];
    end
    for (i = 0; i < C; i = i + 1) begin : n
      wire [31:0] x = (state ^ (32'h9E3779B9 * (R + i))) * 32'h85EBCA6B;
      assign north[8*i +: 8] = x[31:24];
    end
  endgenerate

  mac_array #(.R(R), .C(C)) array (
      .clk(clk), .valid(1'b1), .first(k == 0), .last(k == DEPTH - 1), .west(west), .north(north),
      .out_valid(out_valid), .out(out));

  integer j;
  reg [31:0] next;
  initial begin
    state = 1; k = 0; checksum = 0; rows = 0;
  end
  always @(posedge clk) begin
    state <= state * 32'd1664525 + 32'd1013904223;
    k <= k == DEPTH - 1 ? 0 : k + 1;
    if (out_valid) begin
      next = checksum;
      for (j = 0; j < C; j = j + 1) next = next * 32'd31 + out[32*j +: 32];
      checksum <= next;
      rows <= rows + 1;
    end
  end
endmodule
