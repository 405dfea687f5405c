/** A constant of a platform, with what one has to know to trust it. */

/**
 * Where a value comes from. `standard` and `vendor`: a data sheet or manual; `measured`: published measurements on boards
 * with this chip, fitted by `tandem calibrate`; `estimate`: a reasoned guess that no measurement supports yet.
 */
export type Evidence = "standard" | "vendor" | "measured" | "estimate";

export interface Constant {
  readonly value: number;
  readonly unit: string;
  readonly evidence: Evidence;
  /** The document, the rows of measurements, or how the estimate was reached. */
  readonly source: string;
}

export type Constants<Name extends string = string> = Readonly<Record<Name, Constant>>;

/** What a figure that is computed from constants may be called. */
export type Certainty = "exact" | "estimated" | "measured";
