/**
 * What a generated design is made of, for synthesis piece by piece: every module with every set of its parameters is a
 * *unit*, mapped once however often it stands in the design. Yosys elaborates the hierarchy and tells which there are.
 */
import type { VerilogDesign } from "../../hw/verilog/design.js";
import { runYosysJob } from "./yosys.js";

export interface Unit {
  /** Name in the elaborated design. */
  readonly name: string;
  /** Name of the Verilog module, and its parameters. */
  readonly module: string;
  readonly parameters: Readonly<Record<string, number>>;
  /** Units inside, and how many of each. */
  readonly children: ReadonlyMap<string, number>;
}

interface Elaboration {
  readonly modules: Readonly<
    Record<
      string,
      {
        readonly parameter_default_values?: Readonly<Record<string, string>>;
        readonly cells: Readonly<Record<string, { readonly type: string }>>;
      }
    >
  >;
}

/** A unit as JSON can hold it. */
export type PlainUnit = Omit<Unit, "children"> & { readonly children: readonly (readonly [string, number])[] };

/** Yosys calls a module with parameters `$paramod...\name...`. */
const moduleName = (name: string): string => /^\$paramod(?:\$[0-9a-f]+)?\\([^\\]+)/.exec(name)?.[1] ?? name;

export async function findUnits(design: VerilogDesign): Promise<PlainUnit[]> {
  const names = [...design.files.keys()].map((name) => name.replace(/\.v$/, ""));
  // The body of a module with nothing in it is of no interest here, and would be most of the work.
  const outline = (text: string): string => {
    const body = text.slice(headOf(text).length);
    const isLeaf = !/\bparameter\b/.test(text) && !names.some((name) => new RegExp(`\\b${name}\\b`).test(body));
    return isLeaf ? `${headOf(text)}\nendmodule\n` : text;
  };
  const outlines = [...design.files].map(([name, text]): [string, string] => [name, outline(text)]);
  const script = [
    ...[...design.files.keys()].map((name) => `read_verilog ${name}`),
    `hierarchy -check -top ${design.top}`,
    // Only modules, parameters and instances are of interest.
    "delete */p:*",
    "delete */t:$* */t:$paramod* %d",
    "write_json units.json",
  ].join("; ");
  const files = await runYosysJob({ files: Object.fromEntries(outlines), script, wanted: ["units.json"] });
  const { modules } = JSON.parse(files["units.json"]!) as Elaboration;
  return Object.entries(modules).map(([name, { parameter_default_values, cells }]) => {
    const children = new Map<string, number>();
    for (const { type } of Object.values(cells)) if (type in modules) children.set(type, (children.get(type) ?? 0) + 1);
    const parameters = Object.entries(parameter_default_values ?? {}).map(([key, bits]) => [key, parseInt(bits, 2)]);
    return {
      name,
      module: moduleName(name),
      parameters: Object.fromEntries(parameters) as Record<string, number>,
      children: [...children],
    };
  });
}

export const unitOf = (unit: PlainUnit): Unit => ({ ...unit, children: new Map(unit.children) });

/**
 * The module's text without what only says where in the source it comes from: comments, and the line numbers in the names of
 * states, which become ranks. So an edit changes the text of those modules that it changes, not of all that stand
 * below it in the same file.
 */
export function withoutPlaces(text: string): string {
  const ranks = new Map<string, number>();
  const rank = (line: string): number => ranks.get(line) ?? (ranks.set(line, ranks.size + 1), ranks.size);
  return text
    .replace(/^\s*\/\/.*\n/gm, "")
    .replace(/(?<=_)L(\d+)(?=_\d+\b|\b)/g, (_, line: string) => `L${rank(line)}`);
}

/** The module's text under another name, with the unit's parameters for defaults. */
export function specialise(text: string, { module, parameters }: Unit, name: string): string {
  let special = text.replace(new RegExp(`\\bmodule ${module}\\b`), `module ${name}`);
  for (const [key, value] of Object.entries(parameters))
    special = special.replace(new RegExp(`(\\bparameter ${key} = )\\d+`), `$1${value}`);
  return special;
}

/** What others see of a module: its text up to the end of its ports. */
export const headOf = (text: string): string => text.slice(0, text.indexOf(");") + 2);
