/**
 * The one error type of the project. Whatever a user can cause (a bad file, option, design or model) is thrown as a
 * `TandemError`: one line that names the file or option, what was found and what was expected, and what to do about it.
 * Anything else that reaches the command line is a defect of Tandem.
 */
export class TandemError extends Error {
  /** What the user can do, as an imperative sentence; printed after the message. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TandemError";
    this.hint = options.hint;
  }
}
