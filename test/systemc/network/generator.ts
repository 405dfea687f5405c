/** Random networks for `interpreter.ts`: small, with many coincidences of time, and sure to come to an end. */

/** A generator of 32-bit numbers (mulberry32), so that a seed gives the same network everywhere. */
export function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

export function randomNetwork(seed: number): number[] {
  const below = random(seed);
  const between = (low: number, high: number): number => low + below(high - low + 1);
  const [events, signals, bools, fifos, clocks] = [
    between(1, 4),
    between(1, 3),
    between(1, 3),
    between(1, 2),
    below(3),
  ];
  const processes = between(2, 7);
  const numbers = [events, signals, bools, fifos];
  for (let i = 0; i < fifos; i++) numbers.push(between(1, 3));
  numbers.push(clocks);
  for (let i = 0; i < clocks; i++) numbers.push(2 * between(1, 4));

  const sizes = [events, signals, bools, bools, clocks, clocks, fifos, fifos];
  const reference = (): number => {
    const kind = below(2) === 0 ? 0 : below(8);
    return sizes[kind] === 0 ? below(events) : kind * 100 + below(sizes[kind]!);
  };
  const kinds = Array.from({ length: processes }, () => below(3) === 0);
  const resets = kinds.map((isMethod) => (!isMethod && below(4) === 0 ? below(bools) : -1));

  const instruction = (self: number): number[] => {
    const isMethod = kinds[self]!;
    switch (below(20)) {
      case 0:
        return [0, 0, 0, 0];
      case 1:
        return [1, 0, 0, 0];
      case 2:
        return [2, between(1, 3), 0, 0];
      case 3:
      case 4:
        return [3, below(5), 0, 0];
      case 5:
        return [4, reference(), 0, 0];
      case 6:
        return [between(5, 6), reference(), reference(), 0];
      case 7:
        return [7, below(5), reference(), 0];
      case 8:
        return [between(8, 9), reference(), reference(), below(5)];
      case 9:
      case 10:
        return [between(10, 13), below(events), below(5), 0];
      case 11:
      case 12:
        return [14, below(signals), 0, 0];
      case 13:
        return [15, below(bools), 0, 0];
      case 14:
        return [16, below(fifos), 0, 0];
      case 15:
        return [17, below(fifos), 0, 0];
      case 16:
        return [between(18, 19), below(fifos), 0, 0];
      case 17: {
        // Control goes to later processes only: who resets whom then has an end. No suspension together with resets.
        const target = between(self, processes - 1);
        if (target > self && !kinds[target]! && below(2) === 0) return [below(4) === 0 ? 23 : 22, target, 0, 0];
        if (resets[target]! >= 0 || isMethod) return [21, target, 0, 0];
        return [between(20, 21), target, 0, 0];
      }
      case 18:
        return [
          [24, below(signals), 0, 0],
          [25, below(events), 0, 0],
          [26, below(bools), 0, 0],
        ][below(3)]!;
      default:
        return below(3) === 0 ? [27, below(events), below(10), below(2)] : [3, between(1, 3), 0, 0];
    }
  };

  numbers.push(processes);
  for (let self = 0; self < processes; self++) {
    const statics = Array.from({ length: below(4) }, reference);
    const dontInitialize = statics.length > 0 && below(4) === 0 ? 1 : 0;
    numbers.push(kinds[self] ? 1 : 0, dontInitialize, between(10, 80), statics.length, ...statics);
    numbers.push(resets[self]!, below(2), below(2));
    const program = Array.from({ length: between(2, kinds[self] ? 6 : 14) }, () => instruction(self));
    numbers.push(program.length, ...program.flat());
  }
  const slices = Array.from({ length: between(1, 4) }, () => below(12));
  numbers.push(slices.length + 1, ...slices, 60);
  return numbers;
}
