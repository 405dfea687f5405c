/** How commands end when something goes wrong: one line and a hint for what the user can mend, exit codes 1 and 2. */
import { TandemError } from "../../hw/errors.js";

/** The command line itself is wrong: an unknown option, a value that cannot be meant. Exit code 2. */
export class UsageError extends TandemError {}

/** Prints an error on stderr. @returns the exit code: 2 for usage, 1 for everything else. */
export function report(error: unknown): number {
  if (error instanceof TandemError) {
    process.stderr.write(`tandem: ${oneLine(error.message)}\n`);
    if (error.hint !== undefined) process.stderr.write(`${oneLine(error.hint)}\n`);
    if (process.env["TANDEM_DEBUG"]) process.stderr.write(`${error.stack ?? ""}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  process.stderr.write(`tandem: this is a defect of Tandem, not of your input: ${oneLine(message)}\n`);
  if (process.env["TANDEM_DEBUG"] && error instanceof Error) process.stderr.write(`${error.stack ?? ""}\n`);
  else process.stderr.write("Please report it with the command; TANDEM_DEBUG=1 prints where it happened.\n");
  return 1;
}

/** Names from files may hold anything; a terminal gets printable characters and one line. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
}
