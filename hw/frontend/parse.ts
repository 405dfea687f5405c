/**
 * Reads one source file: TypeScript, or the JavaScript that a compiler made of it (then positions are mapped back
 * through its source map). The parser is used here and nowhere else.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { parseSync, visitorKeys } from "oxc-parser";
import type * as Ast from "oxc-parser";
import { TandemError } from "../errors.js";
import type { Position } from "../ir/ir.js";

export type { Ast };
export type Node = Ast.Node;
/** A function in the source, whatever its form. */
export type FunctionNode = Ast.Function | Ast.ArrowFunctionExpression;

/** The children of a node, in the order of the text. */
export function children(node: Node): Node[] {
  const list: Node[] = [];
  for (const key of visitorKeys[node.type] ?? []) {
    const child = (node as unknown as Record<string, unknown>)[key];
    for (const one of Array.isArray(child) ? (child as unknown[]) : [child])
      if (typeof one === "object" && one !== null && "type" in one) list.push(one as Node);
  }
  return list;
}

/** Visit a node and all below it; `visit` returns false to leave a subtree out. */
export function walk(node: Node, visit: (node: Node) => boolean | undefined): void {
  if (visit(node) === false) return;
  for (const child of children(node)) walk(child, visit);
}

/** The expression without parentheses, casts and assertions of TypeScript, which mean nothing at run time. */
export function strip(node: Ast.Expression): Ast.Expression {
  let at = node;
  while (
    at.type === "ParenthesizedExpression" ||
    at.type === "TSAsExpression" ||
    at.type === "TSNonNullExpression" ||
    at.type === "TSSatisfiesExpression" ||
    at.type === "TSTypeAssertion"
  )
    at = at.expression;
  return at;
}

export class SourceFile {
  readonly url: string;
  readonly path: string;
  readonly text: string;
  readonly program: Ast.Program;
  readonly #starts: number[] = [0];
  readonly #map: TraceMap | undefined;
  readonly #mapFolder: string = "";
  readonly #positions = new Map<number, Position>();

  constructor(url: string) {
    this.url = url;
    this.path = pathOf(url);
    this.text = readFileSync(this.path, "utf8");
    const { program, errors } = parseSync(this.path, this.text, { preserveParens: false });
    const error = errors.find(({ severity }) => (severity as string) === "Error");
    if (error) throw new TandemError(`${this.path}: ${error.message}`, { hint: "Compile the file first." });
    this.program = program;
    for (let i = this.text.indexOf("\n"); i >= 0; i = this.text.indexOf("\n", i + 1)) this.#starts.push(i + 1);
    const comment = /^\/\/# sourceMappingURL=(\S+)\s*$/m.exec(this.text);
    if (!comment?.[1]) return;
    const loaded = readMap(this.path, comment[1]);
    if (!loaded) return;
    this.#map = loaded.map;
    this.#mapFolder = loaded.folder;
  }

  /** Where an offset stands in the source that the user wrote. */
  position(offset: number): Position {
    let position = this.#positions.get(offset);
    if (!position) this.#positions.set(offset, (position = this.#locate(offset)));
    return position;
  }

  #locate(offset: number): Position {
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    const column = offset - this.#starts[low]!;
    if (this.#map) {
      const original = originalPositionFor(this.#map, { line: low + 1, column });
      if (original.source !== null)
        return {
          file: shown(resolve(this.#mapFolder, original.source)),
          line: original.line,
          column: original.column + 1,
        };
    }
    return { file: shown(this.path), line: low + 1, column: column + 1 };
  }
}

/** As the user would type it from where the command runs. */
function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
}

function pathOf(url: string): string {
  if (!url.startsWith("file:"))
    throw new TandemError(`Source ${url}: only files can be read`, {
      hint: "Set it with: static readonly source = import.meta.url",
    });
  const path = fileURLToPath(url.replace(/[?#].*$/, ""));
  if (existsSync(path)) return path;
  // A loader that runs TypeScript in place lets `./x.js` mean `./x.ts`.
  const typescript = path.replace(/\.(m?)js$/, ".$1ts");
  if (existsSync(typescript)) return typescript;
  throw new TandemError(`Source ${path} does not exist`, {
    hint: "The compiler reads the bodies of processes from the file that defined them; keep it in place.",
  });
}

function readMap(path: string, reference: string): { map: TraceMap; folder: string } | undefined {
  const inline = /^data:application\/json[^,]*;base64,(.*)$/.exec(reference);
  try {
    if (inline?.[1]) return { map: new TraceMap(Buffer.from(inline[1], "base64").toString()), folder: dirname(path) };
    const file = resolve(dirname(path), reference);
    return existsSync(file) ? { map: new TraceMap(readFileSync(file, "utf8")), folder: dirname(file) } : undefined;
  } catch {
    // A broken map only costs the mapping.
    return undefined;
  }
}
