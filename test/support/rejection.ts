/** For tests of promises that must fail. */
import { expect } from "chai";

/** The error of a promise that must reject with one of `type`, its message containing `part`. */
export async function rejection<E extends Error>(
  promise: Promise<unknown>,
  type: new (...args: never[]) => E,
  part = "",
): Promise<E> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    expect(error).to.be.instanceOf(type);
    expect((error as E).message).to.include(part);
    return error as E;
  }
  throw new Error(`expected a rejection, got ${JSON.stringify(value)}`);
}
