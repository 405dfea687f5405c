/**
 * The source files that a design stands in, with what their imports are at run time: a name that is imported has the
 * live value, and the text of the function behind it where one is to be inlined. Loading is asynchronous and happens
 * once, before anything is lowered.
 */
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { TandemError } from "../errors.js";
import { children, SourceFile, walk, type Ast, type FunctionNode, type Node } from "./parse.js";
import { isTypeScript, resolveInTypeScript } from "./resolve.js";

export interface Import {
  /** Where it comes from, as a URL; undefined if that cannot be resolved. */
  readonly url: string | undefined;
  /** Name of the export; `*` for the namespace. */
  readonly name: string;
  /** The live value. */
  readonly value: unknown;
}

export interface LoadedFile {
  readonly source: SourceFile;
  readonly imports: ReadonlyMap<string, Import>;
  readonly classes: readonly Ast.Class[];
}

/** The class with its text, and the file. */
export interface ClassText {
  readonly file: LoadedFile;
  readonly node: Ast.Class;
}

type Constructor = abstract new (...args: never[]) => unknown;

/** Folder of the language itself: its functions are known by identity and never read. */
const home = new URL("../", import.meta.url).href;

export class Sources {
  readonly #files = new Map<string, LoadedFile>();
  readonly #classes = new Map<Constructor, ClassText | undefined>();
  readonly #paths = new Map<Node, readonly Node[]>();

  /** Read the file at `url`, and those that it imports. */
  async load(url: string): Promise<void> {
    if (this.#files.has(url)) return;
    const source = new SourceFile(url);
    const imports = new Map<string, Import>();
    const classes: Ast.Class[] = [];
    this.#files.set(url, { source, imports, classes });
    walk(source.program, (node) => {
      if (node.type === "ClassDeclaration" || node.type === "ClassExpression") classes.push(node);
      return undefined;
    });
    const wanted: string[] = [];
    for (const statement of source.program.body) {
      if (statement.type === "ImportDeclaration" && statement.importKind !== "type") {
        const from = resolveFrom(statement.source.value, url);
        const live = from === undefined ? undefined : await importLive(from);
        for (const specifier of statement.specifiers) {
          if (specifier.type === "ImportSpecifier" && specifier.importKind === "type") continue;
          const name = importedName(specifier);
          const value = name === "*" ? live : live?.[name];
          imports.set(specifier.local.name, { url: from, name, value });
        }
        if (from !== undefined) wanted.push(from);
      } else if (statement.type === "ExportNamedDeclaration" || statement.type === "ExportAllDeclaration") {
        const from = statement.source && resolveFrom(statement.source.value, url);
        if (from) wanted.push(from);
      }
    }
    for (const next of wanted) if (isUsers(next)) await this.load(next);
  }

  /** URLs of all files read. */
  get urls(): string[] {
    return [...this.#files.keys()];
  }

  file(url: string): LoadedFile | undefined {
    return this.#files.get(url);
  }

  /** The function that a module exports under a name, through re-exports; undefined if it is not one or not readable. */
  exportedFunction(url: string, name: string): { file: LoadedFile; fn: FunctionNode } | undefined {
    const file = this.#files.get(url);
    if (!file) return undefined;
    for (const statement of file.source.program.body) {
      if (statement.type === "ExportNamedDeclaration") {
        const declared = statement.declaration && functionNamed(statement.declaration, name);
        if (declared) return { file, fn: declared };
        for (const { local, exported } of statement.specifiers) {
          if (exportName(exported) !== name) continue;
          const from = statement.source && resolveFrom(statement.source.value, url);
          if (from) return this.exportedFunction(from, exportName(local));
          const imported = file.imports.get(exportName(local));
          if (imported?.url) return this.exportedFunction(imported.url, imported.name);
          const fn = topLevelFunction(file, exportName(local));
          return fn && { file, fn };
        }
      } else if (statement.type === "ExportAllDeclaration") {
        const from = resolveFrom(statement.source.value, url);
        const found = from === undefined ? undefined : this.exportedFunction(from, name);
        if (found) return found;
      } else if (statement.type === "ExportDefaultDeclaration" && name === "default") {
        const { declaration } = statement;
        if (declaration.type === "FunctionDeclaration" || declaration.type === "ArrowFunctionExpression")
          return { file, fn: declaration };
      }
    }
    return undefined;
  }

  /** The text of a class that says where it stands; undefined if it does not say. */
  classText(constructor: Constructor): ClassText | undefined {
    if (this.#classes.has(constructor)) return this.#classes.get(constructor);
    const found = this.#findClass(constructor);
    this.#classes.set(constructor, found);
    return found;
  }

  #findClass(constructor: Constructor): ClassText | undefined {
    const url = sourceUrl(constructor);
    const file = url === undefined ? undefined : this.#files.get(url);
    if (!file) return undefined;
    const { name } = constructor;
    const named = file.classes.filter((node) => node.id?.name === name);
    // The text of the class as it was loaded tells classes of one name apart.
    const text = Function.prototype.toString.call(constructor);
    const same = file.classes.filter((node) => file.source.text.slice(node.start, node.end) === text);
    const node = same[0] ?? (named.length === 1 ? named[0] : undefined);
    if (node) return { file, node };
    throw new TandemError(`${file.source.path}: no class ${name} found that could be the one that runs`, {
      hint: "The class that says `static readonly source = import.meta.url` has to stand in that file, under its own name.",
    });
  }

  /** The nodes around a node, from the program inwards. */
  around(file: LoadedFile, node: Node): readonly Node[] {
    let path = this.#paths.get(node);
    if (!path) {
      const found: Node[] = [];
      let at: Node = file.source.program;
      for (;;) {
        found.push(at);
        const next: Node | undefined = children(at).find(({ start, end }) => start <= node.start && node.end <= end);
        if (!next || next === node) break;
        at = next;
      }
      this.#paths.set(node, (path = found));
    }
    return path;
  }
}

/** Own `source` of a class. */
export function sourceUrl(constructor: Constructor): string | undefined {
  if (!Object.hasOwn(constructor, "source")) return undefined;
  const { source } = constructor as unknown as { source: unknown };
  return typeof source === "string" ? source : undefined;
}

/** The classes of a live object, the most derived first, without the language's own. */
export function classesOf(object: object, base: Constructor): Constructor[] {
  const list: Constructor[] = [];
  let prototype = Object.getPrototypeOf(object) as { constructor: Constructor } | null;
  while (prototype && prototype.constructor !== base && prototype !== Object.prototype) {
    list.push(prototype.constructor);
    prototype = Object.getPrototypeOf(prototype) as { constructor: Constructor } | null;
  }
  return list;
}

const isUsers = (url: string): boolean => url.startsWith("file:") && !(url.startsWith(home) && !url.includes("/test/"));

function resolveFrom(specifier: string, base: string): string | undefined {
  const typed = isTypeScript(base) ? resolveInTypeScript(specifier, base) : undefined;
  if (typed !== undefined) return typed;
  if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, base).href;
  if (/^(file|node|data):/.test(specifier)) return specifier;
  try {
    return pathToFileURL(createRequire(base).resolve(specifier)).href;
  } catch {
    return undefined;
  }
}

async function importLive(url: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return (await import(url)) as Readonly<Record<string, unknown>>;
  } catch {
    // The name is reported where it is used.
    return undefined;
  }
}

const exportName = (node: Ast.ModuleExportName): string => (node.type === "Literal" ? node.value : node.name);

function importedName(specifier: Ast.ImportDeclarationSpecifier): string {
  if (specifier.type === "ImportNamespaceSpecifier") return "*";
  return specifier.type === "ImportDefaultSpecifier" ? "default" : exportName(specifier.imported);
}

function functionNamed(declaration: Ast.Declaration, name: string): FunctionNode | undefined {
  if (declaration.type === "FunctionDeclaration") return declaration.id?.name === name ? declaration : undefined;
  if (declaration.type !== "VariableDeclaration") return undefined;
  for (const { id, init } of declaration.declarations)
    if (id.type === "Identifier" && id.name === name && init && isFunction(init)) return init;
  return undefined;
}

export const isFunction = (node: Node): node is FunctionNode =>
  node.type === "FunctionDeclaration" || node.type === "FunctionExpression" || node.type === "ArrowFunctionExpression";

function topLevelFunction({ source }: LoadedFile, name: string): FunctionNode | undefined {
  for (const statement of source.program.body) {
    const found =
      statement.type === "FunctionDeclaration" || statement.type === "VariableDeclaration"
        ? functionNamed(statement, name)
        : undefined;
    if (found) return found;
  }
  return undefined;
}
