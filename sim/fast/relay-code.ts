/** A relay (relay.ts) in many rounds at once (ranges.ts): up to which token it goes on, and what it is behind so many. */
import { columnBytes } from "./layout.js";
import type { MemberCode } from "./member-code.js";
import { inColumns } from "./place.js";
import type { Relay } from "./relay.js";
import type { RoundChannel } from "./round-channel.js";
import type { RoundSource } from "./round-source.js";
import { rules } from "./rules.js";
import type { Code } from "./wasm.js";

/** Bytes that are looked at at once. */
const VECTOR = 16;

export class RelayCode {
  readonly member: MemberCode;
  /** The channel behind it. */
  readonly through: RoundChannel;
  readonly #code: Code;
  readonly #relay: Relay;
  readonly #source: RoundSource;

  constructor(code: Code, relay: Relay, member: MemberCode, through: RoundChannel, source: RoundSource) {
    this.#code = code;
    this.#relay = relay;
    this.member = member;
    this.through = through;
    this.#source = source;
  }

  /** The member of the token that ends the loop is a byte in a column of its own, and tokens behind look like those in front. */
  static fits({ goesOn }: Relay, through: RoundChannel, source: RoundSource): boolean {
    const [from, to] = [source.channel.layout.leaves, through.channel.layout.leaves];
    const isSame = from.length === to.length && from.every((leaf, i) => leaf.path.join() === to[i]!.path.join());
    return isSame && from.some((leaf) => leaf.path.join() === goesOn.member && columnBytes(leaf) === 1);
  }

  /** `tokens`, a local, becomes no more than there are in front of the one that ends the loop, from number `first` (a local) on. */
  emitClear(first: number, tokens: number): void {
    if (rules.round.relayDeaf !== 0) return;
    const code = this.#code;
    const { leaves } = this.#source.channel.layout;
    const { member, value } = this.#relay.goesOn;
    const column = this.#source.columns[leaves.findIndex(({ path }) => path.join() === member)]!;
    const [at, end] = [code.temp("i32"), code.temp("i32")];
    code.get(column).get(first).op("i32.add").tee(at);
    code.get(tokens).i32(0).get(tokens).i32(0).op("i32.gt_s").op("select").op("i32.add").set(end);
    const stop = code.block();
    const vectors = code.block();
    const fast = code.loop();
    code.get(at).i32(VECTOR).op("i32.add").get(end).op("i32.gt_u").brIf(vectors);
    code.get(at).mem("v128.load");
    if (value) code.i32(1).op("i8x16.splat").op("v128.xor");
    code.op("v128.any_true").brIf(vectors);
    code.get(at).i32(VECTOR).op("i32.add").set(at).br(fast);
    code.end().end();
    const slow = code.loop();
    code.get(at).get(end).op("i32.ge_u").brIf(stop);
    code.get(at).mem("i32.load8_u");
    if (value) code.op("i32.eqz");
    code.brIf(stop);
    code.get(at).i32(1).op("i32.add").set(at).br(slow);
    code.end().end();
    code.get(at).get(column).op("i32.sub").get(first).op("i32.sub").set(tokens);
    code.free("i32", at, end);
  }

  /** Its variables are those behind the token that the source has pushed last. */
  emitBehind(): void {
    const code = this.#code;
    const last = code.local("i32");
    code.get(this.#source.next).i32(1).op("i32.sub").set(last);
    this.member.emitPlain(
      this.#relay.token,
      inColumns(this.#source.channel.layout, this.#source.columns, last),
      this.#relay.stmts,
    );
  }
}
