/** Names in Verilog: unique within a module, and no keywords. */

const keywords = new Set(
  (
    "always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam design " +
    "disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable endtask " +
    "event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial inout input " +
    "instance integer join large liblist library localparam macromodule medium module nand negedge nmos nor not notif0 " +
    "notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup rcmos real realtime reg release repeat " +
    "rnmos rpmos rtran rtranif0 rtranif1 scalared signed small specify specparam strength strong0 strong1 supply0 supply1 " +
    "table task time tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use vectored wait wand weak0 weak1 " +
    "while wire wor xnor xor bit byte logic int shortint longint do return var void string struct union enum typedef " +
    "interface package class new this super null const static local ref priority unique final assert assume cover " +
    "property sequence accept_on alias always_comb always_ff always_latch before bind bins binsof break chandle checker " +
    "clocking constraint context continue covergroup coverpoint cross dist eventually expect export extends extern " +
    "first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies import inside interconnect " +
    "intersect join_any join_none let matches modport nettype nexttime null packed program pure rand randc randcase " +
    "randsequence reject_on restrict shortreal soft solve tagged throughout timeprecision timeunit type unique0 until " +
    "until_with untyped virtual wait_order wildcard with within clk rst"
  ).split(" "),
);

/** Letters, digits and underscores, starting with a letter. */
export function legal(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_]/g, "_").replace(/^([^A-Za-z])/, "n$1");
  return clean === "" ? "n" : clean;
}

export class NameTable {
  readonly #used = new Set<string>();

  /** `wanted`, or `wanted_2`, `wanted_3`, ... if that is taken. */
  unique(wanted: string): string {
    const base = legal(wanted);
    let name = keywords.has(base) ? `${base}_0` : base;
    for (let i = 2; this.#used.has(name); i++) name = `${base}_${i}`;
    this.#used.add(name);
    return name;
  }

  /** Like `unique`, but all of `wanted` followed by each suffix must be free. */
  family(wanted: string, suffixes: readonly string[]): string {
    const base = legal(wanted);
    let name = base;
    const taken = (n: string): boolean => suffixes.some((s) => this.#used.has(n + s) || keywords.has(n + s));
    for (let i = 2; taken(name); i++) name = `${base}_${i}`;
    for (const s of suffixes) this.#used.add(name + s);
    return name;
  }

  get names(): ReadonlySet<string> {
    return this.#used;
  }
}

/** `[7:0] `, or nothing for one bit. */
export const span = (width: number): string => (width === 1 ? "" : `[${width - 1}:0] `);
