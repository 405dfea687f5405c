/** Where two results part, in words. */

const show = (value: unknown): string => {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? String(value) : text.length > 80 ? `${text.slice(0, 80)}...` : text;
};

/** `clocks: 120, not 121`: the first place where `found` is not `expected`; undefined where they are equal. */
export function firstDifference(expected: unknown, found: unknown, path: string): string | undefined {
  if (Object.is(expected, found)) return undefined;
  if (typeof expected === "object" && typeof found === "object" && expected !== null && found !== null) {
    const [a, b] = [expected as Record<string, unknown>, found as Record<string, unknown>];
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const inside = firstDifference(a[key], b[key], path === "" ? key : `${path}.${key}`);
      if (inside !== undefined) return inside;
    }
    return undefined;
  }
  return `${path}: ${show(found)}, not ${show(expected)}`;
}
