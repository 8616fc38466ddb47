/** The ways in which an invocation ends before its transaction: thrown, as each of them ends everything, from however deep. */
/** What the user is told, after which nothing of the invocation happens. */
export class CommandError extends Error {
  override name = "CommandError";
}

/** Thrown by a command whose time has not come: it is run again after the next change of the database. */
export class TryAgain extends Error {
  override name = "TryAgain";
}

/** Ends the invocation at once, silently, with an exit code that is itself the answer (`ovs-vsctl br-exists`). */
export class ExitWith extends Error {
  override name = "ExitWith";
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

export function fail(text: string): never {
  throw new CommandError(text);
}
