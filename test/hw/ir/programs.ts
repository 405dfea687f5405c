/**
 * Random programs: the text of a process, written to a file, runs as it is and as IR, and both do the same in the same
 * clocks. The interpreter holds every integer against its range, so unsound ranges show as well. What the checker refuses
 * (a range too wide, say) is left out.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { checkDesign } from "../../../hw/check/index.js";
import { elaborate, type Module } from "../../../hw/index.js";
import { interpretDesign } from "../../../hw/ir/interpret.js";
import { mulberry32 } from "../../../sim/environment.js";
import { example, runExample } from "../constructs/harness.js";
import { firstDifference } from "../../support/difference.js";

const HW = new URL("../../../hw/index.js", import.meta.url).href;
const TYPES = ["u1", "u4", "u8", "i8", "i16", "u16", "i32"] as const;

/** The text of a module with one process of random statements. */
function program(seed: number): string {
  const random = mulberry32(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const names: string[] = ["x", "this.r", "this.v[1]", "this.s.a"];
  const assignable: [string, string][] = [
    ["this.r", "i16"],
    ["this.v[0]", "i8"],
    ["this.s.a", "u8"],
  ];
  let fresh = 0;
  const expr = (depth: number): string => {
    if (depth === 0 || random() < 0.2) return random() < 0.3 ? String(below(40) - 10) : pick(names);
    const a = expr(depth - 1);
    const b = expr(depth - 1);
    switch (below(12)) {
      case 0:
      case 1:
        return `(${a} + ${b})`;
      case 2:
        return `(${a} - ${b})`;
      case 3:
        return `(${a} * ${b})`;
      case 4:
        return `(${test(depth - 1)} ? ${a} : ${b})`;
      case 5:
        return `asr(${a}, ${below(8)})`;
      case 6:
        return `clamp(${a}, -${1 + below(200)}, ${below(300)})`;
      case 7:
        return `(u16(${a}) ${pick(["&", "|", "^"])} u8(${b}))`;
      case 8:
        return `(u16(${a}) % ${1 + below(9)})`;
      case 9:
        return `${pick(TYPES)}(${a})`;
      case 10:
        return `this.helper(${a}, ${b})`;
      default:
        return `Math.${pick(["min", "max"])}(${a}, ${b})`;
    }
  };
  const test = (depth: number): string => {
    const compare = `${expr(depth)} ${pick(["<", "<=", ">", ">=", "===", "!=="])} ${expr(depth)}`;
    return random() < 0.3 ? `(${compare} ${pick(["&&", "||"])} ${expr(0)} < ${expr(0)})` : `(${compare})`;
  };
  const statement = (depth: number): string => {
    const [target, type] = pick(assignable);
    switch (below(depth > 0 ? 9 : 5)) {
      case 0:
        return "yield;";
      case 1:
        return `yield* this.y.push(i32(${expr(2)}));`;
      case 2:
        return `this.v = Word((l) => i8(this.v[l] + ${expr(1)} * l));`;
      case 3:
      case 4:
        return `${target} = ${type}(${expr(3)});`;
      case 5:
        return `if ${test(1)} { ${block(depth - 1)} } else { ${block(depth - 1)} }`;
      case 6: {
        const i = `i${fresh++}`;
        names.push(i);
        const body = block(depth - 1);
        names.splice(names.indexOf(i), 1);
        return `for (let ${i} = ${below(3)}; ${i} < ${1 + below(6)}; ${i}++) { ${body} ${random() < 0.2 ? `if ${test(0)} break;` : ""} }`;
      }
      case 7: {
        const k = `k${fresh++}`;
        return `for (let ${k} = u8(0); ${k} < (u8(${expr(1)}) & 7); ${k} = u8(${k} + 1)) { ${block(depth - 1)} yield; }`;
      }
      default:
        return `yield* clocks(u8(${expr(1)}) & 3);`;
    }
  };
  const block = (depth: number): string => {
    const count = 1 + below(3);
    const known = [names.length, assignable.length] as const;
    const lines: string[] = [];
    for (let i = 0; i < count; i++) {
      const name = `t${fresh++}`;
      const type = pick(TYPES);
      lines.push(`${random() < 0.6 ? `let ${name} = ${type}` : `const ${name} = `}(${expr(2)});`);
      names.push(name);
      if (lines.at(-1)!.startsWith("let")) assignable.push([name, type]);
      lines.push(statement(depth));
    }
    names.length = known[0];
    assignable.length = known[1];
    return lines.join("\n");
  };
  return `
import { asr, clamp, clocks, i16, i32, i8, Module, struct, u1, u16, u4, u8, vec } from ${JSON.stringify(HW)};
const Word = vec(i8, 3);
const State = struct({ a: u8, b: i8 });
export class Random extends Module {
  static source = import.meta.url;
  x = this.channelIn(i16);
  y = this.channelOut(i32);
  r = i16(0);
  v = Word.zero();
  s = State.zero();
  constructor() { super(null, "random"); this.clocked(this.run); }
  helper(a, b) {
    const low = i16(a);
    if (low > b) return low - 1;
    const sum = low + i8(b);
    return sum * 2;
  }
  *run() {
    for (;;) {
      const x = yield* this.x.pop();
      ${block(2)}
      yield* this.y.push(i32(${expr(2)}));
      yield;
    }
  }
}
`;
}

/** A `Check` of test/support/watchdog.ts. */
export async function check(seed: number): Promise<string | undefined | null> {
  const folder = mkdtempSync(join(tmpdir(), "tandem-program-"));
  try {
    const text = program(seed);
    const file = join(folder, `p${seed}.mjs`);
    writeFileSync(file, text);
    const { Random } = (await import(pathToFileURL(file).href)) as { Random: new () => Module };
    const top = new Random();
    const { ir, diagnostics } = await checkDesign(elaborate(top));
    if (diagnostics.length > 0) return null;
    const one = example(Random);
    const read = runExample({ ...one, make: () => top }, seed, () => interpretDesign(ir));
    const difference = firstDifference(runExample(one, seed), read, "");
    return difference === undefined ? undefined : `${difference}\n${text}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
