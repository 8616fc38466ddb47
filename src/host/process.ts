/** The process a program runs in: its arguments, environment, standard streams, signals and end. For programs, not for daemons inside the lab. */
export type SignalName = "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGALRM";

export const signalNumbers: Readonly<Record<SignalName, number>> = { SIGHUP: 1, SIGINT: 2, SIGALRM: 14, SIGTERM: 15 };

export interface Environment {
  /** The value of a variable; undefined when it is not set. */
  variable(name: string): string | undefined;
  /** The folder that relative names start from. */
  readonly folder: string;
}

export interface Process extends Environment {
  readonly pid: number;
  /** Without interpreter and script. */
  readonly args: readonly string[];
  /** Seconds of CPU and bytes of memory, for memory/show. */
  usage(): { readonly residentSize: number; readonly heapSize: number };
  /** Written before it returns, so that nothing is lost when the process ends right after. */
  out(text: string): void;
  outBytes(bytes: Uint8Array): void;
  err(text: string): void;
  /** All of standard input. */
  input(): string;
  exit(code: number): never;
  onSignal(signal: SignalName, action: () => void): void;
  /** Dies of `signal`, so that a shell sees 128 + its number. */
  dieOf(signal: SignalName): never;
  /** Called for an error that nothing caught; the process ends afterwards. */
  onCrash(action: (error: unknown) => void): void;
  /** Whether a process of this number runs. */
  isRunning(pid: number): boolean;
  readonly background: Background;
}

/** Going into the background as daemons do: the parent leaves when its child says that it is completely up. */
export interface Background {
  /** Whether this process is the child of a `start`. */
  readonly isChild: boolean;
  /**
   * Starts this program again with the same arguments, away from the terminal, and waits until the child calls `ready`
   * (then 0, with whatever the child left as `message`) or ends before that (then its exit code).
   * `pidfile` is written and locked for the child if the machine has the means (see `heldPidfile`).
   */
  start(pidfile?: string, manner?: BackgroundManner): Promise<{ readonly code: number; readonly message: string }>;
  /** In the child: the pid file that holds its number and on which it holds the lock that C's ovs-appctl looks for. */
  readonly heldPidfile: string | undefined;
  /** In the child: lets the parent go, and from here on standard output and error lead nowhere. */
  ready(message?: string, manner?: BackgroundManner): void;
}

export interface BackgroundManner {
  /** What stays where the parent's goes: for programs whose output is what they are for. */
  readonly keeps?: readonly ("output" | "errors")[];
}
