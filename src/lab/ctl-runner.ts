/** The command lines of set-up scripts, run in this process by the same code as the programs in `bin/`. */
import { ConnectionPool, type ProgramName, programNames, runProgram } from "../ctl/index.ts";
import type { CommandPlace, CommandRunner } from "./command-runner.ts";
import type { CommandResult } from "./script/run.ts";

export interface CtlRunner extends CommandRunner {
  /** Lets go of the database connections that were kept for the next command. */
  close(): void;
}

const isProgramName = (name: string | undefined): name is ProgramName => programNames.some((known) => known === name);

export function ctlRunner(): CtlRunner {
  const connections = new ConnectionPool();
  return {
    async run(place: CommandPlace, argv: readonly string[]): Promise<CommandResult> {
      const [program, ...args] = argv;
      if (program === "echo") return { exitCode: 0, stdout: `${args.join(" ")}\n`, stderr: "" };
      if (!isProgramName(program)) {
        return { exitCode: 127, stdout: "", stderr: `${program ?? ""}: not a command of set-up scripts; there are echo, ${programNames.join(", ")}` };
      }
      let stdout = "";
      let stderr = "";
      const exitCode = await runProgram(program, args, {
        host: place.host,
        environment: { variable: (name) => place.environment.get(name), folder: place.environment.get("OVN_RUNDIR") ?? "/" },
        out: (text) => {
          stdout += text;
        },
        err: (text) => {
          stderr += text;
        },
        connections,
      });
      return { exitCode, stdout, stderr };
    },
    close: () => connections.close(),
  };
}
