/**
 * What processes know of each other's memory accesses (vector clocks), and which of it tokens have to tell. An *observer*
 * is a process that shares a memory; its count goes up after each token that tells it. Only who shares a memory with an
 * observer asks for its count, so a channel tells it only where that can be news on the way to someone who asks:
 * what comes back to an actor it has been through is none.
 */
import type { Plan } from "./plan.js";
import type { Code } from "./wasm.js";

export interface Edge {
  readonly from: number;
  readonly to: number;
}

/** Observer by observer: who asks for its count. */
export type Askers = ReadonlyMap<number, ReadonlySet<number>>;

/** For each edge, the places (in the list of observers) of the counts that it has to tell. */
export function toldBy(edges: readonly Edge[], askers: Askers): number[][] {
  const after = new Map<number, number[]>();
  for (const { from, to } of edges) after.set(from, [...(after.get(from) ?? []), to]);
  const reach = (start: number, without: ReadonlySet<number>): Set<number> => {
    const seen = new Set<number>();
    const open = without.has(start) ? [] : [start];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at)) continue;
      seen.add(at);
      for (const next of after.get(at) ?? []) if (!without.has(next)) open.push(next);
    }
    return seen;
  };
  const told: number[][] = edges.map(() => []);
  [...askers].forEach(([observer, asking], place) => {
    const all = reach(observer, new Set());
    // Who knows it before `u` does, on any way: whoever no way to `u` avoids.
    const before = new Map([...all].map((u) => [u, new Set([observer, u])]));
    for (const d of all) {
      const rest = reach(observer, new Set([d]));
      if (d !== observer) for (const u of all) if (!rest.has(u)) before.get(u)!.add(d);
    }
    edges.forEach(({ from, to }, i) => {
      const knew = before.get(from);
      if (!knew) return;
      const news = reach(to, knew);
      if ([...asking].some((asker) => news.has(asker))) told[i]!.push(place);
    });
  });
  return told;
}

/** An address: an i32 local, or -1 for none, and an offset. */
export type Address = readonly [local: number, offset: number];

const base = (code: Code, local: number): Code => (local < 0 ? code.i32(0) : code.get(local));

/** What a token tells, in pieces: single counts where they are few, else blocks of four that hold the others too. */
interface Piece {
  readonly known: number;
  readonly slot: number;
  readonly vector: boolean;
}

/** More counts than this travel as vectors. */
const FEW = 2;

function pieces(told: readonly number[]): Piece[] {
  if (told.length <= FEW) return told.map((place, i) => ({ known: place * 4, slot: i * 4, vector: false }));
  const blocks = [...new Set(told.map((place) => place >> 2))];
  return blocks.map((block, i) => ({ known: block * 16, slot: i * 16, vector: true }));
}

/** Bytes that a token's knowledge takes. */
export const toldBytes = (told: readonly number[]): number =>
  pieces(told).reduce((sum, { vector }) => sum + (vector ? 16 : 4), 0);

/** Where in a token's knowledge a count stands. */
export function toldOffset(told: readonly number[], place: number): number {
  const at = place * 4;
  const piece = pieces(told).find(({ known, vector }) => at >= known && at < known + (vector ? 16 : 4))!;
  return piece.slot + at - piece.known;
}

/** Copy what is `told` from one actor's vector to another's. */
export function emitTellAll(code: Code, told: readonly number[], to: number, from: number): void {
  for (const { known, vector } of pieces(told)) {
    const [load, put] = vector ? (["v128.load", "v128.store"] as const) : (["i32.load", "i32.store"] as const);
    code
      .i32(0)
      .loadAt(from + known, load)
      .mem(put, to + known);
  }
}

/** Write what is `told` of the vector at `known` to an address. */
export function emitTell(code: Code, told: readonly number[], [local, offset]: Address, known: number): void {
  for (const piece of pieces(told)) {
    const [load, put] = piece.vector ? (["v128.load", "v128.store"] as const) : (["i32.load", "i32.store"] as const);
    base(code, local)
      .loadAt(known + piece.known, load)
      .mem(put, offset + piece.slot);
  }
}

/** The count of what an actor has learnt goes up: where it stands. */
export function countNews(code: Code, news: number): void {
  code.storeAt(news, () => code.loadAt(news).i32(1).op("i32.add"));
}

/** Learn what was told: the greater count counts. The word at `news` goes up if something changes by it. */
export function emitLearn(
  code: Code,
  told: readonly number[],
  known: number,
  [local, offset]: Address,
  news?: number,
): void {
  const blocks = pieces(told);
  if (news !== undefined && blocks.every(({ vector }) => vector)) {
    learnBlocks(code, blocks, known, [local, offset], news);
    return;
  }
  const [one, old, all] = [code.temp("i32"), code.temp("i32"), code.temp("v128")];
  for (const piece of blocks) {
    const at = known + piece.known;
    if (piece.vector) {
      base(code, local)
        .mem("v128.load", offset + piece.slot)
        .loadAt(at, "v128.load")
        .op("i32x4.max_u")
        .set(all);
      code.storeAt(at, () => code.get(all), "v128.store");
    } else {
      base(code, local)
        .mem("i32.load", offset + piece.slot)
        .set(one);
      if (news !== undefined)
        code.storeAt(news, () => code.get(one).loadAt(at).op("i32.gt_u").loadAt(news).op("i32.add"));
      code.i32(0).get(one).loadAt(at).tee(old).get(one).get(old).op("i32.gt_u").op("select").mem("i32.store", at);
    }
  }
  code.free("i32", one, old);
  code.free("v128", all);
}

/** As `emitLearn`, of whole blocks: as a rule there is nothing new, and nothing to store. */
function learnBlocks(
  code: Code,
  blocks: readonly Piece[],
  known: number,
  [local, offset]: Address,
  news: number,
): void {
  const latest = blocks.map(() => code.temp("v128"));
  const before = code.temp("v128");
  blocks.forEach((piece, i) => {
    base(code, local)
      .mem("v128.load", offset + piece.slot)
      .loadAt(known + piece.known, "v128.load")
      .tee(before)
      .op("i32x4.max_u")
      .tee(latest[i]!)
      .get(before)
      .op("v128.xor");
    if (i > 0) code.op("v128.or");
  });
  code.free("v128", before);
  code.op("v128.any_true").if();
  countNews(code, news);
  blocks.forEach((piece, i) => code.storeAt(known + piece.known, () => code.get(latest[i]!), "v128.store"));
  code.end();
  code.free("v128", ...latest);
}

/** Learn what another actor knows at these places; counts that stand beside them may go with them, as with tokens. */
export function emitLearnFrom(code: Code, places: readonly number[], known: number, from: number): void {
  for (const block of new Set(places.map((place) => place >> 2))) {
    const at = block * 16;
    code
      .i32(0)
      .loadAt(known + at, "v128.load")
      .loadAt(from + at, "v128.load")
      .op("i32x4.max_u")
      .mem("v128.store", known + at);
  }
}

/** An actor's own count goes up; as a whole block, which is read as one next. */
export function emitRelease(code: Code, plan: Pick<Plan, "constant">, known: number, own: number): void {
  const at = known + (own >> 2) * 16;
  const one = Array.from({ length: 16 }, (_, i) => (i === (own & 3) * 4 ? 1 : 0));
  code.i32(0).loadAt(at, "v128.load").loadAt(plan.constant(one), "v128.load").op("i32x4.add").mem("v128.store", at);
}
