/**
 * Assertions guard what the code believes about itself. They stay on in production: a broken invariant must stop the
 * operation, not spread. Never use them for input that a client or an operator controls; those get named errors.
 */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new AssertionError(what);
}

/** For the `default` branch of a switch over a closed union: a new member fails the type check and, failing that, the run. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}

/** Unwraps a value that the surrounding code has already proven present. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new AssertionError(`missing: ${what}`);
  return value;
}
