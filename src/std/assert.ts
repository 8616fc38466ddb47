/** A bug, found at run time: stays in production. The daemon crashes and resynchronises from its database. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** States what must hold here; throws AssertionError with `message` if it does not. */
export function assert(condition: unknown, message = "assertion failed"): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** `value`, which cannot be absent here; `what` names it in the message if it is all the same. */
export function present<T>(value: T | undefined | null, what = "value"): T {
  if (value === undefined || value === null) throw new AssertionError(`${what} is absent`);
  return value;
}

/** Ends a `switch` over a union: a compile error if a case is missing, a crash if a stray value comes in. */
export function unreachable(value: never): never {
  throw new AssertionError(`unexpected ${JSON.stringify(value)}`);
}
