/** Finds a program by its name and runs it. */
import type { HostServices } from "../host-services.ts";
import type { Command, CommandContext } from "./command.ts";
import { commands } from "./commands.ts";

export interface RunningCommand {
  readonly exitCode: Promise<number>;
  /** Ctrl-C. */
  interrupt(): void;
}

export function runCommand(
  host: HostServices, argv: readonly string[], output: (to: "stdout" | "stderr", bytes: Uint8Array) => void, input: Uint8Array,
  own: ReadonlyMap<string, Command> = new Map(),
): RunningCommand {
  let interrupted: (() => void) | undefined;
  const encoder = new TextEncoder();
  const context: CommandContext = {
    host,
    input,
    out: (text) => output("stdout", encoder.encode(text)),
    err: (text) => output("stderr", encoder.encode(text)),
    writeBytes: (bytes) => output("stdout", bytes),
    onInterrupt: (action) => {
      interrupted = action;
    },
  };
  const [name = "", ...args] = argv;
  const program = name.replace(/^.*\//, "");
  const command: Command | undefined = own.get(program) ?? commands.get(program);
  if (command === undefined) {
    context.err(`${name}: command not found\nWhat there is on a simulated host:\n`);
    for (const { summary } of new Set([...own.values(), ...commands.values()])) context.err(`  ${summary}\n`);
    return { exitCode: Promise.resolve(127), interrupt: () => {} };
  }
  return { exitCode: command.run(context, args), interrupt: () => interrupted?.() };
}
