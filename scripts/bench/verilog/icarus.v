// Drives bench.v under Icarus Verilog for +clocks=N clocks; prints rows and checksum.
module icarus;
  reg clk = 0;
  wire [31:0] checksum, rows;
  integer clocks, i;
  bench dut (.clk(clk), .checksum(checksum), .rows(rows));
  initial begin
    if (!$value$plusargs("clocks=%d", clocks)) clocks = 1000;
    for (i = 0; i < clocks; i = i + 1) begin
      #5 clk = 1;
      #5 clk = 0;
    end
    $display("%0d %0d", rows, checksum);
    $finish;
  end
endmodule
