/** Registers that count where a process stands at the end of each clock (simulation only: TANDEM_COUNTERS). */

export interface StallCounter {
  readonly register: string;
  /** Conditions, one of which holds where the process stands at the operation. */
  readonly at: readonly string[];
}

export function countersText(counters: readonly StallCounter[]): string[] {
  return [
    "`ifdef TANDEM_COUNTERS",
    "  reg [31:0] busy_clocks;",
    ...counters.map(({ register }) => `  reg [31:0] ${register};`),
    `  wire [${Math.max(1, counters.length) - 1}:0] stalled_now;`,
    ...counters.map(({ at }, i) => `  assign stalled_now[${i}] = !busy && (${at.join(" || ")});`),
    ...(counters.length === 0 ? ["  assign stalled_now = 1'b0;"] : []),
    "  always @(posedge clk)",
    "    if (rst) begin",
    "      busy_clocks <= 32'd0;",
    ...counters.map(({ register }) => `      ${register} <= 32'd0;`),
    "    end else begin",
    "      busy_clocks <= busy_clocks + {31'd0, busy};",
    ...counters.map(({ register }, i) => `      ${register} <= ${register} + {31'd0, stalled_now[${i}]};`),
    "    end",
    "`endif",
  ];
}
