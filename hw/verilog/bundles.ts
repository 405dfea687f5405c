/** The parts that a process is joined to, found in its steps. */
import type { Channel } from "../channel.js";
import type { Ref } from "../ir/ir.js";
import { exprsOf, visitExpr } from "../fsm/uses.js";
import type { Machine } from "../fsm/walk.js";
import type { Bundle } from "./interface.js";

type BundleKey = Bundle["kind"];

/** All parts that a process is joined to, in the order of first use. */
export function bundlesOf(machine: Machine): Bundle[] {
  const found = new Map<unknown, Map<BundleKey, Bundle>>();
  const list: Bundle[] = [];
  const add = (bundle: Bundle): void => {
    const kinds = found.get(bundle.part) ?? new Map<BundleKey, Bundle>();
    found.set(bundle.part, kinds);
    if (kinds.has(bundle.kind)) return;
    kinds.set(bundle.kind, bundle);
    list.push(bundle);
  };
  const all = <P>(ref: Ref<P>, make: (part: P) => Bundle): void => ref.parts.forEach((part) => add(make(part)));
  const stagedChannels = new Set(machine.staged.values());
  const push = (part: Channel): Bundle =>
    stagedChannels.has(part) ? { kind: "push", part, staged: true } : { kind: "push", part };
  for (const { node } of machine.steps) {
    if (node.kind === "pop") all(node.channel, (part) => ({ kind: "pop", part }));
    if (node.kind === "push") all(node.channel, push);
    if (node.kind === "action") {
      const { action } = node;
      if (action.kind === "tryPop" || action.kind === "peek") all(action.channel, (part) => ({ kind: "pop", part }));
      if (action.kind === "tryPush") all(action.channel, push);
      if (action.kind === "read" || action.kind === "write") all(action.port, (part) => ({ kind: "port", part }));
      if (action.kind === "signal") all(action.signal, (part) => ({ kind: "signalWrite", part }));
      if (action.kind === "feed") add({ kind: "grid", part: action.grid });
    }
    for (const e of exprsOf(node))
      visitExpr(e, (x) => {
        if (x.kind === "q") all(x.port, (part) => ({ kind: "port", part }));
        if (x.kind === "signal") all(x.signal, (part) => ({ kind: "signalRead", part }));
      });
  }
  return list;
}
