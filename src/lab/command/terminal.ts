/** What the commands of `isthmus` are given: the world, the terminal, and where the project's programs are. */
import type { Children, Host, Machines, Process, Threads } from "../../host/index.ts";

export interface Terminal {
  readonly host: Host;
  readonly process: Process;
  readonly children: Children;
  readonly machines: Machines;
  readonly threads: Threads;
  /** The folder of `ovn-nbctl` and its sisters, for a shell's PATH. */
  readonly programsFolder: string;
  /** The examples that ship with the project. */
  readonly examplesFolder: string;
  /** Whether colours are wanted. */
  readonly isColourful: boolean;
}

/** What the user did wrong, or what the machine lacks: told without a stack, exit code 1 unless another is named. */
export class UserError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
