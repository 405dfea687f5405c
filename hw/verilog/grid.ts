/**
 * A grid of cells as generate loops (timing: hw/grid.ts). Row r of a wave enters r clocks late and column c c clocks
 * late; links are the cells' registers. A result stands in its cell's registers one clock after the wave passed; the column
 * picks the row that emits, and the columns are delayed until the last one has its turn.
 */
import type { Grid } from "../grid.js";
import { bitsFor } from "./expr.js";
import { span } from "./names.js";

export function gridModule(grid: Grid, cellName: string, placed: boolean): string {
  const { rows, cols, cell } = grid;
  const west = cell.west.bits;
  const north = cell.north.bits;
  const emit = cell.emit.bits;
  const pick = bitsFor(rows);
  const shift = Math.log2(emit);
  const wide = pick + Math.ceil(shift);
  const low = Number.isInteger(shift)
    ? shift === 0
      ? "row_of"
      : `{row_of, ${shift}'d0}`
    : `({${wide - pick}'d0, row_of} * ${wide}'d${emit})`;
  const picked = rows === 1 ? "top[c].results" : `top[c].results[${low} +: ${emit}]`;
  const place = placed ? ` #(.ROW(r), .COL(c))` : "";
  return ` (
  input wire clk,
  input wire rst,
  input wire feed,
  input wire ${span(rows * west)}west,
  input wire ${span(cols * north)}north,
  output wire ${span(cols * emit)}results_data,
  output wire results_valid
);
  // fed[k]: a wave entered k clocks ago.
  wire [${rows - 1}:0] fed;
  wire ${span(rows * pick)}numbers = {${Array.from({ length: rows }, (_, r) => `${pick}'d${rows - 1 - r}`).join(", ")}};
  genvar r, c, k;
  generate
    for (k = 0; k < ${rows}; k = k + 1) begin : age
      if (k == 0) begin : now
        assign fed[0] = feed;
      end else begin : later
        reg was_fed;
        always @(posedge clk)
          if (rst) was_fed <= 1'b0;
          else was_fed <= fed[k-1];
        assign fed[k] = was_fed;
      end
    end
    for (c = 0; c < ${cols}; c = c + 1) begin : top
      wire ${span(north)}skewed;
      wire ${span(rows * emit)}results;
      tandem_delay #(.WIDTH(${north}), .CLOCKS(c)) skew (.clk(clk), .in(north[c*${north} +: ${north}]), .out(skewed));
    end
    for (r = 0; r < ${rows}; r = r + 1) begin : row
      wire ${span(west)}skewed;
      tandem_delay #(.WIDTH(${west}), .CLOCKS(r)) skew (.clk(clk), .in(west[r*${west} +: ${west}]), .out(skewed));
      for (c = 0; c < ${cols}; c = c + 1) begin : col
        wire valid, passed, emitted;
        wire ${span(west)}west_in, east;
        wire ${span(north)}north_in, south;
        wire ${span(emit)}result;
        // Whether a row down to this one emits, and which.
        wire some;
        wire ${span(pick)}row_of;
        if (c == 0) begin : edge_w
          assign valid = fed[r];
          assign west_in = row[r].skewed;
        end else begin : link_w
          assign valid = row[r].col[c-1].passed;
          assign west_in = row[r].col[c-1].east;
        end
        if (r == 0) begin : edge_n
          assign north_in = top[c].skewed;
          assign some = emitted;
          assign row_of = ${pick}'d0;
        end else begin : link_n
          assign north_in = row[r-1].col[c].south;
          assign some = row[r-1].col[c].some | emitted;
          assign row_of = row[r-1].col[c].row_of | ({${pick}{emitted}} & numbers[r*${pick} +: ${pick}]);
        end
        ${cellName}${place} u (
          .clk(clk), .rst(rst), .valid(valid), .west(west_in), .north(north_in),
          .passed(passed), .east(east), .south(south), .emitted(emitted), .result(result)
        );
        assign top[c].results[r*${emit} +: ${emit}] = result;
      end
    end
    for (c = 0; c < ${cols}; c = c + 1) begin : bottom
      wire ${span(pick)}row_of = row[${rows - 1}].col[c].row_of;
      wire ${span(emit)}picked = ${picked};
      tandem_delay #(.WIDTH(${emit}), .CLOCKS(${cols - 1} - c)) deskew (
        .clk(clk), .in(picked), .out(results_data[c*${emit} +: ${emit}])
      );
    end
  endgenerate
  assign results_valid = row[${rows - 1}].col[${cols - 1}].some;
\`ifdef TANDEM_COUNTERS
  // Waves that entered, and the clocks for which the youngest of them is still on its way.
  reg [31:0] waves, left;
  wire active = feed || left != 32'd0;
  always @(posedge clk)
    if (rst) begin
      waves <= 32'd0;
      left <= 32'd0;
    end else begin
      waves <= waves + {31'd0, feed};
      left <= feed ? 32'd${rows + cols} : left == 32'd0 ? 32'd0 : left - 32'd1;
    end
\`endif
endmodule
`;
}
