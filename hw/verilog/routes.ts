/**
 * Routes through the hierarchy: every bundle of wires runs from the module that owns its part to the module (or the
 * outside) that uses it, through the ports of all modules between them.
 */
import type { Elaborated } from "../elaborate.js";
import type { Module } from "../module.js";
import { ChannelIn } from "../channel.js";
import { defaultName, wiresOf, type Bundle, type Wire } from "./interface.js";
import { NameTable } from "./names.js";

/** A bundle as one module sees it. */
export interface Local {
  readonly bundle: Bundle;
  readonly name: string;
  /** Undefined where the bundle does not leave the module. */
  readonly port: "toUser" | "toPart" | undefined;
}

/** What is inside a module: the names of all bundles that it sees. */
export interface Scope {
  readonly module: Module;
  readonly names: NameTable;
  readonly bundles: Map<string, Local>;
}

const ids = new WeakMap<object, number>();
let count = 0;
/** A key for a bundle: its kind and its part. */
export function keyOf(bundle: Bundle): string {
  let id = ids.get(bundle.part);
  if (id === undefined) ids.set(bundle.part, (id = count++));
  return `${bundle.kind}${id}`;
}

export const ownerOf = (bundle: Bundle): Module =>
  bundle.kind === "port" ? bundle.part.memory.owner : bundle.part.owner;

function pathTo(module: Module): Module[] {
  const path: Module[] = [];
  for (let at: Module | null = module; at; at = at.parent) path.unshift(at);
  return path;
}

/** The name that a module's own port gives to a channel, if one does. */
export function portName(module: Module, bundle: Bundle): string | undefined {
  if (bundle.kind !== "pop" && bundle.kind !== "push") return undefined;
  const side = bundle.kind === "pop";
  const port = module.ports.find((p) => p instanceof ChannelIn === side && p.channel === bundle.part);
  return port?.name;
}

export class Routes {
  readonly scopes = new Map<Module, Scope>();
  readonly #top: Module;

  constructor(design: Elaborated) {
    this.#top = design.top;
    for (const module of design.modules)
      this.scopes.set(module, { module, names: new NameTable(), bundles: new Map() });
  }

  /** Lead `bundle` from its part to a user in `module`, or to the outside of the design. */
  route(bundle: Bundle, user: Module | "outside"): void {
    const owner = pathTo(ownerOf(bundle));
    const users = user === "outside" ? [] : pathTo(user);
    let common = 0;
    while (common < owner.length && owner[common] === users[common]) common++;
    const meet = owner[common - 1];
    for (const module of owner.slice(common)) this.#add(module, bundle, "toUser", user === "outside");
    for (const module of users.slice(common)) this.#add(module, bundle, "toPart", false);
    if (meet) this.#add(meet, bundle, undefined, false);
  }

  #add(module: Module, bundle: Bundle, port: Local["port"], outside: boolean): void {
    const scope = this.scopes.get(module)!;
    const key = outside ? `outside_${keyOf(bundle)}` : keyOf(bundle);
    if (scope.bundles.has(key)) return;
    // An outer port's name is for the outside; its buffered side has another.
    const given = portName(module, bundle);
    const buffered = !outside && module === this.#top && given !== undefined ? `${given}_buffered` : given;
    const wanted = outside ? bundle.part.name : (buffered ?? defaultName(bundle));
    const name = scope.names.family(
      wanted,
      wiresOf(bundle).map(({ suffix }) => suffix),
    );
    scope.bundles.set(key, { bundle, name, port });
  }

  /** The bundle as `module` sees it; undefined if nobody uses it there. */
  find(module: Module, bundle: Bundle): Local | undefined {
    return this.scopes.get(module)!.bundles.get(keyOf(bundle));
  }
}

/** True where the wire is an output of a module that the bundle crosses. */
export const isOutput = (local: Local, wire: Wire): boolean => wire.byProcess === (local.port === "toPart");
