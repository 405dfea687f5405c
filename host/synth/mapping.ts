/**
 * Mapping to the cells of the device: some modules in one run of Yosys, each on its own, what stands in them as black boxes.
 *
 * ABC's choices of structure (`&dch`) can leave carry chains and logic in an order that its own mapper then refuses ("Boxes are
 * not in a topological order", YosysHQ/yosys issues 4766 and 5091). Whether that happens hangs on details of the text. A
 * module that it happens to is mapped without those choices.
 */
import { TandemError } from "../../hw/errors.js";
import { runYosysJob } from "./yosys.js";

/** A module and what its Verilog is. */
export interface Mappable {
  /** The module's text under a name. */
  readonly text: (name: string) => string;
  /** Modules inside: their heads, by name. */
  readonly children: ReadonlyMap<string, string>;
}

/** A module after mapping: its primitives, and its longest path in ns. */
export interface Mapped {
  readonly cells: Readonly<Record<string, number>>;
  readonly ns: number;
  /** Mapped without choices of structure, because ABC fails with them. */
  readonly plain?: boolean;
}

/**
 * Every sum becomes an adder by itself (`$alu`), before `alumacc` makes one compressor of all that are added to each other: a
 * tree of adders on carry chains takes fewer look-up tables than compressors made of them. An adder's first operand goes to the
 * carry chain as it is, so logic in front of it costs tables of its own: of a sum, the narrower operand comes first.
 */
export const ADDERS = `(* techmap_celltype = "$add $sub" *)
module adder (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CELLTYPE_ = "";
  localparam SUB = _TECHMAP_CELLTYPE_ == "$sub";
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire [Y_WIDTH-1:0] X, CO;
  generate
    if (!SUB && B_WIDTH < A_WIDTH)
      \\$alu #(.A_SIGNED(B_SIGNED), .B_SIGNED(A_SIGNED), .A_WIDTH(B_WIDTH), .B_WIDTH(A_WIDTH), .Y_WIDTH(Y_WIDTH))
        _TECHMAP_REPLACE_ (.A(B), .B(A), .BI(SUB), .CI(SUB), .X(X), .Y(Y), .CO(CO));
    else
      \\$alu #(.A_SIGNED(A_SIGNED), .B_SIGNED(B_SIGNED), .A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH))
        _TECHMAP_REPLACE_ (.A(A), .B(B), .BI(SUB), .CI(SUB), .X(X), .Y(Y), .CO(CO));
  endgenerate
endmodule
`;

/**
 * Without `-widemux`: with it, `muxcover` of Yosys 0.55 covers a chain of multiplexers, of which only one input goes on, by
 * one of sixteen inputs whose choice is unknown (x), and what it chose from is lost. Four of them do it, as in
 * `v ? (u ? c : t ? (s ? a : b) : c) : c`.
 */
const XC7 = "synth_xilinx -family xc7 -abc9 -noiopad -noclkbuf -top tandem_batch";
/** The commands, for a top `tandem_batch` and ADDERS in `adders.v`. */
export const SYNTH = `${XC7} -run begin:coarse; techmap -map adders.v; opt_clean; ${XC7} -run coarse:`;
/** Yosys's own script for ABC without `&dch`; `{C} {W} {D} {R}` are its parameters. */
const PLAIN = 'scratchpad -set abc9.script "+&scorr;&sweep;&dc2;&ps;&if {C} {W} {D} {R} -v;&mfs"';

/** All that decides what a text is mapped to, beside Yosys's version. */
export const RECIPE = `${SYNTH}; ${PLAIN}; ${ADDERS}`;

/** @throws TandemError where Yosys refuses the Verilog. */
export async function map(batch: readonly Mappable[]): Promise<Mapped[]> {
  try {
    return await run(batch, SYNTH);
  } catch (error) {
    if (!isFailureOfAbc(error)) throw error;
  }
  const [only, ...others] = batch;
  if (others.length === 0) return (await run([only!], `${PLAIN}; ${SYNTH}`)).map((one) => ({ ...one, plain: true }));
  // One of them; which, Yosys does not say.
  const results: Mapped[] = [];
  for (const one of batch) results.push(...(await map([one])));
  return results;
}

/** Yosys finds that ABC wrote nothing. */
const isFailureOfAbc = (error: unknown): boolean =>
  error instanceof TandemError && /yosys-abc-\w+\/output\.aig/.test(error.message);

async function run(batch: readonly Mappable[], recipe: string): Promise<Mapped[]> {
  const names = batch.map((_, i) => `unit_${i}`);
  const boxes = new Map(batch.flatMap(({ children }) => [...children]));
  const top = `module tandem_batch;\n${names.map((name, i) => `  (* keep *) ${name} u${i} ();`).join("\n")}\nendmodule\n`;
  const files = {
    "boxes.v": [...boxes.values()].map((head) => `${head}\nendmodule\n`).join(""),
    "units.v": batch.map(({ text }, i) => text(names[i]!)).join(""),
    "top.v": top,
    "adders.v": ADDERS,
  };
  const script = [
    "read_verilog -lib boxes.v",
    "read_verilog units.v top.v",
    recipe,
    "tee -q -o stat.json stat -json",
    "tee -q -o sta.txt sta",
  ].join("; ");
  const results = await runYosysJob({ files, script, wanted: ["stat.json", "sta.txt"] });
  const { modules } = JSON.parse(results["stat.json"]!) as {
    modules: Readonly<Record<string, { readonly num_cells_by_type?: Readonly<Record<string, number>> }>>;
  };
  const paths = new Map<string, number>();
  for (const [, module, ps] of results["sta.txt"]!.matchAll(/Latest arrival time in '([^']*)' is (\d+)/g))
    paths.set(module!.replace(/^\\/, ""), Number(ps) / 1000);
  return names.map((name) => ({
    cells: Object.fromEntries(
      Object.entries(modules[`\\${name}`]?.num_cells_by_type ?? {}).filter(([type]) => !isBox(type, boxes)),
    ),
    ns: paths.get(name) ?? 0,
  }));
}

const isBox = (type: string, boxes: ReadonlyMap<string, string>): boolean =>
  boxes.has(type.replace(/^\\/, "")) || [...boxes.keys()].some((name) => type.endsWith(`\\${name}`));
