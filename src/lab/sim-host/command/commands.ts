/** The programs of a simulated host, by name. */
import type { Command } from "./command.ts";
import { ping } from "./ping.ts";

export const commands: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["ping", ping],
]);
