/** The Verilog of a black box: its text, and its ports held against those of the module that it stands for. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { BlackBox } from "../blackbox.js";
import { ChannelIn } from "../channel.js";
import { TandemError } from "../errors.js";
import type { Position } from "../ir/ir.js";
import { wiresOf, type Bundle } from "./interface.js";

export interface BoxText {
  readonly text: string;
  /** The text has an output `busy`. */
  readonly busy: boolean;
  /** What is wrong with it. */
  readonly problems: readonly { readonly at: Position; readonly message: string; readonly hint: string }[];
}

/** The bundles that cross the border of a black box: its channel ports. */
export const boxBundles = (box: BlackBox): Bundle[] =>
  box.ports.map((port) => ({ kind: port instanceof ChannelIn ? "pop" : "push", part: port.channel }));

export function boxText(box: BlackBox): BoxText {
  const { file, text: given, module, parameters = {} } = box.verilog;
  const name = file ? fileURLToPath(file) : `the Verilog of ${box.path}`;
  const problem = (message: string, hint: string, index = 0, text = ""): BoxText["problems"][number] => {
    const before = text.slice(0, index).split("\n");
    return { at: { file: name, line: before.length, column: before.at(-1)!.length + 1 }, message, hint };
  };
  let text = given;
  try {
    text ??= file && readFileSync(file, "utf8");
  } catch (error) {
    const why = problem(`${box.path}: ${(error as Error).message}`, "verilog.file names a file that can be read.");
    return { text: "", busy: false, problems: [why] };
  }
  if (text === undefined)
    return {
      text: "",
      busy: false,
      problems: [problem(`${box.path} has no Verilog`, "Give verilog.file or verilog.text.")],
    };
  const head = new RegExp(`\\bmodule\\s+${module}\\b([\\s\\S]*?);`).exec(withoutComments(text));
  if (!head) {
    const why = problem(`there is no module ${module}`, `verilog.module of ${box.path} is a module of the text.`);
    return { text, busy: false, problems: [why] };
  }
  const ports = portsOf(head[1]!, parameters);
  const wrong = (message: string): BoxText["problems"][number] =>
    problem(
      `module ${module} ${message}`,
      `It stands for ${box.path}: clk, rst, and data, valid and ready of each of its channel ports, declared in the head.`,
      head.index,
      text,
    );
  const problems: BoxText["problems"][number][] = [];
  const missing = new Set(ports.keys());
  missing.delete("busy");
  const expect = (port: string, direction: "input" | "output", width: number): void => {
    missing.delete(port);
    const found = ports.get(port);
    if (!found) problems.push(wrong(`has no port ${port} (${direction}, ${width} bit)`));
    else if (found.direction !== direction) problems.push(wrong(`has ${port} as ${found.direction}, not ${direction}`));
    else if (found.width !== undefined && found.width !== width)
      problems.push(wrong(`has ${port} with ${found.width} bits; the channel has ${width}`));
  };
  expect("clk", "input", 1);
  expect("rst", "input", 1);
  for (const port of box.ports) {
    const bundle: Bundle = { kind: port instanceof ChannelIn ? "pop" : "push", part: port.channel };
    for (const { suffix, width, byProcess } of wiresOf(bundle))
      expect(port.name + suffix, byProcess ? "output" : "input", width);
  }
  for (const port of missing) problems.push(wrong(`has a port ${port}, of which ${box.path} knows nothing`));
  for (const parameter of Object.keys(parameters))
    if (!new RegExp(`\\bparameter\\b[^;]*\\b${parameter}\\s*=`).test(head[0]))
      problems.push(wrong(`has no parameter ${parameter}`));
  return { text, busy: ports.get("busy")?.direction === "output", problems };
}

/** Throws a `TandemError` with the first thing that is wrong. */
export function checkedBoxText(box: BlackBox): BoxText {
  const found = boxText(box);
  const [first] = found.problems;
  if (first) throw new TandemError(`${first.at.file}:${first.at.line}: ${first.message}`, { hint: first.hint });
  return found;
}

/** Comments as spaces, so that places stay. */
const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (comment) => comment.replace(/[^\n]/g, " "));

interface VerilogPort {
  readonly direction: string;
  /** Undefined where the range is more than a number or a parameter less one. */
  readonly width: number | undefined;
}

function portsOf(head: string, given: Readonly<Record<string, number>>): Map<string, VerilogPort> {
  const values = new Map<string, number>();
  for (const [, name, value] of head.matchAll(/\bparameter\s+(?:integer\s+)?(\w+)\s*=\s*(\d+)/g))
    values.set(name!, Number(value));
  for (const [name, value] of Object.entries(given)) values.set(name, value);
  const ports = new Map<string, VerilogPort>();
  const declared =
    /\b(input|output|inout)\s+(?:wire\s+|reg\s+|logic\s+)?(?:signed\s+)?(\[[^\]]*\]\s*)?(\w+(?:\s*,\s*(?!input\b|output\b|inout\b)\w+)*)/g;
  for (const [, direction, range, names] of head.matchAll(declared))
    for (const name of names!.split(","))
      ports.set(name.trim(), { direction: direction!, width: widthOf(range, values) });
  return ports;
}

function widthOf(range: string | undefined, values: ReadonlyMap<string, number>): number | undefined {
  if (range === undefined) return 1;
  const found = /^\[\s*(\w+)\s*(-\s*1\s*)?:\s*0\s*\]/.exec(range.trim());
  if (!found) return undefined;
  const high = /^\d+$/.test(found[1]!) ? Number(found[1]) : values.get(found[1]!);
  return high === undefined ? undefined : high + (found[2] === undefined ? 1 : 0);
}
