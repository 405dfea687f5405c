/** A small reader of Value Change Dumps, for tests: the values of every variable over time. */

export class Waves {
  /** Dotted path to the bits declared; 64 for a real. */
  readonly bits = new Map<string, number>();
  /** Change lists by path, in order of time; undefined is unknown. */
  readonly changes = new Map<string, { time: number; value: bigint | number | undefined }[]>();
  lastTime = -1;

  constructor(text: string) {
    const byCode = new Map<string, { path: string; real: boolean }>();
    const scopes: string[] = [];
    const tokens = text.split(/\s+/).filter((token) => token !== "");
    let time = -1;
    let at = 0;
    const upToEnd = (): string[] => {
      const end = tokens.indexOf("$end", at);
      if (end < 0) throw new Error(`no $end after token ${at}`);
      const body = tokens.slice(at, end);
      at = end + 1;
      return body;
    };
    const change = (code: string, value: bigint | number | undefined): void => {
      const declared = byCode.get(code);
      if (!declared) throw new Error(`undeclared identifier ${code}`);
      this.changes.get(declared.path)!.push({ time, value });
    };
    while (at < tokens.length) {
      const token = tokens[at++]!;
      if (token === "$scope") scopes.push(upToEnd()[1]!);
      else if (token === "$upscope") {
        upToEnd();
        if (scopes.pop() === undefined) throw new Error("$upscope outside a scope");
      } else if (token === "$var") {
        const [type, bits, code, name] = upToEnd();
        const path = [...scopes, name].join(".");
        if (byCode.has(code!)) throw new Error(`identifier ${code} is declared twice`);
        byCode.set(code!, { path, real: type === "real" });
        this.bits.set(path, Number(bits));
        this.changes.set(path, []);
      } else if (token === "$enddefinitions") {
        upToEnd();
        if (scopes.length > 0) throw new Error("a scope is left open");
      } else if (token === "$dumpvars" || token === "$end") continue;
      else if (token.startsWith("$")) upToEnd();
      else if (token.startsWith("#")) {
        const next = Number(token.slice(1));
        if (!(next > time)) throw new Error(`time goes from ${time} to ${next}`);
        this.lastTime = time = next;
      } else if (token.startsWith("b")) {
        const code = tokens[at++]!;
        const digits = token.slice(1);
        if (!/^([01]+|x)$/.test(digits)) throw new Error(`vector value ${token}`);
        change(code, digits === "x" ? undefined : BigInt(`0b${digits}`));
        if (digits !== "x" && digits.length > this.bits.get(byCode.get(code)!.path)!)
          throw new Error(`${token} too wide`);
      } else if (token.startsWith("r")) change(tokens[at++]!, Number(token.slice(1)));
      else if (/^[01x]/.test(token)) change(token.slice(1), token.startsWith("x") ? undefined : BigInt(token[0]!));
      else throw new Error(`unexpected ${token}`);
    }
  }

  get paths(): string[] {
    return [...this.changes.keys()];
  }

  at(path: string, time: number): bigint | number | undefined {
    const list = this.changes.get(path);
    if (!list) throw new Error(`no variable ${path}; there are ${this.paths.join(", ")}`);
    let value: bigint | number | undefined;
    for (const change of list) if (change.time <= time) value = change.value;
    return value;
  }

  /** The values of clocks `from` to `to`, both included, looked at just before their end. */
  clocks(path: string, from: number, to: number): (number | undefined)[] {
    return Array.from({ length: to - from + 1 }, (_, i) => {
      const value = this.at(path, (from + i) * 10 + 9);
      return value === undefined ? undefined : Number(value);
    });
  }

  /** A word of 8-bit characters. */
  text(path: string, clock: number): string {
    let rest = BigInt(this.at(path, clock * 10 + 9) ?? 0n);
    let text = "";
    for (; rest > 0n; rest >>= 8n) text = String.fromCharCode(Number(rest & 255n)) + text;
    return text;
  }
}
