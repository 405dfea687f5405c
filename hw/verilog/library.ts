/**
 * The fixed modules that every generated design uses: channels and delay lines. A channel is a FIFO whose handshakes on
 * both sides come from registers, so that a token is seen one clock after it was pushed and a slot is reusable one
 * clock after it was freed (language rule 2); no path runs through it within a clock.
 */

const counters = (pushed: string, popped: string): string => `
\`ifdef TANDEM_COUNTERS
  reg [31:0] pushed, popped, occupied_clocks, most;
  wire [31:0] occupied = pushed + ${pushed} - popped - ${popped};
  always @(posedge clk)
    if (rst) begin
      pushed <= 32'd0;
      popped <= 32'd0;
      occupied_clocks <= 32'd0;
      most <= 32'd0;
    end else begin
      pushed <= pushed + ${pushed};
      popped <= popped + ${popped};
      occupied_clocks <= occupied_clocks + occupied;
      if (occupied > most) most <= occupied;
    end
\`endif
`;

export const fifo = `/* verilator lint_off UNUSED */
// A channel: FIFO of DEPTH words, one push and one pop a clock. With STAGED a word is written by in_stage, behind the
// last one and even if the FIFO is full, and in_valid, then or later, makes it count.
module tandem_fifo #(
  parameter WIDTH = 8,
  parameter DEPTH = 2,
  parameter STAGED = 0
) (
  input wire clk,
  input wire rst,
  input wire [WIDTH-1:0] in_data,
  input wire in_stage,
  input wire in_valid,
  output wire in_ready,
  output wire [WIDTH-1:0] out_data,
  output wire out_valid,
  input wire out_ready
);
  wire push = in_valid && in_ready;
  wire pop = out_valid && out_ready;
  wire write = STAGED != 0 ? in_stage : push;
  localparam SLOTS = DEPTH + STAGED;
  generate
    if (SLOTS == 1) begin : one
      reg full;
      reg [WIDTH-1:0] word;
      assign in_ready = !full;
      assign out_valid = full;
      assign out_data = word;
      always @(posedge clk) begin
        if (rst) full <= 1'b0;
        else if (push) full <= 1'b1;
        else if (pop) full <= 1'b0;
        if (write) word <= in_data;
      end
    end else if (SLOTS == 2 && STAGED == 0 && WIDTH <= 4) begin : two
      // The oldest word stands in \`head\`.
      reg has_head, has_tail;
      reg [WIDTH-1:0] head, tail;
      assign in_ready = !has_tail;
      assign out_valid = has_head;
      assign out_data = head;
      always @(posedge clk) begin
        if (rst) begin
          has_head <= 1'b0;
          has_tail <= 1'b0;
        end else if (push && !pop) begin
          has_head <= 1'b1;
          has_tail <= has_head;
        end else if (pop && !push) begin
          has_head <= has_tail;
          has_tail <= 1'b0;
        end
        if (push ? (!has_head || pop) : pop) head <= has_tail ? tail : in_data;
        if (write) tail <= in_data;
      end
    end else begin : ring
      // Look-up tables as memory: six bits of up to 32 words in four of them, and no flip-flops.
      localparam BITS = $clog2(SLOTS);
      (* ram_style = "distributed" *) reg [WIDTH-1:0] words [0:(1<<BITS)-1];
      reg [BITS-1:0] head, tail;
      reg empty, full;
      wire [BITS-1:0] next_head = head + 1'b1;
      wire [BITS-1:0] next_tail = tail + 1'b1;
      wire [BITS-1:0] held = next_tail - head;
      assign in_ready = !full;
      assign out_valid = !empty;
      assign out_data = words[head];
      always @(posedge clk) begin
        if (rst) begin
          head <= {BITS{1'b0}};
          tail <= {BITS{1'b0}};
          empty <= 1'b1;
          full <= 1'b0;
        end else begin
          if (push) tail <= next_tail;
          if (pop) head <= next_head;
          if (push && !pop) begin
            empty <= 1'b0;
            full <= held == DEPTH[BITS-1:0];
          end else if (pop && !push) begin
            full <= 1'b0;
            empty <= next_head == tail;
          end
        end
        if (write) words[tail] <= in_data;
      end
    end
  endgenerate${counters("{31'd0, push}", "{31'd0, pop}")}endmodule
`;

/** A channel of several lanes: `valid` and `ready` are counts of tokens and slots, and of what is moved. */
export const fifoLanes = `/* verilator lint_off UNUSED */
// A channel of LANES operations a clock on each side. The _valid and _ready wires are counts, each at most LANES:
// how many words are offered (there is room for), and how many are moved.
module tandem_fifo_lanes #(
  parameter WIDTH = 8,
  parameter DEPTH = 2,
  parameter LANES = 2,
  parameter COUNT = 2,
  parameter HELD = 2
) (
  input wire clk,
  input wire rst,
  input wire [LANES*WIDTH-1:0] in_data,
  input wire [COUNT-1:0] in_valid,
  output wire [COUNT-1:0] in_ready,
  output wire [LANES*WIDTH-1:0] out_data,
  output wire [COUNT-1:0] out_valid,
  input wire [COUNT-1:0] out_ready
);
  // The oldest word stands lowest.
  reg [DEPTH*WIDTH-1:0] words;
  reg [HELD-1:0] held;
  integer i;
  reg [DEPTH*WIDTH-1:0] words_n;
  reg [HELD-1:0] held_n;
  wire [31:0] count = {{(32-HELD){1'b0}}, held};
  wire [31:0] room = DEPTH - count;
  wire [31:0] can_push = room < LANES ? room : LANES;
  wire [31:0] can_pop = count < LANES ? count : LANES;
  wire [31:0] pushes = {{(32-COUNT){1'b0}}, in_valid};
  wire [31:0] pops = {{(32-COUNT){1'b0}}, out_ready};
  assign in_ready = can_push[COUNT-1:0];
  assign out_valid = can_pop[COUNT-1:0];
  generate
    if (LANES <= DEPTH) begin : narrow
      assign out_data = words[LANES*WIDTH-1:0];
    end else begin : wide
      assign out_data = {{((LANES-DEPTH)*WIDTH){1'b0}}, words};
    end
  endgenerate
  always @* begin
    words_n = words >> (pops * WIDTH);
    held_n = held - pops[HELD-1:0];
    for (i = 0; i < LANES; i = i + 1)
      if (i < pushes) begin
        words_n[held_n*WIDTH +: WIDTH] = in_data[i*WIDTH +: WIDTH];
        held_n = held_n + 1'b1;
      end
  end
  always @(posedge clk) begin
    if (rst) held <= {HELD{1'b0}};
    else begin
      held <= held_n;
      words <= words_n;
    end
  end${counters("pushes", "pops")}endmodule
`;

export const delay = `/* verilator lint_off UNUSED */
// A value CLOCKS clocks later.
module tandem_delay #(
  parameter WIDTH = 8,
  parameter CLOCKS = 1
) (
  input wire clk,
  input wire [WIDTH-1:0] in,
  output wire [WIDTH-1:0] out
);
  generate
    if (CLOCKS == 0) begin : none
      assign out = in;
    end else if (CLOCKS == 1) begin : one
      reg [WIDTH-1:0] word;
      always @(posedge clk) word <= in;
      assign out = word;
    end else begin : line
      reg [CLOCKS*WIDTH-1:0] words;
      always @(posedge clk) words <= {words[(CLOCKS-1)*WIDTH-1:0], in};
      assign out = words[CLOCKS*WIDTH-1:(CLOCKS-1)*WIDTH];
    end
  endgenerate
endmodule
`;
