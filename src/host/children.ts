/** Other processes that this one starts and answers for. */
export interface ChildOptions {
  readonly environment: ReadonlyMap<string, string>;
  readonly folder: string;
}

export interface ChildResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Children {
  /** Runs a program of this project by name (`ovn-northd`) to its end; a daemon's with --detach comes when it is up. */
  run(program: string, args: readonly string[], options: ChildOptions): Promise<ChildResult>;
  /** Runs any program of the machine, found by path or by PATH, to its end; code 127 if there is none of that name. */
  execute(file: string, args: readonly string[], options: ChildOptions): Promise<ChildResult>;
  /**
   * Runs a program of the machine with this process's own standard input, output and terminal, to its end; its exit code, or 128 and
   * the number of the signal that ended it. What is typed, Ctrl-C included, is the program's.
   */
  takeOver(argv: readonly string[]): Promise<number>;
  /** Whether a process of this number runs. */
  isRunning(pid: number): boolean;
  /** Nothing happens if it has gone already. */
  signal(pid: number, signal: "SIGTERM" | "SIGKILL"): void;
}
