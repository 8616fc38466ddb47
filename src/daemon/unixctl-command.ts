/** Commands that a running daemon answers over its control socket (ovs-appctl(8)). */
export interface UnixctlCommand {
  /** As in the C programs: `vlog/set`, `inc-engine/recompute`. */
  readonly name: string;
  /** What list-commands shows after the name; undefined hides the command. */
  readonly usage: string | undefined;
  readonly minArgs: number;
  /** Infinity for any number. */
  readonly maxArgs: number;
  /** The reply's text. Throws UnixctlError for an error reply. */
  run(args: readonly string[]): string | Promise<string>;
}

/** What a command refuses; the text goes to whoever asked. */
export class UnixctlError extends Error {
  override name = "UnixctlError";
}
