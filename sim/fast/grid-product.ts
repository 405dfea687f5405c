/** Grids whose tiles are matrix products, recognised by their algebra. */
import type { GridCode } from "./grid-code.js";
import type { Code } from "./wasm.js";

export class GridProduct {
  /** The product form of a grid's cell, if it has one. */
  static of(_grid: GridCode): GridProduct | undefined {
    return undefined;
  }
  emitBeforeWave(_code: Code, _wave: number, _flush: number): void {
    throw new Error("no product");
  }
  emitEmits(_code: Code, _wave: number): void {
    throw new Error("no product");
  }
  emitFlush(_code: Code, _evaluate: number): void {
    throw new Error("no product");
  }
}
