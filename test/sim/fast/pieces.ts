/** Tokens of an outer input that stand in the engine's memory in pieces, back to front, those that are equal once. */
import type { FastEngine } from "../../../sim/fast/engine.js";

/** Push tokens into a port, in pieces of these lengths, the rest as one. */
export function sendInPieces(
  engine: FastEngine,
  port: string,
  tokens: readonly unknown[],
  lengths: readonly number[],
  gaps?: readonly number[],
): void {
  let at = 0;
  const cut = [...lengths, tokens.length].map((length) => tokens.slice(at, (at += length)));
  const held: unknown[] = [];
  const places = new Map<string, number>();
  for (const piece of [...cut].reverse()) {
    const text = JSON.stringify(piece);
    if (places.has(text)) continue;
    places.set(text, held.length);
    held.push(...piece);
  }
  const pieces = cut.map((piece) => ({ from: places.get(JSON.stringify(piece))!, tokens: piece.length }));
  engine.send(port, held, gaps, pieces);
}

/** Two thirds of the tokens, then the others. */
export const inTwo = ({ length }: readonly unknown[]): number[] => [Math.floor((length * 2) / 3)];
