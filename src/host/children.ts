/** Other processes that this one starts and answers for. */
export interface Child {
  readonly pid: number;
  /** Resolves when it has ended: its exit code, or the signal that ended it. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface ChildOptions {
  readonly environment: ReadonlyMap<string, string>;
  readonly folder: string;
  /** Receives standard output and error; appended to. */
  readonly outputFile: string;
}

export interface Children {
  /** Starts a program of this project by name (`ovn-northd`), with the Node that runs us. */
  start(program: string, args: readonly string[], options: ChildOptions): Child;
}
